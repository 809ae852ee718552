import { describe, expect, test } from 'vitest';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { Manager, type ManagerParts } from '../../../src/runtime/manager.ts';
import { FakeClock, settle } from '../../support/clock.ts';

/** A manager whose parts write down what happens to them. */
function setUp(changes: Partial<ManagerParts> = {}) {
  const clock = new FakeClock();
  const happened: string[] = [];
  const did = (what: string): void => void happened.push(what);
  const synced = Promise.withResolvers<void>();
  const elected = Promise.withResolvers<number>();
  const stop = new AbortController();
  let isSynced = false;
  let loseNow: () => void = () => undefined;
  const manager = new Manager({
    watches: [
      {
        start: () => did('watch starts'),
        stop: () => Promise.resolve(did('watch stops')),
      },
    ],
    caches: [
      {
        name: 'apikeys',
        cache: {
          get synced() {
            return isSynced;
          },
          whenSynced: (signal) => Promise.race([synced.promise, aborted(signal)]),
        },
      },
      { name: 'secrets', cache: { synced: true, whenSynced: () => Promise.resolve() } },
    ],
    leadership: {
      lead(onLost, signal) {
        did('candidate');
        loseNow = onLost;
        return Promise.race([elected.promise, aborted(signal)]);
      },
      stop: () => Promise.resolve(did('lease given back')),
    },
    controllers: [
      {
        name: 'apikey',
        start: () => did('controller starts'),
        stop: () => Promise.resolve(did('controller stops')).then(() => true),
        abandon: () => did('controller abandons'),
      },
    ],
    onLeading: (epoch) => Promise.resolve(did(`epoch ${epoch} stored`)),
    clock,
    log: silentLogger,
    ...changes,
  });
  return {
    clock,
    happened,
    manager,
    stop,
    run: () => manager.run(stop.signal),
    lose: () => loseNow(),
    sync: async () => {
      isSynced = true;
      synced.resolve();
      await settle();
    },
    elect: async () => {
      elected.resolve(7);
      await settle();
    },
  };
}

function aborted(signal?: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  return promise;
}

/** What a promise rejects with; undefined when it does not. */
function failureOf(running: Promise<void>): Promise<unknown> {
  return running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

const controllers = (stop: () => Promise<boolean>, did: (what: string) => void) => [
  {
    name: 'apikey',
    start: () => did('controller starts'),
    stop,
    abandon: () => did('controller abandons'),
  },
];

describe('starting', () => {
  test('goes from watches over synced caches, leadership and the stored epoch to controllers', async () => {
    const { happened, manager, run, sync, elect, stop } = setUp();
    const running = run();
    await settle();
    expect(happened).toEqual(['watch starts']);
    await sync();
    expect(happened).toEqual(['watch starts', 'candidate']);
    expect(manager.phase).toBe('standby');
    await elect();
    expect(happened.slice(2)).toEqual(['epoch 7 stored', 'controller starts']);
    expect(manager.phase).toBe('leading');
    stop.abort();
    await running;
  });

  test('names the caches that did not sync in time', async () => {
    const { clock, run, happened } = setUp();
    const running = run();
    const failed = failureOf(running);
    await clock.advanceSettled(5 * 60_000);
    expect(await failed).toMatchObject({
      reason: 'CacheSyncTimeout',
      message: 'caches not synced after 300 s: apikeys',
    });
    expect(happened).toEqual(['watch starts', 'watch stops']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is ready as a standby replica, and before that says what it waits for', async () => {
    const { manager, run, sync, stop } = setUp();
    const running = run();
    expect(manager.notReadyBecause).toBe('waiting for caches: apikeys');
    await sync();
    expect(manager.notReadyBecause).toBeUndefined();
    stop.abort();
    await running;
    expect(manager.notReadyBecause).toBe('stopping');
  });

  test('starts no controller when the epoch cannot be stored, and gives the lease back', async () => {
    const fenced = new KeywardError('Terminal', { reason: 'Fenced', message: 'newer leader' });
    const { happened, run, sync, elect } = setUp({ onLeading: () => Promise.reject(fenced) });
    const failed = failureOf(run());
    await sync();
    await elect();
    expect(await failed).toBe(fenced);
    expect(happened).toEqual(['watch starts', 'candidate', 'lease given back', 'watch stops']);
  });
});

describe('stopping', () => {
  test('ends the work first, then gives the lease back, then ends the watches', async () => {
    const { happened, run, sync, elect, stop } = setUp();
    const running = run();
    await sync();
    await elect();
    happened.length = 0;
    stop.abort();
    await running;
    expect(happened).toEqual(['controller stops', 'lease given back', 'watch stops']);
  });

  test('leaves the lease to run out when work did not end, because it may still write', async () => {
    const did: string[] = [];
    const { happened, run, sync, elect, stop } = setUp({
      controllers: controllers(
        () => Promise.resolve(false),
        (what) => void did.push(what),
      ),
    });
    const running = run();
    await sync();
    await elect();
    stop.abort();
    await running;
    expect(did).toEqual(['controller starts']);
    expect(happened).not.toContain('lease given back');
    expect(happened.at(-1)).toBe('watch stops');
  });

  test('ends well while caches sync and while another leads', async () => {
    const syncing = setUp();
    const runningOne = syncing.run();
    await settle();
    syncing.stop.abort();
    await runningOne;
    expect(syncing.happened).toEqual(['watch starts', 'watch stops']);

    const standby = setUp();
    const runningTwo = standby.run();
    await standby.sync();
    standby.stop.abort();
    await runningTwo;
    expect(standby.happened).toEqual(['watch starts', 'candidate', 'watch stops']);
  });
});

describe('losing leadership', () => {
  test('aborts all work and ends at once, without giving the lease back', async () => {
    const { happened, run, sync, elect, lose } = setUp();
    const failed = failureOf(run());
    await sync();
    await elect();
    happened.length = 0;
    lose();
    expect(await failed).toMatchObject({ reason: 'LeadershipLost' });
    expect(happened).toEqual(['controller abandons']);
  });

  test('while the epoch is being stored starts no controller', async () => {
    const storing = Promise.withResolvers<void>();
    const { happened, run, sync, elect, lose } = setUp({ onLeading: () => storing.promise });
    const failed = failureOf(run());
    await sync();
    await elect();
    lose();
    expect(await failed).toMatchObject({ reason: 'LeadershipLost' });
    storing.resolve();
    await settle();
    expect(happened).not.toContain('controller starts');
  });

  test('while work is ending is still a loss', async () => {
    const did: string[] = [];
    const { happened, run, sync, elect, lose, stop } = setUp({
      controllers: controllers(
        () => new Promise(() => undefined),
        (what) => void did.push(what),
      ),
    });
    const failed = failureOf(run());
    await sync();
    await elect();
    stop.abort();
    await settle();
    lose();
    expect(await failed).toMatchObject({ reason: 'LeadershipLost' });
    expect(did).toContain('controller abandons');
    expect(happened).not.toContain('lease given back');
  });
});
