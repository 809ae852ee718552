import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/kernel/time.ts';
import { narrow, type NarrowedSpec } from '../../../src/terms/narrowing.ts';
import { resolveTerms, type TermsContext } from '../../../src/terms/resolve.ts';
import type { TermsSpec } from '../../../src/terms/terms.ts';

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
const CONTEXT: TermsContext = { nowMs: NOW_MS };

/** The narrowed terms, or the fields that stand in the way. */
function result(
  terms: TermsSpec,
  narrowed: NarrowedSpec,
  context: Partial<TermsContext> = {},
): TermsSpec | readonly string[] {
  const narrowing = narrow(terms, narrowed, { ...CONTEXT, ...context });
  if (narrowing.type === 'Narrowed') return narrowing.terms;
  return narrowing.problems.map(({ field }) => field);
}

const origins = (...allowed: readonly string[]): TermsSpec => ({ originPolicy: { allowed } });
const networks = (...cidrs: readonly string[]): TermsSpec => ({ cidrs });
const products = (...names: readonly string[]) => ({
  productRefs: names.map((name) => ({ name })),
});

describe('a reviewer who narrows', () => {
  it('nothing leaves the terms as they were', () => {
    const terms = { ...networks('192.0.2.0/24'), quota: { requests: 5 } };
    expect(result(terms, {})).toMatchObject(terms);
  });

  it('several fields gets each of them, and the others as asked for', () => {
    const terms: TermsSpec = {
      validity: {
        effectiveDate: '2027-01-01',
        expirationDate: '2027-12-31',
        timeZone: 'Asia/Seoul',
      },
      quota: { requests: 1000, period: 'Day' },
      originPolicy: { allowed: ['*.example.com'], missing: 'Allow', unknownPath: 'Deny' },
      ...networks('10.0.0.0/8'),
      ...products('a', 'b'),
    };
    const narrowed: NarrowedSpec = {
      expirationDate: '2027-06-30',
      quota: { requests: 100 },
      originPolicy: { allowed: ['https://www.example.com/app'] },
      cidrs: ['10.1.0.0/16'],
      ...products('b'),
    };
    expect(result(terms, narrowed)).toEqual({
      validity: {
        effectiveDate: '2027-01-01',
        expirationDate: '2027-06-30',
        timeZone: 'Asia/Seoul',
      },
      quota: { requests: 100, period: 'Day' },
      originPolicy: {
        allowed: ['https://www.example.com/app'],
        missing: 'Allow',
        unknownPath: 'Deny',
      },
      cidrs: ['10.1.0.0/16'],
      ...products('b'),
    });
  });

  it('is told every field that widens at once', () => {
    const terms: TermsSpec = {
      validity: { expirationDate: '2027-01-01' },
      quota: { requests: 10 },
      ...origins('a.example'),
      ...networks('10.0.0.0/8'),
    };
    const narrowed: NarrowedSpec = {
      expirationDate: '2027-01-02',
      quota: { requests: 11 },
      originPolicy: { allowed: ['a.example', 'b.example'], missing: 'Allow' },
      cidrs: ['10.0.0.0/8', '11.0.0.0/8'],
      ...products('x'),
    };
    expect(result(terms, narrowed)).toEqual([
      'narrowed.expirationDate',
      'narrowed.quota.requests',
      'narrowed.originPolicy.allowed[1]',
      'narrowed.originPolicy.missing',
      'narrowed.cidrs[1]',
      'narrowed.productRefs[0]',
    ]);
  });

  it('works on what the layer before has left', () => {
    const terms = { quota: { requests: 100 }, ...networks('10.0.0.0/8') };
    const first = result(terms, { quota: { requests: 50 }, cidrs: ['10.1.0.0/16'] }) as TermsSpec;
    expect(result(first, { quota: { requests: 60 } })).toEqual(['narrowed.quota.requests']);
    expect(result(first, { cidrs: ['10.2.0.0/16'] })).toEqual(['narrowed.cidrs[0]']);
    expect(result(first, { cidrs: ['10.1.2.0/24'] })).toMatchObject({
      quota: { requests: 50 },
      cidrs: ['10.1.2.0/24'],
    });
  });

  it.each<[string, NarrowedSpec]>([
    ['narrowed.cidrs', { cidrs: [] }],
    ['narrowed.productRefs', { productRefs: [] }],
    ['narrowed.originPolicy.allowed', { originPolicy: { allowed: [] } }],
  ])('is refused an empty list, which would lift the restriction: %s', (field, narrowed) => {
    const terms = { ...origins('a.example'), ...networks('10.0.0.0/8'), ...products('a') };
    expect(result(terms, narrowed)).toEqual([field]);
    expect(result({}, narrowed)).toEqual([field]);
  });

  it.each<[NarrowedSpec, string]>([
    [{ quota: { requests: -2 } }, 'narrowed.quota.requests'],
    [{ quota: { requests: Number.NaN } }, 'narrowed.quota.requests'],
    [{ durationDays: 0.5 }, 'narrowed.durationDays'],
    [{ expirationDate: '2026-02-30' }, 'narrowed.expirationDate'],
    [{ expirationTime: 'soon' }, 'narrowed.expirationTime'],
    [{ expirationDate: '2027-01-01', durationDays: 3 }, 'narrowed.expirationDate'],
    [{ cidrs: ['10.0.0.1/8'] }, 'narrowed.cidrs[0]'],
    [{ originPolicy: { allowed: ['*.co.kr'] } }, 'narrowed.originPolicy.allowed[0]'],
    [{ originPolicy: { missing: 'Deny' } }, 'narrowed.originPolicy.allowed'],
  ])('is told what makes no sense: %j', (narrowed, field) => {
    expect(result({}, narrowed)).toEqual([field]);
  });
});

