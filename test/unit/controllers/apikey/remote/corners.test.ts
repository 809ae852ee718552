/** Corners of the protocol for vendors: each is one way in which a key could be lost or live on. */
import { describe, expect, test } from 'vitest';
import { API_KEYS, SECRETS } from '../../../../../src/api/names.ts';
import { apiKeySteps, lookAgainAtMs } from '../../../../../src/controllers/apikey/index.ts';
import { nextAction } from '../../../../../src/controllers/apikey/plan.ts';
import { wantedStatus } from '../../../../../src/controllers/apikey/status.ts';
import type { ApiKeyView } from '../../../../../src/controllers/apikey/world.ts';
import { silentLogger } from '../../../../../src/kernel/log.ts';
import { DAY_MS, formatTime, MINUTE_MS, SECOND_MS } from '../../../../../src/kernel/time.ts';
import { aKey, aRotation, aSecretSpec, aSpec } from '../../../../support/world.ts';
import {
  expectWhole,
  look,
  onePass,
  put,
  REF,
  settle,
  workshop,
  type Pass,
  type Workshop,
} from './workshop.ts';

const PLAIN = aKey();
const GOING = aKey({ isDeleting: true });
const rotating = (change: Parameters<typeof aRotation>[0]): ApiKeyView =>
  aKey({ spec: aSpec({ rotation: aRotation(change) }) });
const until = (atMs: number, change: Parameters<typeof aSpec>[0] = {}): ApiKeyView =>
  aKey({ spec: aSpec({ terms: { validity: { expirationTime: formatTime(atMs) } }, ...change }) });

async function be(at: Workshop, key: ApiKeyView): Promise<void> {
  put(at, key);
  await settle(at, key);
}

/** The first call of this name is carried out and its answer lost. */
function loseAnswer(at: Workshop, name: string): void {
  at.vendor.fault = (call) => {
    if (call !== name) return undefined;
    at.vendor.fault = () => undefined;
    return 'LostAnswer';
  };
}

const enabled = (at: Workshop) => [...at.vendor.credentials.values()].map((each) => each.enabled);

describe('not known yet is not gone', () => {
  test.each(['M', 'D'] as const)(
    'a credential of class %s that cannot be read right after it was made is not replaced',
    async (vendorClass) => {
      const at = workshop(vendorClass);
      put(at, PLAIN);
      await onePass(at, PLAIN);
      at.vendor.readLagMs = 20_000;
      const suspended = aKey({ spec: aSpec({ state: 'Suspended' }) });
      await be(at, suspended);
      expect(at.vendor.credentials.size).toBe(1);
      expectWhole(at);
    },
  );

  test('a credential that cannot be found right after it was made is not forgotten when its key ends', async () => {
    const at = workshop('M');
    put(at, PLAIN);
    await onePass(at, PLAIN);
    at.vendor.readLagMs = 20_000;
    await be(at, GOING);
    expect(at.vendor.credentials.size).toBe(0);
  });
});

describe('a refusal', () => {
  test.each(['M', 'D'] as const)(
    'to show what was just made does not mean that nothing was made (class %s)',
    async (vendorClass) => {
      const at = workshop(vendorClass);
      at.vendor.isCreateWhole = false;
      at.vendor.listLagMs = 5_000;
      put(at, PLAIN);
      at.vendor.fault = (call) => {
        if (call !== 'read') return undefined;
        at.vendor.fault = () => undefined;
        return 'Throttled';
      };
      await settle(at, PLAIN);
      expect(at.vendor.credentials.size).toBe(1);
      expectWhole(at);
    },
  );

  test('to create makes nothing to be looked for', async () => {
    const at = workshop('D');
    put(at, PLAIN);
    at.vendor.fault = (call) => (call === 'create' ? 'Throttled' : undefined);
    await onePass(at, PLAIN);
    const remote = at.ledger.records.get('uid-1')?.credentials[0]?.remote;
    expect(remote?.createBegunAtMs).toBeUndefined();
    at.vendor.fault = () => undefined;
    await settle(at, PLAIN);
    expectWhole(at);
  });
});

