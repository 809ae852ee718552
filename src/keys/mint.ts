/** Pure; fresh key material from handed-in randomness. Nothing is ever derived from names or UIDs. */
import type { Entropy } from '../kernel/entropy.ts';
import { Sensitive } from '../kernel/sensitive.ts';
import { randomBase62 } from './base62.ts';
import {
  buildPairSecret,
  buildValue,
  hint,
  KEY_ID_LENGTH,
  publicName,
  SECRET_LENGTH,
  type KeyFormat,
} from './format.ts';

/** Names of the secret values of a credential; also names of Secret entries. */
export type SlotName = 'apiKey' | 'primaryKey' | 'secondaryKey' | 'apiSecret';

/** The secret slots of each format. The `apiKey` of a KeyPair is public and so no slot. */
export const SLOTS: Readonly<Record<KeyFormat, readonly SlotName[]>> = {
  Opaque: ['apiKey'],
  Dual: ['primaryKey', 'secondaryKey'],
  KeyPair: ['apiSecret'],
};

/** A credential that exists only in memory so far. */
export type MintedCredential = {
  readonly format: KeyFormat;
  readonly keyId: string;
  /** `<prefix>_<keyId>`; not secret. What a KeyPair presents as `apiKey`. */
  readonly publicName: string;
  /** For `status.keyHint`; of Dual it describes `primaryKey`. */
  readonly hint: string;
  /** Exactly the slots of the format. Dual: one keyId, and a secret of its own for each. */
  readonly values: Readonly<Partial<Record<SlotName, Sensitive>>>;
};

/** A fresh keyId: 16 Base62 characters, 95 bits. The database refuses the one that exists already. */
export function mintKeyId(entropy: Entropy): string {
  return randomBase62(entropy, KEY_ID_LENGTH);
}

/** A fresh secret: 43 Base62 characters, 256 bits. Key material; put it into a value at once. */
export function mintSecret(entropy: Entropy): string {
  return randomBase62(entropy, SECRET_LENGTH);
}

/** A fresh value for one slot under a keyId that exists; how a Dual slot is regenerated. */
export function mintValue(
  entropy: Entropy,
  name: { readonly prefix: string; readonly keyId: string; readonly slot: SlotName },
): Sensitive {
  const parts = { prefix: name.prefix, keyId: name.keyId, secret: mintSecret(entropy) };
  return new Sensitive(name.slot === 'apiSecret' ? buildPairSecret(parts) : buildValue(parts));
}

/** A fresh credential with all values of its format. `prefix` must satisfy `isPrefix`. */
export function mintCredential(
  entropy: Entropy,
  request: { readonly prefix: string; readonly format: KeyFormat },
): MintedCredential {
  const name = { prefix: request.prefix, keyId: mintKeyId(entropy) };
  const slots = SLOTS[request.format].map(
    (slot) => [slot, mintValue(entropy, { ...name, slot })] as const,
  );
  const first = slots[0]?.[1] ?? new Sensitive('');
  return {
    format: request.format,
    keyId: name.keyId,
    publicName: publicName(name),
    hint: hint(name, first),
    values: Object.fromEntries(slots),
  };
}
