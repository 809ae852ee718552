/** The awkward vendor's answers as plain values; what has another shape is Garbled. */
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import {
  StoreFailure,
  type RemoteCredential,
  type RemoteListing,
} from '../../../src/stores/contract.ts';
import { parseMark } from '../../../src/stores/mark.ts';

/** The failure for an answer that cannot be understood; `what` is ours, never the vendor's text. */
export function garbled(what: string): StoreFailure {
  return new StoreFailure('Garbled', { message: `the awkward vendor's answer is ${what}` });
}

/** @throws StoreFailure Garbled, without the parser's message, which quotes the text */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw garbled('no JSON');
  }
}

/** An own member of an object, else undefined. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // Just proven to be an object that has it.
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** An answer about one token. @param id that must be answered */
export function parseToken(body: string, id?: string): RemoteCredential {
  const answer = parseJson(body);
  const token = memberOf(answer, 'token');
  const listing = listingOf(token);
  if (id !== undefined && listing.id !== id) throw garbled('about another token');
  const secret = memberOf(answer, 'secret');
  return {
    ...listing,
    accountId: textOf(token, 'account'),
    hint: `...${textOf(token, 'tail')}`,
    values: secret === undefined ? {} : { apiKey: new Sensitive(textOf(answer, 'secret')) },
    name: textOf(token, 'title'),
    description: textOf(token, 'note'),
    facts: {},
  };
}

/** One page of a list. */
export function parseTokens(body: string): {
  readonly tokens: readonly RemoteListing[];
  readonly pages: number;
} {
  const answer = parseJson(body);
  const [tokens, pages] = [memberOf(answer, 'tokens'), memberOf(answer, 'pages')];
  if (!Array.isArray(tokens) || typeof pages !== 'number') throw garbled('no page of a list');
  return { tokens: tokens.map(listingOf), pages };
}

function listingOf(token: unknown): RemoteListing {
  const state = textOf(token, 'state');
  if (state !== 'live' && state !== 'paused') throw garbled('a token of an unknown state');
  const mark = parseMark(textOf(token, 'label'));
  return {
    id: textOf(token, 'id'),
    enabled: state === 'live',
    createdMs: Date.parse(textOf(token, 'created')),
    ...(mark === undefined ? {} : { mark }),
  };
}

function textOf(value: unknown, name: string): string {
  const text = memberOf(value, name);
  if (typeof text !== 'string') throw garbled(`a token without ${name}`);
  return text;
}