describe('a narrowed end', () => {
  const date = (expirationDate: string, timeZone = 'Asia/Seoul'): TermsSpec => ({
    validity: { expirationDate, timeZone },
  });

  it.each<[TermsSpec, NarrowedSpec, boolean]>([
    [date('2027-01-01'), { expirationDate: '2027-01-01' }, true],
    [date('2027-01-01'), { expirationDate: '2026-12-31' }, true],
    [date('2027-01-01'), { expirationDate: '2027-01-02' }, false],
    // 2027-01-01 in Seoul ends at 15:00 in UTC.
    [date('2027-01-01'), { expirationTime: '2027-01-01T15:00:00Z' }, true],
    [date('2027-01-01'), { expirationTime: '2027-01-01T15:00:00.001Z' }, false],
    [date('2027-01-01'), { expirationTime: '2027-01-01T23:00:00+09:00' }, true],
    [
      { validity: { expirationTime: '2027-01-01T15:00:00Z', timeZone: 'Asia/Seoul' } },
      { expirationDate: '2027-01-01' },
      true,
    ],
    [
      { validity: { expirationTime: '2027-01-01T14:59:59Z', timeZone: 'Asia/Seoul' } },
      { expirationDate: '2027-01-01' },
      false,
    ],
    [{ validity: { durationDays: 30 } }, { durationDays: 30 }, true],
    [{ validity: { durationDays: 30 } }, { durationDays: 31 }, false],
    [{ validity: { durationDays: 30 } }, { expirationTime: '2026-12-22T12:00:00Z' }, true],
    [{ validity: { durationDays: 30 } }, { expirationTime: '2026-12-22T12:00:01Z' }, false],
    [{}, { durationDays: 3650 }, true],
    [{}, { expirationDate: '9999-12-31' }, true],
  ])('is compared as an instant: %j to %j', (terms, narrowed, isLess) => {
    expect(Array.isArray(result(terms, narrowed))).toBe(!isLess);
  });

  it('counts the length that the store gives where nothing was said', () => {
    expect(result({}, { durationDays: 31 }, { storeDurationDays: 30 })).toEqual([
      'narrowed.durationDays',
    ]);
    expect(result({}, { durationDays: 30 }, { storeDurationDays: 30 })).toMatchObject({
      validity: { durationDays: 30 },
    });
  });

  it('by duration behind a fixed end becomes an instant, so that a late issue cannot outlive it', () => {
    const narrowed = result(date('2026-12-25', 'UTC'), { durationDays: 30 }) as TermsSpec;
    expect(narrowed.validity).toEqual({
      timeZone: 'UTC',
      expirationTime: '2026-12-22T12:00:00.000Z',
    });
    const late = resolveTerms(narrowed, { nowMs: NOW_MS, firstIssuedMs: NOW_MS + 20 * DAY_MS });
    expect(late).toMatchObject({ terms: { endMs: NOW_MS + 30 * DAY_MS } });
    expect(result(date('2026-12-21', 'UTC'), { durationDays: 30 })).toEqual([
      'narrowed.durationDays',
    ]);
  });

  it('by duration counts from the first issue, or from the first valid day', () => {
    const terms: TermsSpec = {
      validity: { effectiveDate: '2026-12-01', expirationDate: '2026-12-25', timeZone: 'UTC' },
    };
    expect(result(terms, { durationDays: 25 })).toMatchObject({
      validity: { expirationTime: '2026-12-26T00:00:00.000Z' },
    });
    expect(result(terms, { durationDays: 26 })).toEqual(['narrowed.durationDays']);
    const firstIssuedMs = Date.parse('2026-11-02T00:00:00Z');
    const running: TermsSpec = { validity: { expirationTime: '2026-12-03T00:00:00Z' } };
    expect(result(running, { durationDays: 31 }, { firstIssuedMs })).toMatchObject({
      validity: { expirationTime: '2026-12-03T00:00:00.000Z' },
    });
    expect(result(running, { durationDays: 32 }, { firstIssuedMs })).toEqual([
      'narrowed.durationDays',
    ]);
  });

  it('before the start leaves no validity and is refused', () => {
    const terms: TermsSpec = { validity: { effectiveDate: '2027-01-01' } };
    expect(result(terms, { expirationDate: '2026-12-31' })).toEqual(['narrowed.expirationDate']);
  });
});

