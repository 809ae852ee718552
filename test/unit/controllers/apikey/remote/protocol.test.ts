/**
 * The protocol for vendors, at every point where it can be cut off: each commit and each vendor call
 * of each scenario, before it and after it, for each class. What holds at the end: the vendor has
 * exactly the credentials that the ledger knows, and what is in the Secret works there.
 */
import { describe, expect, test } from 'vitest';
import { NAMESPACES, API_KEYS, SECRETS } from '../../../../../src/api/names.ts';
import type { KubeObject } from '../../../../../src/api/meta.ts';
import { apply } from '../../../../../src/controllers/apikey/apply.ts';
import type { Deps } from '../../../../../src/controllers/apikey/deps.ts';
import { createApiKeyMetrics } from '../../../../../src/controllers/apikey/metrics.ts';
import { OwnSecrets } from '../../../../../src/controllers/apikey/ownsecrets.ts';
import { nextAction } from '../../../../../src/controllers/apikey/plan.ts';
import { RemoteChecks } from '../../../../../src/controllers/apikey/remote/checks.ts';
import type {
  ApiKeyView,
  UsableStore,
  World,
} from '../../../../../src/controllers/apikey/world.ts';
import { classify } from '../../../../../src/kernel/errors.ts';
import { silentLogger } from '../../../../../src/kernel/log.ts';
import { createRegistry } from '../../../../../src/kernel/metrics.ts';
import { Sensitive } from '../../../../../src/kernel/sensitive.ts';
import { parseKeyring } from '../../../../../src/keys/keyring.ts';
import { FakeClock } from '../../../../support/clock.ts';
import { MemoryCluster, MemoryLedger } from '../../../../support/memory.ts';
import { MemoryVendor } from '../../../../support/vendor.ts';
import { aKey, aRotation, aSpec, aStore, aWorld } from '../../../../support/world.ts';
import { seeded } from '../../../keys/seeded.ts';

const KEYRING = parseKeyring(new Sensitive(`v1:${seeded('master')(32).toString('base64')}`));
const REF = { namespace: 'team', name: 'web' };
const SIGNAL = new AbortController().signal;
const PASSES_MAX = 40;

type VendorClass = 'M' | 'D' | 'O';
/** The process ends here; nothing in memory survives. */
class Crash extends Error {}

function workshop(vendorClass: VendorClass) {
  const clock = new FakeClock();
  const cluster = new MemoryCluster();
  const ledger = new MemoryLedger();
  const vendor = new MemoryVendor(vendorClass, clock);
  cluster.set(NAMESPACES, { namespace: '', name: 'team' }, draft('team'));
  const handle = vendor.handle();
  const { capabilities, defaultFormat } = handle;
  const store: UsableStore = aStore({ capabilities, defaultFormat, remote: handle });
  const resolved = { fact: store, handle };
  const parts: Partial<Deps> = {
    client: cluster,
    ledger: ledger.port,
    keyring: KEYRING,
    clock,
    entropy: seeded('protocol'),
    log: silentLogger,
    clusterId: 'cluster-1',
    epoch: () => 1,
    stores: { of: () => resolved, bound: () => resolved },
    vendors: {
      session: async () => ({
        account: { id: 'account-1', facts: {} },
        remote: vendor,
        prove: async () => undefined,
        exclusively: (work) => work(),
      }),
    },
    remoteChecks: new RemoteChecks(clock, () => 0.5, 600_000),
    ownSecrets: new OwnSecrets(),
    lossGraceMs: 30_000,
    reporter: {
      rotated: () => undefined,
      retired: () => undefined,
      stateChanged: () => undefined,
      remoteChanged: () => undefined,
      secretTrouble: () => undefined,
    },
    metrics: createApiKeyMetrics(createRegistry()),
  };
  return { clock, cluster, ledger, vendor, store, deps: parts as Deps };
}

type Workshop = ReturnType<typeof workshop>;

function draft(name: string) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** The object as it is from now on. */
function put({ cluster }: Workshop, key: ApiKeyView): void {
  const { spec, uid, finalizers, isDeleting } = key;
  const going = isDeleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  cluster.set(API_KEYS, REF, {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { ...REF, uid, finalizers: [...finalizers], ...going },
    spec,
  } as never);
}

