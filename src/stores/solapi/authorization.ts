/**
 * Pure; reads and checks the `Authorization` header of a SOLAPI request, for whoever plays the
 * vendor: the fake, and a gate that serves the vendor's clients. Those clients differ, so reading is
 * liberal in names and dates; what was signed is taken exactly as it was sent.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Sensitive } from '../../kernel/sensitive.ts';
import { HOUR_MS, MINUTE_MS } from '../../kernel/time.ts';
import { SALT_MAX, SALT_MIN, signatureOf, type Algorithm, type Scheme } from './signature.ts';

/** A date further from the server's clock than this, either way, is refused. */
export const SKEW_MAX_MS = 15 * MINUTE_MS;

/**
 * How long (id, signature) must be remembered to refuse it a second time: a date may be as far ahead
 * as behind. The salt alone would not do: date and salt are signed as one text, so a character can
 * move from one to the other under the same signature.
 */
export const REPLAY_MEMORY_MS = 2 * SKEW_MAX_MS;

/** A header taken apart; nothing is proven yet. */
export type Authorization = {
  readonly scheme: Scheme;
  /** Named by the method; of scheme User told by the length of the signature. */
  readonly algorithm: Algorithm;
  /** User id or apiKey, as sent. */
  readonly id: string;
  readonly date: string;
  readonly salt: string;
  /** 32 or 64 lower-case hex digits; capitals would be a second way to write the same. */
  readonly signature: string;
};

const HEADER_MAX = 1024;
const PARAMETERS_MAX = 8;
const ID_MAX = 128;
const DATE_MAX = 40;
const KOREA_AHEAD_MS = 9 * HOUR_MS;

/**
 * The parts of a header, or undefined when it is none of these schemes, a part is missing, doubled or
 * out of bounds. Each parameter is cut at its first `=`, so that a value may contain one, as the
 * vendor's samples do; names count in any case; unknown parameters are passed over.
 */
export function parseAuthorization(header: string): Authorization | undefined {
  if (header.length > HEADER_MAX || !/^[\x20-\x7e]*$/.test(header)) return undefined;
  const [, method = '', rest = ''] = /^(USER|HMAC-MD5|HMAC-SHA256) +(.+)$/i.exec(header) ?? [];
  const parameters = parametersOf(rest);
  if (parameters === undefined) return undefined;
  const isUser = method.toUpperCase() === 'USER';
  const get = (name: string): string => parameters.get(name) ?? '';
  const signature = get('signature');
  const algorithm = algorithmOf(method.toUpperCase(), signature);
  const sent = { id: get(isUser ? 'user_id' : 'apikey'), date: get('date'), salt: get('salt') };
  if (algorithm === undefined || !isWithinBounds(sent)) return undefined;
  return { scheme: isUser ? 'User' : 'HMAC', algorithm, ...sent, signature };
}

/** Whether the holder of the secret signed this; takes the same time wherever they differ. */
export function isSignedWith(authorization: Authorization, secret: Sensitive): boolean {
  const { algorithm, signature } = authorization;
  const expected = signatureOf({ algorithm, secret }, authorization);
  return (
    signature.length === expected.length &&
    timingSafeEqual(Buffer.from(signature), Buffer.from(expected))
  );
}

/** Whether the date is within SKEW_MAX_MS of the server's clock; exactly so far still is. */
export function isTimely(dateMs: number, nowMs: number): boolean {
  return Math.abs(dateMs - nowMs) <= SKEW_MAX_MS;
}

/**
 * The instant of a date as clients write it, or undefined when it is none: `T` or a blank between day
 * and time, any fraction (cut to milliseconds), `Z`, `+09:00`, `+0900` or nothing behind it. Nothing
 * means Korea.
 *
 * @param zulu `Korea`: for one of the vendor's clients, which labels the clock of Seoul with a `Z`
 */
export function readDateMs(text: string, zulu: 'UTC' | 'Korea' = 'UTC'): number | undefined {
  const [, day, time, fraction = '', zone = ''] = DATE.exec(text) ?? [];
  if (day === undefined || time === undefined) return undefined;
  const written = `${day}T${time}`;
  const wallMs = Date.parse(`${written}Z`);
  // Date.parse moves the 30th of February to March; written back, it differs.
  if (Number.isNaN(wallMs) || !new Date(wallMs).toISOString().startsWith(written)) return undefined;
  const aheadMs = offsetMs(zone, zulu);
  return aheadMs === undefined
    ? undefined
    : wallMs + Number(fraction.padEnd(3, '0').slice(0, 3)) - aheadMs;
}

const DATE =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

function offsetMs(zone: string, zulu: 'UTC' | 'Korea'): number | undefined {
  if (zone === '') return KOREA_AHEAD_MS;
  if (zone.toUpperCase() === 'Z') return zulu === 'UTC' ? 0 : KOREA_AHEAD_MS;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return undefined;
  const aheadMs = hours * HOUR_MS + minutes * MINUTE_MS;
  return zone.startsWith('-') ? -aheadMs : aheadMs;
}

function parametersOf(text: string): ReadonlyMap<string, string> | undefined {
  const parts = text.split(',', PARAMETERS_MAX + 1);
  const parameters = new Map(parts.map(parameterOf));
  const isDoubled = parameters.size < parts.length;
  return isDoubled || parts.length > PARAMETERS_MAX ? undefined : parameters;
}

function parameterOf(part: string): readonly [string, string] {
  const at = part.indexOf('=');
  if (at < 0) return [part.trim().toLowerCase(), ''];
  return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
}

function algorithmOf(method: string, signature: string): Algorithm | undefined {
  const byLength = /^[0-9a-f]{32}$/.test(signature)
    ? 'HMACMD5'
    : /^[0-9a-f]{64}$/.test(signature)
      ? 'HMACSHA256'
      : undefined;
  if (method === 'USER' || byLength === undefined) return byLength;
  return method === 'HMAC-MD5' ? 'HMACMD5' : 'HMACSHA256';
}

function isWithinBounds({ id, date, salt }: Pick<Authorization, 'id' | 'date' | 'salt'>): boolean {
  const isNamed = id.length >= 1 && id.length <= ID_MAX;
  const isDated = date.length >= 1 && date.length <= DATE_MAX;
  return isNamed && isDated && salt.length >= SALT_MIN && salt.length <= SALT_MAX;
}