describe('a creation that went to the account of a stranger', () => {
  /** One pass in which the first answers show another account than the store's. */
  async function astray(at: Workshop): Promise<void> {
    at.vendor.owner = 'account-2';
    put(at, PLAIN);
    const { thrown, world } = await onePass(at, PLAIN);
    expect(thrown).toMatchObject({ class: 'Waiting', reason: 'OwnershipMismatch' });
    expect(thrown?.retryAfterMs).toBe(MINUTE_MS);
    const ready = wantedStatus(world, thrown)?.conditions?.[0];
    expect(ready).toMatchObject({ type: 'Ready', reason: 'OwnershipMismatch' });
  }

  test.each(['M', 'D', 'O', 'I'] as const)(
    'is taken back, and made again when the credentials of the store are right (class %s)',
    async (vendorClass) => {
      const at = workshop(vendorClass);
      await astray(at);
      expect(at.vendor.credentials.size).toBe(0);
      const remote = at.ledger.records.get('uid-1')?.credentials[0]?.remote;
      expect(remote?.createBegunAtMs).toBeUndefined();
      at.vendor.owner = 'account-1';
      await settle(at, PLAIN);
      expect(at.vendor.credentials.size).toBe(1);
      expectWhole(at);
    },
  );

  test('is made again in another account that the store leads to by then', async () => {
    const at = workshop('M');
    await astray(at);
    at.vendor.owner = 'account-3';
    const account = { id: 'account-3', facts: {} };
    const session = at.deps.vendors.session.bind(at.deps.vendors);
    const vendors = {
      session: async (...asked: Parameters<typeof session>) => ({
        ...(await session(...asked)),
        account,
      }),
    };
    await settle({ ...at, deps: { ...at.deps, vendors } }, PLAIN);
    const remote = at.ledger.records.get('uid-1')?.credentials[0]?.remote;
    expect(remote).toMatchObject({ account: 'account-3' });
    expect(at.vendor.credentials.size).toBe(1);
  });

  test('is taken back by its mark when it could not be at once', async () => {
    const at = workshop('M');
    at.vendor.fault = (call) => (call === 'delete' ? 'Cut' : undefined);
    await astray(at);
    expect(at.vendor.credentials.size).toBe(1);
    at.vendor.fault = () => undefined;
    await astray(at);
    expect(at.vendor.credentials.size).toBe(0);
  });

  test('is left to a person where no mark tells it from what the stranger made', async () => {
    const at = workshop('D');
    loseAnswer(at, 'create');
    at.vendor.owner = 'account-2';
    put(at, PLAIN);
    await onePass(at, PLAIN);
    at.clock.advance(MINUTE_MS);
    await astray(at);
    expect(at.vendor.credentials.size).toBe(1);
  });
});

describe('a deleted key that a restored database does not know', () => {
  const shown = (status: ApiKeyView['status']): ApiKeyView => aKey({ isDeleting: true, status });

  /** What is logged as an error, and the events, while it goes. */
  async function farewell(at: Workshop, key: ApiKeyView) {
    const errors: unknown[] = [];
    const log = { ...silentLogger, error: (_: string, fields?: object) => errors.push(fields) };
    put(at, key);
    await onePass({ ...at, deps: { ...at.deps, log } }, key);
    expect(at.cluster.find(API_KEYS, REF)?.metadata.finalizers ?? []).toEqual([]);
    return { errors, events: at.events };
  }

  test('goes, and says which credential at which vendor was not ended', async () => {
    const at = workshop('M');
    const store = { kind: 'KeyStore', name: 'naver' } as const;
    const told = await farewell(at, shown({ remote: { id: 'id-7' }, storeRef: store }));
    expect(told).toEqual({
      errors: [{ ...REF, store: "KeyStore 'naver'", remoteId: 'id-7' }],
      events: [expect.stringContaining("credential id-7 in KeyStore 'naver' was not ended")],
    });
  });

  test('goes silently when nothing of it was ever at a vendor', async () => {
    const told = await farewell(workshop('M'), shown({ keyId: 'k1' }));
    expect(told).toEqual({ errors: [], events: [] });
  });

  test('is nothing special while the database knows it', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    const told = await farewell(at, shown({ remote: { id: 'id-1' } }));
    expect(told.errors).toEqual([]);
    expect(told.events.join()).not.toContain('not ended');
  });
});

