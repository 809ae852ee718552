import { beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/api/meta.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { LeaderElector, type LeaseOptions, leaseTimes } from '../../../src/kube/lease.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { FakeKube, transient } from './fakekube.ts';

const PATH = 'leases/n/operator';

let clock: FakeClock;
let kube: FakeKube;

beforeEach(() => {
  clock = new FakeClock();
  kube = new FakeKube();
});

function elector(identity: string, more: Partial<LeaseOptions> = {}): LeaderElector {
  return new LeaderElector({
    client: kube,
    clock,
    log: silentLogger,
    lease: { namespace: 'n', name: 'operator' },
    identity,
    random: () => 0,
    ...more,
  });
}

type Spec = { holderIdentity: string; leaseTransitions: number; renewTime: string };

function spec(): Spec {
  // Test data: what the electors wrote.
  return (kube.objects.get(PATH) as unknown as { spec: Spec }).spec;
}

/** As anybody else would change it: with a new version. */
function edit(change: (lease: Editable) => void): void {
  const lease = structuredClone(kube.objects.get(PATH)) as unknown as Editable;
  change(lease);
  lease.metadata.resourceVersion += '-edited';
  kube.objects.set(PATH, lease);
}

type Editable = KubeObject<{ spec: Spec }> & {
  metadata: { resourceVersion: string; annotations?: Record<string, string> };
};

const unexpected = (): void => expect.unreachable('leadership was lost');

describe('taking the Lease', () => {
  test('a missing Lease is created, as epoch 1', async () => {
    expect(await elector('a').lead(unexpected)).toBe(1);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1 });
    expect(spec().renewTime).toMatch(/\.\d{6}Z$/);
  });

  test('a restart under the same identity takes it as soon as one renewal is overdue', async () => {
    await elector('a', { clock: new FakeClock() }).lead(unexpected);
    let epoch: number | undefined;
    void elector('a')
      .lead(unexpected)
      .then((taken) => (epoch = taken));
    await clock.advanceSettled(4_000);
    expect(epoch).toBeUndefined();
    await clock.advanceSettled(2_000);
    expect(epoch).toBe(2);
  });

  test('a second process of one name gives up, and the first leads on', async () => {
    await elector('a').lead(unexpected);
    const twin = elector('a').lead(unexpected);
    // It is waited for when time has passed.
    twin.catch(() => undefined);
    for (let passedMs = 0; passedMs < 30_000; passedMs += 1_000) {
      await clock.advanceSettled(1_000);
    }
    await expect(twin).rejects.toMatchObject({
      class: 'Terminal',
      reason: 'IdentityInUse',
      message: expect.stringContaining('--identity'),
    });
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1 });
  });

  test('an own write whose answer was lost is no twin', async () => {
    await elector('a', { clock: new FakeClock() }).lead(unexpected);
    const replace = kube.replace.bind(kube);
    let isLost = true;
    kube.replace = async (...call) => {
      const written = await replace(...call);
      if (!isLost) return written;
      isLost = false;
      throw transient('OutcomeUnknown');
    };
    let epoch: number | undefined;
    void elector('a')
      .lead(unexpected)
      .then((taken) => (epoch = taken));
    for (let passedMs = 0; passedMs < 30_000 && epoch === undefined; passedMs += 1_000) {
      await clock.advanceSettled(1_000);
    }
    expect(epoch).toBe(3);
  });

  test('times keep their proportions, however long a Lease lasts', () => {
    for (const durationMs of [3_000, 15_000, 300_000]) {
      const times = leaseTimes(durationMs);
      expect(times.renewDeadlineMs + times.requestMs).toBeLessThan(durationMs);
      expect(() => elector('a', { times })).not.toThrow();
    }
  });

  test('an epoch is above what was stored elsewhere, even when the Lease was deleted', async () => {
    const lastEpoch = (): Promise<number> => Promise.resolve(41);
    expect(await elector('a', { lastEpoch }).lead(unexpected)).toBe(42);
  });

  test('another one waits while it is renewed, and takes it 15 s after the last renewal', async () => {
    const mortal = new FakeClock();
    await elector('a', { clock: mortal }).lead(unexpected);
    let epoch: number | undefined;
    void elector('b')
      .lead(unexpected)
      .then((taken) => (epoch = taken));
    for (let passedMs = 0; passedMs < 60_000; passedMs += 2_000) {
      await mortal.advanceSettled(2_000);
      await clock.advanceSettled(2_000);
    }
    expect(epoch).toBeUndefined();
    // From here on the first one is dead: its time stands still.
    await clock.advanceSettled(13_000);
    expect(epoch).toBeUndefined();
    await clock.advanceSettled(4_000);
    expect(epoch).toBe(2);
  });

  test('only our own clock counts, whatever time the holder wrote', async () => {
    await elector('other', { clock: new FakeClock() }).lead(unexpected);
    spec().renewTime = '2001-01-01T00:00:00.000000Z';
    let epoch: number | undefined;
    void elector('b')
      .lead(unexpected)
      .then((taken) => (epoch = taken));
    await clock.advanceSettled(14_000);
    expect(epoch).toBeUndefined();
    await clock.advanceSettled(4_000);
    expect(epoch).toBe(2);
  });

  test('of two that try at the same moment exactly one wins', async () => {
    const wins: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      void elector(name)
        .lead(() => undefined)
        .then(() => wins.push(name));
    }
    await settle();
    expect(wins).toHaveLength(1);
  });
});

