/**
 * What the ledger remembers of a vendor's account: enough to end credentials there when the
 * KeyStore, its Secret or its whole namespace is gone.
 */
import { canonicalJson } from '../kernel/canonicaljson.ts';
import type { Entropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Keyring } from '../keys/keyring.ts';
import { open, seal } from '../keys/sealing.ts';
import type { Ledger, StoreRow } from '../ledger/port.ts';
import { credentialsText, parseCredentials, type CredentialValues } from './credentials.ts';

/** The part of the ledger that is used. */
export type StoreLedger = Pick<Ledger, 'loadStore' | 'saveStore' | 'existsAtVendor'>;

/** What remembering needs. */
type MemoryOptions = {
  readonly ledger: StoreLedger;
  /** Of the leader. */
  readonly epoch: () => number;
  readonly keyring: Pick<Keyring, 'currentVersion' | 'publication'>;
  readonly entropy: Entropy;
};

/** One account as it is remembered. */
export type Remembered = {
  readonly storeUid: string;
  readonly type: string;
  readonly account: string;
  /** The driver's member of the spec. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly values: CredentialValues;
};

/** Seals, keeps and opens. */
export class StoreMemory {
  readonly #options: MemoryOptions;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  /** Everything but the credentials; undefined when nothing is remembered. */
  async recall(storeUid: string): Promise<Omit<Remembered, 'values'> | undefined> {
    const row = await this.#options.ledger.loadStore(storeUid);
    return row === undefined ? undefined : facts(row);
  }

  /**
   * With the credentials, opened.
   * @throws KeywardError Terminal SealBroken, MasterKeyVersionMissing
   */
  async open(storeUid: string): Promise<Remembered | undefined> {
    const row = await this.#options.ledger.loadStore(storeUid);
    return row === undefined ? undefined : { ...facts(row), values: this.#unseal(row) };
  }

  /** Keeps what is new; the same again is not written. */
  async keep(wanted: Remembered): Promise<void> {
    const { ledger, epoch, keyring, entropy } = this.#options;
    const { storeUid, type, account } = wanted;
    const row = await ledger.loadStore(storeUid);
    if (row !== undefined && this.#isSame(row, wanted)) return;
    const settings = canonicalJson(wanted.settings);
    const text = credentialsText(wanted.values);
    const sealed = seal(keyring, text, storeUid, entropy);
    text.erase();
    await ledger.saveStore({ storeUid, type, account, settings, sealed }, epoch());
  }

  /** Whether anything of the store exists at its vendor, or may; a key that waits to be made does not. */
  isInUse(storeUid: string): Promise<boolean> {
    return this.#options.ledger.existsAtVendor(storeUid);
  }

  /** Whether these are the credentials that are remembered; no where they cannot be opened. */
  async holds(storeUid: string, values: CredentialValues): Promise<boolean> {
    const row = await this.#options.ledger.loadStore(storeUid);
    return row !== undefined && this.#isHeld(row, values);
  }

  #isSame(row: StoreRow, wanted: Remembered): boolean {
    const { type, account, settings, sealed } = row;
    if (type !== wanted.type || account !== wanted.account) return false;
    if (settings !== canonicalJson(wanted.settings)) return false;
    // An old version is sealed anew, so that a master key can be retired one day.
    if (sealed.version !== this.#options.keyring.currentVersion) return false;
    return this.#isHeld(row, wanted.values);
  }

  #isHeld(row: StoreRow, values: CredentialValues): boolean {
    try {
      const held = credentialsText(this.#unseal(row)).reveal();
      return held.equals(credentialsText(values).reveal());
    } catch (error) {
      if (error instanceof KeywardError) return false;
      throw error;
    }
  }

  #unseal({ sealed, storeUid }: StoreRow): CredentialValues {
    return parseCredentials(open(this.#options.keyring, sealed, storeUid));
  }
}

function facts({ storeUid, type, account, settings }: StoreRow): Omit<Remembered, 'values'> {
  // Parser: only `keep` writes it.
  const parsed = JSON.parse(settings) as Readonly<Record<string, unknown>>;
  return { storeUid, type, account, settings: parsed };
}
