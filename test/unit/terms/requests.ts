/** Forms for tests: a full one, and random ones that hold every kind of text and list. */
import fc from 'fast-check';
import type { RequestContent } from '../../../src/terms/request.ts';
import type { TermsSpec } from '../../../src/terms/terms.ts';

export const FULL: RequestContent = {
  storeRef: { kind: 'ClusterKeyStore', name: 'visitseoul', uid: 'store-1' },
  client: { name: 'tour-guide', uid: 'client-1' },
  format: 'Opaque',
  apiKeyName: 'guide',
  displayName: '서울 관광 안내',
  description: 'shows sights',
  service: { name: 'Guide', description: 'a map', url: 'https://guide.example.com' },
  purpose: 'find sights',
  justification: 'our users ask for it',
  terms: {
    validity: {
      effectiveDate: '2027-01-01',
      expirationDate: '2027-12-31',
      timeZone: 'Asia/Seoul',
    },
    quota: { requests: 1000, period: 'Lifetime' },
    originPolicy: {
      allowed: ['https://guide.example.com', 'www.example.com'],
      missing: 'Deny',
      unknownPath: 'Allow',
    },
    cidrs: ['192.0.2.0/24', '2001:db8::/32'],
    productRefs: [{ name: 'places' }, { name: 'routes' }],
  },
  reissue: {
    requestId: 'r-1',
    reason: 'Exposed',
    message: 'was in a log',
    whileWaiting: 'Suspend',
  },
  revocation: { justification: 'service ends', effectiveDate: '2027-06-01' },
};

/** Fields with undefined left out, as JSON has it. */
function defined<T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return arbitrary.map((value) => JSON.parse(JSON.stringify(value)) as T);
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', 'a', 'b', 'é', 'e\u0301', '가', '\u1100\u1161', '\u{1f511}', '","b":"'),
);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const list = <T>(arbitrary: fc.Arbitrary<T>) => optional(fc.array(arbitrary, { maxLength: 4 }));

const anyTerms = fc.record({
  validity: optional(
    fc.record({
      effectiveDate: optional(fc.constantFrom('2027-01-01', '2027-01-02')),
      expirationDate: optional(fc.constantFrom('2028-01-01', '2028-01-02')),
      durationDays: optional(fc.integer({ min: 1, max: 3650 })),
      timeZone: fc.constantFrom('UTC', 'Asia/Seoul'),
    }),
  ),
  quota: optional(
    fc.record({
      requests: fc.oneof(fc.constantFrom(-1, 0), fc.maxSafeInteger()),
      period: optional(fc.constantFrom('Lifetime', 'Day', 'Month')),
    }),
  ),
  originPolicy: optional(
    fc.record({
      allowed: list(text),
      missing: optional(fc.constantFrom('Deny', 'Allow')),
      unknownPath: optional(fc.constantFrom('Deny', 'Allow')),
    }),
  ),
  cidrs: list(text),
  productRefs: list(fc.record({ name: text })),
}) as fc.Arbitrary<TermsSpec>;

/** Any content, with absent, empty and repeated parts. */
export const anyContent: fc.Arbitrary<RequestContent> = defined(
  fc.record({
    storeRef: fc.record({
      kind: fc.constantFrom('KeyStore', 'ClusterKeyStore'),
      name: text,
      uid: text,
    }),
    client: fc.record({ name: text, uid: text }),
    format: fc.constantFrom('Opaque', 'Dual', 'KeyPair'),
    apiKeyName: text,
    displayName: optional(text),
    description: optional(text),
    service: optional(
      fc.record({ name: optional(text), description: optional(text), url: optional(text) }),
    ),
    purpose: optional(text),
    justification: optional(text),
    terms: anyTerms,
    reissue: optional(
      fc.record({
        requestId: text,
        reason: fc.constantFrom('Exposed', 'SecurityConcern', 'Routine'),
        message: optional(text),
        whileWaiting: fc.constantFrom('KeepActive', 'Suspend'),
      }),
    ),
    revocation: optional(fc.record({ justification: text, effectiveDate: optional(text) })),
  }) as fc.Arbitrary<RequestContent>,
);
