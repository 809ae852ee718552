/**
 * Pure; the idempotency token of a credential generation: the same generation always has the same
 * one, so a repeated attempt finds what an earlier one left behind. Not secret.
 */
import { hash } from 'node:crypto';
import { frame } from './framing.ts';

/** RFC 4648 Base32 in small letters: legal in object names, labels and vendor names. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const FORMAT_VERSION = '1';

/** 26 characters of 5 bits: 130 bits. */
export const TOKEN_LENGTH = 26;
/** So many bytes hold the bits of a token. */
const TOKEN_BYTES = Math.ceil((TOKEN_LENGTH * 5) / 8);

/** What identifies a credential generation over all clusters that share a database or a vendor account. */
export type Generation = {
  /** Random, made once per installation. */
  readonly clusterId: string;
  readonly storeUid: string;
  readonly apiKeyUid: string;
  /** Our own counter, never `metadata.generation`, which moves on every edit. */
  readonly sequence: number;
};

/** The 26-character token of a generation. Repeatable. */
export function credentialToken(generation: Generation): string {
  const { clusterId, storeUid, apiKeyUid, sequence } = generation;
  const bytes = frame([FORMAT_VERSION, clusterId, storeUid, apiKeyUid, String(sequence)]);
  const digest = hash('sha256', bytes, 'buffer');
  return base32(digest.subarray(0, TOKEN_BYTES)).slice(0, TOKEN_LENGTH);
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let pendingBits = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    for (pendingBits += 8; pendingBits >= 5; pendingBits -= 5) {
      text += ALPHABET.charAt((pending >> (pendingBits - 5)) & 31);
    }
    pending &= (1 << pendingBits) - 1;
  }
  return text;
}
