/**
 * Pure; a call out of the headers that a gateway sent, in one pass. Everything that two readers could
 * understand in two ways makes the credential Ambiguous, which is refused: a header that matters twice,
 * its look-alike with other characters for hyphens, a Connection header that wants it dropped on the way, two credentials.
 * Never throws, takes any text.
 */
import type { Call } from '../call.ts';
import {
  DOUBTFUL,
  NOTHING_SHOWN,
  readAuthorization,
  readKeyHeader,
  type Shown,
} from './credential.ts';
import { findClientAddress } from './hops.ts';
import { findSlot, GATE_ONLY, IRRELEVANT } from './names.ts';
import { readQuery } from './query.ts';
import { FIRST_KEY, SLOTS, type Reading } from './reading.ts';

/** What the transport says beside the headers. Headers of the way go before it, but for the product. */
export type Given = Pick<Call, 'method' | 'host' | 'target' | 'address' | 'product' | 'body'>;

/** Longer targets are doubtful: backends cut or refuse them, each at a length of its own. */
export const TARGET_LENGTH_MAX = 8_192;

const CONNECTION_LENGTH_MAX = 256;

/** What one pass over the headers found. */
type Found = {
  readonly values: (string | undefined)[];
  isDoubtful: boolean;
  isSpoofed: boolean;
};

const NOTHING_GIVEN: Given = {};
const NO_BODY = new Uint8Array(0);

/**
 * The call.
 *
 * @param pairs names and contents in turn, as received, decoded as Latin-1 or UTF-8
 */
export function readCall(
  pairs: readonly string[],
  reading: Reading,
  given: Given = NOTHING_GIVEN,
): Call {
  const found = findHeaders(pairs, reading);
  const { values } = found;
  const method = textOr(values[SLOTS.method], given.method);
  const written = textOr(values[SLOTS.target], given.target);
  if (written !== undefined && written.length > TARGET_LENGTH_MAX) found.isDoubtful = true;
  const query =
    reading.keyQuery === undefined || written === undefined || found.isDoubtful
      ? undefined
      : readQuery(written, reading.keyQuery);
  const isPreflight = method === 'OPTIONS' && values[SLOTS.preflight] !== undefined;
  const shown = isPreflight ? NOTHING_SHOWN : readShown(found, reading, query?.shown);
  const { credential, profile } = shown;
  return {
    credential,
    profile,
    method,
    host: readHost(values, reading, given),
    target: query === undefined ? withoutQueryKey(written, reading) : query.target,
    origin: values[SLOTS.origin],
    referer: values[SLOTS.referer],
    address: readAddress(values, reading, given),
    product: textOr(given.product, values[SLOTS.product]),
    body: values[SLOTS.bodyLength] === '0' ? NO_BODY : given.body,
    isSpoofed: found.isSpoofed,
  };
}

/** What was not looked through for a key must not be shown to anybody who may log it. */
function withoutQueryKey(target: string | undefined, reading: Reading): string | undefined {
  return reading.keyQuery === undefined ? target : target?.split('?', 1)[0];
}

function findHeaders(pairs: readonly string[], reading: Reading): Found {
  const { names } = reading;
  const found: Found = { values: reading.blank.slice(), isDoubtful: false, isSpoofed: false };
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const slot = findSlot(names, pairs[i] ?? '');
    if (slot === IRRELEVANT) continue;
    if (slot >= 0) keep(found, slot, pairs[i + 1] ?? '', reading);
    else if (slot === GATE_ONLY) found.isSpoofed = true;
    else found.isDoubtful = true;
  }
  return found;
}

function keep(found: Found, slot: number, value: string, reading: Reading): void {
  if (slot === SLOTS.connection) {
    if (dropsWhatMatters(value, reading)) found.isDoubtful = true;
    return;
  }
  // Also where one of them is empty: whoever takes the other one sees something else.
  if (found.values[slot] !== undefined) found.isDoubtful = true;
  found.values[slot] = value;
}

/** Whether a Connection header asks proxies to remove a header that matters. */
function dropsWhatMatters(value: string, reading: Reading): boolean {
  if (value === 'close' || value === 'keep-alive' || value === '') return false;
  // Nobody has so many; looking at each would cost more than it is worth.
  if (value.length > CONNECTION_LENGTH_MAX) return true;
  return value.split(',').some((token) => findSlot(reading.names, token.trim()) !== IRRELEVANT);
}

function readShown(found: Found, reading: Reading, inQuery: Shown | undefined): Shown {
  if (found.isDoubtful) return DOUBTFUL;
  const authorization = found.values[SLOTS.authorization];
  let shown = authorization === undefined ? NOTHING_SHOWN : readAuthorization(authorization);
  const { keyProfiles } = reading;
  for (let i = 0; i < keyProfiles.length; i += 1) {
    const value = found.values[FIRST_KEY + i];
    if (value !== undefined) {
      shown = onlyOne(shown, readKeyHeader(value, keyProfiles[i] ?? 'Keyward'));
    }
  }
  return inQuery === undefined ? shown : onlyOne(shown, inQuery);
}

function onlyOne(a: Shown, b: Shown): Shown {
  if (b.credential.type === 'None') return a;
  return a.credential.type === 'None' ? b : DOUBTFUL;
}

function readHost(values: Found['values'], reading: Reading, given: Given): string | undefined {
  const own = reading.host === 'OfCall' ? values[SLOTS.host] : undefined;
  return textOr(values[SLOTS.originalHost], textOr(own, given.host));
}

function readAddress(values: Found['values'], reading: Reading, given: Given): string | undefined {
  const list = values[SLOTS.addresses];
  if (list !== undefined) return findClientAddress(list, reading.trusted);
  return textOr(values[SLOTS.address], given.address);
}

function textOr(text: string | undefined, other: string | undefined): string | undefined {
  const found = text === undefined || text === '' ? other : text;
  return found === '' ? undefined : found;
}
