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
import { findSlot, GATE_ONLY, IRRELEVANT, LOOKALIKE } from './names.ts';
import { readQuery } from './query.ts';
import { FIRST_KEY, SLOTS, type Reading } from './reading.ts';

/** What the transport says beside the headers. Headers of the way go before it, but for the product. */
export type Given = Pick<Call, 'method' | 'host' | 'target' | 'address' | 'product' | 'body'>;

/** Longer targets are doubtful: backends cut or refuse them, each at a length of its own. */
export const TARGET_LENGTH_MAX = 8_192;

const CONNECTION_LENGTH_MAX = 256;

/** What one pass over the headers found; each is met, and kept where it is met with a slot. */
export class Found {
  readonly reading: Reading;
  readonly values: (string | undefined)[];
  isDoubtful = false;
  isSpoofed = false;

  constructor(reading: Reading) {
    this.reading = reading;
    this.values = reading.blank.slice();
  }

  /** Where to keep the content; below 0: it does not matter. The name as for `findSlot`. */
  meet(text: string, from?: number, to?: number): number {
    const slot = findSlot(this.reading.names, text, from, to);
    if (slot === GATE_ONLY) this.isSpoofed = true;
    else if (slot === LOOKALIKE) this.isDoubtful = true;
    return slot;
  }

  keep(slot: number, content: string): void {
    if (slot === SLOTS.connection) {
      if (dropsWhatMatters(content, this.reading)) this.isDoubtful = true;
      return;
    }
    // Also where one of them is empty: whoever takes the other one sees something else.
    if (this.values[slot] !== undefined) this.isDoubtful = true;
    this.values[slot] = content;
  }
}

/** Nothing of it. */
export const NOTHING_GIVEN: Given = {};
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
  const found = new Found(reading);
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const slot = found.meet(pairs[i] ?? '');
    if (slot >= 0) found.keep(slot, pairs[i + 1] ?? '');
  }
  return callOf(found, given);
}

/** The call whose headers were found. */
export function callOf(found: Found, given: Given): Call {
  const { reading, values } = found;
  const method = textOr(values[SLOTS.method], given.method);
  const written = textOr(values[SLOTS.target], given.target);
  if (written !== undefined && written.length > TARGET_LENGTH_MAX) found.isDoubtful = true;
  const query =
    reading.keyQuery === undefined || written === undefined || found.isDoubtful
      ? undefined
      : readQuery(written, reading.keyQuery);
  const isPreflight = method === 'OPTIONS' && values[SLOTS.preflight] !== undefined;
  const shown = isPreflight ? NOTHING_SHOWN : readShown(found, query?.shown);
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

/** Whether a Connection header asks proxies to remove a header that matters. */
function dropsWhatMatters(value: string, reading: Reading): boolean {
  if (value === 'close' || value === 'keep-alive' || value === '') return false;
  // Nobody has so many; looking at each would cost more than it is worth.
  if (value.length > CONNECTION_LENGTH_MAX) return true;
  return value.split(',').some((token) => findSlot(reading.names, token.trim()) !== IRRELEVANT);
}

function readShown(found: Found, inQuery: Shown | undefined): Shown {
  if (found.isDoubtful) return DOUBTFUL;
  const authorization = found.values[SLOTS.authorization];
  let shown = authorization === undefined ? NOTHING_SHOWN : readAuthorization(authorization);
  const { keyProfiles } = found.reading;
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
