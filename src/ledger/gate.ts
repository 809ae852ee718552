/**
 * The database as a gate uses it: it reads what the operator wrote, and writes only what it counts:
 * reserved uses, signatures that were seen, and usage. Several gates work on one database.
 *
 * Guarantees:
 * - Uses that were reserved by all leases of a count never exceed the limit of the call that
 *   reserved them; what became of a lease whose answer was lost is found out by asking again with
 *   the same id.
 * - A signature is new to exactly one caller, on whichever gate.
 * - Failures are KeywardErrors as those of the ledger (port.ts).
 */
import type { Ledger } from './port.ts';
import type { KeyRecord } from './record.ts';

/** Uses of one quota in one window. */
export type CountRef = {
  /** What is counted together: see `quotaSubject`. */
  readonly subject: string;
  /** First instant of the window; 0 for Lifetime. */
  readonly windowStartMs: number;
};

/** Uses that a gate wants to hand out by itself. */
export type LeaseWish = CountRef & {
  /** Random, of this lease only: asking again with it is safe. */
  readonly id: string;
  /** Absent: the window has no end. Counts of windows that ended are forgotten a day later. */
  readonly windowEndMs?: number | undefined;
  /** Of the quota as it is now; 1 to 2^53 - 1. */
  readonly limit: number;
  /** From 1. */
  readonly uses: number;
  readonly nowMs: number;
};

/** What was reserved. */
export type Lease = {
  readonly id: string;
  /** 0: nothing is left. May be fewer than were wanted. */
  readonly uses: number;
  /** Uses that nobody has reserved, after this lease. */
  readonly unreserved: number;
};

/** How far a gate has come with a lease. */
export type LeaseReport = { readonly id: string; readonly spent: number };

/** Calls of one key since the last report. */
export type UsageReport = {
  /** UID of the ApiKey, or the `usageOf` a credential that retires. */
  readonly uid: string;
  /** Calls that were let in, from 1. */
  readonly uses: number;
  readonly lastUsedMs: number;
};

/** A signature that was presented. */
export type SeenSignature = {
  readonly keyId: string;
  /** SHA-256 of what must not come again; 32 bytes. */
  readonly digest: Uint8Array;
  /** When it may be forgotten, because its date is no longer accepted. */
  readonly untilMs: number;
  readonly nowMs: number;
};

/** How a count stands, as far as gates have reported. */
export type Count = CountRef & {
  /** Reserved by leases. */
  readonly reserved: number;
  /** Of those, not handed out yet by leases that are still held. */
  readonly unspent: number;
};

/** How a key was used. */
export type Usage = { readonly uid: string; readonly uses: number; readonly lastUsedMs: number };

/** What gates write. */
export interface UseLedger {
  /** One answer per wish, in order. Repeatable with the same ids. */
  lease(wishes: readonly LeaseWish[]): Promise<readonly Lease[]>;
  /** Tells how much of each lease is spent; unknown leases are passed over. Repeatable. */
  reportLeases(reports: readonly LeaseReport[], nowMs: number): Promise<void>;
  /**
   * Ends leases; what is unspent can be reserved again. Repeatable: a lease ends once. One that nobody
   * knows is ended too: a wish of that id which arrives later, its caller having given up, gets nothing.
   */
  returnLeases(reports: readonly LeaseReport[], nowMs: number): Promise<void>;
  /** Adds to the usage of keys. Not repeatable: after a failure the numbers may be in or not. */
  reportUsage(reports: readonly UsageReport[]): Promise<void>;
  /** One answer per signature, in order: true where nobody has seen it before. */
  remember(signatures: readonly SeenSignature[]): Promise<readonly boolean[]>;
  /**
   * Forgets what can no longer matter: signatures that are too old, windows that ended, leases of which
   * nobody has heard for `leaseSilenceMs`, which count as spent. Repeatable.
   */
  sweepUses(nowMs: number, leaseSilenceMs: number): Promise<void>;
}

/** Reads about uses, for status and commands. */
export interface UseReads {
  /** Unknown counts are left out. */
  counts(refs: readonly CountRef[]): Promise<readonly Count[]>;
  /** Keys that were never used are left out. */
  usage(uids: readonly string[]): Promise<readonly Usage[]>;
}

/** A record as gates know it. */
export type RecordAtGate = KeyRecord & {
  /** Name of the form that its grant speaks of; absent: there is none. */
  readonly application?: string;
};

/** Everything a gate has of its database. */
export interface GateLedger
  extends
    Pick<
      Ledger,
      'identity' | 'changes' | 'loadDocument' | 'scanDocuments' | 'versionsInUse' | 'close'
    >,
    UseLedger,
    UseReads {
  /**
   * The record that a credential is of. Besides those that live, its credentials are the newest of those
   * that ended in the last 30 days: Deleted, with digests and nothing else, so that their holders can be
   * told that they ended. Imported values are found by their lookup, too.
   */
  findByKeyId(keyId: string): Promise<RecordAtGate | undefined>;
  /** keyIds and lookups that `findByKeyId` may know, ascending, `limit` at a time. */
  keyIds(limit: number, after?: string): Promise<readonly string[]>;
  /** The same, of the keys of these UIDs. */
  keyIdsOf(uids: readonly string[]): Promise<readonly string[]>;
}

/** Under what the uses of a credential that retires are counted, beside those of its key. */
export function usageOf(keyId: string): string {
  return `credential/${keyId}`;
}

/**
 * What the uses of a key are counted under. An approved change has a round of its own, so it fills the
 * quota up again; a key that is deleted and made anew under the same grant goes on counting.
 */
export function quotaSubject(key: {
  readonly uid: string;
  readonly grant?: { readonly formUid: string; readonly round: number };
}): string {
  return key.grant === undefined
    ? `key/${key.uid}`
    : `grant/${key.grant.formUid}/${key.grant.round}`;
}
