import { describe, expect, it } from 'vitest';
import { Sharing } from '../../../../src/gate/view/sharing.ts';
import { compileTerms } from '../../../../src/terms/compiled.ts';
import type { KeyTerms } from '../../../../src/terms/terms.ts';

const TERMS: KeyTerms = {
  timeZone: 'UTC',
  notBeforeMs: 1,
  endMs: 2,
  originPolicy: { allowed: [{ host: 'a.example' }], missing: 'Deny', unknownPath: 'Deny' },
  cidrs: ['192.0.2.0/24'],
  productRefs: ['maps'],
  quota: { requests: 9, period: 'Day', timeZone: 'UTC' },
};
const VARIANTS: readonly KeyTerms[] = [
  TERMS,
  { ...TERMS, endMs: 3 },
  { ...TERMS, cidrs: ['192.0.2.0/25'] },
  { ...TERMS, cidrs: [] },
  { ...TERMS, productRefs: [] },
  { ...TERMS, productRefs: ['maps', 'more'] },
  { ...TERMS, quota: { requests: 8, period: 'Day', timeZone: 'UTC' } },
  { ...TERMS, originPolicy: { allowed: [], missing: 'Allow', unknownPath: 'Deny' } },
  { timeZone: 'UTC', cidrs: [], productRefs: [] },
];

describe('what records have in common', () => {
  it('changes nothing about the terms of any of them', () => {
    const sharing = new Sharing();
    for (const terms of [...VARIANTS, ...VARIANTS]) {
      expect(sharing.terms(terms)).toEqual(compileTerms(terms));
    }
  });

  it('is kept once', () => {
    const sharing = new Sharing();
    const [one, other] = [
      sharing.terms(TERMS),
      sharing.terms({ ...structuredClone(TERMS), endMs: 3 }),
    ];
    expect(other).toBe(one);
    const slots = [{ name: 'apiKey', pepperVersion: 1 }];
    expect(sharing.kinds(slots)).toEqual(slots);
    expect(sharing.kinds(structuredClone(slots))).toBe(sharing.kinds(slots));
    expect(sharing.kinds([{ name: 'apiKey', pepperVersion: 2 }])).not.toBe(sharing.kinds(slots));
  });
});
