import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { Ref } from '../../../src/api/meta.ts';
import { KeywardError, type ErrorClass } from '../../../src/kernel/errors.ts';
import type { LogFields, Logger } from '../../../src/kernel/log.ts';
import { HOUR_MS } from '../../../src/kernel/time.ts';
import { Controller } from '../../../src/runtime/controller.ts';
import { RuntimeMetrics } from '../../../src/runtime/metrics.ts';
import type { Steps } from '../../../src/runtime/pipeline.ts';
import { WorkQueue } from '../../../src/runtime/queue.ts';
import { FakeClock, settle } from '../../support/clock.ts';

type World = { readonly ref: Ref; readonly lookAgainAtMs?: number };
type Line = { readonly level: string; readonly message: string; readonly fields: LogFields };

const A: Ref = { namespace: 'team', name: 'a' };
const B: Ref = { namespace: 'team', name: 'b' };

function failure(errorClass: ErrorClass, reason = 'Because'): KeywardError {
  return new KeywardError(errorClass, { reason, message: 'it failed' });
}

function recorder(lines: Line[], level: string) {
  return (message: string, fields: LogFields = {}): void =>
    void (level === 'debug' || lines.push({ level, message, fields }));
}

/** Keeps every line above debug. */
function recordingLogger(lines: Line[]): Logger {
  const logger: Logger = {
    debug: recorder(lines, 'debug'),
    info: recorder(lines, 'info'),
    warn: recorder(lines, 'warn'),
    error: recorder(lines, 'error'),
    with: () => logger,
  };
  return logger;
}

/** A running controller whose work on a ref is `act`. */
function setUp(
  act: (ref: Ref, signal: AbortSignal) => Promise<number | undefined | void>,
  workers = 4,
) {
  const clock = new FakeClock();
  const registry = new Registry();
  const metrics = new RuntimeMetrics(registry);
  const lines: Line[] = [];
  const triesMs: Record<string, number[]> = { a: [], b: [] };
  const queue = new WorkQueue({ name: 'thing', clock, random: () => 0.5, metrics });
  const steps: Steps<World, never> = {
    name: 'thing',
    async observe(ref, signal) {
      triesMs[ref.name]?.push(clock.monotonicMs());
      const lookAgainAtMs = await act(ref, signal);
      return { ref, ...(lookAgainAtMs !== undefined && { lookAgainAtMs }) };
    },
    next: () => undefined,
    apply: () => Promise.reject(new Error('no action exists')),
    report: () => Promise.resolve(),
    lookAgainAtMs: (world) => world.lookAgainAtMs,
  };
  const log = recordingLogger(lines);
  const controller = new Controller({ steps, queue, clock, log, metrics, workers });
  controller.start();
  return { clock, controller, lines, queue, registry, triesMs };
}

/** Hangs until aborted. */
function hang(signal: AbortSignal): Promise<undefined> {
  const { promise, reject } = Promise.withResolvers<undefined>();
  signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  return promise;
}

describe('requeueing', () => {
  test('a ref that is done is not looked at again', async () => {
    const { clock, queue, triesMs } = setUp(() => Promise.resolve());
    queue.add(A, 'normal');
    await clock.advanceSettled(HOUR_MS);
    expect(triesMs['a']).toEqual([0]);
  });

  test('a ref is looked at again at the instant its newest world names', async () => {
    const instants = [5_000, 9_000];
    const { clock, queue, triesMs } = setUp(() => Promise.resolve(instants.shift()));
    const startMs = clock.nowMs();
    instants[0] = startMs + 5_000;
    instants[1] = startMs + 9_000;
    queue.add(A, 'normal');
    await clock.advanceSettled(1_000);
    queue.add(A, 'normal');
    await clock.advanceSettled(HOUR_MS);
    expect(triesMs['a']).toEqual([0, 1_000, 9_000]);
  });

  test('a passing failure is tried again with growing pauses', async () => {
    const { clock, queue, triesMs } = setUp(() => Promise.reject(failure('Transient')));
    queue.add(A, 'normal');
    await clock.advanceSettled(10_000);
    expect(triesMs['a']?.length).toBe(4);
  });

  test('conflicts are decided again at once three times and then with pauses', async () => {
    const { clock, queue, triesMs } = setUp(() => Promise.reject(failure('Conflict')));
    queue.add(A, 'normal');
    await settle();
    expect(triesMs['a']).toEqual([0, 0, 0, 0]);
    await clock.advanceSettled(200);
    expect(triesMs['a']?.length).toBe(5);
  });

  test('missing rights heal without a restart and without haste', async () => {
    let isGranted = false;
    const { clock, queue, triesMs } = setUp(() =>
      isGranted ? Promise.resolve() : Promise.reject(failure('Terminal', 'Forbidden')),
    );
    queue.add(A, 'normal');
    await clock.advanceSettled(60 * 60_000);
    const tries = triesMs['a']?.length ?? 0;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThanOrEqual(12);
    isGranted = true;
    await clock.advanceSettled(20 * 60_000);
    expect(triesMs['a']?.length).toBe(tries + 1);
  });

  test('a ref that always fails does not hold up the others', async () => {
    const { clock, queue, triesMs } = setUp(
      (ref, signal) => (ref.name === 'a' ? hang(signal) : Promise.resolve()),
      2,
    );
    queue.add(A, 'urgent');
    queue.add(B, 'bulk');
    await settle();
    expect(triesMs['b']).toEqual([0]);
    await clock.advanceSettled(60_500);
    expect(triesMs['a']?.length).toBe(2);
  });

  test('no more refs are worked on at the same time than there are workers', async () => {
    const { queue } = setUp((_ref, signal) => hang(signal), 3);
    for (let i = 0; i < 10; i += 1) queue.add({ namespace: 'n', name: `k${i}` }, 'normal');
    await settle();
    expect(queue.unfinishedMs()).toHaveLength(3);
    expect(queue.depth).toBe(7);
  });
});

