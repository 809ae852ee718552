import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../../control-plane/start.ts';
import { SECRETS } from '../../../src/api/names.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { openAccess } from '../../../src/kube/auth.ts';
import { createClients } from '../../../src/kube/client.ts';
import type { KubeClient } from '../../../src/kube/port.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { Transport } from '../../../src/kube/transport.ts';

let plane: ControlPlane;
let transport: Transport;
let client: KubeClient;
let reflector: Reflector<string>;

beforeAll(async () => {
  // Without watch-list, so that pages are read from a real server, too.
  plane = await startControlPlane({
    controllerManager: false,
    featureGates: { WatchList: false },
  });
  const source = { kind: 'Kubeconfig', file: plane.adminKubeconfig } as const;
  const access = await openAccess({ clock: systemClock, log: silentLogger, source });
  const deadlines = { firstByteMs: 2_000, wholeMs: 4_000 };
  transport = new Transport({ access, clock: systemClock, version: 'test', deadlines });
  client = createClients({ transport, clock: systemClock }).ordinary;
  reflector = new Reflector({
    transport,
    clock: systemClock,
    log: silentLogger,
    random: () => 0.5,
    scope: { resource: SECRETS, namespace: 'default', metadataOnly: true },
    transform: ({ metadata }) => metadata.name,
    silenceMs: 3_000,
    backoff: { baseMs: 50, maxMs: 500 },
  });
});

afterAll(async () => {
  await reflector.stop();
  transport.close();
  await plane.stop();
});

/** Resolves when the cache has, or has no longer, the Secret of that name. */
function untilCached(name: string, wanted: 'There' | 'Gone'): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    const isThere = reflector.cache.get({ namespace: 'default', name }) !== undefined;
    if (isThere === (wanted === 'There')) resolve();
  };
  reflector.cache.onChange(look);
  look();
  return promise;
}

function secret(name: string): {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
} {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' } };
}

test('a collection of several pages is read from a server without watch-list', async () => {
  const names = Array.from({ length: 600 }, (_, index) => `page-${index}`);
  await Promise.all(names.map((name) => client.create(SECRETS, secret(name))));
  reflector.start();
  await reflector.cache.whenSynced();
  expect(reflector.cache.size).toBe(600);
});

test('an API server that is killed and comes back is followed without a word from anybody', async () => {
  await plane.apiserver.kill();
  await expect(client.create(SECRETS, secret('while-down'))).rejects.toMatchObject({
    class: 'Transient',
  });
  expect([reflector.cache.synced, reflector.cache.size]).toEqual([true, 600]);
  await plane.apiserver.start();
  await client.create(SECRETS, secret('after-kill'));
  await untilCached('after-kill', 'There');
});

test('an API server that freezes costs each call its deadline, and the watch is opened again', async () => {
  plane.apiserver.freeze();
  await expect(client.create(SECRETS, secret('frozen'))).rejects.toMatchObject({
    reason: 'OutcomeUnknown',
  });
  await expect(client.get(SECRETS, { namespace: 'default', name: 'x' })).rejects.toMatchObject({
    reason: 'Timeout',
  });
  plane.apiserver.thaw();
  await client.create(SECRETS, secret('after-freeze'));
  await untilCached('after-freeze', 'There');
  const made = await client.get(SECRETS, { namespace: 'default', name: 'after-kill' });
  const uid = made?.metadata.uid ?? '';
  await client.delete(SECRETS, { namespace: 'default', name: 'after-kill', uid });
  await untilCached('after-kill', 'Gone');
});
