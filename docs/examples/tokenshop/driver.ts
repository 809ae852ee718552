/**
 * An example of a driver, for a shop of tokens that does not exist: class M, because every token has
 * a label that we may write and its value can be read again. The conformance kit runs against it.
 */
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import {
  StoreFailure,
  type Connection,
  type Driver,
  type RemoteCredential,
  type RemoteHandle,
  type RemoteListing,
  type RemoteStore,
  type VendorRequest,
  type VendorResponse,
} from '../../../src/stores/contract.ts';
import { isSameGeneration, markText, parseMark } from '../../../src/stores/mark.ts';
import { retryAfterMs } from '../../../src/stores/retryafter.ts';

const TOKENS = '/v1/tokens';

/** What `registry.ts` would list. */
export const tokenshopDriver: Driver = {
  type: 'Tokenshop',
  hosts: ['api.tokenshop.example'],
  open({ endpoint, credentialsSecretRef }) {
    // What the schema cannot say is said here, in a sentence that names the field.
    const url = URL.parse(String(endpoint));
    if (url === null) return { problem: 'spec.tokenshop.endpoint must be a URL' };
    return openHandle(url, String(member(credentialsSecretRef, 'name')));
  },
};

function openHandle(endpoint: URL, secretName: string): RemoteHandle {
  return {
    type: 'Remote',
    // Promise nothing that the vendor does not keep: what is missing here becomes a condition.
    capabilities: {
      class: 'M',
      formats: ['Opaque'],
      recoverable: true,
      rotation: 'Replace',
      regeneratePerSlot: true,
      suspend: true,
      displayNameMax: 40,
      descriptionMax: 120,
      terms: [],
    },
    defaultFormat: 'Opaque',
    provider: 'tokenshop',
    endpoint,
    credentials: { secretName, entries: ['token'] },
    settleMs: 5_000,
    deleteGraceMs: 0,
    onExpiry: 'Disable',
    connect,
  };
}

function connect(connection: Connection): RemoteStore {
  const call: Caller = (request, signal) => send(connection, request, signal);
  return {
    list: (signal) => listAll(call, signal),
    async login(signal) {
      const path = '/v1/account';
      return { id: text(await call({ method: 'GET', path }, signal), 'account'), facts: {} };
    },
    async create({ mark, name, description }, signal) {
      const body = { label: markText(mark), title: name, note: description };
      return credential(await call({ method: 'POST', path: TOKENS, body }, signal));
    },
    async read(id, signal) {
      return found(await call({ method: 'GET', path: pathOf(id) }, signal), id);
    },
    async find(mark, signal) {
      return (await listAll(call, signal)).filter((one) => isSameGeneration(one.mark, mark));
    },
    async update(id, { enabled, name, description }, signal) {
      const body = { title: name, note: description, state: enabled ? 'live' : 'paused' };
      return found(await call({ method: 'PUT', path: pathOf(id), body }, signal), id);
    },
    async regenerate(id, _slot, signal) {
      return found(await call({ method: 'POST', path: `${pathOf(id)}/roll` }, signal), id);
    },
    async delete(id, signal) {
      const answer = await call({ method: 'DELETE', path: pathOf(id) }, signal);
      return answer === undefined ? 'NotFound' : 'Deleted';
    },
  };
}

type Call = Pick<VendorRequest, 'method' | 'path'> & { readonly body?: unknown };
type Caller = (request: Call, signal: AbortSignal) => Promise<unknown>;

/** One attempt, authenticated anew; the answer as JSON, or undefined: there is no such token. */
async function send(
  { http, credentials, clock }: Connection,
  { method, path, body }: Call,
  signal: AbortSignal,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${credentials['token']?.revealText()}` };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await http.send({ method, path, headers, ...content }, signal);
  if (answer.status === 204) return {};
  if (answer.status >= 200 && answer.status < 300) return parse(answer.body);
  // A page of a proxy says nothing about the token or the call; the vendor's own code does.
  const code = answer.body.startsWith('{') ? member(parse(answer.body), 'code') : undefined;
  if (answer.status === 404 && code === 'no_token') return undefined;
  throw failureOf(answer, code, clock.nowMs());
}

/** Status to failure. Not one word of the vendor's text: it may repeat what we sent. */
function failureOf(answer: VendorResponse, code: unknown, nowMs: number): StoreFailure {
  const { status, headers } = answer;
  const message = `the token shop answered HTTP ${status}`;
  const executed = code === undefined ? 'Unknown' : 'No';
  if (status === 401 || status === 403) return new StoreFailure('Denied', { message, executed });
  if (status === 404) return garbled('about a path that it does not know');
  if (status >= 500) return new StoreFailure('Unavailable', { message });
  if (status !== 429) return new StoreFailure('Refused', { message, executed });
  const waitMs = retryAfterMs(headers, nowMs) ?? 60_000;
  return new StoreFailure('Throttled', { message, executed, retryAfterMs: waitMs });
}

/** Ids come from the ledger, but they once came from the vendor. */
function pathOf(id: string): string {
  if (/^tk-[0-9a-f]{12}$/.test(id)) return `${TOKENS}/${id}`;
  throw new StoreFailure('Refused', { message: 'the id is none of the token shop' });
}

/** Pages by number shift when others delete; two passes alike show all that was there throughout. */
async function listAll(call: Caller, signal: AbortSignal): Promise<readonly RemoteListing[]> {
  let before: string | undefined;
  for (let pass = 0; pass < 8; pass += 1) {
    const all: RemoteListing[] = [];
    for (let page = 1, last = 1; page <= Math.min(last, 1_000); page += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const answer = await call({ method: 'GET', path: `${TOKENS}?page=${page}` }, signal);
      const [tokens, pages] = [member(answer, 'tokens'), member(answer, 'pages')];
      if (!Array.isArray(tokens) || typeof pages !== 'number') throw garbled('no page of a list');
      all.push(...tokens.map(listing));
      last = pages;
    }
    const ids = all.map(({ id }) => id).join();
    if (ids === before) return all;
    before = ids;
  }
  throw new StoreFailure('Unavailable', { message: 'the list never held still', executed: 'No' });
}

/** Not found is an answer: only the caller knows whether to believe it. */
function found(answer: unknown, id: string): RemoteCredential | undefined {
  return answer === undefined ? undefined : credential(answer, id);
}

/** A token with its value. An answer about another one than was asked for is no answer. */
function credential(answer: unknown, id?: string): RemoteCredential {
  const token = member(answer, 'token');
  const listed = listing(token);
  if (id !== undefined && listed.id !== id) throw garbled('about another token');
  return {
    ...listed,
    accountId: text(token, 'account'),
    hint: `...${text(token, 'tail')}`,
    values: { apiKey: new Sensitive(text(answer, 'secret')) },
    name: text(token, 'title'),
    description: text(token, 'note'),
    facts: {},
  };
}

function listing(token: unknown): RemoteListing {
  const mark = parseMark(text(token, 'label'));
  return { id: text(token, 'id'), enabled: text(token, 'state') === 'live', ...(mark && { mark }) };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The parser's own message quotes the text, which may be a key.
    throw garbled('no JSON');
  }
}

function text(value: unknown, name: string): string {
  const it = member(value, name);
  if (typeof it !== 'string') throw garbled(`without ${name}`);
  return it;
}

/** Own members only: `constructor` is none of the vendor's. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

function garbled(what: string): StoreFailure {
  return new StoreFailure('Garbled', { message: `the token shop answered something ${what}` });
}
