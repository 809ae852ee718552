import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, LATEST_MS } from '../../../src/kernel/time.ts';
import { resolveTerms, type TermsContext } from '../../../src/terms/resolve.ts';
import type { KeyTerms, TermsSpec, ValiditySpec } from '../../../src/terms/terms.ts';
import { validityAt } from '../../../src/terms/validity.ts';

const at = (text: string) => Date.parse(text);
const NOW_MS = at('2020-09-01T00:00:00Z');
const OPEN: KeyTerms = { timeZone: 'UTC', cidrs: [], productRefs: [] };

function resolved(spec: TermsSpec, context: Partial<TermsContext> = {}): KeyTerms {
  const resolution = resolveTerms(spec, { nowMs: NOW_MS, ...context });
  if (resolution.type === 'Problems') throw new Error(JSON.stringify(resolution.problems));
  return resolution.terms;
}

function problems(spec: TermsSpec, context: Partial<TermsContext> = {}): readonly string[] {
  const resolution = resolveTerms(spec, { nowMs: NOW_MS, ...context });
  if (resolution.type === 'Resolved') return [];
  return resolution.problems.map(({ field, message }) => `${field} ${message}`);
}

describe('validity by dates', () => {
  const taipei = resolved({
    validity: {
      effectiveDate: '2020-09-07',
      expirationDate: '2020-09-07',
      timeZone: 'Asia/Taipei',
    },
  });

  it.each([
    ['2020-09-06T23:59:59.999+08:00', 'NotYet'],
    ['2020-09-07T00:00:00+08:00', 'Valid'],
    ['2020-09-07T23:59:59.999+08:00', 'Valid'],
    ['2020-09-08T00:00:00+08:00', 'Over'],
  ])(
    'in Asia/Taipei for 2020-09-07 alone, %s is %s (7.4, R102, R103, R106)',
    (instant, expected) => {
      expect(validityAt(taipei, at(instant))).toBe(expected);
    },
  );

  it('is read in the zone of the terms, else of the store, else in UTC', () => {
    const validity = { expirationDate: '2020-12-31' };
    const storeTimeZone = 'Asia/Seoul';
    expect(resolved({ validity }).endMs).toBe(at('2021-01-01T00:00:00Z'));
    expect(resolved({ validity }, { storeTimeZone }).endMs).toBe(at('2020-12-31T15:00:00Z'));
    const said = resolved(
      { validity: { ...validity, timeZone: 'Europe/Berlin' } },
      { storeTimeZone },
    );
    expect(said).toMatchObject({ timeZone: 'Europe/Berlin', endMs: at('2020-12-31T23:00:00Z') });
  });

  it('ends at the last instant that can be written when somebody means "never"', () => {
    expect(resolved({ validity: { expirationDate: '9999-12-31' } }).endMs).toBe(LATEST_MS);
  });

  it('of a day that the zone left out is no validity', () => {
    const validity = {
      effectiveDate: '2011-12-30',
      expirationDate: '2011-12-30',
      timeZone: 'Pacific/Apia',
    };
    expect(problems({ validity })[0]).toContain('never be valid');
  });
});

