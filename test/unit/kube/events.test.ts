import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/kernel/log.ts';
import { type EventInput, LimitedEventRecorder } from '../../../src/kube/events.ts';
import { FakeClock } from '../../support/clock.ts';
import { FakeKube, transient } from './fakekube.ts';

let clock: FakeClock;
let kube: FakeKube;
let drops: string[];
let recorder: LimitedEventRecorder;

beforeEach(() => {
  clock = new FakeClock();
  kube = new FakeKube();
  drops = [];
  recorder = newRecorder();
});

function newRecorder(): LimitedEventRecorder {
  const onDrop = (why: string): number => drops.push(why);
  return new LimitedEventRecorder({
    client: kube,
    clock,
    log: silentLogger,
    instance: 'pod',
    onDrop,
  });
}

function event(more: Partial<EventInput> = {}, uid = 'u1'): EventInput {
  const ref = { namespace: 'n', name: 'a' };
  return {
    regarding: { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKey', ref, uid },
    type: 'Normal',
    reason: 'KeyRotated',
    action: 'Rotate',
    note: 'rotated',
    ...more,
  };
}

async function written(): Promise<Record<string, unknown>[]> {
  await recorder.flush();
  return [...kube.objects.values()].map((object) => ({ ...object }));
}

test('an event carries all that events.k8s.io/v1 requires', async () => {
  recorder.record(event());
  expect(await written()).toMatchObject([
    {
      apiVersion: 'events.k8s.io/v1',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'keyward.dev/operator',
      reportingInstance: 'pod',
      type: 'Normal',
      reason: 'KeyRotated',
      action: 'Rotate',
      regarding: { kind: 'ApiKey', namespace: 'n', name: 'a', uid: 'u1' },
    },
  ]);
});

test('an event about a cluster-scoped object lies in the namespace default', async () => {
  const regarding = { ...event().regarding, ref: { namespace: '', name: 'a' } };
  recorder.record(event({ regarding }));
  expect(await written()).toMatchObject([{ metadata: { namespace: 'default' } }]);
});

test('a note is cut at 1 kB between characters', async () => {
  recorder.record(event({ note: '키'.repeat(800) }));
  const [first] = await written();
  const note = String(first?.['note']);
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
  expect(note).toMatch(/^키+…$/);
});

describe('limits', () => {
  test('nothing is remembered of objects that were not written about', async () => {
    for (let count = 0; count < 500; count += 1) recorder.record(event({}, `u${count}`));
    expect(await written()).toHaveLength(50);
    expect(recorder.size).toBe(50);
  });

  test('objects of which nothing was heard for twenty minutes are forgotten, others are not', async () => {
    for (const uid of ['u1', 'u2', 'u3']) recorder.record(event({}, uid));
    clock.advance(600_000);
    recorder.record(event({}, 'u2'));
    clock.advance(600_000);
    recorder.record(event({}, 'u4'));
    expect(recorder.size).toBe(2);
    recorder.record(event({}, 'u4'));
    expect(drops).toEqual(['Repeated']);
  });

  test('one event per reason and object in ten minutes; the rest is counted in the series', async () => {
    for (let count = 0; count < 5; count += 1) recorder.record(event());
    expect(await written()).toHaveLength(1);
    expect(drops).toEqual(Array(4).fill('Repeated'));
    clock.advance(600_000);
    recorder.record(event());
    expect(await written()).toMatchObject([{ series: { count: 6 } }]);
  });

  test('at most ten events about one object', async () => {
    for (let count = 0; count < 15; count += 1) recorder.record(event({ reason: `R${count}` }));
    expect(await written()).toHaveLength(10);
    expect(drops).toEqual(Array(5).fill('ObjectLimit'));
  });

  test('a storm over many objects is cut, and events come again when it is over', async () => {
    for (let count = 0; count < 80; count += 1) recorder.record(event({}, `u${count}`));
    expect(await written()).toHaveLength(50);
    expect(drops).toEqual(Array(30).fill('RateLimit'));
    clock.advance(2_000);
    recorder.record(event({}, 'later'));
    expect(await written()).toHaveLength(51);
  });
});

test('a process that was restarted counts on instead of repeating the event', async () => {
  recorder.record(event());
  await recorder.flush();
  recorder = newRecorder();
  recorder.record(event());
  expect(await written()).toMatchObject([{ series: { count: 2 } }]);
});

test('a server that refuses events disturbs nobody', async () => {
  kube.fault = transient('ServiceUnavailable');
  recorder.record(event());
  expect(await written()).toEqual([]);
  expect(drops).toEqual(['Failed']);
});
