/**
 * Records that were asked for lately, and the asking: one question to the database at a time for each
 * keyId, and never an answer that is older than a change we have heard of.
 */
import type { Clock } from '../../kernel/clock.ts';
import { KeywardError } from '../../kernel/errors.ts';
import { ownText } from '../../kernel/owntext.ts';
import type { GateLedger } from '../../ledger/gate.ts';
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import { within } from '../within.ts';
import { Sharing } from './sharing.ts';
import { prepareKey, type PreparedCredential, type PreparedKey } from './prepared.ts';

/** What records are read from. */
export type RecordSource = Pick<GateLedger, 'findByKeyId'>;

/** What is in the cache about a keyId. Gone: the database has no such credential. */
export type Known = PreparedCredential | 'Gone';

/** Bounds. */
type RecordLimits = {
  /** Keys that are kept; the last ones used. */
  readonly recordsMax: number;
  /** Questions that may be open at once. */
  readonly loadsMax: number;
};

/** Enough that they lie in memory as scattered as those that are looked for. */
const DECOYS_MAX = 1_024;
/** A key that changes again and again while it is read. */
const READS_MAX = 4;
/** Records that are passed over for being in use, each time that one has to go. */
const SPARED_MAX = 64;
/** A call does not wait longer than this, and the next one asks anew. */
const LOAD_TIMEOUT_MS = 1_000;

/** One question. Over: it was answered, or nobody waits for its answer any more. */
type Load = { readonly changedUids: Set<string>; isOver: boolean };
type OpenLoad = { readonly load: Load; readonly answer: Promise<Known> };

/** See the file comment. */
export class Records {
  readonly #limits: RecordLimits;
  readonly #clock: Clock;
  readonly #byUid = new Map<string, PreparedKey>();
  readonly #sharing = new Sharing();
  readonly #byKeyId = new Map<string, PreparedCredential>();
  /** Goes round; stays where it is between evictions, because to begin anew costs what was deleted. */
  #hand = this.#byKeyId.values();
  /** The last ones that were read, in turn. */
  readonly #decoys: PreparedCredential[] = [];
  #nextDecoy = 0;
  /** Ids without a credential; beside the records, so that they never push one out. */
  readonly #gone = new Set<string>();
  readonly #loads = new Map<string, OpenLoad>();
  /** Counts how often everything was forgotten: what was asked before that is worth nothing. */
  #era = 0;
  hits = 0;
  misses = 0;

