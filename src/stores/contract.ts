/**
 * What a key-store driver is: the code behind one value of `KeyStore.spec.type`.
 *
 * A driver declares what it can do, and the controller turns what it cannot into the condition
 * SpecSupported=False; nothing is skipped silently. The built-in store is of class Local: its
 * credentials exist in the ledger alone. Remote classes bring calls of their own.
 */
import type { Entropy } from '../kernel/entropy.ts';
import type { Minted } from '../keys/mint.ts';

export type Format = 'Opaque' | 'Dual' | 'KeyPair';

/** How a lost answer of a create call is found again; Local has no such call. */
export type DriverClass = 'Local' | 'M' | 'D' | 'O' | 'I' | 'X';

export type Capabilities = {
  readonly class: DriverClass;
  readonly formats: readonly Format[];
  /** The store keeps values readable, so a lost Secret can be restored. */
  readonly recoverable: boolean;
  /** Rotation the driver prefers when the spec names none. */
  readonly rotation: 'Replace' | 'InPlace';
  readonly regeneratePerSlot: boolean;
  readonly suspend: boolean;
  /** Code points. */
  readonly displayNameMax: number;
  readonly descriptionMax: number;
};

/** The settings of one store, as its driver understands them. */
export interface StoreHandle {
  readonly capabilities: Capabilities;
  /** Format of a key that names none. */
  readonly defaultFormat: Format;
  /** Text of the Secret entry `provider`. */
  readonly provider: string;
  /** Fresh random values for one credential; never derived, never repeated. */
  mint(format: Format, entropy: Entropy): Minted;
}

export interface Driver {
  /** The value of KeyStore.spec.type. */
  readonly type: string;
  /**
   * Reads the driver's member of a KeyStore spec. The schema was checked by the API server; what it
   * cannot express is answered as a problem sentence that names the field.
   */
  open(spec: Readonly<Record<string, unknown>>): StoreHandle | { readonly problem: string };
}
