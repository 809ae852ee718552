/** What a case of the fuzz test is made of: everything a decision depends on, as plain data. */
import type { Call } from '../../src/gate/call.ts';
import type { ClientRecord, HoldRecord, ProductRecord } from '../../src/ledger/documents.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';

/** One moment of one gate, and one call. */
export type Raw = {
  readonly call: Call;
  readonly nowMs: number;
  /** Since the gate knows everything; undefined: it knows nothing. */
  readonly ageMs: number | undefined;
  /** Whether the keyId is among those that exist, as the gate has heard. */
  readonly isKnown: boolean;
  /** What the database has under the keyId of the call; undefined: nothing. */
  readonly record: KeyRecord | undefined;
  readonly isCached: boolean;
  readonly isDatabaseGone: boolean;
  readonly client: ClientRecord | undefined;
  readonly hold: HoldRecord | undefined;
  readonly products: readonly ProductRecord[];
  readonly unlisted: 'allow' | 'deny';
  readonly phpDates: boolean;
  /** What the memory of signatures says. */
  readonly novelty: 'New' | 'Seen' | 'Unknown';
  /** What the counter says: uses left, or none, or that it cannot say. */
  readonly uses: number | 'UsedUp' | 'Unknown';
  readonly isWaitingForUses: boolean;
  /** What happens while the call first waits for memory or counter. */
  readonly meanwhile: 'Nothing' | 'KeyChanges' | 'TimePasses';
  /** What is sealed in the record, as its holder has it. */
  readonly apiSecret: string;
  /** By version, in hex; other versions are lost. */
  readonly peppers: Readonly<Record<number, string>>;
};

/** A view that is older decides nothing. */
export const STALENESS_MAX_MS = 15_000;
/** How long it is, when time passes. */
export const PASSING_MS = 50;

/** Outcome as one line, so that differences can be read. */
export type Outcome = string;
