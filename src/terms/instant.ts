/** Pure; instants as users write them, strictly. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import { parseDay } from './zone.ts';

const RFC_3339 =
  /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/i;

/**
 * Milliseconds of an RFC 3339 instant from 1970 to 9999, or undefined when the text is none.
 * What lies below a millisecond is cut off. Leap seconds (":60") are refused: a clock that counts
 * milliseconds since 1970 has no place for them. `Date.parse` is not enough here: it takes
 * "2026", "May 1" and, in some engines, the 30th of February.
 */
export function parseInstant(text: string): number | undefined {
  const [, date = '', ...rest] = RFC_3339.exec(text) ?? [];
  const [hour, minute, second, fraction = '0', sign, offsetHour = '0', offsetMinute = '0'] = rest;
  const day = parseDay(date);
  if (day === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const offsetMs = Number(offsetHour) * HOUR_MS + Number(offsetMinute) * MINUTE_MS;
  return (
    day * DAY_MS +
    Number(hour) * HOUR_MS +
    Number(minute) * MINUTE_MS +
    Number(second) * SECOND_MS +
    Number(fraction.slice(0, 3).padEnd(3, '0')) -
    (sign === '-' ? -offsetMs : offsetMs)
  );
}
