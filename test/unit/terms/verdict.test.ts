import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestSecret } from '../../../src/keys/digest.ts';
import { buildValue } from '../../../src/keys/format.ts';
import { REFUSALS, type RefusalCause } from '../../../src/terms/refusals.ts';
import type { KeyTerms } from '../../../src/terms/terms.ts';
import {
  isLive,
  isSlotOver,
  verdict,
  verdictBeforeQuota,
  type VerdictContext,
  type VerifiableCredential,
  type VerifiableKey,
} from '../../../src/terms/verdict.ts';

const NOW_MS = 1_000_000;
const KEY_ID = 'A'.repeat(16);
const SECRET = 'B'.repeat(43);
const OTHER_SECRET = 'C'.repeat(43);
const VALUE = buildValue({ prefix: 'kw', keyId: KEY_ID, secret: SECRET });
const pepper = (version: number) => Buffer.alloc(32, version);
const digest = (secret: string, version = 1) =>
  digestSecret({ pepper: pepper(version), keyId: KEY_ID, secret });

const OPEN: KeyTerms = { timeZone: 'UTC', cidrs: [], productRefs: [] };
const NARROW: KeyTerms = {
  timeZone: 'UTC',
  notBeforeMs: NOW_MS,
  endMs: NOW_MS + 1,
  quota: { requests: 10, period: 'Lifetime', timeZone: 'UTC' },
  originPolicy: { allowed: [{ host: 'a.example' }], missing: 'Deny', unknownPath: 'Allow' },
  cidrs: ['10.0.0.0/8'],
  productRefs: ['maps'],
};
const CREDENTIAL: VerifiableCredential = {
  keyId: KEY_ID,
  state: 'Active',
  slots: [{ name: 'apiKey', digest: digest(SECRET), pepperVersion: 1 }],
};
const RECORD: VerifiableKey = {
  state: 'Active',
  clientState: 'Active',
  terms: NARROW,
  credentials: [CREDENTIAL],
};
const CONTEXT: VerdictContext = {
  nowMs: NOW_MS,
  pepper,
  origin: 'https://a.example',
  address: '10.1.2.3',
  productRef: 'maps',
  quotaRemaining: 1,
};

function causeOf(
  record: VerifiableKey | undefined,
  context: VerdictContext,
  value = VALUE,
): string {
  const answer = verdict(record, value, context);
  return answer.type === 'Refused' ? answer.cause : 'Allowed';
}

describe('a verdict', () => {
  it('is a yes when everything is proven, and names key and slot', () => {
    expect(verdict(RECORD, VALUE, CONTEXT)).toEqual({
      type: 'Allowed',
      keyId: KEY_ID,
      slot: 'apiKey',
      origin: 'Allowed',
    });
  });

  it('accepts parts that were parsed before', () => {
    const parts = { keyId: KEY_ID, secret: SECRET };
    expect(verdict(RECORD, parts, CONTEXT).type).toBe('Allowed');
    expect(verdict(RECORD, { ...parts, secret: '\u0142'.repeat(43) }, CONTEXT)).toBe(
      REFUSALS.MalformedKey,
    );
  });

  it('asks nothing of terms that ask nothing', () => {
    const bare = { nowMs: NOW_MS, pepper };
    expect(causeOf({ state: 'Active', terms: OPEN, credentials: [CREDENTIAL] }, bare)).toBe(
      'Allowed',
    );
  });

  it('says when a path could not be checked', () => {
    const originPolicy = { ...NARROW.originPolicy!, allowed: [{ host: 'a.example', path: '/x' }] };
    const answer = verdict({ ...RECORD, terms: { ...NARROW, originPolicy } }, VALUE, CONTEXT);
    expect(answer).toMatchObject({ type: 'Allowed', origin: 'PathUnknown' });
  });
});

