/**
 * Pure; calendar days in time zones, by Intl alone. Its zone data is part of the Node release.
 *
 * The one rule: a day begins at the first instant at which the clocks of the zone show that day or
 * a later one. So a day whose midnight is skipped begins when the clocks go on; when clocks go back
 * over midnight the first midnight counts; a day that a zone left out has no length; and days
 * follow each other without gap or overlap.
 */
import { DAY_MS, SECOND_MS } from '../kernel/time.ts';

/** A zone that can be asked. Making one costs some 50 us, asking it 2 us: keep it where it is hot. */
export type Zone = {
  readonly name: string;
  /** How far the clocks of the zone are ahead of UTC at this instant. */
  readonly offsetMs: (atMs: number) => number;
};

/** Always there, and free. */
export const UTC: Zone = { name: 'UTC', offsetMs: () => 0 };

/** Offsets such as "+09:00", which Intl takes too, are no zones: they know no summer time. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** The zone of an IANA name in any case, or undefined when there is none. */
export function findZone(name: string): Zone | undefined {
  if (name === UTC.name) return UTC;
  if (name.length > 64 || !ZONE_NAME.test(name)) return undefined;
  const format = formatOf(name);
  return format && { name, offsetMs: (atMs) => wallClockMs(format, atMs) - wholeSecond(atMs) };
}

/**
 * Days since 1970-01-01 of a date `YYYY-MM-DD` from 1970 to 9999, or undefined when the text is no
 * such date. Digits only: `2026-02-30` and `2026-2-3` are none.
 */
export function parseDay(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null || Number(match[1]) < 1970) return undefined;
  const atMs = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return new Date(atMs).toISOString().startsWith(text) ? atMs / DAY_MS : undefined;
}

/** The day that the clocks of the zone show, as days since 1970-01-01. */
export function dayAt(zone: Zone, atMs: number): number {
  return Math.floor((atMs + zone.offsetMs(atMs)) / DAY_MS);
}

/** The instant at which a day begins in the zone, by the rule above. */
export function startOfDay(zone: Zone, day: number): number {
  const wallMs = day * DAY_MS;
  // Offsets stay below 24 h, so the day begins between these two; zones change at most once there.
  const before = zone.offsetMs(wallMs - DAY_MS);
  const after = zone.offsetMs(wallMs + DAY_MS);
  if (before === after) return wallMs - before;
  const changeMs = findChange(zone, wallMs - DAY_MS, wallMs + DAY_MS);
  if (wallMs - before < changeMs) return wallMs - before;
  return Math.max(changeMs, wallMs - after);
}

/** First day of the month that `day` lies in, `monthsLater` months on; days since 1970-01-01. */
export function firstOfMonth(day: number, monthsLater: number): number {
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + monthsLater, 1) / DAY_MS;
}

/** The first instant after `fromMs` with the offset of `toMs`; both whole seconds. */
function findChange(zone: Zone, fromMs: number, toMs: number): number {
  const target = zone.offsetMs(toMs);
  let low = fromMs / SECOND_MS;
  let high = toMs / SECOND_MS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offsetMs(middle * SECOND_MS) === target) high = middle;
    else low = middle;
  }
  return high * SECOND_MS;
}

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    // Intl has no other way to say that it does not know a name.
    return undefined;
  }
}

/** What the clocks show, as if it were UTC, in whole seconds. */
function wallClockMs(format: Intl.DateTimeFormat, atMs: number): number {
  const shown: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function wholeSecond(atMs: number): number {
  return Math.floor(atMs / SECOND_MS) * SECOND_MS;
}
