import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CHANGE_TEXT_MAX,
  CHANGES_MAX,
  changesBetween,
  type Change,
} from '../../../src/terms/differences.ts';
import { canonicalContent, type RequestContent } from '../../../src/terms/request.ts';
import type { TermsSpec } from '../../../src/terms/terms.ts';
import { anyContent, FULL } from './requests.ts';

const withTerms = (terms: TermsSpec): RequestContent => ({ ...FULL, terms });
const numbered = (count: number, name: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => name(index));
const points = (text: string | undefined) => Array.from(text ?? '').length;

describe('the changes of a round (R20)', () => {
  it('are none between equal requests, however they are written', () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const rewritten: unknown = JSON.parse(JSON.stringify(canonicalContent(content)));
        expect(changesBetween(content, rewritten as RequestContent)).toEqual([]);
      }),
    );
  });

  it('are at least one between requests that differ', () => {
    fc.assert(
      fc.property(anyContent, anyContent, (a, b) => {
        const isSame = JSON.stringify(canonicalContent(a)) === JSON.stringify(canonicalContent(b));
        expect(changesBetween(a, b).length === 0).toBe(isSame);
      }),
    );
  });

  it('name each field by its path in the form, with both sides', () => {
    const { purpose: _, ...rest } = FULL;
    const now: RequestContent = {
      ...rest,
      displayName: 'Guide 2',
      service: { ...FULL.service, url: 'https://new.example.com' },
      terms: {
        ...FULL.terms,
        quota: { requests: -1, period: 'Month' },
        originPolicy: { ...FULL.terms.originPolicy, missing: 'Allow' },
      },
    };
    expect(changesBetween(FULL, now)).toEqual([
      { field: 'displayName', from: '서울 관광 안내', to: 'Guide 2' },
      { field: 'service.url', from: 'https://guide.example.com', to: 'https://new.example.com' },
      { field: 'purpose', from: 'find sights' },
      { field: 'terms.quota.requests', from: '1000', to: '-1' },
      { field: 'terms.quota.period', from: 'Lifetime', to: 'Month' },
      { field: 'terms.originPolicy.missing', from: 'Deny', to: 'Allow' },
    ]);
  });

  it('of a first round are all that is asked for, with nothing on the other side', () => {
    const changes = changesBetween(undefined, FULL);
    expect(changes.every((change) => change.from === undefined)).toBe(true);
    expect(changes).toContainEqual({ field: 'terms.productRefs', to: 'places' });
    expect(changes).toContainEqual({
      field: 'storeRef',
      to: 'ClusterKeyStore visitseoul (store-1)',
    });
    expect(changes).toHaveLength(30);
  });

  it('show a store or client that was recreated under its name', () => {
    const now = { ...FULL, client: { ...FULL.client, uid: 'client-2' } };
    expect(changesBetween(FULL, now)).toEqual([
      { field: 'clientRef', from: 'tour-guide (client-1)', to: 'tour-guide (client-2)' },
    ]);
  });

  it('show each entry that a list gained or lost, and only those (R9, R115)', () => {
    const origins = (...allowed: readonly string[]) => withTerms({ originPolicy: { allowed } });
    expect(
      changesBetween(origins('a.example', 'b.example'), origins('c.example', 'b.example')),
    ).toEqual([
      { field: 'terms.originPolicy.allowed', from: 'a.example' },
      { field: 'terms.originPolicy.allowed', to: 'c.example' },
    ]);
  });

  it('say what it means when a list begins or ceases to restrict', () => {
    const some = withTerms({
      cidrs: ['192.0.2.0/24', '198.51.100.0/24'],
      productRefs: [{ name: 'p' }],
    });
    const none = withTerms({});
    expect(changesBetween(some, none)).toEqual([
      { field: 'terms.cidrs', from: '192.0.2.0/24', to: '(any address)' },
      { field: 'terms.cidrs', from: '198.51.100.0/24' },
      { field: 'terms.productRefs', from: 'p', to: '(open products only)' },
    ]);
    expect(changesBetween(none, some)[0]).toEqual({
      field: 'terms.cidrs',
      from: '(any address)',
      to: '192.0.2.0/24',
    });
  });
});

describe('lines of changes', () => {
  it('stay within their bounds for any form, as whole characters', () => {
    const long = fc.string({ unit: 'binary', minLength: 200, maxLength: 700 });
    const either = fc
      .tuple(long, long)
      .map(([description, purpose]) => ({ ...FULL, description, purpose }));
    fc.assert(
      fc.property(either, either, (a, b) => {
        for (const { from, to } of changesBetween(a, b)) {
          expect(Math.max(points(from), points(to))).toBeLessThanOrEqual(CHANGE_TEXT_MAX);
          expect((from ?? '').isWellFormed() && (to ?? '').isWellFormed()).toBe(true);
          expect(from).not.toBe(to);
        }
      }),
    );
  });

  it('say how many characters they leave out, counted as people count', () => {
    const [change] = changesBetween(
      { ...FULL, description: 'x' },
      { ...FULL, description: '가'.repeat(300) },
    );
    expect(points(change?.to)).toBeLessThanOrEqual(CHANGE_TEXT_MAX);
    const [, shown = '', missing] = /^(가+)…\[(\d+) more\]$/.exec(change?.to ?? '') ?? [];
    expect(shown.length + Number(missing)).toBe(300);
    const emoji = '\u{1f511}'.repeat(256);
    expect(changesBetween({ ...FULL, purpose: 'x' }, { ...FULL, purpose: emoji })[0]?.to).toBe(
      emoji,
    );
  });

  it('show the place where two long texts part', () => {
    const text = 'a'.repeat(400);
    const [change] = changesBetween(
      { ...FULL, description: `${text} only read ${text}` },
      { ...FULL, description: `${text} read and sell ${text}` },
    );
    expect(change?.from).toMatch(/^\[\d+ more\]…a+ only read a+…\[\d+ more\]$/);
    expect(change?.to).toMatch(/^\[\d+ more\]…a+ read and sell a+…\[\d+ more\]$/);
  });

  it('cannot be made to look like others by control characters', () => {
    const change = changesBetween(
      { ...FULL, purpose: 'x' },
      { ...FULL, purpose: 'a\nb\r\u202eevil\u2028\\n\u{1f469}\u200d\u{1f680}' },
    )[0];
    expect(change?.to).toBe('a\\nb\\u{d}\\u{202e}evil\\u{2028}\\\\n\u{1f469}\u200d\u{1f680}');
  });

  it('are at most 64, of which the last tells how many more there are', () => {
    const now = withTerms({
      originPolicy: { allowed: numbered(32, (index) => `h${index}.example`) },
      cidrs: numbered(32, (index) => `192.0.2.${index}/32`),
      productRefs: numbered(64, (index) => `p${index}`).map((name) => ({ name })),
    });
    const changes: readonly Change[] = changesBetween(undefined, now);
    expect(changes).toHaveLength(CHANGES_MAX);
    expect(changes.at(-1)?.field).toBe('…');
    const left = Number(/^(\d+) more changes$/.exec(changes.at(-1)?.to ?? '')?.[1]);
    const fields = changesBetween(undefined, withTerms({})).length + 2;
    expect(CHANGES_MAX - 1 + left).toBe(fields + 128);
  });
});
