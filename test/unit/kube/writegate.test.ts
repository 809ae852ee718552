import { describe, expect, test } from 'vitest';
import { SECRETS } from '../../../src/api/names.ts';
import { WriteGate } from '../../../src/kube/writegate.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { FakeKube } from './fakekube.ts';

const REF = { namespace: 'n', name: 'a' };
const DRAFT = { apiVersion: 'v1', kind: 'Secret', metadata: REF };

function bench() {
  const kube = new FakeKube();
  const world = { isLeading: true };
  const gate = new WriteGate(() => world.isLeading);
  return { kube, world, gate, client: gate.guard(kube), clock: new FakeClock() };
}

describe('a write', () => {
  test('goes through while this process leads for certain, and not a moment longer (K1)', async () => {
    const { client, kube, world } = bench();
    await client.create(SECRETS, DRAFT);
    world.isLeading = false;
    await expect(client.create(SECRETS, DRAFT)).rejects.toMatchObject({ reason: 'NotLeading' });
    await expect(client.delete(SECRETS, { ...REF, uid: 'u' })).rejects.toMatchObject({
      reason: 'NotLeading',
    });
    expect(kube.calls).toEqual(['create secrets/n/a']);
  });

  test('needs leading, a read does not', async () => {
    const { client, world } = bench();
    world.isLeading = false;
    expect(await client.get(SECRETS, REF)).toBeUndefined();
  });
});

describe('giving leadership back', () => {
  test('waits for the writes that are under way, and begins no more', async () => {
    const { gate, kube, clock } = bench();
    const written = Promise.withResolvers<void>();
    const create = kube.create.bind(kube);
    kube.create = async (...call) => {
      await written.promise;
      return create(...call);
    };
    const client = gate.guard(kube);
    const writing = client.create(SECRETS, DRAFT);
    let isOver: boolean | undefined;
    void gate.close(clock, 5_000).then((ended) => (isOver = ended));
    await settle();
    expect(isOver).toBeUndefined();
    await expect(client.create(SECRETS, DRAFT)).rejects.toMatchObject({ reason: 'NotLeading' });
    written.resolve();
    await writing;
    await settle();
    expect(isOver).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not wait for ever', async () => {
    const { gate, kube, clock } = bench();
    kube.create = () => Promise.withResolvers<never>().promise;
    void gate.guard(kube).create(SECRETS, DRAFT);
    const closing = gate.close(clock, 5_000);
    await clock.advanceSettled(5_000);
    expect(await closing).toBe(false);
    expect(await bench().gate.close(clock, 5_000)).toBe(true);
  });
});