describe('a narrowed quota (R109, R110)', () => {
  it.each<[TermsSpec['quota'], NonNullable<NarrowedSpec['quota']>, string]>([
    [undefined, { requests: -1 }, 'less'],
    [undefined, { requests: 5 }, 'less'],
    [undefined, { requests: 5, period: 'Day' }, 'less'],
    [{ requests: -1 }, { requests: 5, period: 'Month' }, 'less'],
    [{ requests: -1, period: 'Month' }, { requests: -1, period: 'Day' }, 'less'],
    [{ requests: 5 }, { requests: 5 }, 'less'],
    [{ requests: 5 }, { requests: 6 }, 'requests'],
    [{ requests: 5 }, { requests: -1 }, 'requests'],
    [{ requests: 5 }, { requests: 0 }, 'less'],
    [{ requests: 0 }, { requests: 1 }, 'requests'],
    [{ requests: 0 }, { requests: -1 }, 'requests'],
    [{ requests: 5 }, { requests: 1, period: 'Day' }, 'period'],
    [{ requests: 500, period: 'Month' }, { requests: 1, period: 'Day' }, 'period'],
    [{ requests: 5, period: 'Day' }, { requests: 5, period: 'Month' }, 'less'],
    [{ requests: 5, period: 'Day' }, { requests: 5, period: 'Lifetime' }, 'less'],
    [{ requests: 5, period: 'Day' }, { requests: 6, period: 'Lifetime' }, 'requests'],
    [{ requests: 5 }, { requests: 0, period: 'Day' }, 'less'],
  ])('%j to %j is: %s', (quota, narrowed, expected) => {
    const answer = result(quota === undefined ? {} : { quota }, { quota: narrowed });
    expect(Array.isArray(answer) ? answer : ['narrowed.quota.less']).toEqual([
      `narrowed.quota.${expected}`,
    ]);
  });
});

describe('narrowed products', () => {
  it('are some of those that were asked for', () => {
    expect(result(products('a', 'b'), products('b'))).toMatchObject(products('b'));
    expect(result(products('a', 'b'), products('b', 'c'))).toEqual(['narrowed.productRefs[1]']);
  });

  it('are none where none was asked for, because that means the open ones only', () => {
    expect(result({}, products('a'))).toEqual(['narrowed.productRefs[0]']);
  });
});

describe('narrowed networks', () => {
  it.each<[readonly string[], string, boolean]>([
    [[], '0.0.0.0/0', true],
    [['10.0.0.0/8'], '10.0.0.0/8', true],
    [['10.0.0.0/8'], '10.255.0.0/16', true],
    [['10.0.0.0/8'], '10.1.2.3', true],
    [['10.0.0.0/8'], '10.0.0.0/7', false],
    [['10.0.0.0/8'], '11.0.0.0/8', false],
    [['10.0.0.0/8'], '0.0.0.0/0', false],
    [['10.0.0.0/8'], '::ffff:10.1.0.0/112', true],
    [['::ffff:10.0.0.0/104'], '10.1.0.0/16', true],
    [['::ffff:10.0.0.0/104'], '::ffff:10.0.0.0/103', false],
    [['::/0'], '10.0.0.0/8', false],
    [['::/0'], '2001:db8::/32', true],
    [['0.0.0.0/0'], '::/0', false],
    [['0.0.0.0/0'], '::1', false],
    [['2001:db8::/32'], '2001:db8:1::/48', true],
    [['2001:db8::/32'], '2001:DB8::1', true],
    [['2001:db8::/32'], '2001:db9::/32', false],
    [['192.0.2.1'], '192.0.2.1/32', true],
    [['192.0.2.1'], '192.0.2.0/31', false],
    [['198.51.100.0/24', '192.0.2.0/24'], '192.0.2.128/25', true],
  ])('in %j: %s', (asked, cidr, isLess) => {
    expect(Array.isArray(result(networks(...asked), { cidrs: [cidr] }))).toBe(!isLess);
  });
});

