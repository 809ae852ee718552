/**
 * Drivers for the awkward vendor of fakes/awkward, only for tests: one of class O, and by the vendor's
 * other styles one of class I and one of class X.
 */
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import {
  StoreFailure,
  type Capabilities,
  type Connection,
  type Driver,
  type DriverClass,
  type RemoteHandle,
  type RemoteListing,
  type RemoteStore,
  type VendorRequest,
  type VendorResponse,
} from '../../../src/stores/contract.ts';
import { markText } from '../../../src/stores/mark.ts';
import { retryAfterMs } from '../../../src/stores/retryafter.ts';
import { garbled, memberOf, parseJson, parseToken, parseTokens } from './wire.ts';

type AwkwardClass = Extract<DriverClass, 'O' | 'I' | 'X'>;

const TOKENS = '/v1/tokens';
const SETTLE_SECONDS = 30;
const PASSES_MAX = 8;

/** Type `Awkward` for class O, `AwkwardI` and `AwkwardX` for the others. */
export function awkwardDriver(kind: AwkwardClass = 'O'): Driver {
  return {
    type: kind === 'O' ? 'Awkward' : `Awkward${kind}`,
    hosts: [],
    open({ endpoint, credentialsSecretRef, settleSeconds = SETTLE_SECONDS }) {
      const url = URL.parse(String(endpoint));
      if (url === null) return { problem: 'spec.awkward.endpoint must be a URL' };
      const secretName = String(memberOf(credentialsSecretRef, 'name'));
      return handle(kind, { endpoint: url, secretName, settleMs: 1_000 * Number(settleSeconds) });
    },
  };
}

type Settings = {
  readonly endpoint: URL;
  readonly secretName: string;
  readonly settleMs: number;
};

function handle(kind: AwkwardClass, { endpoint, secretName, settleMs }: Settings): RemoteHandle {
  return {
    type: 'Remote',
    capabilities: capabilitiesOf(kind),
    defaultFormat: 'Opaque',
    provider: 'awkward',
    endpoint,
    credentials: { secretName, entries: ['token'] },
    settleMs,
    deleteGraceMs: 0,
    onExpiry: 'Disable',
    connect: (connection) => connect(kind, connection),
  };
}

function capabilitiesOf(kind: AwkwardClass): Capabilities {
  return {
    class: kind,
    formats: ['Opaque'],
    recoverable: false,
    rotation: 'Replace',
    regeneratePerSlot: true,
    suspend: true,
    displayNameMax: 40,
    descriptionMax: 120,
    terms: [],
  };
}

function connect(kind: AwkwardClass, connection: Connection): RemoteStore {
  const call = (request: Call, signal: AbortSignal): Promise<VendorResponse | undefined> =>
    send(connection, request, signal);
  const list = (signal: AbortSignal): Promise<readonly RemoteListing[]> => listAll(call, signal);
  return {
    async login(signal) {
      const { body } = found(await call({ method: 'GET', path: '/v1/account' }, signal));
      const id = memberOf(parseJson(body), 'account');
      if (typeof id !== 'string') throw garbled('an account without id');
      return { id, facts: {} };
    },
    async create({ mark, name, description }, signal) {
      const text = markText(mark);
      const body = { label: kind === 'X' ? '' : text, title: name, note: description };
      const headers = kind === 'I' ? { 'idempotency-key': text } : {};
      const response = found(await call({ method: 'POST', path: TOKENS, body, headers }, signal));
      return parseToken(response.body);
    },
    async read(id, signal) {
      const response = await call({ method: 'GET', path: pathOf(id) }, signal);
      return response === undefined ? undefined : parseToken(response.body, id);
    },
    find: async (mark, signal) =>
      (await list(signal)).filter(
        (one) => one.mark?.token === mark.token && one.mark.cluster === mark.cluster,
      ),
    list,
    async update(id, { enabled, name, description }, signal) {
      const body = { title: name, note: description, state: enabled ? 'live' : 'paused' };
      const response = await call({ method: 'PUT', path: pathOf(id), body }, signal);
      return response === undefined ? undefined : parseToken(response.body, id);
    },
    async regenerate(id, _slot, signal) {
      const response = await call({ method: 'POST', path: `${pathOf(id)}/roll` }, signal);
      return response === undefined ? undefined : parseToken(response.body, id);
    },
    async delete(id, signal) {
      const response = await call({ method: 'DELETE', path: pathOf(id) }, signal);
      return response === undefined ? 'NotFound' : 'Deleted';
    },
  };
}

