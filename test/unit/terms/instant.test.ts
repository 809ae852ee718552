import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/terms/instant.ts';

describe('RFC 3339 instants', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-11-22T12:00:00Z', Date.UTC(2026, 10, 22, 12)],
    ['2026-11-22t12:00:00z', Date.UTC(2026, 10, 22, 12)],
    ['2026-11-22T12:00:00+09:00', Date.UTC(2026, 10, 22, 3)],
    ['2026-11-22T12:00:00-03:30', Date.UTC(2026, 10, 22, 15, 30)],
    ['2026-11-22T12:00:00.5Z', Date.UTC(2026, 10, 22, 12, 0, 0, 500)],
    ['2026-11-22T12:00:00.123456789Z', Date.UTC(2026, 10, 22, 12, 0, 0, 123)],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
  ])('%s is %i', (text, expected) => {
    expect(parseInstant(text)).toBe(expected);
  });

  it.each([
    '',
    '2026',
    'May 1 2026',
    '2026-11-22',
    '2026-11-22T12:00Z',
    '2026-11-22T12:00:00',
    '2026-02-30T00:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T12:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-11-22 12:00:00Z',
    '2026-11-22T12:00:00.Z',
    '2026-11-22T12:00:00+24:00',
    '2026-11-22T12:00:00+09:60',
    '2026-11-22T12:00:00+0900',
    '+275760-09-13T00:00:00Z',
    '1969-12-31T23:59:59Z',
  ])('"%s" is none (T6)', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('agree with the engine where both read the text, and are never NaN', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date(253_402_300_799_999), noInvalidDate: true }),
        (date) => {
          expect(parseInstant(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseInstant(text)).not.toBeNaN();
      }),
    );
  });
});
