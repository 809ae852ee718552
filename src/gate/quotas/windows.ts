/** The window that now lies in, worked out once a day or month. Pure, but for what it remembers. */
import { quotaWindow, type QuotaWindow } from '../../terms/quota.ts';
import type { Quota } from '../../terms/terms.ts';
import { findZone, type Zone } from '../../terms/zone.ts';

/** Zones come from records that were admitted, so there are few; a flood of them changes nothing. */
const ZONES_MAX = 1_000;
const LIFETIME: QuotaWindow = { startMs: 0 };

type ZoneWindows = { readonly zone: Zone; readonly windows: Map<Quota['period'], QuotaWindow> };

/** See the file comment. */
export class Windows {
  readonly #zones = new Map<string, ZoneWindows>();

  /** The window of a quota at an instant; undefined: the zone cannot be found, so nobody knows. */
  at(quota: Quota, nowMs: number): QuotaWindow | undefined {
    if (quota.period === 'Lifetime') return LIFETIME;
    const known = this.#zones.get(quota.timeZone) ?? this.#open(quota.timeZone);
    if (known === undefined) return undefined;
    const window = known.windows.get(quota.period);
    if (window !== undefined && holds(window, nowMs)) return window;
    const next = quotaWindow(quota.period, known.zone, nowMs);
    known.windows.set(quota.period, next);
    return next;
  }

  #open(timeZone: string): ZoneWindows | undefined {
    const zone = findZone(timeZone);
    if (zone === undefined) return undefined;
    if (this.#zones.size >= ZONES_MAX) this.#zones.clear();
    const known = { zone, windows: new Map<Quota['period'], QuotaWindow>() };
    this.#zones.set(timeZone, known);
    return known;
  }
}

function holds({ startMs, endMs }: QuotaWindow, nowMs: number): boolean {
  return nowMs >= startMs && (endMs === undefined || nowMs < endMs);
}