describe('validity by instants and durations', () => {
  it('is half-open', () => {
    const terms = resolved({
      validity: {
        notBeforeTime: '2020-09-07T12:00:00+09:00',
        expirationTime: '2020-09-07T12:00:00Z',
      },
    });
    expect(validityAt(terms, at('2020-09-07T03:00:00Z') - 1)).toBe('NotYet');
    expect(validityAt(terms, at('2020-09-07T03:00:00Z'))).toBe('Valid');
    expect(validityAt(terms, at('2020-09-07T12:00:00Z') - 1)).toBe('Valid');
    expect(validityAt(terms, at('2020-09-07T12:00:00Z'))).toBe('Over');
  });

  it('lasts whole days from the first issue, wherever now is: rotation moves no end', () => {
    const validity = { durationDays: 30 };
    const firstIssuedMs = NOW_MS - 5 * DAY_MS;
    expect(resolved({ validity }, { firstIssuedMs }).endMs).toBe(firstIssuedMs + 30 * DAY_MS);
    const later = { firstIssuedMs, nowMs: NOW_MS + DAY_MS };
    expect(resolved({ validity }, later).endMs).toBe(firstIssuedMs + 30 * DAY_MS);
  });

  it('lasts from the effective instant where that lies ahead', () => {
    const validity = { durationDays: 1, effectiveDate: '2020-10-01' };
    expect(resolved({ validity }).endMs).toBe(at('2020-10-02T00:00:00Z'));
  });

  it.each<[ValiditySpec, { readonly storeDurationDays?: number }]>([
    [{ durationDays: 30 }, {}],
    [{}, {}],
    [{}, { storeDurationDays: 30 }],
  ])(
    'is not moved by a start behind the first issue: %j in a store with %j',
    (validity, defaults) => {
      const firstIssuedMs = NOW_MS - 20 * DAY_MS;
      const context = { ...defaults, firstIssuedMs, maxDurationDays: 30 };
      const endMs = firstIssuedMs + 30 * DAY_MS;
      for (const effectiveDate of ['2020-08-12', '2020-08-31', '2020-09-01', '2020-09-10']) {
        expect(resolved({ validity: { ...validity, effectiveDate } }, context).endMs).toBe(endMs);
      }
      const beyond = { ...validity, effectiveDate: '2020-09-11' };
      expect(problems({ validity: beyond }, context)[0]).toContain('is not after the start');
    },
  );

  it('has the length of the store where nothing is said, and its limit where the store has no length', () => {
    expect(resolved({}).endMs).toBeUndefined();
    expect(resolved({}, { storeDurationDays: 7 }).endMs).toBe(NOW_MS + 7 * DAY_MS);
    expect(resolved({}, { maxDurationDays: 9 }).endMs).toBe(NOW_MS + 9 * DAY_MS);
    expect(resolved({}, { storeDurationDays: 99, maxDurationDays: 9 }).endMs).toBe(
      NOW_MS + 9 * DAY_MS,
    );
  });

  it('that is over is flagged, and no problem', () => {
    const spec = { validity: { expirationDate: '2020-08-31' } };
    expect(resolveTerms(spec, { nowMs: NOW_MS })).toMatchObject({
      type: 'Resolved',
      alreadyOver: true,
    });
    expect(resolveTerms(spec, { nowMs: NOW_MS - 1 })).toMatchObject({ alreadyOver: false });
  });

  it('denies when the time is no number', () => {
    expect(validityAt({ endMs: 5 }, Number.NaN)).toBe('Over');
    expect(validityAt({ notBeforeMs: 5 }, Number.NaN)).toBe('NotYet');
  });
});

