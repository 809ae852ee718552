/**
 * Pure; how we know our own Secrets. The fingerprint says which content a Secret has, the MAC that
 * the operator put this content there for this ApiKey. Labels and owner references prove nothing:
 * tenants can write them.
 */
import { createHmac, hash } from 'node:crypto';
import { equalDigests } from './digest.ts';
import { frame } from './framing.ts';
import type { Keyring } from './keyring.ts';

/** Says which encoding the digest is over. */
const FINGERPRINT_VERSION = 'v1';

/** What a MAC ties together. */
export type SecretBinding = {
  /** Of the Secret. */
  readonly namespace: string;
  readonly name: string;
  readonly apiKeyUid: string;
  /** Of the credential. */
  readonly sequence: number;
  readonly fingerprint: string;
};

/**
 * `v1:<base64url>`: a digest over names and values of a Secret's entries. Order does not matter,
 * text counts as UTF-8. Safe to show, because values hold 128 bits and more of randomness.
 */
export function fingerprintEntries(entries: Readonly<Record<string, Uint8Array | string>>): string {
  const sorted = Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const bytes = frame(sorted.flat());
  const digest = hash('sha256', bytes, 'base64url');
  bytes.fill(0);
  return `${FINGERPRINT_VERSION}:${digest}`;
}

/** `v<master key version>:<base64url>`, under the current version; for the Secret's annotation. */
export function macText(
  keyring: Pick<Keyring, 'currentVersion' | 'mac'>,
  binding: SecretBinding,
): string {
  return macUnder(keyring, keyring.currentVersion, binding);
}

/**
 * Whether the text is our MAC over exactly this binding, in constant time.
 * Takes any text: a version that we do not have is a no, not an error, because tenants can edit the
 * annotation. (The operator does not start while rows of its own need a missing version.)
 */
export function verifyMac(
  keyring: Pick<Keyring, 'versions' | 'mac'>,
  binding: SecretBinding,
  text: string,
): boolean {
  const match = /^v([1-9][0-9]{0,8}):([A-Za-z0-9_-]{43})$/.exec(text);
  const version = Number(match?.[1]);
  if (match === null || !keyring.versions.includes(version)) return false;
  // As text: Base64 has several spellings of the same bytes, and only ours is ours.
  return equalDigests(Buffer.from(text), Buffer.from(macUnder(keyring, version, binding)));
}

function macUnder(keyring: Pick<Keyring, 'mac'>, version: number, binding: SecretBinding): string {
  const { namespace, name, apiKeyUid, sequence, fingerprint } = binding;
  const parts = ['keyward/1/mac', namespace, name, apiKeyUid, String(sequence), fingerprint];
  const mac = createHmac('sha256', keyring.mac(version)).update(frame(parts)).digest('base64url');
  return `v${version}:${mac}`;
}
