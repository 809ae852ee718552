/**
 * Pure; how a SOLAPI request is signed: an HMAC over date and salt, and over nothing else. Method,
 * path and body are not covered, so whoever sees a header could use it for another call; what stops
 * him is that the vendor takes each signature once and only for some minutes. Hence a fresh date and
 * a fresh salt for every attempt. The other direction is in authorization.ts.
 */
import { createHmac } from 'node:crypto';
import type { Entropy } from '../../kernel/entropy.ts';
import type { Sensitive } from '../../kernel/sensitive.ts';
import { randomBase62 } from '../../keys/base62.ts';
import type { Zone } from '../../terms/zone.ts';

/** Who signs: an account's user with a signing secret, or an API key with its secret. */
export type Scheme = 'User' | 'HMAC';

/** Hash below the HMAC. */
export type Algorithm = 'HMACMD5' | 'HMACSHA256';

/** How a date is written: the wall clock of a zone that the text does not name, or UTC. */
export type DateFormat = 'Local' | 'ISO8601';

/** Shortest and longest salt that the vendor takes, in characters. */
export const SALT_MIN = 12;
/** See SALT_MIN. */
export const SALT_MAX = 64;

/** 190 bits, the length of the vendor's own clients. */
const SALT_LENGTH = 32;

/** What signs: the public name, and the secret that belongs to it. */
export type Signer = {
  readonly scheme: Scheme;
  readonly algorithm: Algorithm;
  /** The user id, or the apiKey: printable ASCII without comma. */
  readonly id: string;
  readonly secret: Sensitive;
};

/** What is signed, each exactly as it is sent. */
type Signed = { readonly date: string; readonly salt: string };

/** The signature: lower-case hex, 32 digits of MD5 or 64 of SHA-256. */
export function signatureOf(
  { algorithm, secret }: Pick<Signer, 'algorithm' | 'secret'>,
  { date, salt }: Signed,
): string {
  const hash = algorithm === 'HMACMD5' ? 'md5' : 'sha256';
  return createHmac(hash, secret.reveal()).update(date).update(salt).digest('hex');
}

/** The value of the `Authorization` header. Good for one request. */
export function authorizationOf(signer: Signer, signed: Signed): string {
  const { date, salt } = signed;
  const head = signer.scheme === 'User' ? 'USER user_id' : `${METHODS[signer.algorithm]} apiKey`;
  const signature = signatureOf(signer, signed);
  return `${head}=${signer.id}, date=${date}, salt=${salt}, signature=${signature}`;
}

/** 32 fresh alphanumerics. */
export function freshSalt(entropy: Entropy): string {
  return randomBase62(entropy, SALT_LENGTH);
}

/**
 * An instant as the header has it, in whole seconds: `2017-08-01 11:01:07` on the clocks of the zone,
 * or `2017-08-01T02:01:07Z`.
 */
export function formatDate(format: DateFormat, zone: Zone, atMs: number): string {
  if (format === 'ISO8601') return `${wallClock(atMs)}Z`;
  return wallClock(atMs + zone.offsetMs(atMs)).replace('T', ' ');
}

const METHODS: Readonly<Record<Algorithm, string>> = {
  HMACMD5: 'HMAC-MD5',
  HMACSHA256: 'HMAC-SHA256',
};

function wallClock(ms: number): string {
  return new Date(ms).toISOString().slice(0, 'YYYY-MM-DDTHH:mm:ss'.length);
}