/** Each breaks one check, in the order of the checks. */
const BREAKS: readonly [
  RefusalCause,
  (input: { record: VerifiableKey; context: VerdictContext; value: string }) => Partial<{
    record: VerifiableKey | undefined;
    context: VerdictContext;
    value: string;
  }>,
][] = [
  [
    'MalformedKey',
    ({ value }) => ({ value: `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}` }),
  ],
  [
    'WrongSecret',
    () => ({ value: buildValue({ prefix: 'kw', keyId: KEY_ID, secret: OTHER_SECRET }) }),
  ],
  ['KeyRevoked', ({ record }) => ({ record: { ...record, state: 'Revoked' } })],
  [
    'ValueReplaced',
    ({ record }) => ({
      record: { ...record, credentials: [{ ...CREDENTIAL, state: 'Disabled' }] },
    }),
  ],
  [
    'KeySuspended',
    ({ record }) => ({
      record: { ...record, state: record.state === 'Revoked' ? 'Revoked' : 'Suspended' },
    }),
  ],
  ['ClientSuspended', ({ record }) => ({ record: { ...record, clientState: 'Suspended' } })],
  ['Expired', ({ context }) => ({ context: { ...context, nowMs: NOW_MS + 1 } })],
  ['OriginNotAllowed', ({ context }) => ({ context: { ...context, origin: 'https://b.example' } })],
  ['AddressNotAllowed', ({ context }) => ({ context: { ...context, address: '11.0.0.1' } })],
  ['ProductNotAllowed', ({ context }) => ({ context: { ...context, productRef: 'mail' } })],
  ['QuotaUsedUp', ({ context }) => ({ context: { ...context, quotaRemaining: 0 } })],
];

describe('the order of checks', () => {
  it.each(BREAKS.map(([cause], index) => [cause, index] as const))(
    '%s wins over everything that comes behind it',
    (cause, index) => {
      const start = { record: RECORD, context: CONTEXT, value: VALUE };
      // Later breaks first, so that an earlier one finds its input as it needs it.
      const input = BREAKS.slice(index).reduceRight(
        (made, [, change]) => ({ ...made, ...change(made) }) as typeof start,
        start,
      );
      expect(causeOf(input.record, input.context, input.value)).toBe(cause);
    },
  );

  it.each(BREAKS)('%s alone is a no', (cause, change) => {
    const start = { record: RECORD, context: CONTEXT, value: VALUE };
    const { record, context, value } = { ...start, ...change(start) };
    expect(causeOf(record, context, value)).toBe(cause);
  });
});