describe('deletion during an unfinished creation', () => {
  test.each(['M', 'D', 'O'] as const)(
    'ends what was made within the settle time at a store of class %s, and leaves no debt',
    async (vendorClass) => {
      const at = workshop(vendorClass);
      put(at, PLAIN);
      loseAnswer(at, 'create');
      await onePass(at, PLAIN);
      const beganMs = at.clock.nowMs();
      await be(at, GOING);
      expect(at.vendor.credentials.size).toBe(0);
      expect(at.ledger.records.get('uid-1')).toMatchObject({ phase: 'Ended', credentials: [] });
      expect(at.clock.nowMs() - beganMs).toBeLessThan(2 * MINUTE_MS);
    },
  );

  test('a call that was cut off before it arrived leaves no debt either', async () => {
    const at = workshop('M');
    put(at, PLAIN);
    at.vendor.fault = (call) => (call === 'create' ? 'Cut' : undefined);
    await onePass(at, PLAIN);
    const beganMs = at.clock.nowMs();
    at.vendor.fault = () => undefined;
    await be(at, GOING);
    expect(at.ledger.records.get('uid-1')).toMatchObject({ phase: 'Ended', credentials: [] });
    expect(at.clock.nowMs() - beganMs).toBeLessThan(2 * MINUTE_MS);
  });
});

test('a key is switched off also where the vendor refuses the name that its spec has by now', async () => {
  const at = workshop('M');
  await be(at, PLAIN);
  const endless = aKey({ spec: aSpec({ displayName: 'x'.repeat(256), state: 'Suspended' }) });
  await be(at, endless);
  expect(enabled(at)).toEqual([false]);
  expect([...at.vendor.credentials.values()][0]?.name).toBe(REF.name);
});

test('a deleted key does not wait for a store that is gone: what it owes is paid as a debt', async () => {
  const at = workshop('M');
  await be(at, PLAIN);
  put(at, GOING);
  at.vendor.fault = (call) => (call === 'update' ? 'Cut' : undefined);
  await onePass(at, GOING);
  expect(at.ledger.records.get('uid-1')?.phase).toBe('Ending');
  const world = { ...look(at, GOING), store: { type: 'Missing', name: 'default' } as const };
  const gone = { ...world, evidence: { ...world.evidence, secretDeleted: true as const } };
  expect(nextAction(gone)).toMatchObject({ type: 'ReleaseFinalizer' });
});

describe('looking again', () => {
  test('a comparison that cannot be made now is not tried every second', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    const steps = apiKeySteps(at.deps);
    steps.lookAgainAtMs(look(at, PLAIN));
    at.clock.advance(11 * MINUTE_MS);
    at.vendor.fault = (call) => (call === 'read' ? 'Cut' : undefined);
    const { world } = await onePass(at, PLAIN);
    expect(world.evidence.remoteTrouble).toBeDefined();
    expect(steps.lookAgainAtMs(world)).toBeGreaterThanOrEqual(at.clock.nowMs() + 5 * SECOND_MS);
  });

  test.each([
    ['cannot be read', 'O', PLAIN],
    ['has a spec with a fault', 'M', aKey({ spec: aSpec({ terms: { cidrs: ['10.0.0.0/8'] } }) })],
  ] as const)('a key that %s is not looked at every second', async (_, vendorClass, key) => {
    const at = workshop(vendorClass);
    await be(at, PLAIN);
    const steps = apiKeySteps(at.deps);
    steps.lookAgainAtMs(look(at, PLAIN));
    at.clock.advance(11 * MINUTE_MS);
    put(at, key);
    const { world } = await onePass(at, key);
    const againMs = steps.lookAgainAtMs(world) ?? Infinity;
    expect(againMs).toBeGreaterThanOrEqual(at.clock.nowMs() + MINUTE_MS);
  });

  test('a vendor that goes on refusing is asked in growing pauses', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    const renamed = aKey({ spec: aSpec({ displayName: 'other' }) });
    put(at, renamed);
    at.vendor.fault = (call) => (call === 'update' ? 'Cut' : undefined);
    const first = at.vendor.calls.length;
    let key = renamed;
    const endMs = at.clock.nowMs() + 60 * MINUTE_MS;
    while (at.clock.nowMs() < endMs) {
      // oxlint-disable-next-line no-await-in-loop
      const { world } = await onePass(at, key);
      const status = wantedStatus(world);
      key = { ...key, status };
      const againMs = lookAgainAtMs(world) ?? endMs;
      at.clock.advance(Math.max(SECOND_MS, againMs - at.clock.nowMs()));
    }
    expect(at.vendor.calls.length - first).toBeLessThanOrEqual(24);
  });
});