describe('problems of validity (R107, T6)', () => {
  it.each<[ValiditySpec, string]>([
    [
      { effectiveDate: '2020-10-02', expirationDate: '2020-10-01' },
      'terms.validity.expirationDate is not after the start',
    ],
    [
      { notBeforeTime: '2020-10-01T00:00:00Z', expirationTime: '2020-10-01T00:00:00Z' },
      'terms.validity.expirationTime is not after the start',
    ],
    [
      { notBeforeTime: '2020-10-02T00:00:00Z', expirationDate: '2020-10-01' },
      'terms.validity.expirationDate is not after the start',
    ],
    [
      { effectiveDate: '2020-10-01', notBeforeTime: '2020-10-01T00:00:00Z' },
      'the start is said twice',
    ],
    [{ expirationDate: '2020-10-01', durationDays: 3 }, 'the end is said more than once'],
    [
      { expirationDate: '2020-10-01', expirationTime: '2020-10-01T00:00:00Z' },
      'the end is said more than once',
    ],
    [{ expirationDate: '2020-02-30' }, 'terms.validity.expirationDate is no date'],
    [{ effectiveDate: '10000-01-01' }, 'terms.validity.effectiveDate is no date'],
    [{ expirationTime: '+275760-09-13T00:00:00Z' }, 'terms.validity.expirationTime is no time'],
    [{ expirationTime: '9999-12-31T23:59:59-01:00' }, 'terms.validity.expirationTime is no time'],
    [{ notBeforeTime: '2016-12-31T23:59:60Z' }, 'terms.validity.notBeforeTime is no time'],
    [{ durationDays: 0 }, 'terms.validity.durationDays is no whole number'],
    [{ durationDays: 3651 }, 'terms.validity.durationDays is no whole number'],
    [{ durationDays: 1.5 }, 'terms.validity.durationDays is no whole number'],
    [{ durationDays: Number.NaN }, 'terms.validity.durationDays is no whole number'],
    [
      { timeZone: 'Asia/Nowhere' },
      'terms.validity.timeZone names the unknown time zone "Asia/Nowhere"',
    ],
    [{ timeZone: '+09:00' }, 'terms.validity.timeZone names the unknown'],
  ])('%j', (validity, expected) => {
    const found = problems({ validity });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('name the zone of the store too', () => {
    expect(problems({}, { storeTimeZone: 'Nowhere' })[0]).toContain('the store names the unknown');
  });

  it.each<[ValiditySpec, number]>([
    [{ durationDays: 30 }, 0],
    [{ durationDays: 31 }, 1],
    [{ expirationTime: '2020-10-01T00:00:00Z' }, 0],
    [{ expirationTime: '2020-10-01T00:00:01Z' }, 1],
    [{ expirationDate: '2020-09-30' }, 0],
    [{ expirationDate: '2020-10-01' }, 1],
    [{ effectiveDate: '2020-10-01', expirationDate: '2020-10-30' }, 0],
    [{ effectiveDate: '2020-10-01', expirationDate: '2020-10-31' }, 1],
  ])('%j against a limit of 30 days from 2020-09-01: %i', (validity, count) => {
    expect(problems({ validity }, { maxDurationDays: 30 })).toHaveLength(count);
  });

  it.each<ValiditySpec>([
    { expirationTime: '2020-10-01T00:00:00Z' },
    { expirationDate: '2020-09-30' },
    { durationDays: 31 },
  ])('count the limit from the first issue, whatever start is said later: %j', (end) => {
    const context = { firstIssuedMs: NOW_MS - DAY_MS, maxDurationDays: 30 };
    for (const start of [{}, { effectiveDate: '2020-09-01' }, { effectiveDate: '2020-09-15' }]) {
      expect(problems({ validity: { ...end, ...start } }, context)).toHaveLength(1);
    }
  });

  it('let an end by date use up the day into which the limit falls', () => {
    const nowMs = NOW_MS + DAY_MS / 2;
    const limit = { nowMs, maxDurationDays: 30 };
    expect(problems({ validity: { expirationDate: '2020-10-01' } }, limit)).toEqual([]);
    expect(problems({ validity: { expirationDate: '2020-10-02' } }, limit)).toHaveLength(1);
  });
});

describe('quota', () => {
  it('keeps absent, -1 and 0 apart (R109, R110)', () => {
    expect(resolved({}).quota).toBeUndefined();
    expect(resolved({ quota: { requests: -1 } }).quota?.requests).toBe(-1);
    expect(resolved({ quota: { requests: 0 } }).quota?.requests).toBe(0);
  });

  it('counts over the lifetime unless said otherwise (R111), in the zone of the terms', () => {
    const spec = { validity: { timeZone: 'Asia/Seoul' }, quota: { requests: 5 } };
    expect(resolved(spec).quota).toEqual({
      requests: 5,
      period: 'Lifetime',
      timeZone: 'Asia/Seoul',
    });
  });

  it.each([
    [{ requests: -2 }, undefined, 'is no whole number'],
    [{ requests: 1.5 }, undefined, 'is no whole number'],
    [{ requests: 2 ** 53 }, undefined, 'is no whole number'],
    [{ requests: Number.NaN }, undefined, 'is no whole number'],
    [{ requests: 101 }, 100, 'is 101, but the store allows 100'],
    [{ requests: -1 }, 100, 'is -1, but the store allows 100'],
    [undefined, 100, 'is absent, but the store allows 100'],
  ])('%j with the limit %s is refused: %s', (quota, maxQuotaRequests, expected) => {
    const spec = quota === undefined ? {} : { quota };
    const limits = maxQuotaRequests === undefined ? {} : { maxQuotaRequests };
    expect(problems(spec, limits)).toEqual([expect.stringContaining(expected)]);
  });

  it('up to the limit is allowed', () => {
    expect(resolved({ quota: { requests: 100 } }, { maxQuotaRequests: 100 }).quota?.requests).toBe(
      100,
    );
    expect(resolved({ quota: { requests: 2 ** 53 - 1 } }).quota?.requests).toBe(2 ** 53 - 1);
  });
});

describe('lists', () => {
  it('that are empty mean the same as absent ones', () => {
    const empty = {
      cidrs: [],
      productRefs: [],
      originPolicy: { allowed: [], missing: 'Deny' as const },
    };
    expect(resolved(empty)).toEqual(resolved({}));
  });

  it('are normalised, and say nothing twice', () => {
    const terms = resolved({
      originPolicy: { allowed: ['WWW.a.example', 'www.a.example.', 'https://b.example:443/x/'] },
      cidrs: ['203.0.113.7', '203.0.113.7/32', '10.0.0.0/8'],
      productRefs: [{ name: 'b' }, { name: 'a' }, { name: 'b' }],
    });
    expect(terms).toEqual({
      timeZone: 'UTC',
      originPolicy: {
        allowed: [{ host: 'www.a.example' }, { scheme: 'https', host: 'b.example', path: '/x' }],
        missing: 'Deny',
        unknownPath: 'Allow',
      },
      cidrs: ['203.0.113.7/32', '10.0.0.0/8'],
      productRefs: ['a', 'b'],
    });
  });

  it('may not be longer than the API says', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => i);
    const spec = {
      originPolicy: { allowed: many(33).map((i) => `h${i}.example`) },
      cidrs: many(33).map((i) => `10.0.0.${i}`),
      productRefs: many(65).map((i) => ({ name: `p${i}` })),
    };
    expect(problems(spec)).toHaveLength(3);
  });
});

