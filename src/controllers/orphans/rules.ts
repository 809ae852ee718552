/**
 * Which credentials at a vendor are orphans, and what may be done about them. Pure.
 *
 * An orphan bears our mark and the tag of our cluster, and no credential of the ledger has it: the
 * late arrival of a create call that was made again meanwhile, or something that a restored database
 * has forgotten. Whatever bears another mark, or none, is somebody else's and never touched.
 */
import { MINUTE_MS } from '../../kernel/time.ts';
import type { TokenHolder } from '../../ledger/port.ts';
import type { RemoteListing } from '../../stores/contract.ts';

/** Younger ones may be on their way into the ledger. */
const GRACE_MS = 10 * MINUTE_MS;
/** More than this that would be ended at once need a person, */
const ORPHANS_MAX = 20;
/** and so does more than this share of the account, */
const ORPHANS_SHARE_MAX = 0.05;
/** unless it is a handful. */
const HANDFUL = 3;

/** One orphan, as one sweep sees it. */
export type Orphan = {
  readonly id: string;
  readonly token: string;
  readonly enabled: boolean;
  /** Absent: the vendor does not say. */
  readonly createdMs?: number;
  /** The ledger knows the token, so nobody can need this credential any more. */
  readonly isKnown: boolean;
};

/** What was seen of an orphan before. */
export type Sighting = { readonly firstMs: number; readonly sweeps: number };

/** What one sweep does. Quarantine: switched off. Stopped: too many would be, nothing is done. */
export type SweepPlan = {
  readonly verdict: 'Go' | 'Stopped';
  readonly quarantine: readonly Orphan[];
  readonly remove: readonly Orphan[];
  /** What a sweep that stopped would have ended, now or later. */
  readonly spared: readonly Orphan[];
  /** Left as they are until a person has looked: the ledger never knew them, and workloads may use them. */
  readonly held: readonly Orphan[];
};

/** Marked listings of this cluster that no credential of the ledger has. */
export function findOrphans(
  listings: readonly RemoteListing[],
  holders: readonly TokenHolder[],
  cluster: string,
): readonly Orphan[] {
  const byToken = new Map(holders.map((holder) => [holder.token, holder]));
  return listings.flatMap(({ id, mark, enabled, createdMs }): readonly Orphan[] => {
    if (mark === undefined || mark.cluster !== cluster) return [];
    const holder = byToken.get(mark.token);
    if (holder !== undefined && isHeldBy(holder, id)) return [];
    const isKnown = holder !== undefined;
    const age = createdMs === undefined ? {} : { createdMs };
    return [{ id, token: mark.token, enabled, isKnown, ...age }];
  });
}

/** It is this very credential, or may become it: a create call of unknown outcome is looked into elsewhere. */
function isHeldBy({ state, remoteId }: TokenHolder, id: string): boolean {
  if (state === 'Deleted') return false;
  return remoteId === undefined || remoteId === id;
}

/** What is known of the orphans of this sweep; those that were not seen now are forgotten. */
export function sightings(
  before: ReadonlyMap<string, Sighting>,
  orphans: readonly Orphan[],
  nowMs: number,
): ReadonlyMap<string, Sighting> {
  return new Map(
    orphans.map(({ id }) => {
      const { firstMs, sweeps } = before.get(id) ?? { firstMs: nowMs, sweeps: 0 };
      return [id, { firstMs, sweeps: sweeps + 1 }];
    }),
  );
}

/**
 * Seen in two sweeps and old enough: switched off, and seen off in a later one deleted, if the ledger
 * knows its token; otherwise it is held for a person. A restored database has forgotten keys that are in
 * use: switching them off would be an outage that nobody asked for. However many are held, they keep
 * nobody from ending what is known.
 */
export function planSweep(at: {
  readonly orphans: readonly Orphan[];
  readonly seen: ReadonlyMap<string, Sighting>;
  /** Credentials of the whole account. */
  readonly total: number;
  readonly canSuspend: boolean;
  readonly nowMs: number;
}): SweepPlan {
  const { orphans, seen, total, canSuspend, nowMs } = at;
  const ripe = orphans.filter(({ id, createdMs }) => {
    const { firstMs, sweeps } = seen.get(id) ?? { firstMs: nowMs, sweeps: 0 };
    return sweeps >= 2 && (createdMs ?? firstMs) + GRACE_MS <= nowMs;
  });
  const held = ripe.filter(({ isKnown }) => !isKnown);
  const needless = ripe.filter(({ isKnown }) => isKnown);
  if (isTooMany(needless.length, total)) {
    return { verdict: 'Stopped', quarantine: [], remove: [], spared: needless, held };
  }
  const quarantine = canSuspend ? needless.filter(({ enabled }) => enabled) : [];
  const remove = needless.filter(
    ({ id, enabled }) => !(canSuspend && enabled) && (seen.get(id)?.sweeps ?? 0) >= 3,
  );
  return { verdict: 'Go', quarantine, remove, spared: [], held };
}

function isTooMany(count: number, total: number): boolean {
  if (count > ORPHANS_MAX) return true;
  return count > HANDFUL && count > total * ORPHANS_SHARE_MAX;
}