describe('deleted in the vendor console', () => {
  test('while values were being replaced: the key is made anew', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    at.clock.advance(MINUTE_MS);
    at.vendor.credentials.clear();
    await be(at, rotating({ requestId: 'r1', slot: 'Secondary' }));
    expect(at.vendor.credentials.size).toBe(1);
    expectWhole(at);
  });

  test('and back again: the key works on', async () => {
    const at = workshop('M');
    const key = aKey({ spec: aSpec({ secret: aSecretSpec({ onLoss: 'Wait' }) }) });
    await be(at, key);
    const steps = apiKeySteps(at.deps);
    const pass = async (): Promise<string | undefined> => {
      at.clock.advance(11 * MINUTE_MS);
      const { world, thrown } = await onePass(at, key);
      steps.lookAgainAtMs(world);
      return wantedStatus(world, thrown)?.conditions?.find(({ type }) => type === 'Ready')?.reason;
    };
    steps.lookAgainAtMs(look(at, key));
    const kept = new Map(at.vendor.credentials);
    at.vendor.credentials.clear();
    expect(await pass()).toBe('RemoteMissing');
    const revision = at.ledger.records.get('uid-1')?.revision;
    expect(await pass()).toBe('RemoteMissing');
    expect(at.ledger.records.get('uid-1')?.revision).toBe(revision);
    for (const [id, credential] of kept) at.vendor.credentials.set(id, credential);
    expect(await pass()).toBe('Active');
    expectWhole(at);
  });

  const waiting = (change?: Parameters<typeof aRotation>[0]) =>
    aKey({
      spec: aSpec({
        secret: aSecretSpec({ onLoss: 'Wait' }),
        ...(change === undefined ? {} : { rotation: aRotation(change) }),
      }),
    });
  const asks = [
    ['a planned rotation', { requestId: 'r1' }],
    ['an emergency', { requestId: 'r1', urgency: 'Emergency' }],
    ['an emergency of one value', { requestId: 'r1', urgency: 'Emergency', slot: 'Primary' }],
  ] as const;

  function expectNew(at: Workshop): void {
    expect(at.ledger.records.get('uid-1')).toMatchObject({
      lastRotationRequestId: 'r1',
      credentials: [{ sequence: 2, state: 'Active' }],
    });
    expectWhole(at);
  }

  test.each(asks)(
    'and reported, %s makes a new one at the first time of asking',
    async (_, ask) => {
      const at = workshop('M');
      await be(at, waiting());
      apiKeySteps(at.deps).lookAgainAtMs(look(at, waiting()));
      at.vendor.credentials.clear();
      at.clock.advance(11 * MINUTE_MS);
      await onePass(at, waiting());
      const missing = { missingSinceMs: expect.any(Number) as number };
      expect(at.ledger.records.get('uid-1')?.credentials).toMatchObject([{ remote: missing }]);
      await be(at, waiting(ask));
      expectNew(at);
    },
  );

  test.each(asks)('and not seen yet, %s makes a new one, too', async (_, ask) => {
    const at = workshop('M');
    await be(at, waiting());
    at.vendor.credentials.clear();
    put(at, waiting(ask));
    const { world } = await onePass(at, waiting(ask));
    expect(world.record?.lastRotationRequestId).toBe('r1');
    await be(at, waiting(ask));
    expectNew(at);
  });

  test('while values were being replaced: an emergency of one value makes a new one', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    at.vendor.fault = () => 'Cut';
    await onePass(at, rotating({ requestId: 'r0' }));
    at.vendor.credentials.clear();
    at.vendor.fault = () => undefined;
    await be(at, rotating({ requestId: 'r1', urgency: 'Emergency', slot: 'Primary' }));
    expect(at.vendor.credentials.size).toBe(1);
    expectNew(at);
  });

  test('after the end: no new one is made', async () => {
    const at = workshop('M');
    const endMs = at.clock.nowMs() + MINUTE_MS;
    const key = until(endMs);
    await be(at, key);
    at.clock.advance(11 * MINUTE_MS);
    at.vendor.credentials.clear();
    await be(at, until(endMs, { displayName: 'other' }));
    await be(at, key);
    expect(at.vendor.calls.filter((call) => call === 'create')).toHaveLength(1);
  });
});