/** What a fresh look shows. */
function look(at: Workshop, key: ApiKeyView): World {
  const { cluster, ledger, clock, store } = at;
  const record = ledger.records.get('uid-1');
  const secret = cluster.find(SECRETS, REF)?.metadata;
  const live = cluster.find(API_KEYS, REF);
  const requestId = key.spec.rotation?.requestId;
  return aWorld({
    nowMs: clock.nowMs(),
    key: {
      ...key,
      resourceVersion: live?.metadata.resourceVersion ?? '0',
      finalizers: live?.metadata.finalizers ?? [],
    },
    store,
    record,
    rotationRequest: requestId === record?.lastRotationRequestId ? undefined : requestId,
    secret:
      secret === undefined
        ? { type: 'Absent' }
        : { type: 'Present', uid: secret.uid, resourceVersion: secret.resourceVersion },
  });
}

/** Passes until one has nothing to do; time goes on after each that failed. */
async function settle(at: Workshop, key: ApiKeyView): Promise<number> {
  for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const steps = await onePass(at, key);
    if (steps === 0) return pass;
    if (steps === undefined) at.clock.advance(60_000);
  }
  throw new Error('the key does not come to rest');
}

/** How many steps were taken; undefined: the pass failed or must look again. */
async function onePass(at: Workshop, key: ApiKeyView): Promise<number | undefined> {
  let world = look(at, key);
  try {
    for (let steps = 0; steps < 24; steps += 1) {
      const action = nextAction(world);
      if (action === undefined)
        return world.evidence.remoteTrouble === undefined ? steps : undefined;
      // oxlint-disable-next-line no-await-in-loop
      world = await apply(at.deps, world, action, SIGNAL);
    }
  } catch (thrown) {
    if (!(thrown instanceof Crash) && classify(thrown).class === 'Bug') throw thrown;
    return undefined;
  }
  throw new Error('too many steps in one pass');
}

/** What must hold whenever a key is at rest. */
function expectWhole(at: Workshop): void {
  const { vendor, ledger, cluster } = at;
  const record = ledger.records.get('uid-1');
  const known = record?.credentials.map(({ remote }) => remote?.id) ?? [];
  expect(new Set(vendor.credentials.keys())).toEqual(new Set(known));
  const secret = cluster.find(SECRETS, REF) as
    | KubeObject<{ data: Record<string, string> }>
    | undefined;
  const current = record?.credentials.findLast(({ state }) => state === 'Active');
  expect(secret === undefined).toBe(current === undefined);
  if (secret === undefined || current?.remote?.id === undefined) return;
  for (const slot of current.slots) {
    const shown = Buffer.from(secret.data[slot.name] ?? '', 'base64').toString();
    expect(shown).toBe(vendor.credentials.get(current.remote.id)?.values.get(slot.name));
  }
  expect(vendor.credentials.get(current.remote.id)?.enabled).toBe(record?.state === 'Active');
}

type Scenario = {
  readonly name: string;
  readonly before: readonly ApiKeyView[];
  readonly under: ApiKeyView;
};

const PLAIN = aKey();
const rotating = (change: Parameters<typeof aRotation>[0]) =>
  aKey({ spec: aSpec({ rotation: aRotation(change) }) });

const SCENARIOS: readonly Scenario[] = [
  { name: 'issue', before: [], under: PLAIN },
  { name: 'rotate', before: [PLAIN], under: rotating({ requestId: 'r1' }) },
  {
    name: 'rotate without overlap',
    before: [PLAIN],
    under: rotating({ requestId: 'r1', overlapSeconds: 0 }),
  },
  {
    name: 'rotate in an emergency',
    before: [PLAIN],
    under: rotating({ requestId: 'r1', urgency: 'Emergency' }),
  },
  { name: 'suspend', before: [PLAIN], under: aKey({ spec: aSpec({ state: 'Suspended' }) }) },
  {
    name: 'resume',
    before: [PLAIN, aKey({ spec: aSpec({ state: 'Suspended' }) })],
    under: PLAIN,
  },
  { name: 'revoke', before: [PLAIN], under: aKey({ spec: aSpec({ state: 'Revoked' }) }) },
  { name: 'delete', before: [PLAIN], under: aKey({ isDeleting: true }) },
  {
    name: 'rename',
    before: [PLAIN],
    under: aKey({ spec: aSpec({ displayName: 'a new name' }) }),
  },
];

/** A vendor that keeps no names is told of none. */
function isNameless(vendorClass: VendorClass, { name }: Scenario): boolean {
  return vendorClass === 'D' && name === 'rename';
}

async function prepare(vendorClass: VendorClass, scenario: Scenario): Promise<Workshop> {
  const at = workshop(vendorClass);
  for (const key of scenario.before) {
    put(at, key);
    // oxlint-disable-next-line no-await-in-loop
    await settle(at, key);
  }
  put(at, scenario.under);
  return at;
}

