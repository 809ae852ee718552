import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS } from '../../../src/kernel/time.ts';
import {
  dayAt,
  findZone,
  firstOfMonth,
  parseDay,
  startOfDay,
  UTC,
  type Zone,
} from '../../../src/terms/zone.ts';

function zone(name: string): Zone {
  const found = findZone(name);
  if (found === undefined) throw new Error(`no zone ${name}`);
  return found;
}

function day(text: string): number {
  const parsed = parseDay(text);
  if (parsed === undefined) throw new Error(`no date ${text}`);
  return parsed;
}

describe('the start of a day (T5)', () => {
  it.each([
    ['UTC', '2026-11-22', '2026-11-22T00:00:00Z', 'UTC is itself'],
    ['Asia/Seoul', '2026-11-22', '2026-11-21T15:00:00Z', 'no summer time'],
    ['Asia/Seoul', '1988-05-08', '1988-05-07T15:00:00Z', 'clocks went on at 02:00, after midnight'],
    ['Asia/Taipei', '2020-09-07', '2020-09-06T16:00:00Z', '7.4: first valid instant'],
    ['Asia/Taipei', '2020-09-08', '2020-09-07T16:00:00Z', '7.4: first refused instant'],
    ['Asia/Kathmandu', '2026-01-01', '2025-12-31T18:15:00Z', 'quarter hours'],
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00Z', 'gap at 02:00 of that day'],
    ['America/New_York', '2026-03-09', '2026-03-09T04:00:00Z', 'day after the gap'],
    ['America/New_York', '2026-11-01', '2026-11-01T04:00:00Z', 'overlap at 02:00 of that day'],
    ['America/New_York', '2026-11-02', '2026-11-02T05:00:00Z', 'day after the overlap'],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00Z', 'gap at 02:00 of that day'],
    ['Europe/Berlin', '2026-03-30', '2026-03-29T22:00:00Z', 'day after the gap'],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00Z', 'overlap at 03:00 of that day'],
    ['Europe/Berlin', '2026-10-26', '2026-10-25T23:00:00Z', 'day after the overlap'],
    [
      'America/Sao_Paulo',
      '2018-11-04',
      '2018-11-04T03:00:00Z',
      'midnight skipped: starts at 01:00',
    ],
    ['America/Sao_Paulo', '2018-02-18', '2018-02-18T03:00:00Z', 'the day before is 25 hours long'],
    ['America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00:00Z', 'still summer time'],
    ['America/Sao_Paulo', '2026-11-01', '2026-11-01T03:00:00Z', 'no summer time any more'],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00:00Z', 'midnight skipped'],
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00Z', 'midnight twice: the first counts'],
    ['America/St_Johns', '2010-11-07', '2010-11-07T02:30:00Z', 'back at 00:01 into the day before'],
    ['America/St_Johns', '2010-11-08', '2010-11-08T03:30:00Z', 'day after'],
    ['Pacific/Apia', '2011-12-29', '2011-12-29T10:00:00Z', 'last day on the old side'],
    [
      'Pacific/Apia',
      '2011-12-30',
      '2011-12-30T10:00:00Z',
      'left out: begins where the next begins',
    ],
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00Z', 'first day on the new side'],
    ['Pacific/Apia', '2012-01-01', '2011-12-31T10:00:00Z', 'and on'],
    ['Australia/Lord_Howe', '2026-10-05', '2026-10-04T13:00:00Z', 'half an hour of summer time'],
    ['Asia/Kolkata', '2026-01-01', '2025-12-31T18:30:00Z', 'half hours'],
    ['Pacific/Kiritimati', '2026-01-01', '2025-12-31T10:00:00Z', 'furthest ahead'],
    ['Etc/GMT+12', '2026-01-01', '2026-01-01T12:00:00Z', 'furthest behind'],
    ['Europe/Berlin', '9999-12-31', '9999-12-30T23:00:00Z', 'the last day that can be written'],
  ])('in %s of %s is %s (%s)', (name, date, instant) => {
    expect(startOfDay(zone(name), day(date))).toBe(Date.parse(instant));
  });

  it('is the first instant that shows the day or a later one, in any zone, at any time', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 1, max: 30_000 }), (name, date) => {
        const there = zone(name);
        const startMs = startOfDay(there, date);
        expect(dayAt(there, startMs)).toBeGreaterThanOrEqual(date);
        for (let atMs = startMs - 1; atMs > startMs - DAY_MS; atMs -= 59 * MINUTE_MS) {
          expect(dayAt(there, atMs)).toBeLessThan(date);
        }
        expect(startOfDay(there, date + 1)).toBeGreaterThanOrEqual(startMs);
      }),
      { numRuns: 150 },
    );
  });
});

describe('zone names', () => {
  it.each(['UTC', 'Asia/Seoul', 'asia/seoul', 'America/Argentina/Buenos_Aires', 'Etc/GMT-9'])(
    'accept %s',
    (name) => {
      expect(findZone(name)?.name).toBe(name);
    },
  );

  it.each([
    '',
    'Seoul',
    '+09:00',
    '-03',
    'UTC+9',
    'Asia/',
    '/Asia',
    'Asia/Seoul ',
    '../etc',
    'A'.repeat(65),
    'Asia/S\u00e9oul',
  ])('refuse "%s"', (name) => {
    expect(findZone(name)).toBeUndefined();
  });

  it('are looked up without throwing, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => findZone(text)).not.toThrow();
      }),
    );
  });
});

describe('dates', () => {
  it.each([
    ['1970-01-01', 0],
    ['2000-02-29', 11_016],
    ['9999-12-31', 2_932_896],
  ])('%s is day %i', (text, expected) => {
    expect(parseDay(text)).toBe(expected);
  });

  it.each([
    '',
    '2026-2-3',
    '2026-02-30',
    '2025-02-29',
    '1900-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '2026-01-32',
    '10000-01-01',
    '1969-12-31',
    '0000-01-01',
    '20260101',
    '2026/01/01',
    ' 2026-01-01',
    '2026-01-01 ',
    '2026-01-01T00:00:00Z',
    '2026-01-01\n',
    '\u0662026-01-01',
    '+2026-01-01',
    '-2026-01-01',
  ])('"%s" is no date (T6)', (text) => {
    expect(parseDay(text)).toBeUndefined();
  });

  it('know the first day of their month and of the next', () => {
    expect(firstOfMonth(day('2026-12-31'), 0)).toBe(day('2026-12-01'));
    expect(firstOfMonth(day('2026-12-31'), 1)).toBe(day('2027-01-01'));
    expect(firstOfMonth(day('2026-01-31'), 1)).toBe(day('2026-02-01'));
  });

  it('in UTC are whole multiples of a day', () => {
    expect(dayAt(UTC, 86_399_999)).toBe(0);
    expect(dayAt(UTC, 86_400_000)).toBe(1);
    expect(dayAt(UTC, -1)).toBe(-1);
  });
});
