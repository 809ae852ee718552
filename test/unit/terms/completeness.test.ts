import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../../src/terms/completeness.ts';
import type { FormFacts, FormRules, FormSpec, RequiredField } from '../../../src/terms/form.ts';
import { canonicalContent } from '../../../src/terms/request.ts';
import { resolveTerms } from '../../../src/terms/resolve.ts';
import { DAY_MS } from '../../../src/kernel/time.ts';
import type { TermsSpec, ValiditySpec } from '../../../src/terms/terms.ts';

const NOW_MS = Date.parse('2026-11-22T15:30:00Z');
const ALL_FIELDS: readonly RequiredField[] = [
  'Service',
  'Purpose',
  'Justification',
  'DisplayName',
  'Origins',
  'Products',
  'EffectiveDate',
  'ExpirationDate',
  'Quota',
];
const RULES: FormRules = {
  requiredFields: [],
  mode: 'Manual',
  requiredFor: ['Issue', 'Change', 'Reissue'],
  timeZone: 'Asia/Seoul',
  abilities: {
    formats: ['Opaque', 'Dual', 'KeyPair'],
    displayNameMax: 255,
    descriptionMax: 500,
    terms: ['quota', 'originPolicy', 'cidrs', 'productRefs'],
  },
};
const FACTS: FormFacts = {
  nowMs: NOW_MS,
  round: 'Issue',
  apiKeyName: 'guide',
  client: 'Active',
  products: new Map([
    ['places', 'Published'],
    ['routes', 'Published'],
    ['old', 'Deprecated'],
    ['gone', 'Retired'],
  ]),
};
const BARE: FormSpec = { clientRef: { name: 'tour' } };
const COMPLETE: FormSpec = {
  ...BARE,
  displayName: '서울 관광 안내',
  description: 'shows sights',
  service: { description: '지도와 안내' },
  purpose: 'find sights',
  justification: 'users ask for it',
  terms: {
    validity: { effectiveDate: '2026-11-23', expirationDate: '2027-11-22' },
    quota: { requests: 1000 },
    originPolicy: { allowed: ['www.myservice.com'] },
    productRefs: [{ name: 'places' }],
  },
};

type Change = {
  readonly rules?: Partial<FormRules>;
  readonly facts?: Partial<FormFacts>;
};

function found(form: FormSpec, { rules, facts }: Change = {}): readonly string[] {
  return problemsOf(form, { ...RULES, ...rules }, { ...FACTS, ...facts }).map(
    ({ reason, field, message }) => `${reason}: ${field} ${message}`,
  );
}
const withTerms = (terms: TermsSpec): FormSpec => ({ ...BARE, terms });
const withValidity = (validity: ValiditySpec) => withTerms({ validity });

/** A letter that the normal form takes apart: two letters are left of each. */
const GROWING = '\u0958';

