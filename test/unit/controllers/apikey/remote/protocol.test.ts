/**
 * The protocol for vendors, at every point where it can be cut off: each commit and each vendor call
 * of each scenario, before it and after it, for each class. What holds at the end: the vendor has
 * exactly the credentials that the ledger knows, and what is in the Secret works there.
 */
import { describe, expect, test } from 'vitest';
import { SECRETS } from '../../../../../src/api/names.ts';
import type { ApiKeyView } from '../../../../../src/controllers/apikey/world.ts';
import { aKey, aRotation, aSpec } from '../../../../support/world.ts';
import {
  Crash,
  expectWhole,
  onePass,
  put,
  REF,
  settle,
  type VendorClass,
  workshop,
  type Workshop,
} from './workshop.ts';

type Scenario = {
  readonly name: string;
  readonly before: readonly ApiKeyView[];
  readonly under: ApiKeyView;
};

const PLAIN = aKey();
const rotating = (change: Parameters<typeof aRotation>[0]) =>
  aKey({ spec: aSpec({ rotation: aRotation(change) }) });
/** Deleted in the same moment as its spec changes, and to outlive that. */
function retained(change: Parameters<typeof aSpec>[0]): ApiKeyView {
  return aKey({ isDeleting: true, spec: aSpec({ deletionPolicy: 'Retain', ...change }) });
}

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
  { name: 'suspend and retain', before: [PLAIN], under: retained({ state: 'Suspended' }) },
  {
    name: 'resume and retain',
    before: [PLAIN, aKey({ spec: aSpec({ state: 'Suspended' }) })],
    under: retained({}),
  },
  {
    name: 'rotate in an emergency and retain',
    before: [PLAIN],
    under: retained({ rotation: aRotation({ requestId: 'r1', urgency: 'Emergency' }) }),
  },
];

/** A vendor that keeps no names is told of none. */
function isNameless(vendorClass: VendorClass, { name }: Scenario): boolean {
  return vendorClass === 'D' && name === 'rename';
}

async function prepare(vendorClass: VendorClass, scenario: Scenario): Promise<Workshop> {
  const at = workshop(vendorClass, { store: { retention: 'Allowed' } });
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

test('a deleted key is gone at the vendor in the pass that switches it off, while time goes on', async () => {
  const at = workshop('M');
  put(at, PLAIN);
  await settle(at, PLAIN);
  at.vendor.fault = () => {
    at.clock.advance(5);
    return undefined;
  };
  const deleted = aKey({ isDeleting: true });
  put(at, deleted);
  await onePass(at, deleted);
  expect(at.vendor.credentials.size).toBe(0);
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