describe('an emergency', () => {
  test('ends the values of an overlap that is under way, too', async () => {
    const at = workshop('D');
    await be(at, PLAIN);
    await be(at, rotating({ requestId: 'r1' }));
    expect(at.vendor.credentials.size).toBe(2);
    await be(at, rotating({ requestId: 'r2', urgency: 'Emergency' }));
    expect(at.vendor.credentials.size).toBe(1);
    expectWhole(at);
  });

  test('does not call old values dead, nor the request handled, while the vendor is down', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    const key = rotating({ requestId: 'r1', urgency: 'Emergency' });
    put(at, key);
    at.vendor.fault = () => 'Cut';
    const { world, thrown } = await onePass(at, key);
    const status = wantedStatus(world, thrown);
    expect(status?.lastHandledRotationRequestId).toBeUndefined();
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).not.toBe('True');
    expect(at.events.join()).not.toMatch(/dead/);
    at.vendor.fault = () => undefined;
    await settle(at, key);
    expect(at.events.filter((note) => note.includes('New values'))).toHaveLength(1);
    expectWhole(at);
  });

  test('does not wait for a creation that is under way, and is done once', async () => {
    const at = workshop('O');
    put(at, PLAIN);
    loseAnswer(at, 'create');
    await onePass(at, PLAIN);
    await be(at, rotating({ requestId: 'r1', urgency: 'Emergency' }));
    expect(at.vendor.credentials.size).toBe(1);
    expect(at.ledger.records.get('uid-1')?.sequence).toBe(2);
    expectWhole(at);
  });

  test('does not wait for a person who has to decide about an earlier rotation (C6)', async () => {
    const at = workshop('D');
    await be(at, PLAIN);
    const first = [...at.vendor.credentials.keys()];
    put(at, rotating({ requestId: 'r1' }));
    at.vendor.fault = (call) => {
      if (call !== 'create') return undefined;
      at.vendor.fault = () => undefined;
      at.vendor.plant();
      return 'LostAnswer';
    };
    await settle(at, rotating({ requestId: 'r1' }));
    expect(at.ledger.records.get('uid-1')?.credentials).toMatchObject([
      { state: 'Active' },
      { state: 'Ambiguous' },
    ]);
    await be(at, rotating({ requestId: 'r2', urgency: 'Emergency' }));
    expect([...at.vendor.credentials.keys()]).not.toContain(first[0]);
    const current = at.ledger.records.get('uid-1')?.credentials.at(-1);
    expect(current).toMatchObject({ state: 'Active', sequence: 3 });
    // The two that nobody can tell apart are left alone.
    expect(at.vendor.credentials.size).toBe(3);
  });
});

describe('a regenerate call that is answered with the old value', () => {
  const leaked = rotating({
    requestId: 'leak',
    urgency: 'Emergency',
    method: 'InPlace',
    slot: 'Primary',
  });
  const asked = (at: Workshop) => at.vendor.calls.filter((call) => call === 'regenerate').length;

  /** A pass in which the vendor answers so. */
  async function answeredOld(at: Workshop, regenerates: 'AndLags' | 'Nothing'): Promise<Pass> {
    await be(at, PLAIN);
    at.vendor.regenerates = regenerates;
    put(at, leaked);
    return onePass(at, leaked);
  }

  test.each(['AndLags', 'Nothing'] as const)(
    'counts as trouble of the store and not as a new value (%s)',
    async (regenerates) => {
      const at = workshop('M');
      const { world, thrown } = await answeredOld(at, regenerates);
      expect(thrown).toMatchObject({ class: 'Transient', reason: 'StoreGarbled' });
      expect(thrown?.message).not.toContain('vendor-value');
      const status = wantedStatus(world, thrown);
      expect(status?.lastHandledRotationRequestId).toBeUndefined();
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).not.toBe('True');
      expect(at.events.join()).not.toMatch(/New values|dead/);
    },
  );

  test('is made again until the exposed value is replaced, where nothing was done', async () => {
    const at = workshop('M');
    await answeredOld(at, 'Nothing');
    await onePass(at, leaked);
    expect(asked(at)).toBe(2);
    at.vendor.regenerates = 'AndShows';
    await settle(at, leaked);
    expect(asked(at)).toBe(3);
    expectWhole(at);
  });

  test('is not made again where reading shows the new value later', async () => {
    const at = workshop('M');
    await answeredOld(at, 'AndLags');
    await settle(at, leaked);
    expect(asked(at)).toBe(1);
    expectWhole(at);
  });

  test('is not undone by a comparison of the same pass that still shows the old value', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    at.vendor.isLookStale = true;
    put(at, leaked);
    at.vendor.fault = (call) => (call === 'regenerate' ? 'Cut' : undefined);
    await onePass(at, leaked);
    // The comparison falls due while the vendor does not answer.
    at.deps.remoteChecks.dueMs(at.ledger.records.get('uid-1')?.credentials[0]?.token ?? '');
    at.clock.advance(20 * MINUTE_MS);
    expect(look(at, leaked).isRemoteCheckDue).toBe(true);
    at.vendor.fault = () => undefined;
    await onePass(at, leaked);
    expect(asked(at)).toBe(2);
    expectWhole(at);
  });
});