describe('each no', () => {
  it.each<[RefusalCause, VerifiableKey | undefined, Partial<VerdictContext>, string]>([
    ['UnknownKey', undefined, {}, 'nothing was found'],
    ['UnknownKey', { ...RECORD, credentials: [] }, {}, 'a record without credentials'],
    [
      'UnknownKey',
      { ...RECORD, credentials: [{ ...CREDENTIAL, keyId: 'Z'.repeat(16) }] },
      {},
      'a record of another key',
    ],
    ['WrongSecret', { ...RECORD, credentials: [{ ...CREDENTIAL, slots: [] }] }, {}, 'no slots'],
    [
      'WrongSecret',
      {
        ...RECORD,
        credentials: [
          {
            ...CREDENTIAL,
            slots: [{ name: 'apiKey', digest: new Uint8Array(), pepperVersion: 1 }],
          },
        ],
      },
      {},
      'empty digest',
    ],
    [
      'WrongSecret',
      {
        ...RECORD,
        credentials: [
          { ...CREDENTIAL, slots: [{ name: 'apiKey', digest: digest(SECRET), pepperVersion: 2 }] },
        ],
      },
      {},
      'other pepper',
    ],
    ['NotYetEffective', RECORD, { nowMs: NOW_MS - 1 }, 'one millisecond early (T4)'],
    ['Expired', RECORD, { nowMs: NOW_MS + 1 }, 'at the end (T4)'],
    ['Expired', RECORD, { nowMs: Number.NaN }, 'no time'],
    ['OriginMissing', RECORD, { origin: undefined }, 'no origin (R13)'],
    ['OriginNotAllowed', RECORD, { origin: 'null' }, 'null'],
    ['OriginNotAllowed', RECORD, { referer: 'https://b.example/' }, 'Referer of another host'],
    ['AddressNotAllowed', RECORD, { address: undefined }, 'no address'],
    ['AddressNotAllowed', RECORD, { address: 'nonsense' }, 'no address'],
    ['QuotaUnknown', RECORD, { quotaRemaining: undefined }, 'nobody knows what is left'],
    ['QuotaUsedUp', RECORD, { quotaRemaining: Number.NaN }, 'no number'],
    [
      'QuotaUsedUp',
      { ...RECORD, terms: { ...NARROW, quota: { requests: 0, period: 'Day', timeZone: 'UTC' } } },
      { quotaRemaining: 5 },
      '0 blocks every call (R110)',
    ],
  ])('%s: case %#', (cause, record, change, _why) => {
    expect(causeOf(record, { ...CONTEXT, ...change })).toBe(cause);
  });

  it('does not come from an unlimited quota (R109)', () => {
    const terms = { ...NARROW, quota: { requests: -1, period: 'Day' as const, timeZone: 'UTC' } };
    expect(causeOf({ ...RECORD, terms }, { ...CONTEXT, quotaRemaining: undefined })).toBe(
      'Allowed',
    );
    expect(verdictBeforeQuota(RECORD, VALUE, { ...CONTEXT, quotaRemaining: 0 }).type).toBe(
      'Allowed',
    );
  });

  it('has the status and reason of the table (5.5), and gives the same answer for the same reason', () => {
    const answers = Object.entries(REFUSALS).map(([cause, refusal]) => [
      cause,
      refusal.status,
      refusal.reason,
    ]);
    expect(answers).toEqual([
      ['NoKey', 401, 'InvalidKey'],
      ['AmbiguousKey', 401, 'InvalidKey'],
      ['MalformedKey', 401, 'InvalidKey'],
      ['UnknownKey', 401, 'InvalidKey'],
      ['WrongSecret', 401, 'InvalidKey'],
      ['WrongSignature', 401, 'InvalidKey'],
      ['KeyRevoked', 401, 'KeyRevoked'],
      ['ValueReplaced', 401, 'KeyRevoked'],
      ['KeySuspended', 401, 'KeyDisabled'],
      ['ClientSuspended', 401, 'KeyDisabled'],
      ['NotYetEffective', 401, 'KeyNotYetEffective'],
      ['Expired', 401, 'KeyExpired'],
      ['OriginMissing', 403, 'OriginMissing'],
      ['OriginNotAllowed', 403, 'OriginNotAllowed'],
      ['AddressNotAllowed', 403, 'IPNotAllowed'],
      ['ProductNotAllowed', 403, 'ApiNotAllowed'],
      ['ProductRetired', 403, 'ApiNotAllowed'],
      ['Unlisted', 403, 'ApiNotAllowed'],
      ['TargetDoubtful', 403, 'ApiNotAllowed'],
      ['HeaderNotAllowed', 403, 'HeaderNotAllowed'],
      ['TimeTooSkewed', 403, 'RequestTimeTooSkewed'],
      ['SignatureReplayed', 403, 'DuplicatedSignature'],
      ['QuotaUsedUp', 429, 'QuotaExceeded'],
      ['RateLimited', 429, 'RateLimited'],
      ['QuotaUnknown', 503, 'Unavailable'],
      ['ReplayUnknown', 503, 'Unavailable'],
      ['StateUnknown', 503, 'Unavailable'],
    ]);
    const publicAnswers = new Map<string, string>();
    for (const [cause, refusal] of Object.entries(REFUSALS)) {
      expect(refusal.cause).toBe(cause);
      const said = JSON.stringify([refusal.status, refusal.text]);
      expect(publicAnswers.get(refusal.reason) ?? said).toBe(said);
      publicAnswers.set(refusal.reason, said);
    }
  });

  it('tells a stranger the same about unknown, wrong, malformed and dead keys (G22)', () => {
    const wrong = buildValue({ prefix: 'kw', keyId: KEY_ID, secret: OTHER_SECRET });
    const dead: VerifiableKey = { ...RECORD, state: 'Revoked' };
    const answers = [
      verdict(undefined, wrong, CONTEXT),
      verdict(RECORD, wrong, CONTEXT),
      verdict(dead, wrong, CONTEXT),
      verdict(dead, 'garbage', CONTEXT),
    ].map((answer) => ({ ...answer, cause: '' }));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });
});