describe('the log', () => {
  test('tells a lasting failure once and its end once', async () => {
    let isBroken = true;
    const { clock, queue, lines } = setUp(() =>
      isBroken ? Promise.reject(failure('Transient', 'StoreDown')) : Promise.resolve(),
    );
    queue.add(A, 'normal');
    await clock.advanceSettled(20_000);
    isBroken = false;
    await clock.advanceSettled(20_000);
    expect(lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'warn: reconcile failed',
      'info: reconcile recovered',
    ]);
    expect(lines[0]?.fields).toMatchObject({
      namespace: 'team',
      name: 'a',
      reason: 'StoreDown',
      reconcileID: 1,
    });
  });

  test('is silent about reconciles that change nothing', async () => {
    const { queue, lines } = setUp(() => Promise.resolve());
    queue.add(A, 'normal');
    await settle();
    expect(lines).toEqual([]);
  });

  test('tells a bug with its stack but never the fields of a foreign error', async () => {
    const { queue, lines } = setUp(() =>
      Promise.reject(Object.assign(new TypeError('boom'), { headers: 'Bearer canary' })),
    );
    queue.add(A, 'normal');
    await settle();
    expect(lines[0]).toMatchObject({ level: 'error', fields: { class: 'Bug' } });
    expect(String(lines[0]?.fields['cause'])).toContain('TypeError: boom');
    expect(JSON.stringify(lines)).not.toContain('canary');
  });
});

describe('stopping', () => {
  test('takes nothing new and lets what runs end', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { controller, queue, triesMs } = setUp(() => gate.promise);
    queue.add(A, 'normal');
    await settle();
    const stopped = controller.stop(30_000);
    queue.add(B, 'urgent');
    gate.resolve(undefined);
    expect(await stopped).toBe(true);
    expect(triesMs['b']).toEqual([]);
  });

  test('aborts what still runs when the grace period is over', async () => {
    const { clock, controller, queue } = setUp((_ref, signal) => hang(signal));
    queue.add(A, 'normal');
    await settle();
    const stopped = controller.stop(30_000);
    await clock.advanceSettled(30_000);
    expect(await stopped).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('says so when something did not even end then', async () => {
    const { clock, controller, queue } = setUp(() => new Promise(() => undefined));
    queue.add(A, 'normal');
    await settle();
    const stopped = controller.stop(1_000);
    await clock.advanceSettled(10_000);
    expect(await stopped).toBe(false);
  });
});

test('metrics carry the names and labels of controller-runtime', async () => {
  const { queue, registry } = setUp((ref) =>
    ref.name === 'a' ? Promise.resolve() : Promise.reject(failure('Terminal')),
  );
  queue.add(A, 'normal');
  await settle();
  const failing = setUp(() => Promise.reject(failure('Transient')));
  failing.queue.add(A, 'normal');
  await settle();
  const text = await registry.metrics();
  expect(text).toContain(
    'controller_runtime_reconcile_total{controller="thing",result="success"} 1',
  );
  expect(text).toContain('controller_runtime_reconcile_total{controller="thing",result="error"} 0');
  expect(text).toContain('controller_runtime_max_concurrent_reconciles{controller="thing"} 4');
  expect(text).toContain('controller_runtime_active_workers{controller="thing"} 0');
  expect(text).toContain('controller_runtime_reconcile_time_seconds_count{controller="thing"} 1');
  const failed = await failing.registry.metrics();
  expect(failed).toContain('controller_runtime_reconcile_errors_total{controller="thing"} 1');
});

test('a terminal failure counts as an error and as terminal, and is not tried again', async () => {
  const clock = new FakeClock();
  const registry = new Registry();
  const metrics = new RuntimeMetrics(registry);
  const queue = new WorkQueue({ name: 'thing', clock, random: () => 0.5, metrics });
  const steps: Steps<World, 'act'> = {
    name: 'thing',
    observe: (ref) => Promise.resolve({ ref }),
    next: () => 'act',
    apply: () => Promise.reject(failure('Terminal', 'SecretNameTaken')),
    report: () => Promise.resolve(),
    lookAgainAtMs: () => undefined,
  };
  new Controller({ steps, queue, clock, log: recordingLogger([]), metrics }).start();
  queue.add(A, 'normal');
  await clock.advanceSettled(HOUR_MS);
  const text = await registry.metrics();
  const labels = '{controller="thing"}';
  expect(text).toContain(`controller_runtime_terminal_reconcile_errors_total${labels} 1`);
  expect(text).toContain(`controller_runtime_reconcile_errors_total${labels} 1`);
  expect(text).toContain(`controller_runtime_max_concurrent_reconciles${labels} 32`);
});