describe('resolving terms', () => {
  it('names every problem at once', () => {
    const fields = problems({
      validity: { effectiveDate: 'x', expirationDate: 'y', timeZone: 'z' },
      quota: { requests: -2 },
      originPolicy: { allowed: ['ok.example', 'not ok', '*.com'] },
      cidrs: ['10.0.0.1/8', '10.0.0.0/8'],
    }).map((text) => text.split(' ')[0]);
    expect(fields).toEqual([
      'terms.validity.timeZone',
      'terms.validity.effectiveDate',
      'terms.validity.expirationDate',
      'terms.quota.requests',
      'terms.originPolicy.allowed[1]',
      'terms.originPolicy.allowed[2]',
      'terms.cidrs[0]',
    ]);
  });

  it('is repeatable: terms that were stored and read have the same JSON text', () => {
    const spec = {
      validity: { durationDays: 5, timeZone: 'Asia/Seoul' },
      quota: { requests: 1 },
      originPolicy: { allowed: ['a.example'] },
    };
    const terms = resolved(spec, { firstIssuedMs: NOW_MS });
    const stored = JSON.stringify(terms);
    expect(JSON.stringify(JSON.parse(stored))).toBe(stored);
    expect(JSON.stringify(resolved(spec, { firstIssuedMs: NOW_MS, nowMs: NOW_MS + 1 }))).toBe(
      stored,
    );
  });

  it('never throws and never yields NaN, whatever is written', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('2020-10-01', '9999-12-31', '2020-10-01T00:00:00Z', 'Asia/Seoul'),
    );
    const optional = { requiredKeys: [] };
    const spec = fc.record(
      {
        validity: fc.record(
          {
            effectiveDate: text,
            expirationDate: text,
            timeZone: text,
            notBeforeTime: text,
            expirationTime: text,
            durationDays: fc.double(),
          },
          optional,
        ),
        quota: fc.record({ requests: fc.double() }),
        originPolicy: fc.record({ allowed: fc.array(text) }),
        cidrs: fc.array(text),
      },
      optional,
    );
    fc.assert(
      fc.property(spec, (each) => {
        const resolution = resolveTerms(each, { nowMs: NOW_MS, maxDurationDays: 365 });
        const { terms, problems: found } =
          resolution.type === 'Resolved'
            ? { terms: resolution.terms, problems: [] }
            : { terms: OPEN, problems: resolution.problems };
        expect(found.length > 0).toBe(resolution.type === 'Problems');
        const { notBeforeMs = 0, endMs = 0 } = terms;
        expect([notBeforeMs, endMs].every(Number.isSafeInteger)).toBe(true);
      }),
    );
  });
});
