/** How keys were used and what is left of their quotas, as the database knows it at this moment. */
import { formatTime } from '../kernel/time.ts';
import type { UseReads } from '../ledger/gate.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { countKey, countRefOf, usesIn } from '../ledger/usecounts.ts';
import { remaining } from '../terms/quota.ts';
import { findZone, UTC } from '../terms/zone.ts';
import { agoText } from './ages.ts';

/** Uses of one key. */
export type LiveUses = {
  /** Calls that were let in since it was issued; of a key without a quota, too. */
  readonly total: number;
  /** Absent: never. */
  readonly lastUsedMs?: number;
  /** Of the quota in its current window; absent: there is none, -1: it has no limit. */
  readonly left?: number;
};

/**
 * Uses of these keys by UID; an entry for each. Gates write what they have counted every few seconds.
 *
 * @throws KeywardError of the ledger
 */
export async function readUses(
  reads: UseReads,
  records: readonly KeyRecord[],
  nowMs: number,
): Promise<ReadonlyMap<string, LiveUses>> {
  const refs = new Map(
    records.flatMap((record) => {
      const { quota } = record.terms;
      if (quota === undefined || quota.requests < 1) return [];
      // The name was checked when the terms were resolved.
      const zone = findZone(quota.timeZone) ?? UTC;
      return [[record.uid, countRefOf(record, quota, { zone, nowMs })] as const];
    }),
  );
  const [counts, usages] = await Promise.all([
    reads.counts([...refs.values()]),
    reads.usage(records.map(({ uid }) => uid)),
  ]);
  const counted = new Map(counts.map((count) => [countKey(count), count]));
  const used = new Map(usages.map((usage) => [usage.uid, usage]));
  return new Map(
    records.map(({ uid, terms: { quota } }) => {
      const { uses = 0, lastUsedMs } = used.get(uid) ?? {};
      const ref = refs.get(uid);
      const inWindow = ref === undefined ? 0 : usesIn(counted.get(countKey(ref)));
      return [
        uid,
        {
          total: uses,
          ...(lastUsedMs === undefined ? {} : { lastUsedMs }),
          ...(quota === undefined ? {} : { left: remaining(quota.requests, inWindow) }),
        },
      ];
    }),
  );
}

/** For a table: what is left, `unlimited`, or `-` where there is no quota. */
export function leftText(left: number | undefined): string {
  if (left === undefined) return '-';
  return left < 0 ? 'unlimited' : `${left}`;
}

/**
 * One line about the uses of a key: from the database where it was asked, else from its status, which tells what is
 * left in steps; '' where there is nothing to say.
 */
export function usesText(
  quota: { readonly limit?: number; readonly remaining?: number } | undefined,
  live: LiveUses | undefined,
  nowMs: number,
): string {
  const parts = [quotaText(quota, live), totalText(quota?.limit, live, nowMs)];
  return parts.filter((part) => part !== '').join(', ');
}

function quotaText(
  { limit, remaining: told }: { readonly limit?: number; readonly remaining?: number } = {},
  live: LiveUses | undefined,
): string {
  if (limit === undefined) return '';
  if (limit < 0) return 'unlimited';
  if (live?.left !== undefined) return `${live.left} of ${limit} left`;
  if (told === undefined) return `quota ${limit}`;
  // Since it was told, calls may have been made; nothing can become more unnoticed.
  return told === 0 ? `nothing of ${limit} left` : `at most ${told} of ${limit} left`;
}

function totalText(limit: number | undefined, live: LiveUses | undefined, nowMs: number): string {
  if (live === undefined) return '';
  const { total, lastUsedMs, left } = live;
  if (lastUsedMs === undefined) {
    // Reserved by a gate that has not written its usage yet, or was killed before it could.
    const isReserved = limit !== undefined && left !== undefined && left >= 0 && left < limit;
    return isReserved ? 'calls not written yet' : 'never used';
  }
  return `${total} calls, the last ${agoText(formatTime(lastUsedMs), nowMs)}`;
}
