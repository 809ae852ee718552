import { describe, expect, test } from 'vitest';
import type { ReadyReason } from '../../../../src/api/conditions.ts';
import { firstFinding } from '../../../../src/controllers/apikey/checks.ts';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import { wantedStatus } from '../../../../src/controllers/apikey/status.ts';
import type { UsableStore, World } from '../../../../src/controllers/apikey/world.ts';
import {
  aDualCredential,
  aKey,
  aRecord,
  aRotation,
  aSecretSpec,
  aSpec,
  aStore,
  aWorld,
} from '../../../support/world.ts';

type Case = {
  readonly why: string;
  readonly spec?: Parameters<typeof aSpec>[0];
  readonly store?: World['store'];
  readonly reason: ReadyReason;
  readonly message: RegExp;
};

const store = (change: Partial<UsableStore>): UsableStore => aStore(change);
const worldOf = ({ spec, store: of }: Partial<Case>): World =>
  aWorld({ key: aKey({ spec: aSpec(spec) }), ...(of === undefined ? {} : { store: of }) });

const CASES: readonly Case[] = [
  {
    why: 'an application that does not exist',
    spec: { applicationRef: { name: 'form' } },
    reason: 'ApplicationNotFound',
    message: /'form' was not found in namespace 'team'/,
  },
  {
    why: 'a store that does not exist',
    store: { type: 'Missing', name: "ClusterKeyStore 'default'" },
    reason: 'StoreNotAvailable',
    message: /'default' does not exist/,
  },
  {
    why: 'a store that cannot be used',
    store: { type: 'Unusable', name: "KeyStore 's'", problem: 'no driver' },
    reason: 'StoreUnavailable',
    message: /KeyStore 's': no driver/,
  },
  {
    why: 'a store that does not serve the namespace',
    store: store({ allowsNamespace: false }),
    reason: 'NamespaceNotAllowed',
    message: /does not serve namespace 'team'/,
  },
  {
    why: 'a store that wants an application',
    store: store({ requiresApplication: true }),
    reason: 'ApplicationRequired',
    message: /spec\.applicationRef/,
  },
  {
    why: 'an unknown time zone',
    spec: { terms: { validity: { timeZone: 'Mars/Olympus' } } },
    reason: 'InvalidSpec',
    message: /terms\.validity\.timeZone/,
  },
  {
    why: 'more quota than the store gives',
    spec: { terms: { quota: { requests: 11, period: 'Day' } } },
    store: store({ maxQuotaRequests: 10 }),
    reason: 'InvalidSpec',
    message: /terms\.quota/,
  },
  {
    why: 'a template with an unknown field',
    spec: { secret: aSecretSpec({ layout: 'Template', template: { a: '{{ .password }}' } }) },
    reason: 'InvalidSpec',
    message: /'password'/,
  },
  {
    why: 'a format the store cannot do',
    spec: { format: 'KeyPair' },
    reason: 'UnsupportedByStore',
    message: /spec\.format: it offers Opaque, Dual/,
  },
  {
    why: 'retention the store forbids',
    spec: { deletionPolicy: 'Retain' },
    reason: 'UnsupportedByStore',
    message: /spec\.deletionPolicy/,
  },
  {
    why: 'a name longer than the store takes',
    spec: { displayName: '열쇠열쇠열쇠' },
    store: store({ capabilities: { ...aStore().capabilities, displayNameMax: 5 } }),
    reason: 'UnsupportedByStore',
    message: /spec\.displayName: it takes 5 characters at most/,
  },
  {
    why: 'a slot of a key that has none',
    spec: { rotation: aRotation({ slot: 'Primary' }) },
    reason: 'UnsupportedByStore',
    message: /spec\.rotation\.slot/,
  },
  {
    why: 'a Secret to be restored from values nobody keeps',
    spec: { secret: aSecretSpec({ onLoss: 'Restore' }) },
    reason: 'UnsupportedByStore',
    message: /spec\.secret\.onLoss/,
  },
  {
    why: 'a retirement that waits for the last use of one of two values',
    spec: { format: 'Dual', rotation: aRotation({ retirePrevious: 'WhenUnused' }) },
    reason: 'UnsupportedByStore',
    message: /WhenUnused.*Dual/,
  },
];

