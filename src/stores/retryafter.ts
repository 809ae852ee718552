/** Pure; what a vendor's Retry-After header says. */
import { DAY_MS, SECOND_MS } from '../kernel/time.ts';

/** Dates as HTTP writes them; other spellings that Date.parse would take are none. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Milliseconds to wait, from seconds or a date; at most one day, never below one second.
 * undefined: there is no such header, or it says nothing that can be understood. A date is compared
 * with the answer's own Date header where there is one, because our clock may be wrong.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return bounded(Number(value) * SECOND_MS);
  const atMs = dateMs(value);
  return atMs === undefined ? undefined : bounded(atMs - (dateMs(headers.date) ?? nowMs));
}

function dateMs(text: string | undefined): number | undefined {
  if (text === undefined || !HTTP_DATE.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

function bounded(waitMs: number): number {
  return Math.min(Math.max(waitMs, SECOND_MS), DAY_MS);
}