/** How many vendor calls and commits the scenario makes undisturbed. */
async function measure(vendorClass: VendorClass, scenario: Scenario) {
  const at = await prepare(vendorClass, scenario);
  const callsBefore = at.vendor.calls.length;
  let commits = 0;
  at.ledger.around = (position) => {
    if (position === 'after') commits += 1;
  };
  await settle(at, scenario.under);
  expectWhole(at);
  return { calls: at.vendor.calls.length - callsBefore, commits, from: callsBefore };
}

describe.each(['M', 'D', 'O'] as const)('a store of class %s', (vendorClass) => {
  describe.each(SCENARIOS)('$name', (scenario) => {
    test('comes to rest with nothing lost and nothing left over, wherever a vendor call fails', async () => {
      const { calls, from } = await measure(vendorClass, scenario);
      expect(calls > 0).toBe(!isNameless(vendorClass, scenario));
      for (let nth = 1; nth <= calls; nth += 1) {
        for (const fault of ['Cut', 'LostAnswer'] as const) {
          // oxlint-disable-next-line no-await-in-loop
          const at = await prepare(vendorClass, scenario);
          at.vendor.fault = (_, call) => (call === from + nth ? fault : undefined);
          // oxlint-disable-next-line no-await-in-loop
          await settle(at, scenario.under);
          expectWhole(at);
        }
      }
    });

    test('comes to rest with nothing lost and nothing left over, wherever the process dies', async () => {
      const { commits } = await measure(vendorClass, scenario);
      expect(commits > 0).toBe(!isNameless(vendorClass, scenario));
      for (let nth = 1; nth <= commits; nth += 1) {
        for (const where of ['before', 'after'] as const) {
          // oxlint-disable-next-line no-await-in-loop
          const at = await prepare(vendorClass, scenario);
          let seen = 0;
          at.ledger.around = (position) => {
            if (position === where) seen += 1;
            if (position === where && seen === nth) throw new Crash('killed');
          };
          // oxlint-disable-next-line no-await-in-loop
          await settle(at, scenario.under);
          expectWhole(at);
        }
      }
    });
  });
});

test('a name at the vendor is the one of the spec as soon as the ledger knows the id', async () => {
  const at = workshop('M');
  const key = aKey({ spec: aSpec({ displayName: 'shop', description: 'for the shop' }) });
  put(at, key);
  await settle(at, key);
  expect([...at.vendor.credentials.values()]).toMatchObject([
    { name: 'shop', description: 'for the shop', mark: undefined },
  ]);
});

test('two unknown credentials after a lost answer are left to a person, none is touched (C6)', async () => {
  const at = workshop('D');
  put(at, PLAIN);
  at.vendor.fault = (call) => {
    if (call !== 'create') return undefined;
    at.vendor.fault = () => undefined;
    at.vendor.plant();
    return 'LostAnswer';
  };
  await settle(at, PLAIN);
  expect(at.ledger.records.get('uid-1')?.credentials).toMatchObject([{ state: 'Ambiguous' }]);
  expect(at.vendor.credentials.size).toBe(2);
  expect(at.cluster.find(SECRETS, REF)).toBeUndefined();
});

test('strangers in the account are never changed', async () => {
  const at = workshop('D');
  const stranger = at.vendor.plant();
  const before = structuredClone(stranger);
  put(at, PLAIN);
  await settle(at, PLAIN);
  put(at, aKey({ isDeleting: true }));
  await settle(at, aKey({ isDeleting: true }));
  expect([...at.vendor.credentials.values()]).toEqual([before]);
});

test.each(['M', 'D', 'O'] as const)(
  'a suspension whose answer was lost is taken back at the vendor, too, when the key is resumed (class %s)',
  async (vendorClass) => {
    const suspended = aKey({ spec: aSpec({ state: 'Suspended' }) });
    const at = workshop(vendorClass);
    put(at, PLAIN);
    await settle(at, PLAIN);
    at.vendor.fault = (call) => (call === 'update' ? 'LostAnswer' : undefined);
    put(at, suspended);
    await onePass(at, suspended);
    at.vendor.fault = () => undefined;
    expect([...at.vendor.credentials.values()]).toMatchObject([{ enabled: false }]);
    put(at, PLAIN);
    await settle(at, PLAIN);
    expectWhole(at);
  },
);

test('a lagging list does not make a second credential', async () => {
  const at = workshop('M');
  at.vendor.listLagMs = 20_000;
  put(at, PLAIN);
  at.vendor.fault = (call) => {
    if (call !== 'create') return undefined;
    at.vendor.fault = () => undefined;
    return 'LostAnswer';
  };
  await settle(at, PLAIN);
  expect(at.vendor.credentials.size).toBe(1);
  expectWhole(at);
});
