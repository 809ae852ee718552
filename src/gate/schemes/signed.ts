/**
 * Pure; calls that SOLAPI's clients sign: a keyed hash over a date and a salt, and over nothing else of
 * the call. How such headers are read and signed is known to the vendor's driver (stores/solapi);
 * here is what a gate concludes from it. See docs/gate.md.
 */
import { createHash } from 'node:crypto';
import type { Sensitive } from '../../kernel/sensitive.ts';
import {
  isSignedWith,
  isTimely,
  parseAuthorization,
  readDateMs,
  SKEW_MAX_MS,
} from '../../stores/solapi/authorization.ts';
import { SALT_MAX, SALT_MIN } from '../../stores/solapi/signature.ts';
import type { Credential } from '../call.ts';

/** The parts of such a header; nothing is proven yet. */
export type SignedCredential = Extract<Credential, { readonly type: 'Signed' }>;

/** How dates are judged. */
type DateRules = {
  readonly nowMs: number;
  /**
   * The vendor's PHP client writes the clock of Seoul and labels it `Z`. True: where a date with `Z`
   * is not timely, it is read once more as Korean local time.
   */
  readonly phpDates: boolean;
};

/** In linear time: commas, blanks and names have no letter in common. */
const ONLY_PARAMETERS = /^[0-9A-Za-z-]+ +\w+ *=[^,]*(?:, *\w+ *=[^,]*)*$/;

/**
 * The parts of `HMAC-SHA256 apiKey=K, date=D, salt=S, signature=G`, or of HMAC-MD5. Undefined: another
 * scheme, or a part that is missing, doubled or out of bounds (header 1024 characters of printable
 * ASCII, date 40, salt 12 to 64, signature 64 or 32 lower-case hex digits). Names of parameters count
 * in any case, blanks around them do not, unknown ones are passed over; a value may contain `=`. What is
 * no parameter, such as a second credential that a gateway joined with a comma, is refused.
 */
export function parseSigned(text: string): SignedCredential | undefined {
  if (!ONLY_PARAMETERS.test(text)) return undefined;
  const read = parseAuthorization(text);
  if (read === undefined || read.scheme !== 'HMAC') return undefined;
  const { id, date, salt, signature } = read;
  const algorithm = read.algorithm === 'HMACMD5' ? 'MD5' : 'SHA256';
  if (signature.length !== (algorithm === 'MD5' ? 32 : 64)) return undefined;
  return { type: 'Signed', algorithm, apiKey: id, date, salt, signature };
}

/**
 * Whether the holder of the secret signed this, and not too long ago: up to and including 15 minutes
 * either way. The signature comes first, so that only its maker hears of the time. Dates are hashed as
 * they were sent; read are `T` or a blank, a fraction or none, `Z`, an offset, or nothing, which is Korea.
 * Ok is no yes yet: somebody must remember the signature (`replayDigest`), because it fits any call.
 *
 * @param secret the `apiSecret` as its holder has it
 */
export function verifySigned(
  credential: SignedCredential,
  secret: Sensitive,
  rules: DateRules,
): 'Ok' | 'TimeTooSkewed' | 'WrongSignature' {
  const { algorithm, apiKey, ...sent } = credential;
  const read = { scheme: 'HMAC', algorithm: `HMAC${algorithm}`, id: apiKey, ...sent } as const;
  if (!isSignedWith(read, secret)) return 'WrongSignature';
  return isDateTimely(credential.date, rules) ? 'Ok' : 'TimeTooSkewed';
}

/**
 * What must not come twice with one keyId: SHA-256 of the signature. Not of the header, because date
 * and salt are signed as one text: cut elsewhere they are another header under the same signature. Nor
 * of the `apiKey` as sent, which may be written with another prefix.
 */
export function replayDigest(credential: SignedCredential): Uint8Array {
  return createHash('sha256').update(credential.signature, 'latin1').digest();
}

/**
 * Until when the signature has to be remembered: while any way to cut the signed text into date and
 * salt gives a date that would be believed (`12:04:05+10:00` may lose its offset to the salt and is an
 * hour later then), and 15 minutes more for gates whose clocks differ. Undefined: no date can be read.
 */
export function replayUntilMs({ date, salt }: SignedCredential): number | undefined {
  const text = date + salt;
  let latestMs: number | undefined;
  for (let cut = text.length - SALT_MAX; cut <= text.length - SALT_MIN; cut += 1) {
    // Read as Korean time a date with Z is earlier than read as it is, so that needs no look.
    const atMs = cut < 0 ? undefined : readDateMs(text.slice(0, cut));
    if (atMs !== undefined) latestMs = Math.max(atMs, latestMs ?? atMs);
  }
  return latestMs === undefined ? undefined : latestMs + 2 * SKEW_MAX_MS;
}

function isDateTimely(date: string, { nowMs, phpDates }: DateRules): boolean {
  const atMs = readDateMs(date);
  if (atMs === undefined) return false;
  if (isTimely(atMs, nowMs)) return true;
  if (!phpDates || !/z$/i.test(date)) return false;
  const koreanMs = readDateMs(date, 'Korea');
  return koreanMs !== undefined && isTimely(koreanMs, nowMs);
}
