/**
 * The books of an installation without its operator: a database with keys of every kind, made with the
 * real minting and sealing code, for tests of what gates make of them. Changes are commits as the
 * operator makes them, so gates hear of them in the same way.
 */
import { randomUUID } from 'node:crypto';
import { systemEntropy } from '../../src/kernel/entropy.ts';
import type { Sensitive } from '../../src/kernel/sensitive.ts';
import { sealSlot } from '../../src/controllers/apikey/material.ts';
import type { KeyFormat } from '../../src/keys/format.ts';
import { parseKeyring, createMasterKeyText, type Keyring } from '../../src/keys/keyring.ts';
import { mintCredential, SLOTS, type MintedCredential } from '../../src/keys/mint.ts';
import { credentialToken } from '../../src/keys/token.ts';
import type { DocumentChange, ProductPattern, StoreProfile } from '../../src/ledger/documents.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../src/ledger/record.ts';
import { builtinDriver } from '../../src/stores/builtin/driver.ts';
import { resolveTerms } from '../../src/terms/resolve.ts';
import type { KeyTerms, TermsSpec } from '../../src/terms/terms.ts';

const CLUSTER = 'cluster-of-the-gate';
const EPOCH = 1;
const NAMESPACE = 'shop';
const VERSION = 1;

/** A key as a test wants it. */
export type KeyWish = {
  readonly name: string;
  /** Absent: Opaque. */
  readonly format?: KeyFormat;
  readonly terms?: TermsSpec;
  readonly state?: KeyRecord['state'];
  /** UID of its client. */
  readonly clientUid?: string;
  readonly grant?: KeyRecord['grant'];
  /** Of its store; absent: Keyward. */
  readonly profile?: StoreProfile;
};

/** A key that is in the books, with its values. */
export type BookedKey = {
  readonly uid: string;
  readonly name: string;
  readonly keyId: string;
  /** What a KeyPair shows as `apiKey`. */
  readonly publicName: string;
  readonly values: MintedCredential['values'];
};

/** See the file comment. */
export class Books {
  readonly url: string;
  /** Text of the master key file. */
  readonly masterKey: Sensitive;
  readonly #keyring: Keyring;
  readonly #records = new Map<string, KeyRecord>();
  readonly #revisions = new Map<string, number>();
  #ledger: Ledger;

  private constructor(url: string, ledger: Ledger) {
    this.url = url;
    this.#ledger = ledger;
    this.masterKey = createMasterKeyText(systemEntropy);
    this.#keyring = parseKeyring(this.masterKey);
  }

  /** Makes the database and becomes its operator. */
  static async open(url: string): Promise<Books> {
    const books = new Books(url, await openLedger({ url, missing: 'Create' }));
    await books.#ledger.adoptCluster(CLUSTER);
    await books.#ledger.openEpoch(EPOCH, 'books');
    await books.#ledger.rememberVersion(VERSION, books.#keyring.checkValue(VERSION));
    for (const profile of ['Keyward', 'VisitSeoul', 'Naver', 'Solapi', 'DigiRunner'] as const) {
      const store = { ...head(storeUid(profile), profile.toLowerCase()), profile };
      await books.document({ kind: 'Store', document: store, expectedRevision: 0 });
    }
    return books;
  }

  /** The first value of a key: what most callers show. */
  static valueOf(key: BookedKey): string {
    const value = key.values.apiKey ?? key.values.primaryKey ?? key.values.apiSecret;
    if (value === undefined) throw new Error(`${key.name} has no value`);
    return value.revealText();
  }

