/**
 * Records that were asked for lately, and the asking: one question to the database at a time for each
 * keyId, and never an answer that is older than a change we have heard of.
 */
import type { Clock } from '../../kernel/clock.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { GateLedger } from '../../ledger/gate.ts';
import { within } from '../within.ts';
import { prepareKey, type PreparedCredential, type PreparedKey } from './prepared.ts';

/** What records are read from. */
export type RecordSource = Pick<GateLedger, 'findByKeyId' | 'loadDocument'>;

/** What is in the cache about a keyId. Gone: the database has no such credential. */
export type Known = PreparedCredential | 'Gone';

/** Bounds. */
export type RecordLimits = {
  /** Keys that are kept; the last ones used. */
  readonly recordsMax: number;
  /** Questions that may be open at once. */
  readonly loadsMax: number;
};

/** A key that changes again and again while it is read. */
const READS_MAX = 4;
/** A call does not wait longer than this, and the next one asks anew. */
const LOAD_TIMEOUT_MS = 1_000;

/** One question. Over: it was answered, or nobody waits for its answer any more. */
type Load = { readonly changedUids: Set<string>; isOver: boolean };
type OpenLoad = { readonly load: Load; readonly answer: Promise<Known> };

/** Two generations instead of a list by use: a hit costs one look-up, and moving costs one more. */
type Generation = {
  readonly byKeyId: Map<string, PreparedCredential>;
  readonly byUid: Map<string, PreparedKey>;
};

/** See the file comment. */
export class Records {
  readonly #limits: RecordLimits;
  readonly #clock: Clock;
  #young = emptyGeneration();
  #old = emptyGeneration();
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
    return this.#young.byKeyId.size + this.#old.byKeyId.size;
  }

  /** Whether a record of it is kept; counts as no use. */
  holds(keyId: string): boolean {
    return this.#young.byKeyId.has(keyId) || this.#old.byKeyId.has(keyId);
  }

  /** What is known of this keyId; undefined: nothing, ask `load`. */
  get(keyId: string): Known | undefined {
    const known = this.#young.byKeyId.get(keyId);
    if (known !== undefined) {
      this.hits += 1;
      return known;
    }
    const older = this.#old.byKeyId.get(keyId);
    if (older === undefined && !this.#gone.has(keyId)) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    if (older === undefined) return 'Gone';
    this.#put(older.key);
    return older;
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
      this.#drop(this.#young, uid);
      this.#drop(this.#old, uid);
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
    for (const { byUid } of [this.#young, this.#old]) {
      for (const key of byUid.values()) key.isOutdated = true;
    }
    this.#young = emptyGeneration();
    this.#old = emptyGeneration();
    this.#gone.clear();
  }

  async #read(keyId: string, source: RecordSource, load: Load): Promise<Known> {
    const era = this.#era;
    for (let read = 0; read < READS_MAX; read += 1) {
      const record = await source.findByKeyId(keyId);
      const form = record?.grant && (await source.loadDocument('Form', record.grant.formUid));
      // An answer that nobody waits for was not told of changes either.
      if (era !== this.#era || load.isOver) throw unsettled();
      if (record === undefined) return this.#keepGone(keyId);
      // What was read may be older than the change; what is read from now on is not.
      if (load.changedUids.delete(record.uid)) continue;
      const key = prepareKey(record, form?.name);
      this.#put(key);
      return key.credentials.find((each) => each.keyId === keyId) ?? this.#keepGone(keyId);
    }
    throw unsettled();
  }

  #keepGone(keyId: string): 'Gone' {
    if (this.#gone.size >= this.#limits.recordsMax) this.#gone.clear();
    this.#gone.add(keyId);
    return 'Gone';
  }

  #put(key: PreparedKey): void {
    this.#replace(this.#young, key);
    this.#replace(this.#old, key);
    if (this.#young.byKeyId.size >= this.#limits.recordsMax / 2) {
      this.#letGo(this.#old);
      this.#old = this.#young;
      this.#young = emptyGeneration();
    }
    this.#young.byUid.set(key.uid, key);
    for (const credential of key.credentials) {
      this.#young.byKeyId.set(credential.keyId, credential);
    }
  }

  /** What is no longer here is told of no change, so nobody may go on with it either. */
  #letGo({ byUid }: Generation): void {
    for (const [uid, key] of byUid) {
      if (this.#young.byUid.get(uid) !== key) key.isOutdated = true;
    }
  }

  /** Of one key there is one state: a credential that is no longer in the record must not stay. */
  #replace(generation: Generation, key: PreparedKey): void {
    const before = generation.byUid.get(key.uid);
    if (before !== undefined && before !== key) this.#drop(generation, key.uid);
  }

  #drop({ byKeyId, byUid }: Generation, uid: string): void {
    const key = byUid.get(uid);
    if (key === undefined) return;
    key.isOutdated = true;
    byUid.delete(uid);
    for (const { keyId } of key.credentials) byKeyId.delete(keyId);
  }
}

function emptyGeneration(): Generation {
  return { byKeyId: new Map(), byUid: new Map() };
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
