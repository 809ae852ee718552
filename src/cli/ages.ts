/** Spans of time as people say them. Pure. */
import { DAY_MS, HOUR_MS, MINUTE_MS, parseTime, SECOND_MS } from '../kernel/time.ts';

/** A span in one unit, as kubectl prints ages: `45s`, `12m`, `7h`, `90d`; negative ones are `0s`. */
export function spanText(spanMs: number): string {
  const ms = Math.max(0, spanMs);
  if (ms < 2 * MINUTE_MS) return `${Math.floor(ms / SECOND_MS)}s`;
  if (ms < 2 * HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)}h`;
  return `${Math.floor(ms / DAY_MS)}d`;
}

/** How long ago an RFC 3339 instant was; '' when it is absent or none. */
export function agoText(time: string | undefined, nowMs: number): string {
  const atMs = time === undefined ? undefined : parseTime(time);
  return atMs === undefined ? '' : `${spanText(nowMs - atMs)} ago`;
}
