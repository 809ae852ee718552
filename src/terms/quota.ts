/** Pure; when a quota starts anew, and what is left of it. Counting itself is the database's. */
import type { QuotaPeriod } from './terms.ts';
import { dayAt, firstOfMonth, startOfDay, type Zone } from './zone.ts';

/** What `remaining` answers for a key without limit; never counted down. */
export const UNLIMITED = -1;

/** The time over which uses are counted together. */
export type QuotaWindow = {
  /** First instant; identifies the window. */
  readonly startMs: number;
  /** First instant of the next window; absent: there is none. */
  readonly endMs?: number;
};

/** The window that an instant lies in. Days and months begin as `zone.ts` says. */
export function quotaWindow(period: QuotaPeriod, zone: Zone, atMs: number): QuotaWindow {
  if (period === 'Lifetime') return { startMs: 0 };
  const today = dayAt(zone, atMs);
  const window = period === 'Day' ? dayWindow(zone, today) : monthWindow(zone, today);
  if (atMs < window.endMs) return window;
  // The clocks went back over midnight: they show the old day, but the new one has begun.
  return period === 'Day' ? dayWindow(zone, today + 1) : monthWindow(zone, firstOfMonth(today, 1));
}

/**
 * Uses that are left.
 *
 * @param requests the limit: -1 or absent unlimited, 0 none at all
 * @param used uses counted in this window
 * @returns -1 (UNLIMITED) or a number from 0 on
 */
export function remaining(requests: number | undefined, used: number): number {
  if (requests === undefined || requests === UNLIMITED) return UNLIMITED;
  return Math.max(0, requests - used);
}

/** Whether one more use is covered; anything but a number that says so is a no. */
export function coversUse(left: number | undefined): boolean {
  return left === UNLIMITED || (left !== undefined && left > 0);
}

function dayWindow(zone: Zone, day: number): Required<QuotaWindow> {
  return { startMs: startOfDay(zone, day), endMs: startOfDay(zone, day + 1) };
}

function monthWindow(zone: Zone, day: number): Required<QuotaWindow> {
  return {
    startMs: startOfDay(zone, firstOfMonth(day, 0)),
    endMs: startOfDay(zone, firstOfMonth(day, 1)),
  };
}