  constructor(limits: RecordLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Credentials that are kept. */
  get size(): number {
    return this.#byKeyId.size;
  }

  /**
   * A record that was read some time, for a no that has to take as long over an id that nobody has as over
   * one that somebody has. Undefined: none was read yet.
   */
  decoyFor(keyId: string): PreparedCredential | undefined {
    const number = keyId.charCodeAt(0) * 61 + keyId.charCodeAt(7) * 17 + keyId.charCodeAt(15);
    return this.#decoys[number % this.#decoys.length];
  }

  /** What is known of this keyId; undefined: nothing, ask `load`. */
  get(keyId: string): Known | undefined {
    const known = this.#byKeyId.get(keyId);
    if (known === undefined) return this.isGone(keyId) ? 'Gone' : undefined;
    this.hits += 1;
    // Not written where it says so already: what is written has to be brought back to memory.
    if (!known.wasUsed) known.wasUsed = true;
    return known;
  }

  /** Whether the database was asked and has no such credential. */
  isGone(keyId: string): boolean {
    return this.#gone.has(keyId);
  }

  /**
   * Reads it. Calls about the same keyId share one question.
   *
   * @throws KeywardError of the ledger; Transient TimedOut, TooManyLoads, RecordUnsettled
   */
  load(keyId: string, source: RecordSource): Promise<Known> {
    const open = this.#loads.get(keyId);
    if (open !== undefined) return open.answer;
    if (this.#loads.size >= this.#limits.loadsMax) return Promise.reject(tooManyLoads());
    this.misses += 1;
    const load: Load = { changedUids: new Set(), isOver: false };
    const reading = this.#read(keyId, source, load);
    const answer = within(this.#clock, LOAD_TIMEOUT_MS, reading).finally(() => {
      load.isOver = true;
      if (this.#loads.get(keyId)?.load === load) this.#loads.delete(keyId);
    });
    this.#loads.set(keyId, { load, answer });
    return answer;
  }

  /** These keys changed: nothing that was read before is used any more. */
  forget(uids: readonly string[]): void {
    for (const uid of uids) {
      this.#drop(uid);
      for (const { load } of this.#loads.values()) load.changedUids.add(uid);
    }
  }

  /** These credentials exist; where one was said to be gone, that is over. */
  appeared(keyIds: readonly string[]): void {
    for (const keyId of keyIds) this.#gone.delete(keyId);
  }

  /** Stops waiting for what is being read: the connection that was asked is given up. */
  giveUpLoads(): void {
    this.#era += 1;
    this.#loads.clear();
  }

  /** Forgets everything, also what is being read. */
  clear(): void {
    this.giveUpLoads();
    for (const key of this.#byUid.values()) key.isOutdated = true;
    this.#byUid.clear();
    this.#byKeyId.clear();
    this.#hand = this.#byKeyId.values();
    this.#gone.clear();
    this.#decoys.length = 0;
    this.#nextDecoy = 0;
  }

  async #read(keyId: string, source: RecordSource, load: Load): Promise<Known> {
    const era = this.#era;
    for (let read = 0; read < READS_MAX; read += 1) {
      const record = await source.findByKeyId(keyId);
      // An answer that nobody waits for was not told of changes either.
      if (era !== this.#era || load.isOver) throw unsettled();
      if (record === undefined) return this.#keepGone(keyId);
      // What was read may be older than the change; what is read from now on is not.
      if (load.changedUids.delete(record.uid)) continue;
      const key = prepareKey(record, this.#sharing);
      const found = findIn(key, record, keyId);
      this.#put(key, found);
      this.#keepDecoy(key);
      return found?.credential ?? this.#keepGone(keyId);
    }
    throw unsettled();
  }

  #keepGone(keyId: string): 'Gone' {
    if (this.#gone.size >= this.#limits.recordsMax) this.#gone.clear();
    this.#gone.add(ownText(keyId));
    return 'Gone';
  }

  #keepDecoy({ credentials: [credential] }: PreparedKey): void {
    if (credential === undefined) return;
    this.#decoys[this.#nextDecoy] = credential;
    this.#nextDecoy = (this.#nextDecoy + 1) % DECOYS_MAX;
  }

  #put(key: PreparedKey, found: Found | undefined): void {
    if (found?.alias !== undefined) this.#addAlias(key.uid, found.credential, found.alias);
    // Of one key there is one state: a credential that is no longer in the record must not stay.
    this.#drop(key.uid);
    this.#byUid.set(key.uid, key);
    for (const credential of key.credentials) {
      this.#byKeyId.set(credential.keyId, credential);
      for (const alias of credential.aliases) this.#byKeyId.set(alias, credential);
    }
    while (this.size > this.#limits.recordsMax) {
      const victim = this.#findVictim();
      // A key with more credentials than there is room for is kept all the same.
      if (victim === undefined || victim.key === key) return;
      this.#drop(victim.key.uid);
    }
  }

  /** Both values of a Dual key are found, whichever was asked for last. */
  #addAlias(uid: string, credential: PreparedCredential, alias: string): void {
    const before = this.#byUid
      .get(uid)
      ?.credentials.find(({ keyId }) => keyId === credential.keyId);
    const own = ownText(alias);
    credential.aliases = [...(before?.aliases ?? []).filter((each) => each !== alias), own];
  }

  /** The first that was not used since the hand came by, or about the oldest where all were. */
  #findVictim(): PreparedCredential | undefined {
    for (let spared = 0; ; spared += 1) {
      const credential = this.#next();
      if (credential === undefined || !credential.wasUsed || spared >= SPARED_MAX)
        return credential;
      credential.wasUsed = false;
      this.#byKeyId.delete(credential.keyId);
      this.#byKeyId.set(credential.keyId, credential);
    }
  }

  #next(): PreparedCredential | undefined {
    const { value } = this.#hand.next();
    if (value === undefined) this.#hand = this.#byKeyId.values();
    return value ?? this.#hand.next().value;
  }

  /** What is no longer here is told of no change, so nobody may go on with it either. */
  #drop(uid: string): void {
    const key = this.#byUid.get(uid);
    if (key === undefined) return;
    key.isOutdated = true;
    this.#byUid.delete(uid);
    for (const { keyId, aliases } of key.credentials) {
      this.#byKeyId.delete(keyId);
      for (const alias of aliases) this.#byKeyId.delete(alias);
    }
  }
}

/** Alias: what it was found by, where that is not its keyId. */
type Found = { readonly credential: PreparedCredential; readonly alias?: string };

/** The credential that an id leads to; what is no keyId is the lookup of an imported value. */
function findIn(key: PreparedKey, record: KeyRecord, id: string): Found | undefined {
  const named = key.credentials.find(({ keyId }) => keyId === id);
  if (named !== undefined) return { credential: named };
  const imported = key.credentials[record.credentials.findIndex(isImported)];
  return imported && { credential: imported, alias: id };
}

function isImported({ origin }: CredentialRecord): boolean {
  return origin === 'Imported';
}

function tooManyLoads(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'TooManyLoads',
    message: 'too many questions to the database are open',
  });
}

function unsettled(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'RecordUnsettled',
    message: 'the key changed each time it was read',
  });
}
