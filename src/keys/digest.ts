/**
 * Pure; what the database keeps of a secret. SHA-256 over pepper, keyId and secret: each part has
 * a fixed length, so no two inputs collide by shifting and nothing can be appended, which is all
 * that HMAC would add at twice the price. A 256-bit secret needs no slow hash.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import { KeywardError } from '../kernel/errors.ts';
import { KEY_ID_LENGTH, SECRET_LENGTH } from './format.ts';
import { frame } from './framing.ts';

/** Bytes of a pepper and of a digest. */
export const DIGEST_BYTES = 32;

/** Stands in where there is no credential, so that unknown ids cost what wrong secrets cost. */
export const DUMMY_DIGEST = '\0'.repeat(DIGEST_BYTES);
/** The pepper to go with it. */
export const DUMMY_PEPPER: Readonly<Uint8Array> = new Uint8Array(DIGEST_BYTES);

const INPUT_BYTES = DIGEST_BYTES + KEY_ID_LENGTH + SECRET_LENGTH;

/** What goes into a digest. */
export type DigestInput = {
  /** 32 bytes, from the keyring; its version goes into the row. */
  readonly pepper: Readonly<Uint8Array>;
  /** 16 Base62 characters. */
  readonly keyId: string;
  /** 43 Base62 characters, as text or bytes. */
  readonly secret: string | Uint8Array;
};

/** Kept, because making one costs a fifth of a digest. Nobody else runs before it is wiped. */
const INPUT = Buffer.alloc(INPUT_BYTES);

/** As `digestText`, as bytes. */
export function digestSecret(input: DigestInput): Buffer {
  return Buffer.from(digestText(input), 'latin1');
}

/**
 * The digest of a secret, one Latin-1 character for each of its 32 bytes: as text it is made and kept at
 * less than half the price. Repeatable.
 *
 * @throws KeywardError Bug DigestInputInvalid when a part has another length than the layout says:
 *   then the fixed-length argument above would not hold
 */
export function digestText(input: DigestInput): string {
  const { pepper, keyId, secret } = input;
  if (
    pepper.length !== DIGEST_BYTES ||
    keyId.length !== KEY_ID_LENGTH ||
    secret.length !== SECRET_LENGTH
  ) {
    throw new KeywardError('Bug', {
      reason: 'DigestInputInvalid',
      message: 'pepper, keyId or secret does not have the length of the layout',
    });
  }
  INPUT.set(pepper, 0);
  INPUT.write(keyId, DIGEST_BYTES, 'latin1');
  if (typeof secret === 'string') INPUT.write(secret, DIGEST_BYTES + KEY_ID_LENGTH, 'latin1');
  else INPUT.set(secret, DIGEST_BYTES + KEY_ID_LENGTH);
  try {
    return hash('sha256', INPUT, 'binary');
  } finally {
    INPUT.fill(0);
  }
}

/**
 * Digests of the ledger as `digestText` writes them, all in one text of its own: see `isDigestAt`. What has
 * not the length of a digest stands there as one that nothing has.
 */
export function joinDigests(digests: readonly Readonly<Uint8Array>[]): string {
  const bytes = Buffer.alloc(digests.length * DIGEST_BYTES);
  for (const [number, digest] of digests.entries()) {
    if (digest.length === DIGEST_BYTES) bytes.set(digest, number * DIGEST_BYTES);
  }
  return bytes.toString('latin1');
}

/** What goes into the digest of a value that was made elsewhere. */
export type ForeignDigestInput = {
  readonly pepper: Readonly<Uint8Array>;
  readonly keyId: string;
  readonly value: string;
};

/**
 * The 32-byte digest of a value that has not our layout: vendors choose shape and length of theirs.
 * Every part carries its length, so that no two inputs collide. Repeatable.
 */
export function digestForeign(input: ForeignDigestInput): Buffer {
  return Buffer.from(foreignDigestText(input), 'latin1');
}

/** As `digestForeign`, as `digestText` writes it. */
export function foreignDigestText({ pepper, keyId, value }: ForeignDigestInput): string {
  return hash('sha256', frame([new Uint8Array(pepper), keyId, value]), 'binary');
}

/** Whether two digests are the same, in a time that tells nothing about where they differ. */
export function equalDigests(a: Readonly<Uint8Array>, b: Readonly<Uint8Array>): boolean {
  // Node throws on unequal lengths; a length is no secret.
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * As `equalDigests`: whether that of this number, from 0, is the digest, as `digestText` writes it. Every
 * character is looked at and none decides what is done next. Nobody could use more than that either: what he
 * chooses is hashed with a pepper that he does not know before it is compared.
 */
export function isDigestAt(digests: string, number: number, digest: string): boolean {
  const from = number * DIGEST_BYTES;
  if (digest.length !== DIGEST_BYTES || digests.length < from + DIGEST_BYTES) return false;
  let difference = 0;
  for (let i = 0; i < DIGEST_BYTES; i += 1) {
    difference |= digests.charCodeAt(from + i) ^ digest.charCodeAt(i);
  }
  return difference === 0;
}
