/** How counts and usage are read for one key. Pure. */
import { quotaWindow, type QuotaWindow } from '../terms/quota.ts';
import type { Quota } from '../terms/terms.ts';
import type { Zone } from '../terms/zone.ts';
import { quotaSubject, type Count, type CountRef } from './gate.ts';
import type { KeyRecord } from './record.ts';

/** Under what the uses of a key are counted at this instant, and until when. */
export function countRefOf(
  key: Pick<KeyRecord, 'uid' | 'grant'>,
  { period }: Pick<Quota, 'period'>,
  at: { readonly zone: Zone; readonly nowMs: number },
): CountRef & Pick<QuotaWindow, 'endMs'> {
  const { startMs, endMs } = quotaWindow(period, at.zone, at.nowMs);
  const ref = { subject: quotaSubject(key), windowStartMs: startMs };
  return endMs === undefined ? ref : { ...ref, endMs };
}

/** Tells counts apart. */
export function countKey({ subject, windowStartMs }: CountRef): string {
  return `${windowStartMs} ${subject}`;
}

/** Calls that were let in, as far as gates have told; what a gate still holds is not used. */
export function usesIn(count: Pick<Count, 'reserved' | 'unspent'> | undefined): number {
  return count === undefined ? 0 : count.reserved - count.unspent;
}
