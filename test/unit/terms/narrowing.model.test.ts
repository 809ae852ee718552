/**
 * Narrowing against the gate's own verdict: whatever is admitted afterwards was admitted before. The
 * two share no comparison: one looks at rules, the other at requests.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestSecret } from '../../../src/keys/digest.ts';
import { buildValue } from '../../../src/keys/format.ts';
import { DAY_MS, HOUR_MS } from '../../../src/kernel/time.ts';
import { isSiteWithin } from '../../../src/terms/containment.ts';
import { narrow, type NarrowedSpec } from '../../../src/terms/narrowing.ts';
import { matchOrigin } from '../../../src/terms/origin.ts';
import { quotaWindow, UNLIMITED } from '../../../src/terms/quota.ts';
import { resolveTerms } from '../../../src/terms/resolve.ts';
import { parseSite } from '../../../src/terms/site.ts';
import type { KeyTerms, Site, TermsSpec } from '../../../src/terms/terms.ts';
import { verdict, type VerifiableKey } from '../../../src/terms/verdict.ts';
import { findZone } from '../../../src/terms/zone.ts';

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
const KEY_ID = 'A'.repeat(16);
const SECRET = 'B'.repeat(43);
const VALUE = buildValue({ prefix: 'kw', keyId: KEY_ID, secret: SECRET });
const pepper = () => Buffer.alloc(32, 1);
const DIGEST = digestSecret({ pepper: pepper(), keyId: KEY_ID, secret: SECRET });

const HOSTS = [
  'example.com',
  'a.example.com',
  'b.a.example.com',
  'evilexample.com',
  '[2001:db8::1]',
];
/** Often none, so that sites and calls meet. */
const PORTS = ['', '', '', ':80', ':443', ':8443'];
const PATHS = ['', '/app', '/app/x', '/application'];
const CIDRS = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '::ffff:10.1.2.0/120',
  '10.1.2.3',
  '11.0.0.0/8',
  '::/0',
  '2001:db8::/32',
  '2001:db8::1',
];
const ADDRESSES = [
  '10.1.2.3',
  '10.2.0.1',
  '11.1.1.1',
  '192.0.2.1',
  '::1',
  '2001:db8::1',
  '::ffff:10.1.2.4',
  undefined,
];
const PRODUCTS = ['a', 'b', 'c'];

/** Absent half the time, or hardly any call would get through all rules. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const site = fc
  .tuple(
    fc.constantFrom('', 'http://', 'https://'),
    fc.constantFrom('', '*.'),
    fc.constantFrom(...HOSTS),
    fc.constantFrom(...PORTS),
    fc.constantFrom(...PATHS),
  )
  .map(([scheme, star, host, port, path]) => {
    const isPlain = host.startsWith('[');
    return `${scheme}${isPlain ? '' : star}${host}${port}${scheme === '' ? '' : path}`;
  });
/** What is asked for may be an empty list and is rather long, what a reviewer says is neither. */
const list = <T>(arbitrary: fc.Arbitrary<T>, minLength: 0 | 1) => {
  const maxLength = minLength === 0 ? 6 : 2;
  return maybe(fc.uniqueArray(arbitrary, { minLength, maxLength, selector: JSON.stringify }));
};
const product = fc.constantFrom(...PRODUCTS).map((name) => ({ name }));
const end = fc.oneof(
  fc.constant({}),
  fc.integer({ min: 1, max: 5 }).map((durationDays) => ({ durationDays })),
  fc.integer({ min: 22, max: 27 }).map((day) => ({ expirationDate: `2026-11-${day}` })),
  fc
    .integer({ min: 1, max: 120 })
    .map((hours) => ({ expirationTime: new Date(NOW_MS + hours * HOUR_MS).toISOString() })),
);
const quota = maybe(
  fc.record(
    {
      requests: fc.integer({ min: -1, max: 4 }),
      period: fc.constantFrom('Lifetime', 'Day', 'Month'),
    },
    { requiredKeys: ['requests'] },
  ),
);
const policy = (minLength: 0 | 1) =>
  fc.record({
    allowed: list(site, minLength),
    missing: maybe(fc.constantFrom('Deny', 'Allow')),
    unknownPath: maybe(fc.constantFrom('Deny', 'Allow')),
  });

/** JSON has no undefined. */
function plain<T>(value: unknown): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
const asked = fc
  .record({
    validity: fc
      .tuple(
        end,
        fc.constantFrom('UTC', 'Asia/Seoul'),
        fc.constantFrom({}, { effectiveDate: '2026-11-24' }),
      )
      .map(([how, timeZone, start]) => ({ ...how, ...start, timeZone })),
    quota,
    originPolicy: maybe(policy(0)),
    cidrs: list(fc.constantFrom(...CIDRS), 0),
    productRefs: list(product, 0),
  })
  .map(plain<TermsSpec>);
/** One field at a time: with more of them hardly any review would be less than what was asked for. */
const review = fc
  .oneof(
    end,
    fc.record({ quota }),
    fc.record({ originPolicy: policy(1) }),
    fc.record({ cidrs: list(fc.constantFrom(...CIDRS), 1) }),
    fc.record({ productRefs: list(product, 1) }),
  )
  .map(plain<NarrowedSpec>);

type Call = {
  readonly atMs: number;
  readonly origin: string | undefined;
  readonly referer: string | undefined;
  readonly address: string | undefined;
  readonly productRef: string | undefined;
};
const requestSite = fc
  .tuple(
    fc.constantFrom('http://', 'https://'),
    fc.constantFrom('', 'x.', 'y.x.'),
    fc.constantFrom(...HOSTS),
    fc.constantFrom(...PORTS),
  )
  .map((parts) => parts.join(''));