describe('renewing the Lease', () => {
  test('is one write every 4 s and no read, while nobody else touches it', async () => {
    await elector('a').lead(unexpected);
    await clock.advanceSettled(4_000);
    kube.calls.length = 0;
    await clock.advanceSettled(12_000);
    expect(kube.calls).toEqual(Array.from({ length: 3 }, () => `replace ${PATH}`));
  });

  test('keeps what others wrote on it, and goes on without reading again', async () => {
    const stamp = (): Record<string, string> => ({ ours: 'new' });
    await elector('a', { stamp }).lead(unexpected);
    await clock.advanceSettled(4_000);
    edit((lease) => (lease.metadata.annotations = { theirs: 'kept', ours: 'old' }));
    kube.calls.length = 0;
    await clock.advanceSettled(8_000);
    expect(kube.calls.map((call) => call.split(' ')[0])).toEqual([
      'replace',
      'get',
      'replace',
      'replace',
    ]);
    expect(kube.objects.get(PATH)?.metadata.annotations).toEqual({ theirs: 'kept', ours: 'new' });
  });

  test('reads again after a failure, because the write may have been carried out', async () => {
    await elector('a').lead(unexpected);
    kube.fault = transient('OutcomeUnknown');
    await clock.advanceSettled(4_000);
    kube.fault = undefined;
    kube.calls.length = 0;
    await clock.advanceSettled(2_000);
    expect(kube.calls.map((call) => call.split(' ')[0])).toEqual(['get', 'replace']);
  });
});

describe('losing the Lease', () => {
  test('a leader whose renewals fail stops 10 s after the last one that worked', async () => {
    const lost: number[] = [];
    const leader = elector('a');
    await leader.lead(() => lost.push(clock.monotonicMs()));
    await clock.advanceSettled(4_000);
    kube.fault = transient('ServiceUnavailable');
    await clock.advanceSettled(9_900);
    expect([lost, leader.epoch]).toEqual([[], 1]);
    await clock.advanceSettled(200);
    expect(lost).toEqual([14_000]);
    expect(leader.epoch).toBeUndefined();
  });

  test('a renewal that hangs does not outlive the deadline', async () => {
    const lost: number[] = [];
    await elector('a').lead(() => lost.push(clock.monotonicMs()));
    kube.isHanging = true;
    await clock.advanceSettled(20_000);
    expect(lost).toEqual([10_000]);
  });

  test('a process that was stopped knows before any timer that it may lead no more (K1, T11)', async () => {
    const leader = elector('a');
    expect(leader.isHeld).toBe(false);
    await leader.lead(() => undefined);
    expect(leader.isHeld).toBe(true);
    clock.freeze(9_999);
    expect(leader.isHeld).toBe(true);
    clock.freeze(1);
    expect(leader.isHeld).toBe(false);
    await leader.stop();
  });

  test('a step of the wall clock neither ends nor prolongs anything', async () => {
    const lost: number[] = [];
    await elector('a').lead(() => lost.push(clock.monotonicMs()));
    clock.step(3_600_000);
    await clock.advanceSettled(5_000);
    clock.step(-7_200_000);
    await clock.advanceSettled(5_000);
    expect(lost).toEqual([]);
  });

  test('a leader that finds another holder stops at once', async () => {
    const lost: number[] = [];
    await elector('a').lead(() => lost.push(clock.monotonicMs()));
    edit((lease) => (lease.spec.holderIdentity = 'b'));
    await clock.advanceSettled(4_000);
    expect(lost).toEqual([4_000]);
  });
});

describe('stopping', () => {
  test('gives the Lease back, so that the next one need not wait', async () => {
    const first = elector('a');
    await first.lead(unexpected);
    await first.stop();
    expect(spec()).toMatchObject({ holderIdentity: '', leaseTransitions: 1 });
    expect(await elector('b').lead(unexpected)).toBe(2);
  });

  test('while waiting rejects, and leaves no timer', async () => {
    await elector('a').lead(unexpected);
    const waiting = elector('b');
    const leading = waiting.lead(unexpected);
    await settle();
    await waiting.stop();
    await expect(leading).rejects.toThrow(/abort/i);
  });
});

test.each([
  ['a renewal could land in the next term', { renewDeadlineMs: 12_000, requestMs: 3_000 }],
  ['no second try', { retryMs: 10_000 }],
  ['a first renewal at the deadline', { renewMs: 10_000 }],
  ['a busy loop', { retryMs: 0 }],
])('times are refused when they allow %s', (_why, times) => {
  expect(() => elector('a', { times })).toThrow(RangeError);
});
