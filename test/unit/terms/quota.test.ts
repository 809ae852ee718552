import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversUse, quotaWindow, remaining } from '../../../src/terms/quota.ts';
import { findZone, UTC } from '../../../src/terms/zone.ts';

const zone = (name: string) => findZone(name) ?? UTC;
const at = (text: string) => Date.parse(text);

describe('quota windows', () => {
  it('of a lifetime have no end (R111)', () => {
    expect(quotaWindow('Lifetime', UTC, at('2026-11-22T10:00:00Z'))).toEqual({ startMs: 0 });
  });

  it.each([
    ['Day', 'UTC', '2026-11-22T10:00:00Z', '2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z'],
    [
      'Day',
      'Asia/Seoul',
      '2026-11-22T14:59:59.999Z',
      '2026-11-21T15:00:00Z',
      '2026-11-22T15:00:00Z',
    ],
    ['Day', 'Asia/Seoul', '2026-11-22T15:00:00Z', '2026-11-22T15:00:00Z', '2026-11-23T15:00:00Z'],
    [
      'Day',
      'Europe/Berlin',
      '2026-10-25T10:00:00Z',
      '2026-10-24T22:00:00Z',
      '2026-10-25T23:00:00Z',
    ],
    [
      'Month',
      'Europe/Berlin',
      '2026-03-15T10:00:00Z',
      '2026-02-28T23:00:00Z',
      '2026-03-31T22:00:00Z',
    ],
    ['Month', 'UTC', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    [
      'Day',
      'Pacific/Apia',
      '2011-12-30T09:59:59.999Z',
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
    ],
    ['Day', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'],
    // Clocks show 23:30 of the 6th again, but the 7th has begun already.
    [
      'Day',
      'America/St_Johns',
      '2010-11-07T03:00:00Z',
      '2010-11-07T02:30:00Z',
      '2010-11-08T03:30:00Z',
    ],
  ] as const)('%s in %s at %s', (period, name, now, ...[start = '', end = '']) => {
    expect(quotaWindow(period, zone(name), at(now))).toEqual({
      startMs: at(start),
      endMs: at(end),
    });
  });

  it('contain their instant and follow each other without gap, so nothing refills twice (T10)', () => {
    const zones = [
      'UTC',
      'America/St_Johns',
      'America/Sao_Paulo',
      'Pacific/Apia',
      'America/Havana',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom('Day' as const, 'Month' as const),
        fc.integer({ min: at('1990-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
        (name, period, nowMs) => {
          const window = quotaWindow(period, zone(name), nowMs);
          const endMs = window.endMs ?? 0;
          expect(window.startMs).toBeLessThanOrEqual(nowMs);
          expect(endMs).toBeGreaterThan(nowMs);
          expect(quotaWindow(period, zone(name), endMs).startMs).toBe(endMs);
          expect(quotaWindow(period, zone(name), endMs - 1)).toEqual(window);
        },
      ),
    );
  });
});

describe('what is left of a quota', () => {
  it.each([
    [undefined, 5, -1, true, 'absent: no limit'],
    [-1, 5, -1, true, '-1 is never counted down (R109)'],
    [0, 0, 0, false, '0 is legal and blocks every call (R110)'],
    [10, 0, 10, true, 'nothing used'],
    [10, 9, 1, true, 'the last one'],
    [10, 10, 0, false, 'used up'],
    [10, 11, 0, false, 'lowered below what was used'],
  ])('limit %s, used %i: %i left, covers a use: %s (%s)', (requests, used, ...[left, covers]) => {
    expect(remaining(requests, used)).toBe(left);
    expect(coversUse(remaining(requests, used))).toBe(covers);
  });

  it('covers nothing while it is not known, or no number', () => {
    expect([undefined, Number.NaN, -2].map((left) => coversUse(left))).toEqual([
      false,
      false,
      false,
    ]);
  });
});