type Call = Pick<VendorRequest, 'method' | 'path'> & {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

type Caller = (request: Call, signal: AbortSignal) => Promise<VendorResponse | undefined>;

/** undefined: there is no such token. @throws StoreFailure */
async function send(
  { http, credentials, clock }: Connection,
  { method, path, body, headers }: Call,
  signal: AbortSignal,
): Promise<VendorResponse | undefined> {
  const token = credentials['token'] ?? new Sensitive('');
  const response = await http.send(
    {
      method,
      path,
      headers: { ...headers, authorization: `Bearer ${token.revealText()}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    },
    signal,
  );
  if (response.status >= 200 && response.status < 300) return response;
  if (response.status === 404 && codeOf(response) === 'no_token') return undefined;
  throw failureOf(response, clock.nowMs());
}

function found(response: VendorResponse | undefined): VendorResponse {
  if (response === undefined) throw garbled('not found, where nothing was looked for');
  return response;
}

function failureOf(response: VendorResponse, nowMs: number): StoreFailure {
  const { status, headers } = response;
  const message = `the awkward vendor answered HTTP ${status}`;
  const executed = codeOf(response) === undefined ? { executed: 'Unknown' as const } : {};
  if (status === 401 || status === 403) return new StoreFailure('Denied', { message, ...executed });
  if (status === 404) return garbled('an unknown path');
  if (status >= 500) return new StoreFailure('Unavailable', { message });
  if (status !== 429) return new StoreFailure('Refused', { message, ...executed });
  const waitMs = retryAfterMs(headers, nowMs);
  return new StoreFailure('Throttled', {
    message,
    ...executed,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

function codeOf({ body }: VendorResponse): unknown {
  try {
    return memberOf(parseJson(body), 'code');
  } catch {
    return undefined;
  }
}

/** Ids come from our ledger, but they came from the vendor before that. */
function pathOf(id: string): string {
  if (!/^tk-[0-9a-f]{12}$/.test(id)) {
    throw new StoreFailure('Refused', { message: 'the id is none of this vendor' });
  }
  return `${TOKENS}/${id}`;
}

/**
 * Pages by number shift when others delete, so a single pass may miss one. What two passes in a row
 * show in the same order was there all the time: had something before it gone meanwhile, the second
 * pass would not show that any more.
 */
async function listAll(call: Caller, signal: AbortSignal): Promise<readonly RemoteListing[]> {
  let before: readonly RemoteListing[] | undefined;
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    // Each pass is compared with the one before.
    // oxlint-disable-next-line no-await-in-loop
    const now = await listOnce(call, signal);
    if (before !== undefined && idsOf(before) === idsOf(now)) return now;
    before = now;
  }
  throw new StoreFailure('Unavailable', { message: 'the list never held still', executed: 'No' });
}

async function listOnce(call: Caller, signal: AbortSignal): Promise<readonly RemoteListing[]> {
  const all: RemoteListing[] = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    // The first page tells how many there are.
    // oxlint-disable-next-line no-await-in-loop
    const response = found(await call({ method: 'GET', path: `${TOKENS}?page=${page}` }, signal));
    const answered = parseTokens(response.body);
    all.push(...answered.tokens);
    pages = Math.min(answered.pages, 1_000);
  }
  return all;
}

function idsOf(listings: readonly RemoteListing[]): string {
  return listings.map(({ id }) => id).join();
}