const call: fc.Arbitrary<Call> = fc
  .record({
    afterMs: fc.integer({ min: 0, max: 8 * 24 }).map((hours) => hours * HOUR_MS),
    site: maybe(requestSite),
    said: fc.constantFrom('Origin', 'Referer', 'Both', 'Null'),
    path: fc.constantFrom(...PATHS, '/app/', '/app/x/y', '/other', '/a%2fb'),
    address: fc.constantFrom(...ADDRESSES),
    productRef: maybe(fc.constantFrom(...PRODUCTS)),
  })
  .map(({ afterMs, site: from, said, path, address, productRef }) => ({
    atMs: NOW_MS + afterMs,
    origin: said === 'Null' ? 'null' : said === 'Referer' ? undefined : from,
    referer: said === 'Origin' || from === undefined ? undefined : `${from}${path}`,
    address,
    productRef,
  }));

/** One key with its counter: the gate as far as terms go. */
function gate(terms: KeyTerms): (call: Call) => boolean {
  const record: VerifiableKey = {
    state: 'Active',
    terms,
    credentials: [
      {
        keyId: KEY_ID,
        state: 'Active',
        slots: [{ name: 'apiKey', digest: DIGEST, pepperVersion: 1 }],
      },
    ],
  };
  const used = new Map<number, number>();
  const zone = findZone(terms.timeZone);
  return ({ atMs, ...rest }) => {
    const windowMs = quotaWindow(terms.quota?.period ?? 'Lifetime', zone!, atMs).startMs;
    const uses = used.get(windowMs) ?? 0;
    const limit = terms.quota?.requests ?? UNLIMITED;
    const quotaRemaining = limit === UNLIMITED ? UNLIMITED : Math.max(0, limit - uses);
    const answer = verdict(record, VALUE, { nowMs: atMs, pepper, quotaRemaining, ...rest });
    if (answer.type === 'Allowed') used.set(windowMs, uses + 1);
    return answer.type === 'Allowed';
  };
}

/** Terms as they hold once the key is issued, which may be long after the decision. */
function issued(terms: TermsSpec, atMs: number): KeyTerms | undefined {
  const resolution = resolveTerms(terms, { nowMs: atMs });
  return resolution.type === 'Resolved' ? resolution.terms : undefined;
}

describe('narrowed terms', () => {
  it('admit nothing that the terms before did not, in any order of calls and layers', () => {
    const calls = fc.array(call, { minLength: 1, maxLength: 12 });
    const delay = fc.integer({ min: 0, max: 72 }).map((hours) => hours * HOUR_MS);
    const reviews = fc.tuple(review, review);
    let admitted = 0;
    fc.assert(
      fc.property(asked, reviews, delay, calls, (terms, [first, second], delayMs, stream) => {
        const one = narrow(terms, first, { nowMs: NOW_MS });
        if (one.type === 'Problems') return;
        const two = narrow(one.terms, second, { nowMs: NOW_MS + delayMs / 2 });
        const last = two.type === 'Narrowed' ? two.terms : one.terms;
        const [before, after] = [issued(terms, NOW_MS + delayMs), issued(last, NOW_MS + delayMs)];
        if (before === undefined || after === undefined) return;
        const [wide, small] = [gate(before), gate(after)];
        for (const each of stream.toSorted((a, b) => a.atMs - b.atMs)) {
          if (!small(each)) continue;
          admitted += 1;
          expect(wide(each)).toBe(true);
        }
      }),
      { numRuns: 1_500 },
    );
    // The check above is worth something only if calls get through.
    expect(admitted).toBeGreaterThan(100);
  });

  it('allow no more uses than those asked for, in any period (R110)', () => {
    const spans = fc.array(fc.integer({ min: 0, max: 70 }), { minLength: 1, maxLength: 30 });
    const some = quota.filter((each) => each !== undefined);
    fc.assert(
      fc.property(some, some, spans, (wanted, less, days) => {
        const terms = plain<TermsSpec>({ quota: wanted });
        const narrowing = narrow(terms, plain<NarrowedSpec>({ quota: less }), { nowMs: NOW_MS });
        if (narrowing.type === 'Problems') return;
        const [wide, small] = [
          gate(issued(terms, NOW_MS)!),
          gate(issued(narrowing.terms, NOW_MS)!),
        ];
        for (const day of days.toSorted((a, b) => a - b)) {
          const each = { atMs: NOW_MS + day * DAY_MS, origin: undefined, referer: undefined };
          const bare = { ...each, address: undefined, productRef: undefined };
          expect(small(bare) && !wide(bare)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a site within another', () => {
  const read = (text: string): Site => {
    const result = parseSite(text);
    if ('problem' in result) throw new Error(`${text} ${result.problem}`);
    return result.site;
  };
  /** Every request that sites of this alphabet can tell apart. */
  const requests = ['http', 'https'].flatMap((scheme) =>
    HOSTS.flatMap((host) => [host, `x.${host}`])
      .filter((host) => !host.includes('x.['))
      .flatMap((host) =>
        [...new Set(PORTS)].flatMap((port) =>
          ['/app', '/app/x', '/application', '/other'].map((path) => ({
            referer: `${scheme}://${host}${port}${path}`,
          })),
        ),
      ),
  );

  it('is so exactly when no request tells them apart', () => {
    fc.assert(
      fc.property(site, site, (inner, outer) => {
        const admits = (text: string) => {
          const policy = { allowed: [read(text)], missing: 'Deny', unknownPath: 'Deny' } as const;
          return (headers: { readonly referer: string }) =>
            matchOrigin(policy, headers) === 'Allowed';
        };
        const isSubset = requests.filter(admits(inner)).every(admits(outer));
        expect(isSiteWithin(read(inner), [read(outer)])).toBe(isSubset);
      }),
      { numRuns: 400 },
    );
  });
});
