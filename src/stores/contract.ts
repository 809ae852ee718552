/**
 * What a key-store driver is: the code behind one value of `KeyStore.spec.type`.
 *
 * A driver declares what it can do, and the controller turns what it cannot into the condition
 * SpecSupported=False; nothing is skipped silently. The built-in store is of class Local: its
 * credentials exist in the ledger alone. Remote classes bring calls of their own.
 */
import type { Entropy } from '../kernel/entropy.ts';
import type { Sensitive } from '../kernel/sensitive.ts';
import type { KeyFormat } from '../keys/format.ts';
import type { MintedCredential, SlotName } from '../keys/mint.ts';

/** How a lost answer of a create call is found again; Local has no such call. */
export type DriverClass = 'Local' | 'M' | 'D' | 'O' | 'I' | 'X';

/** What a store can do, so that what it cannot do is said and never skipped. */
export type Capabilities = {
  readonly class: DriverClass;
  readonly formats: readonly KeyFormat[];
  /** The store keeps values readable, so a lost Secret can be restored. */
  readonly recoverable: boolean;
  /** Rotation the driver prefers when the spec names none. */
  readonly rotation: 'Replace' | 'InPlace';
  readonly regeneratePerSlot: boolean;
  readonly suspend: boolean;
  /** Code points. */
  readonly displayNameMax: number;
  /** Code points. */
  readonly descriptionMax: number;
};

/** Which value of which credential. */
export type SlotIdentity = { readonly keyId: string; readonly slot: SlotName };

/** The settings of one store, as its driver understands them. Holds no connection of its own. */
export interface StoreHandle {
  readonly capabilities: Capabilities;
  /** Format of a key that names none. */
  readonly defaultFormat: KeyFormat;
  /** Text of the Secret entry `provider`. */
  readonly provider: string;
  /** Fresh random values for one credential; never derived, never repeated. */
  mint(format: KeyFormat, entropy: Entropy): MintedCredential;
  /** A fresh value for one slot of a credential that exists. */
  mintSlot(identity: SlotIdentity, entropy: Entropy): Sensitive;
  /** What status may show of a value. */
  hint(identity: SlotIdentity, value: Sensitive): string;
  /** The 32-byte digest of a value, or undefined when the value is none of this store's shape. */
  digest(
    identity: SlotIdentity,
    value: Sensitive,
    pepper: Readonly<Uint8Array>,
  ): Uint8Array | undefined;
}

/** A driver; `registry.ts` lists them. */
export interface Driver {
  /** The value of KeyStore.spec.type. */
  readonly type: string;
  /**
   * Reads the driver's member of a KeyStore spec (`{}` when it is absent). The schema was checked by
   * the API server; what it cannot express is answered as a problem: one sentence naming the field.
   */
  open(member: Readonly<Record<string, unknown>>): StoreHandle | { readonly problem: string };
}
