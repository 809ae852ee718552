/**
 * Pure; key material at rest: AES-256-GCM under a derived key. The context (which row, which slot)
 * is authenticated with it, so a blob moved to another row does not open there.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Entropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import { Sensitive } from '../kernel/sensitive.ts';
import { frame } from './framing.ts';
import type { Keyring } from './keyring.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Ciphertext as a row keeps it. */
export type Sealed = {
  /** Of the master key. */
  readonly version: number;
  /** Nonce (12 bytes), tag (16), ciphertext. */
  readonly blob: Uint8Array;
};

/** The context of a slot's value: which generation of which slot of which credential. */
export function slotContext(place: {
  readonly token: string;
  readonly slot: string;
  readonly generation: number;
}): string {
  return `${place.token}/${place.slot}/${place.generation}`;
}

/**
 * Seals what only the operator may open: values until they are published, vendor credentials.
 * Nonces are random: NIST SP 800-38D allows 2^32 blobs per key, which is a reason to rotate the
 * master key long before.
 *
 * @param context names row and slot, e.g. the token and `apiKey`; opening needs the same text
 */
export function seal(
  keyring: Pick<Keyring, 'currentVersion' | 'publication'>,
  plaintext: Sensitive,
  context: string,
  entropy: Entropy,
): Sealed {
  const version = keyring.currentVersion;
  const secret = { version, purpose: 'publication', object: keyring.publication(version) } as const;
  return encrypt(secret, plaintext, context, entropy(NONCE_BYTES));
}

/**
 * What `seal` sealed. Repeatable.
 *
 * @throws KeywardError Terminal SealBroken when blob, context, version or key do not belong together
 * @throws KeywardError Terminal MasterKeyVersionMissing when the keyring lacks the version
 */
export function open(
  keyring: Pick<Keyring, 'publication'>,
  sealed: Sealed,
  context: string,
): Sensitive {
  const { version } = sealed;
  const object = keyring.publication(version);
  return decrypt({ version, purpose: 'publication', object }, sealed.blob, context);
}

/** As `seal`, for what the gate must open too: the secrets of KeyPairs, to check signatures. */
export function sealForGate(
  keyring: Pick<Keyring, 'currentVersion' | 'sealing'>,
  plaintext: Sensitive,
  context: string,
  entropy: Entropy,
): Sealed {
  const version = keyring.currentVersion;
  const secret = { version, purpose: 'sealing', object: keyring.sealing(version) } as const;
  return encrypt(secret, plaintext, context, entropy(NONCE_BYTES));
}

/** What `sealForGate` sealed; errors as `open`. */
export function openAtGate(
  keyring: Pick<Keyring, 'sealing'>,
  sealed: Sealed,
  context: string,
): Sensitive {
  const { version } = sealed;
  return decrypt(
    { version, purpose: 'sealing', object: keyring.sealing(version) },
    sealed.blob,
    context,
  );
}

type DerivedSecret = {
  readonly version: number;
  readonly purpose: 'publication' | 'sealing';
  readonly object: KeyObject;
};

function encrypt(
  secret: DerivedSecret,
  plaintext: Sensitive,
  context: string,
  nonce: Buffer,
): Sealed {
  const cipher = createCipheriv(CIPHER, secret.object, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(secret, context));
  const text = Buffer.concat([cipher.update(plaintext.reveal()), cipher.final()]);
  return { version: secret.version, blob: Buffer.concat([nonce, cipher.getAuthTag(), text]) };
}

function decrypt(secret: DerivedSecret, blob: Uint8Array, context: string): Sensitive {
  if (blob.length < NONCE_BYTES + TAG_BYTES) throw sealBroken();
  const nonce = blob.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, secret.object, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(secret, context));
  decipher.setAuthTag(blob.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const head = decipher.update(blob.subarray(NONCE_BYTES + TAG_BYTES));
  try {
    decipher.final();
  } catch {
    head.fill(0);
    // Without the cause: what the library knows about a forged blob helps nobody but its author.
    throw sealBroken();
  }
  const opened = new Sensitive(head);
  head.fill(0);
  return opened;
}

function associatedData(secret: DerivedSecret, context: string): Buffer {
  return frame(['keyward/1/seal', secret.purpose, String(secret.version), context]);
}

function sealBroken(): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'SealBroken',
    message: 'sealed data does not open: it was changed, moved, or sealed with another master key',
  });
}