  /** A key that is issued and published. */
  async key(wish: KeyWish): Promise<BookedKey> {
    const format = wish.format ?? 'Opaque';
    const uid = randomUUID();
    const minted = mintCredential(systemEntropy, { prefix: 'kw', format });
    const store = { ...STORE, uid: storeUid(wish.profile ?? 'Keyward') };
    const record: KeyRecord = {
      clusterId: CLUSTER,
      uid,
      namespace: NAMESPACE,
      name: wish.name,
      revision: 0,
      phase: 'Live',
      state: wish.state ?? 'Active',
      store,
      format,
      terms: termsOf(wish.terms),
      firstIssuedMs: Date.now(),
      sequence: 1,
      ...(wish.grant === undefined ? {} : { grant: wish.grant }),
      ...(wish.clientUid === undefined ? {} : { clientUid: wish.clientUid }),
      credentials: [this.#credential(uid, store.uid, minted)],
    };
    await this.#commit(record, 'KeyIssued');
    const { keyId, publicName, values } = minted;
    return { uid, name: wish.name, keyId, publicName, values };
  }

  /** Changes a key; durable and heard by gates when this resolves, on their next look. */
  async change(
    key: Pick<BookedKey, 'uid'>,
    changes: Partial<Pick<KeyRecord, 'state' | 'phase' | 'grant' | 'credentials'>> & {
      readonly terms?: TermsSpec;
    },
  ): Promise<void> {
    const record = this.record(key);
    const { terms, ...others } = changes;
    const next = { ...record, ...others, terms: terms ? termsOf(terms) : record.terms };
    await this.#commit(next, 'KeyChanged');
  }

  /** Puts terms into a record that nobody would have resolved. */
  async impose(key: BookedKey, terms: KeyTerms): Promise<void> {
    await this.#commit({ ...this.record(key), terms }, 'KeyChanged');
  }

  /** Rotates an Opaque key: the old value dies at `retireAtMs`, in the past: now. */
  async rotate(key: BookedKey, retireAtMs: number): Promise<BookedKey> {
    const record = this.record(key);
    const minted = mintCredential(systemEntropy, { prefix: 'kw', format: record.format });
    const sequence = record.sequence + 1;
    const old = record.credentials.map((each) => ({
      ...each,
      state: 'Retiring' as const,
      retireAtMs,
    }));
    const fresh = this.#credential(key.uid, record.store.uid, minted, sequence);
    await this.#commit({ ...record, sequence, credentials: [...old, fresh] }, 'KeyRotated');
    const { keyId, publicName, values } = minted;
    return { ...key, keyId, publicName, values };
  }

  /** A client; again with the same UID: another state. */
  async client(uid: string, state: 'Active' | 'Suspended' | 'Revoked'): Promise<void> {
    await this.#put('Client', { ...head(uid, `client-${uid}`), state });
  }

  /** What a reviewer imposed on a key; absent: lifted. */
  async hold(key: BookedKey, state?: 'Suspended' | 'Revoked'): Promise<void> {
    const by = { reviewUid: randomUUID(), reviewer: 'sora', message: 'because', sinceMs: 1 };
    const held = state === undefined ? {} : { held: { state, ...by } };
    await this.#put('Hold', { ...head(key.uid, key.name), ...held });
  }

  /** A product; again with the same name: changed. */
  async product(
    name: string,
    access: 'Open' | 'ByGrant',
    match: readonly ProductPattern[],
    state: 'Published' | 'Deprecated' | 'Retired' = 'Published',
  ): Promise<void> {
    await this.#put('Product', { ...head(`product-${name}`, name), state, access, match });
  }

  /** Any document, as the operator would commit it. */
  async document(change: DocumentChange): Promise<void> {
    const result = await this.#ledger.commitDocuments({
      changes: [change],
      epoch: EPOCH,
      audit: audit('DocumentChanged'),
    });
    if (result.type !== 'Committed') throw new Error(`${change.kind} changed meanwhile`);
    const { kind, document, expectedRevision } = change;
    this.#revisions.set(`${kind}/${document.uid}`, expectedRevision + 1);
  }

  /** A key as it is in the books. */
  record({ uid }: Pick<BookedKey, 'uid'>): KeyRecord {
    const record = this.#records.get(uid);
    if (record === undefined) throw new Error(`there is no key ${uid}`);
    return record;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }

  /** Opens them again after `close`, perhaps over another file. */
  async reopen(): Promise<void> {
    this.#ledger = await openLedger({ url: this.url, missing: 'Refuse' });
  }

  async #put<K extends 'Client' | 'Hold' | 'Product'>(
    kind: K,
    document: Extract<DocumentChange, { kind: K }>['document'],
  ): Promise<void> {
    const expectedRevision = this.#revisions.get(`${kind}/${document.uid}`) ?? 0;
    // Kind and document belong together by this method's own signature, which the compiler cannot see.
    await this.document({ kind, document, expectedRevision } as DocumentChange);
  }

  async #commit(record: KeyRecord, action: string): Promise<void> {
    const { revision: expectedRevision } = record;
    const entry = audit(action);
    const result = await this.#ledger.commit({
      record,
      expectedRevision,
      epoch: EPOCH,
      audit: entry,
    });
    if (result.type !== 'Committed') throw new Error(`${record.name}: ${result.type}`);
    this.#records.set(record.uid, result.record);
  }

  #credential(
    apiKeyUid: string,
    store: string,
    minted: MintedCredential,
    sequence = 1,
  ): CredentialRecord {
    const token = credentialToken({ clusterId: CLUSTER, storeUid: store, apiKeyUid, sequence });
    const deps = { keyring: this.#keyring, entropy: systemEntropy };
    const slots = SLOTS[minted.format].map((name, at): SlotRecord => {
      const value = minted.values[name];
      if (value === undefined) throw new Error(`${name} was not minted`);
      const place = { token, keyId: minted.keyId, slot: name, generation: 1 };
      const { sealed, ...digest } = sealSlot(deps, handle(), place, value);
      const role = at === 0 ? 'Active' : 'Standby';
      // Once published, only the secret of a pair stays sealed.
      const kept = name === 'apiSecret' ? { sealed } : {};
      return { name, role, generation: 1, rotatedAtMs: Date.now(), ...digest, ...kept };
    });
    return {
      token,
      sequence,
      attempt: 1,
      keyId: minted.keyId,
      hint: minted.format === 'KeyPair' ? minted.publicName : minted.hint,
      state: 'Active',
      origin: 'Issued',
      slots,
      createdAtMs: Date.now(),
    };
  }
}

const STORE = { kind: 'ClusterKeyStore', name: 'default', incarnation: 1 } as const;

function storeUid(profile: StoreProfile): string {
  return `store-${profile}`;
}

function head(uid: string, name: string) {
  const where = { clusterId: CLUSTER, uid, namespace: NAMESPACE, name };
  return { ...where, revision: 0, phase: 'Live' } as const;
}

function audit(action: string) {
  return { action, actor: 'operator', atMs: Date.now(), facts: {} };
}

function handle() {
  const opened = builtinDriver.open({ recovery: 'Sealed' });
  if (!('type' in opened) || opened.type !== 'Local') throw new Error('no built-in store');
  return opened;
}

function termsOf(spec: TermsSpec = {}): KeyTerms {
  const resolution = resolveTerms(spec, { nowMs: Date.now() });
  if (resolution.type === 'Problems') throw new Error(JSON.stringify(resolution.problems));
  return resolution.terms;
}