describe('a form', () => {
  it('is judged by its texts as a round freezes them, and the entry is named as it was written', () => {
    const site = `https://www.example.com/${GROWING.repeat(300)}`;
    const allowed = ['www.myservice.com', site, 'a.example.com'];
    expect(found(withTerms({ originPolicy: { allowed } }))).toEqual([
      expect.stringMatching(/^InvalidTerms: terms\.originPolicy\.allowed\[1\] /),
    ]);
    const shorter = `https://www.example.com/${GROWING.repeat(200)}`;
    expect(found(withTerms({ originPolicy: { allowed: [shorter] } }))).toEqual([]);
    const long = { displayName: GROWING.repeat(128), description: GROWING.repeat(251) };
    expect(found({ ...BARE, ...long }).map((text) => text.split(' ')[1])).toEqual([
      'displayName',
      'description',
    ]);
  });

  it('without a problem has none as it is frozen, whatever its letters are', () => {
    const letters = fc.constantFrom(GROWING, '\u1100\u1161', '\u212a', '\u037e', 'e\u0301', 'a');
    const path = fc
      .tuple(letters, fc.integer({ min: 0, max: 500 }))
      .map(([letter, times]) => `/${letter.repeat(times)}`);
    let complete = 0;
    fc.assert(
      fc.property(path, path, (a, b) => {
        const terms: TermsSpec = {
          originPolicy: { allowed: [`https://www.example.com${a}`, `http://www.example.com${b}`] },
        };
        if (found(withTerms(terms)).length > 0) return;
        complete += 1;
        const storeRef = { kind: 'KeyStore', name: 'seoul', uid: 's-1' } as const;
        const client = { name: 'tour', uid: 'c-1' };
        const asked = { storeRef, client, format: 'Opaque', apiKeyName: 'guide', terms } as const;
        const frozen = canonicalContent(asked).terms;
        expect(resolveTerms(frozen, { nowMs: NOW_MS })).toMatchObject({ type: 'Resolved' });
      }),
    );
    expect(complete).toBeGreaterThan(5);
  });

  it('with every required field filled in has no problem (R118)', () => {
    expect(found(COMPLETE, { rules: { requiredFields: ALL_FIELDS } })).toEqual([]);
  });

  it('without anything names each required field at once (R118)', () => {
    const problems = problemsOf({}, { ...RULES, requiredFields: ALL_FIELDS }, FACTS);
    expect(problems.map(({ field }) => field)).toEqual([
      'clientRef',
      'service.description',
      'purpose',
      'justification',
      'displayName',
      'terms.originPolicy.allowed',
      'terms.productRefs',
      'terms.validity.effectiveDate',
      'terms.validity.expirationDate',
      'terms.quota.requests',
    ]);
  });

  it('with nothing required asks for no more than a client', () => {
    expect(found(BARE)).toEqual([]);
  });

  it.each<[string, RequiredField, FormSpec, string]>([
    ['describe the service (R7)', 'Service', { service: {} }, 'service.description is missing'],
    ['state the intended use (R8)', 'Purpose', { purpose: '' }, 'purpose is missing'],
    [
      'register its site (R9)',
      'Origins',
      { terms: { originPolicy: { allowed: [] } } },
      'terms.originPolicy.allowed',
    ],
    [
      'say its first day (R102)',
      'EffectiveDate',
      { terms: { validity: {} } },
      'terms.validity.effectiveDate',
    ],
    ['name the key (R104)', 'DisplayName', {}, 'displayName is missing'],
    ['say its last day (R105)', 'ExpirationDate', {}, 'terms.validity.expirationDate'],
    ['say how often (R109)', 'Quota', {}, 'terms.quota.requests'],
    [
      'give a reason (R113)',
      'Justification',
      {},
      'justification is missing; the store requires it (code 1128)',
    ],
    [
      'choose an API (R114)',
      'Products',
      { terms: { productRefs: [] } },
      'terms.productRefs is missing; the store requires it (code 1127)',
    ],
  ])('has to %s where the store requires it', (_, field, form, expected) => {
    const problems = found({ ...BARE, ...form }, { rules: { requiredFields: [field] } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it.each([' \t\n', '\u3000', '\u200b\u2060', '\u3164', '\u2800', '\u0301', '\u00ad'])(
    'says nothing by the text %j, which nobody can see (R7, R8)',
    (text) => {
      const requiredFields: RequiredField[] = ['Service', 'Purpose'];
      const form = { ...BARE, purpose: text, service: { description: text } };
      expect(found(form, { rules: { requiredFields } })).toHaveLength(2);
    },
  );

  it.each(['가', '\u{1f511}', '1', '👩\u200d🚀', 'é', 'ก'])(
    'says something by the text %s',
    (purpose) => {
      expect(found({ ...BARE, purpose }, { rules: { requiredFields: ['Purpose'] } })).toEqual([]);
    },
  );

  it('may say each date in any way there is, and a quota of -1 or 0 is one (R109, R110)', () => {
    const requiredFields: RequiredField[] = ['EffectiveDate', 'ExpirationDate', 'Quota'];
    for (const requests of [-1, 0, 1]) {
      const terms: TermsSpec = {
        validity: { notBeforeTime: '2027-01-01T00:00:00Z', durationDays: 30 },
        quota: { requests },
      };
      expect(found(withTerms(terms), { rules: { requiredFields } })).toEqual([]);
    }
  });

  it('with a quota below -1 is incomplete (R109)', () => {
    expect(found(withTerms({ quota: { requests: -2 } }))[0]).toContain('terms.quota.requests');
  });

  it('names what cannot be in its terms, all of it at once', () => {
    const problems = found(
      withTerms({
        validity: { expirationDate: '2026-02-30', timeZone: 'Mars/Olympus' },
        quota: { requests: -2 },
        originPolicy: { allowed: ['*.co.kr', 'https://a.example/%zz'] },
        cidrs: ['10.0.0.1/8'],
      }),
    );
    expect(problems).toHaveLength(6);
    expect(problems.every((text) => text.startsWith('InvalidTerms: terms.'))).toBe(true);
  });

  it('ends before it begins is incomplete (R107)', () => {
    const validity = { effectiveDate: '2027-01-02', expirationDate: '2027-01-01' };
    expect(found(withValidity(validity))).toEqual([
      'InvalidTerms: terms.validity.expirationDate is not after the start, so the key would never be valid',
    ]);
    expect(found(withValidity({ ...validity, expirationDate: '2027-01-02' }))).toEqual([]);
  });
});

describe('a first day in the past (R108)', () => {
  it.each([
    ['2026-11-22', 'yesterday in Seoul', 1],
    ['2026-11-23', 'today in Seoul', 0],
    ['2026-11-24', 'tomorrow in Seoul', 0],
  ])('is told by the zone of the form: %s, %s (1227)', (effectiveDate, _, count) => {
    const problems = found(withValidity({ effectiveDate }));
    expect(problems).toHaveLength(count);
    expect(problems.every((text) => text.includes('(code 1227)'))).toBe(true);
    expect(found(withValidity({ effectiveDate, timeZone: 'UTC' }))).toHaveLength(0);
  });

  it('may be an earlier hour of today', () => {
    expect(found(withValidity({ notBeforeTime: '2026-11-22T15:00:00Z' }))).toEqual([]);
    expect(found(withValidity({ notBeforeTime: '2026-11-22T14:59:59Z' }))[0]).toContain(
      'terms.validity.notBeforeTime',
    );
  });

  it('is none for a grant that was in force, and is one for a grant that was not yet', () => {
    const form = withValidity({ effectiveDate: '2026-01-01' });
    const facts = (effectiveMs: number): Partial<FormFacts> => ({
      round: 'Change',
      grant: { effectiveMs, products: [] },
    });
    expect(found(form, { facts: facts(NOW_MS - DAY_MS) })).toEqual([]);
    expect(found(form, { facts: facts(NOW_MS) })).toEqual([]);
    expect(found(form, { facts: facts(NOW_MS + 1) })).toHaveLength(1);
  });

  it('is told beside the other problems', () => {
    const problems = found(
      withTerms({ validity: { effectiveDate: '2020-01-01' }, quota: { requests: -5 } }),
    );
    expect(problems).toHaveLength(2);
  });
});

describe('an end in the past', () => {
  it.each([
    [{ expirationDate: '2026-11-22' }, 'terms.validity.expirationDate'],
    [{ expirationTime: '2026-11-22T15:30:00Z' }, 'terms.validity.expirationTime'],
  ])('leaves nothing to grant: %j', (validity, field) => {
    expect(found(withValidity(validity))).toEqual([
      `AlreadyOver: ${field} has passed, so there is nothing left to grant`,
    ]);
  });

  it('is told by duration from the first issue', () => {
    const grant = { effectiveMs: 0, firstIssuedMs: NOW_MS - 31 * DAY_MS, products: [] };
    const facts: Partial<FormFacts> = { round: 'Change', grant };
    expect(found(withValidity({ durationDays: 30 }), { facts })[0]).toContain('durationDays');
    expect(found(withValidity({ durationDays: 32 }), { facts })).toEqual([]);
  });
});

describe('the client of a form (R99)', () => {
  it.each<[FormFacts['client'], string]>([
    [
      'NotFound',
      "ClientNotFound: clientRef names the client 'tour', which does not exist (code 1122)",
    ],
    ['Suspended', "ClientSuspended: clientRef names the client 'tour', which is suspended"],
    [
      'NotRegistered',
      "ClientNotRegistered: clientRef names the client 'tour', which is not registered (code 1228)",
    ],
  ])('holds it up when it is %s', (client, expected) => {
    for (const round of ['Issue', 'Change', 'Reissue'] as const) {
      expect(found(BARE, { facts: { client, round } })).toEqual([expected]);
    }
  });

  it('has to be chosen', () => {
    expect(found({})[0]).toContain('clientRef is missing');
  });
});

describe('the products of a form (R114, R115)', () => {
  const naming = (...names: readonly string[]) =>
    withTerms({ productRefs: names.map((name) => ({ name })) });

  it('that are unknown and those it may not have are told in the same words, with code 1127', () => {
    // What is not allowed never reaches this function, so it cannot answer in two ways.
    expect(found(naming('places', 'secret'))).toEqual([
      "ProductNotAvailable: terms.productRefs[1] names the product 'secret', which is not available here (code 1127)",
    ]);
    expect(found(naming('__proto__', 'constructor'))).toHaveLength(2);
  });

  it('may not be retired, for anybody', () => {
    const grant = { effectiveMs: 0, products: ['gone'] };
    expect(found(naming('gone'))[0]).toContain('which is retired (code 1127)');
    expect(found(naming('gone'), { facts: { grant, round: 'Change' } })).toHaveLength(1);
  });

  it('may be deprecated for who has them, and not for others', () => {
    const grant = { effectiveMs: 0, products: ['old'] };
    expect(found(naming('old'))).toHaveLength(1);
    expect(found(naming('old'), { facts: { grant, round: 'Change' } })).toEqual([]);
  });
});

describe('what the store cannot do', () => {
  const abilities = { formats: ['Dual'], displayNameMax: 20, descriptionMax: 50, terms: [] };

  it('is told before anybody approves it, field by field', () => {
    const problems = problemsOf(
      {
        ...COMPLETE,
        format: 'KeyPair',
        displayName: '가'.repeat(21),
        description: '\u{1f511}'.repeat(51),
        terms: { ...COMPLETE.terms, cidrs: ['192.0.2.1'] },
      },
      { ...RULES, abilities },
      FACTS,
    );
    expect(problems.map(({ reason, field }) => `${reason} ${field}`)).toEqual([
      'UnsupportedByStore format',
      'UnsupportedByStore displayName',
      'UnsupportedByStore description',
      'UnsupportedByStore terms.quota',
      'UnsupportedByStore terms.originPolicy',
      'UnsupportedByStore terms.cidrs',
      'UnsupportedByStore terms.productRefs',
    ]);
  });

  it('counts characters as people do, and lets limits be reached', () => {
    const form = { ...BARE, displayName: '\u{1f511}'.repeat(20), description: '가'.repeat(50) };
    expect(found(form, { rules: { abilities } })).toEqual([]);
  });

  it('is a matter of the name of the ApiKey where the form gives none', () => {
    const facts = { apiKeyName: 'a'.repeat(21) };
    expect(found(BARE, { rules: { abilities }, facts })[0]).toContain('the name of the ApiKey');
  });

  it('goes for its limits too', () => {
    const rules = { maxDurationDays: 30, maxQuotaRequests: 100 };
    const form = withTerms({ validity: { durationDays: 31 }, quota: { requests: -1 } });
    expect(found(form, { rules })).toHaveLength(2);
  });
});

describe('a store in which nobody can decide', () => {
  it('holds up rounds that need a decision (1565)', () => {
    const rules = { layers: [] };
    for (const round of ['Issue', 'Change', 'Reissue'] as const) {
      expect(found(BARE, { rules, facts: { round } })[0]).toContain('(code 1565)');
    }
    expect(found(BARE, { rules: { layers: [{ name: 'first' }] } })).toEqual([]);
  });

  it('holds up nothing that is not reviewed', () => {
    const rules = { layers: [] };
    expect(found(BARE, { rules, facts: { round: 'Revoke' } })).toEqual([]);
    expect(found(BARE, { rules: { ...rules, mode: 'Automatic' } })).toEqual([]);
    expect(found(BARE, { rules: { ...rules, requiredFor: [] } })).toEqual([]);
  });
});

describe('an urgent wish', () => {
  const broken = withTerms({ quota: { requests: -9 }, productRefs: [{ name: 'gone' }] });
  const rules = { requiredFields: ALL_FIELDS };

  it('for the end is not held up by client, terms or fields', () => {
    const facts: Partial<FormFacts> = { round: 'Revoke', client: 'NotFound' };
    expect(found(broken, { rules, facts })).toEqual([]);
    const late = { ...broken, revocation: { effectiveDate: '2020-01-01' } };
    expect(found(late, { rules, facts })).toEqual([]);
    const never = { ...broken, revocation: { effectiveDate: '2027-02-30' } };
    expect(found(never, { rules, facts })[0]).toContain('revocation.effectiveDate');
  });

  it('for new values is not held up by terms or fields', () => {
    expect(found(broken, { rules, facts: { round: 'Reissue' } })).toEqual([]);
  });
});

it('any form gets an answer, with short messages', () => {
  const text = fc.string({ unit: 'binary', maxLength: 1_000 });
  fc.assert(
    fc.property(text, text, fc.integer(), (a, b, requests) => {
      const form: FormSpec = {
        clientRef: { name: 'tour' },
        terms: {
          validity: { effectiveDate: a, expirationTime: b, timeZone: a },
          quota: { requests },
          originPolicy: { allowed: [a, b] },
          cidrs: [a],
        },
      };
      for (const { message } of problemsOf(form, RULES, FACTS)) {
        expect(message.length).toBeLessThan(300);
      }
    }),
  );
});