describe('validity', () => {
  const leaked = aRotation({ requestId: 'leak', urgency: 'Emergency' });

  test.each(['M', 'D', 'O'] as const)(
    'an expired key of class %s whose Secret is deleted makes nothing, though an emergency is asked for, until a later end',
    async (vendorClass) => {
      const at = workshop(vendorClass);
      const endMs = at.clock.nowMs() + MINUTE_MS;
      await be(at, until(endMs));
      at.clock.advance(2 * MINUTE_MS);
      const key = until(endMs, { rotation: leaked });
      await be(at, key);
      at.cluster.set(SECRETS, REF, undefined);
      put(at, key);
      for (let pass = 0; pass < 3; pass += 1) {
        // oxlint-disable-next-line no-await-in-loop
        expect((await onePass(at, key)).thrown).toBeUndefined();
        at.clock.advance(MINUTE_MS);
      }
      expect(at.ledger.records.get('uid-1')).toMatchObject({ sequence: 1 });
      await be(at, until(endMs + DAY_MS, { rotation: leaked }));
      expect(at.ledger.records.get('uid-1')).toMatchObject({ lastRotationRequestId: 'leak' });
      expectWhole(at);
    },
  );

  test('an emergency that is asked for after the end holds no creation up that was begun before', async () => {
    const at = workshop('M');
    const endMs = at.clock.nowMs() + DAY_MS;
    await be(at, until(endMs));
    at.cluster.set(SECRETS, REF, undefined);
    at.vendor.fault = () => 'Cut';
    for (let pass = 0; pass < 2; pass += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await onePass(at, until(endMs));
      at.clock.advance(MINUTE_MS);
    }
    const begun = [{ state: 'Active' }, { state: 'Intent' }];
    expect(at.ledger.records.get('uid-1')?.credentials).toMatchObject(begun);
    at.clock.advance(DAY_MS);
    at.vendor.fault = () => undefined;
    await be(at, until(endMs, { rotation: leaked }));
    expectWhole(at);
  });

  test('a clock that was put back brings no expired key to life', async () => {
    const at = workshop('M');
    const endMs = at.clock.nowMs() + MINUTE_MS;
    await be(at, until(endMs));
    expect(enabled(at)).toEqual([false]);
    at.clock.step(-10 * MINUTE_MS);
    const same = { ...look(at, until(endMs)), isClockTrusted: false };
    expect(nextAction(same)).toBeUndefined();
    const renamed = look(at, until(endMs, { displayName: 'other' }));
    const step = nextAction({ ...renamed, isClockTrusted: false });
    expect(step).toMatchObject({ step: { type: 'Update', wish: { enabled: false } } });
  });

  test('a key whose beginning is moved into the future does not work at the vendor until then', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    const startMs = at.clock.nowMs() + 60 * MINUTE_MS;
    const later = aKey({
      spec: aSpec({ terms: { validity: { notBeforeTime: formatTime(startMs) } } }),
    });
    await be(at, later);
    expect(enabled(at)).toEqual([false]);
    at.clock.advance(2 * 60 * MINUTE_MS);
    await be(at, later);
    expect(enabled(at)).toEqual([true]);
  });

  test('an end that was moved in time keeps the value, although nobody looked at the old end', async () => {
    const at = workshop('M', { handle: { onExpiry: 'Delete' } });
    const endMs = at.clock.nowMs() + MINUTE_MS;
    put(at, until(endMs));
    await onePass(at, until(endMs));
    const made = [...at.vendor.credentials.keys()];
    at.clock.advance(10 * MINUTE_MS);
    await be(at, until(endMs + 10 * DAY_MS));
    expect([...at.vendor.credentials.keys()]).toEqual(made);
    expectWhole(at);
  });

  test.each(['Disable', 'Delete'] as const)(
    'a key that expires while its creation is open does not work at the vendor (%s)',
    async (onExpiry) => {
      for (const fault of ['Cut', 'LostAnswer'] as const) {
        const at = workshop('M', { handle: { onExpiry } });
        const key = until(at.clock.nowMs() + 10 * SECOND_MS);
        put(at, key);
        at.vendor.fault = (call) => {
          if (call !== 'create') return undefined;
          at.vendor.fault = () => undefined;
          return fault;
        };
        // oxlint-disable-next-line no-await-in-loop
        await onePass(at, key);
        at.clock.advance(MINUTE_MS);
        // oxlint-disable-next-line no-await-in-loop
        await settle(at, key);
        expect(enabled(at)).not.toContain(true);
      }
    },
  );
});