describe('live credentials', () => {
  it.each([
    ['Intent', false],
    ['Created', false],
    ['Sealed', true],
    ['Published', true],
    ['Active', true],
    ['Retiring', false],
    ['Disabled', false],
    ['Deleted', false],
    ['Unknown', false],
    ['Ambiguous', false],
    ['Blocked', false],
    ['', false],
    ['active', false],
  ])('state %s: %s', (state, expected) => {
    expect(isLive({ state }, NOW_MS)).toBe(expected);
  });

  it('that retire end at their instant', () => {
    const retiring = { state: 'Retiring', retireAtMs: NOW_MS };
    expect(isLive(retiring, NOW_MS - 1)).toBe(true);
    expect(isLive(retiring, NOW_MS)).toBe(false);
    expect(isLive(retiring, Number.NaN)).toBe(false);
  });

  it('of Dual accept both values, also under two peppers', () => {
    const slots = [
      { name: 'primaryKey', digest: digest(SECRET, 1), pepperVersion: 1 },
      { name: 'secondaryKey', digest: digest(OTHER_SECRET, 2), pepperVersion: 2 },
    ];
    const record = { ...RECORD, credentials: [{ ...CREDENTIAL, slots }] };
    const other = buildValue({ prefix: 'kw', keyId: KEY_ID, secret: OTHER_SECRET });
    expect(verdict(record, VALUE, CONTEXT)).toMatchObject({ slot: 'primaryKey' });
    expect(verdict(record, other, CONTEXT)).toMatchObject({ slot: 'secondaryKey' });
  });

  it('of Dual are accepted until the instant of their slot, whoever has not replaced them yet', () => {
    const retireAtMs = NOW_MS + 1;
    const slots = [
      { name: 'primaryKey', digest: digest(SECRET, 1), pepperVersion: 1 },
      { name: 'secondaryKey', digest: digest(OTHER_SECRET, 1), pepperVersion: 1, retireAtMs },
    ];
    const terms = { ...NARROW, endMs: retireAtMs + 1 };
    const record = { ...RECORD, terms, credentials: [{ ...CREDENTIAL, slots }] };
    const other = buildValue({ prefix: 'kw', keyId: KEY_ID, secret: OTHER_SECRET });
    const after = { ...CONTEXT, nowMs: retireAtMs };
    expect(verdict(record, other, CONTEXT)).toMatchObject({ slot: 'secondaryKey' });
    expect(verdict(record, other, after)).toMatchObject({ cause: 'WrongSecret' });
    expect(verdict(record, VALUE, after)).toMatchObject({ slot: 'primaryKey' });
    expect(isSlotOver([{ name: 'secondaryKey', retireAtMs }], 'secondaryKey', Number.NaN)).toBe(
      true,
    );
  });

  it('are found among several generations', () => {
    const old = { ...CREDENTIAL, keyId: 'Z'.repeat(16), state: 'Deleted' };
    expect(causeOf({ ...RECORD, credentials: [old, CREDENTIAL] }, CONTEXT)).toBe('Allowed');
  });
});

describe('whatever is presented', () => {
  it('is a no unless it is the very value', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.stringMatching(/^kw_A{16}_[0-9A-Za-z]{49}$/),
      fc
        .stringMatching(/^B{43}$/)
        .map((secret) => buildValue({ prefix: 'kw', keyId: 'D'.repeat(16), secret })),
    );
    fc.assert(
      fc.property(text, (presented) => {
        expect(verdict(RECORD, presented, CONTEXT)).toMatchObject({
          type: 'Refused',
          reason: 'InvalidKey',
        });
      }),
    );
  });
});