describe('narrowed sites (R10, R12)', () => {
  it.each<[readonly string[], string, boolean]>([
    [[], '*.example.com', true],
    [['www.example.com'], 'www.example.com', true],
    [['www.example.com'], 'WWW.EXAMPLE.COM.', true],
    [['www.example.com'], 'https://www.example.com', true],
    [['www.example.com'], 'https://www.example.com:443', true],
    [['www.example.com'], 'https://www.example.com/app', true],
    [['www.example.com'], 'example.com', false],
    [['example.com'], 'www.example.com', false],
    [['www.example.com'], '*.www.example.com', false],
    // Without a scheme this would admit http on port 443.
    [['www.example.com'], 'www.example.com:443', false],
    [['www.example.com'], 'www.example.com:8443', false],
    [['www.example.com:8443'], 'www.example.com', false],
    [['www.example.com:8443'], 'https://www.example.com:8443', true],
    [['www.example.com:443'], 'https://www.example.com', true],
    [['www.example.com:443'], 'http://www.example.com', false],
    [['https://www.example.com'], 'www.example.com', false],
    [['https://www.example.com'], 'http://www.example.com', false],
    [['https://www.example.com', 'http://www.example.com'], 'www.example.com', true],
    [['*.example.com'], 'a.example.com', true],
    [['*.example.com'], 'b.a.example.com', true],
    [['*.example.com'], '*.a.example.com', true],
    [['*.example.com'], '*.example.com', true],
    [['*.example.com'], 'example.com', false],
    [['*.example.com'], 'evilexample.com', false],
    [['*.a.example.com'], '*.example.com', false],
    [['a.example.com'], '*.example.com', false],
    [['https://www.example.com/app'], 'https://www.example.com/app', true],
    [['https://www.example.com/app'], 'https://www.example.com/app/', true],
    [['https://www.example.com/app'], 'https://www.example.com/app/x', true],
    [['https://www.example.com/app'], 'https://www.example.com/%61pp/x', true],
    [['https://www.example.com/app'], 'https://www.example.com/application', false],
    [['https://www.example.com/app'], 'https://www.example.com', false],
    [['https://www.example.com/app/x'], 'https://www.example.com/app', false],
    [['한국.example'], 'xn--3e0b707e.example', true],
  ])('in %j: %s', (asked, site, isLess) => {
    const answer = result(origins(...asked), { originPolicy: { allowed: [site] } });
    expect(Array.isArray(answer)).toBe(!isLess);
  });

  it.each<[string, string, boolean]>([
    ['Deny', 'Deny', true],
    ['Allow', 'Deny', true],
    ['Allow', 'Allow', true],
    ['Deny', 'Allow', false],
  ])('with missing and unknownPath %s to %s', (asked, wanted, isLess) => {
    for (const field of ['missing', 'unknownPath']) {
      const terms = { originPolicy: { allowed: ['a.example'], [field]: asked } };
      const answer = result(terms, { originPolicy: { [field]: wanted } });
      expect(answer).toEqual(
        isLess
          ? { validity: {}, originPolicy: { allowed: ['a.example'], [field]: wanted } }
          : [`narrowed.originPolicy.${field}`],
      );
    }
  });

  it('may say anything about calls without origin where any origin was asked for (R13)', () => {
    const narrowed = { originPolicy: { allowed: ['a.example'], missing: 'Allow' as const } };
    expect(result({}, narrowed)).toMatchObject(narrowed);
    // Without sites the policy admits everything, whatever it says beside them.
    const hollow: TermsSpec = { originPolicy: { allowed: [], missing: 'Deny' } };
    expect(result(hollow, narrowed)).toMatchObject(narrowed);
  });
});