describe('several unfinished calls', () => {
  test('an account is not blocked for all others by one that nobody can tell apart', async () => {
    const at = workshop('D');
    put(at, PLAIN);
    at.vendor.fault = (call) => {
      if (call !== 'create') return undefined;
      at.vendor.fault = () => undefined;
      at.vendor.plant();
      return 'LostAnswer';
    };
    await settle(at, PLAIN);
    await be(at, GOING);
    const next = aKey({ uid: 'uid-2' });
    await be(at, next);
    expect(at.ledger.records.get('uid-2')?.credentials).toMatchObject([{ state: 'Active' }]);
    expect(at.vendor.credentials.size).toBe(3);
  });

  test('not even when it turns out only after its key was deleted', async () => {
    const at = workshop('D');
    put(at, PLAIN);
    at.vendor.fault = (call) => {
      if (call !== 'create') return undefined;
      at.vendor.plant();
      at.vendor.fault = () => 'Cut';
      return 'LostAnswer';
    };
    await onePass(at, PLAIN);
    at.vendor.fault = () => undefined;
    await be(at, GOING);
    expect(at.vendor.credentials.size).toBe(2);
    const next = aKey({ uid: 'uid-2' });
    await be(at, next);
    expect(at.ledger.records.get('uid-2')?.credentials).toMatchObject([{ state: 'Active' }]);
    expect(at.vendor.credentials.size).toBe(3);
  });

  test('one that came to nothing leaves the account to other keys while its spec has a fault, and begins anew after it', async () => {
    const at = workshop('D');
    const begunAtMs = () => at.ledger.records.get('uid-1')?.credentials[0]?.remote?.createBegunAtMs;
    at.vendor.fault = (call) => (call === 'create' ? 'Cut' : undefined);
    put(at, PLAIN);
    await onePass(at, PLAIN);
    at.vendor.fault = () => undefined;
    const faulty = aKey({ spec: aSpec({ terms: { cidrs: ['10.0.0.0/8'] } }) });
    put(at, faulty);
    await onePass(at, faulty);
    // It may still show up.
    expect(begunAtMs()).toBeDefined();
    at.clock.advance(at.handle.settleMs);
    await onePass(at, faulty);
    expect(begunAtMs()).toBeUndefined();
    expect(await onePass(at, faulty)).toMatchObject({ steps: 0 });

    const other = aKey({ uid: 'uid-2', ref: { ...REF, name: 'other' } });
    await be(at, other);
    expect(at.ledger.records.get('uid-2')?.credentials).toMatchObject([{ state: 'Active' }]);
    await be(at, PLAIN);
    expect(at.ledger.records.get('uid-1')?.credentials).toMatchObject([{ state: 'Active' }]);
    expectWhole(at);
  });

  test('two of one key are both looked for, and the pass ends', async () => {
    const at = workshop('M', { handle: { onExpiry: 'Delete', settleMs: 5 * MINUTE_MS } });
    const key = until(at.clock.nowMs() + 10 * SECOND_MS);
    at.vendor.fault = (call) => (call === 'create' ? 'LostAnswer' : undefined);
    at.vendor.listLagMs = 4 * MINUTE_MS;
    put(at, key);
    await onePass(at, key);
    at.clock.advance(20 * SECOND_MS);
    await onePass(at, key);
    const revived = until(at.clock.nowMs() + 10 * DAY_MS, {});
    put(at, revived);
    await onePass(at, revived);
    await onePass(at, revived);
    at.vendor.fault = () => undefined;
    await settle(at, revived);
    expectWhole(at);
    expect(at.vendor.credentials.size).toBe(1);
  });
});