describe('a key may not be issued', () => {
  test.each(CASES)('with $why, and the message says what to do', (given) => {
    const finding = firstFinding(worldOf(given));
    expect(finding?.reason).toBe(given.reason);
    expect(finding?.message).toMatch(given.message);
  });

  test('for what is most telling first: a missing store before a wrong format', () => {
    const world = worldOf({ spec: { format: 'KeyPair' }, store: { type: 'Missing', name: 's' } });
    expect(firstFinding(world)?.reason).toBe('StoreNotAvailable');
  });

  test('with every problem of its terms named at once', () => {
    const terms = {
      validity: { timeZone: 'Mars/Olympus' },
      originPolicy: {
        allowed: ['https://user@example.com'],
        missing: 'Deny',
        unknownPath: 'Allow',
      },
    } as const;
    const { message } = firstFinding(worldOf({ spec: { terms } })) ?? {};
    expect(message).toMatch(/timeZone.*; .*originPolicy/);
  });
});

describe('a key may be issued', () => {
  test.each([
    ['with an empty spec', {}],
    ['with every standard layout', { secret: aSecretSpec({ layout: 'Env', envPrefix: 'APP' }) }],
    [
      'with a template of known fields',
      {
        secret: aSecretSpec({ layout: 'Template', template: { url: 'x?k={{ .apiKey }}' } }),
      },
    ],
    ['with a name counted in characters, not bytes', { displayName: '🔑'.repeat(255) }],
    ['with a slot of a Dual key', { format: 'Dual', rotation: aRotation({ slot: 'Primary' }) }],
  ] as const)('%s', (_why, spec) => {
    expect(firstFinding(worldOf({ spec }))).toBeUndefined();
  });

  test('with a slot when its record is Dual, whatever the store prefers today', () => {
    const world = worldOf({ spec: { rotation: aRotation({ slot: 'Primary' }) } });
    const record = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    expect(firstFinding({ ...world, record })).toBeUndefined();
  });

  test('and nothing is asked of an object that is gone', () => {
    expect(firstFinding(aWorld({ key: undefined }))).toBeUndefined();
  });
});

describe('A key that the status shows and the ledger does not know', () => {
  const shown = aKey({
    status: { ...aKey().status, keyId: 'k1', lastHandledRotationRequestId: 'r1' },
  });

  test('is not issued anew unasked: the database was restored or exchanged', () => {
    const forgotten = aWorld({ key: shown, record: undefined });
    expect(firstFinding(forgotten)?.reason).toBe('KeyNotInLedger');
    expect(firstFinding({ ...forgotten, rotationRequest: 'r1' })?.reason).toBe('KeyNotInLedger');
  });

  test('gets new values when somebody asks for them', () => {
    const asked = aWorld({ key: shown, record: undefined, rotationRequest: 'r2' });
    expect(firstFinding(asked)).toBeUndefined();
  });
});

describe('an object whose record has ended, and one behind a held-back predecessor, say what to do:', () => {
  const told = (change: Partial<World>) => {
    const world = aWorld(change);
    expect(nextAction(world)).toBeUndefined();
    return wantedStatus(world)?.conditions?.find(({ type }) => type === 'Ready');
  };

  test.each(['Ending', 'Ended'] as const)(
    'one that is %s is Revoked, for another object',
    (phase) => {
      const ready = told({ record: aRecord({ phase, credentials: [] }) });
      expect(ready).toMatchObject({ status: 'False', reason: 'Revoked' });
      expect(ready?.message).toContain('delete this object and create another');
    },
  );

  test('one that was retained goes on without the object', () => {
    const ready = told({ record: aRecord({ phase: 'Retained' }) });
    expect(ready?.message).toContain('go on working');
  });

  test('one that waits for an earlier key names the flag that lets it go on', () => {
    const held = { predecessor: aRecord({ uid: 'uid-0' }), mayEndVanished: false };
    expect(told(held)?.message).toContain('--accept-vanished');
    expect(firstFinding(aWorld({ ...held, mayEndVanished: true }))).toBeUndefined();
  });
});