describe('classes that cannot be searched', () => {
  test('class I: the same call is made again, and one credential is made', async () => {
    const at = workshop('I');
    put(at, PLAIN);
    loseAnswer(at, 'create');
    await settle(at, PLAIN);
    expect(at.vendor.credentials.size).toBe(1);
    expectWhole(at);
  });

  test('class X: an unknown outcome waits for a person, and nothing is made', async () => {
    const at = workshop('X');
    put(at, PLAIN);
    loseAnswer(at, 'create');
    await settle(at, PLAIN);
    expect(at.ledger.records.get('uid-1')?.credentials).toMatchObject([{ state: 'Unknown' }]);
    expect(at.vendor.calls.filter((call) => call === 'create')).toHaveLength(1);
  });
});

describe('what waits for a person', () => {
  test('keeps no new terms from the key that works', async () => {
    const at = workshop('D');
    await be(at, PLAIN);
    at.vendor.fault = (call) => {
      if (call !== 'create') return undefined;
      at.vendor.fault = () => undefined;
      at.vendor.plant();
      return 'LostAnswer';
    };
    await be(at, rotating({ requestId: 'r1' }));
    const endMs = at.clock.nowMs() + MINUTE_MS;
    const key = until(endMs, { rotation: aRotation({ requestId: 'r1' }) });
    await be(at, key);
    const [first] = at.vendor.credentials.values();
    expect(first?.enabled).toBe(false);
  });
});

describe('status', () => {
  test('what the vendor told stays when an answer tells nothing', async () => {
    const at = workshop('D');
    at.vendor.facts = { userId: 'user-1' };
    await be(at, PLAIN);
    at.vendor.facts = {};
    await be(at, aKey({ spec: aSpec({ state: 'Suspended' }) }));
    const status = wantedStatus(look(at, PLAIN));
    expect(status?.remote).toMatchObject({ userId: 'user-1', state: 'Disabled' });
  });
});

describe('one key after another', () => {
  test.each(['M', 'D', 'O'] as const)(
    'a key of the same name ends the one before it at a store of class %s (K6)',
    async (vendorClass) => {
      const at = workshop(vendorClass);
      await be(at, PLAIN);
      const next = aKey({ uid: 'uid-2' });
      await be(at, next);
      expect(at.vendor.credentials.size).toBe(1);
      expect(at.ledger.records.get('uid-1')?.phase).toBe('Ended');
      expectWhole(at, 'uid-2');
    },
  );

  test('a Secret that was deleted while the vendor is down is made anew all the same', async () => {
    const at = workshop('M');
    await be(at, PLAIN);
    at.cluster.set(SECRETS, REF, undefined);
    at.vendor.fault = () => 'Cut';
    await be(at, aKey({ spec: aSpec({ secret: aSecretSpec({ onLoss: 'Restore' }) }) }));
    expect(at.cluster.find(SECRETS, REF)).toBeDefined();
    expectWhole(at);
  });
});

test('what is left of a creation that was given up ends with its key (C5)', async () => {
  const at = workshop('O');
  at.vendor.fault = (call) => (call === 'create' ? 'LostAnswer' : undefined);
  await be(at, PLAIN);
  expect(at.ledger.records.get('uid-1')?.credentials).toMatchObject([{ state: 'Blocked' }]);
  expect(at.vendor.credentials.size).toBe(1);
  at.vendor.fault = () => undefined;
  await be(at, GOING);
  expect(at.vendor.credentials.size).toBe(0);
});

describe('in the line of its account', () => {
  const suspended = aKey({ spec: aSpec({ state: 'Suspended' }) });
  const emergency = rotating({ requestId: 'now', urgency: 'Emergency', method: 'InPlace' });

  test.each([
    ['switching off', suspended],
    ['an emergency', emergency],
    ['the end of a key', GOING],
  ])('%s goes before all others, and a creation does not', async (_, next) => {
    const at = workshop('M');
    await be(at, PLAIN);
    expect(new Set(at.turns)).toEqual(new Set(['InOrder']));
    at.turns.length = 0;
    put(at, next);
    await onePass(at, next);
    expect(at.turns[0]).toBe('First');
  });
});
