import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SECRETS } from '../../../src/api/names.ts';
import type { KubeObject, Resource } from '../../../src/api/meta.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { openAccess } from '../../../src/kube/auth.ts';
import { type Clients, createClients } from '../../../src/kube/client.ts';
import { LimitedEventRecorder } from '../../../src/kube/events.ts';
import { LeaderElector } from '../../../src/kube/lease.ts';
import type { Change, WatchScope } from '../../../src/kube/port.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { Transport } from '../../../src/kube/transport.ts';
import {
  applyObjects,
  freshNamespace,
  readObject,
  sharedControlPlane,
} from '../../support/controlplane.ts';

const WIDGETS: Resource = {
  group: 'test.keyward.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

let namespace: string;
let transport: Transport;
let clients: Clients;

beforeAll(async () => {
  const plane = sharedControlPlane();
  namespace = await freshNamespace(plane, 'kube');
  await applyObjects(plane, [widgetDefinition()]);
  const crd = `crd/widgets.${WIDGETS.group}`;
  await plane.mustKubectl(['wait', '--for=condition=Established', crd, '--timeout=30s']);
  transport = await connect(plane.adminKubeconfig);
  clients = createClients({ transport, clock: systemClock });
});

afterAll(() => transport.close());

async function connect(file: string): Promise<Transport> {
  const access = await openAccess({
    clock: systemClock,
    log: silentLogger,
    source: { kind: 'Kubeconfig', file },
  });
  return new Transport({ access, clock: systemClock, version: 'test' });
}

function widgetDefinition(): object {
  const { group, plural, kind } = WIDGETS;
  const any = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: any, status: any } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: 'widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

function secret(
  name: string,
  more: object = {},
): {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
} {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, ...more };
}

function reflect(scope: WatchScope): Reflector<KubeObject> {
  return new Reflector({
    transport,
    scope,
    clock: systemClock,
    log: silentLogger,
    random: () => 0.5,
    transform: (object) => object,
  });
}

/** Resolves with the first change that fits. */
function change<R>(
  reflector: { cache: { onChange(listener: (change: Change<R>) => void): void } },
  fits: (change: Change<R>) => boolean,
): Promise<Change<R>> {
  const { promise, resolve } = Promise.withResolvers<Change<R>>();
  reflector.cache.onChange((each) => {
    if (fits(each)) resolve(each);
  });
  return promise;
}

describe('writes to a real API server', () => {
  test('a Secret is created, found, replaced, patched and deleted, each under its precondition', async () => {
    const { ordinary } = clients;
    const ref = { namespace, name: 'life' };
    const made = await ordinary.create(SECRETS, secret('life', { data: { a: 'YQ==' } }));
    await expect(ordinary.create(SECRETS, secret('life'))).rejects.toMatchObject({
      class: 'Conflict',
      reason: 'AlreadyExists',
    });
    expect(await ordinary.get(SECRETS, ref)).toMatchObject({ data: { a: 'YQ==' } });
    const changed = secret('life', { data: { a: 'Yg==' } });
    const draft = { ...changed, metadata: { ...changed.metadata, ...made } };
    const replaced = await ordinary.replace(SECRETS, draft);
    expect(replaced?.resourceVersion).not.toBe(made.resourceVersion);
    await expect(ordinary.replace(SECRETS, draft)).rejects.toMatchObject({ reason: 'Conflict' });
    const current = { uid: made.uid, resourceVersion: replaced?.resourceVersion ?? '' };
    for (const wrong of [{ uid: 'other' }, { resourceVersion: '1' }]) {
      await expect(
        ordinary.patchMetadata(SECRETS, ref, { ...current, ...wrong }),
      ).rejects.toMatchObject({ class: 'Conflict' });
    }
    const labels = { 'keyward.dev/api-key': 'a' };
    await ordinary.patchMetadata(SECRETS, ref, { ...current, labels });
    expect(await ordinary.get(SECRETS, ref)).toMatchObject({ metadata: { labels } });
    expect(await ordinary.delete(SECRETS, { ...ref, uid: 'other' })).toBe(false);
    expect(await ordinary.get(SECRETS, ref)).toBeDefined();
    expect(await ordinary.delete(SECRETS, { ...ref, uid: made.uid })).toBe(true);
    expect(await ordinary.delete(SECRETS, { ...ref, uid: made.uid })).toBe(false);
    expect(await ordinary.get(SECRETS, ref)).toBeUndefined();
    expect(await ordinary.replace(SECRETS, draft)).toBeUndefined();
  });

  test('status is replaced under the version, on a custom resource', async () => {
    const { ordinary } = clients;
    const metadata = { name: 'status', namespace };
    const widget = { apiVersion: `${WIDGETS.group}/v1`, kind: 'Widget', metadata };
    const made = await ordinary.create(WIDGETS, { ...widget, spec: { a: 1 } });
    expect(made.generation).toBe(1);
    const draft = { ...widget, metadata: { ...metadata, ...made }, status: { ready: true } };
    const written = await ordinary.replaceStatus(WIDGETS, draft);
    expect(written?.generation).toBe(1);
    await expect(ordinary.replaceStatus(WIDGETS, draft)).rejects.toMatchObject({
      class: 'Conflict',
    });
    const read = await ordinary.get(WIDGETS, metadata);
    expect(read).toMatchObject({ spec: { a: 1 }, status: { ready: true } });
  });

  test('answers to writes carry metadata only', async () => {
    const body = JSON.stringify(secret('masked', { data: { a: 'dG9wLXNlY3JldA==' } }));
    const response = await transport.send({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/secrets`,
      accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      contentType: 'application/json',
      body,
    });
    expect(response.head.status).toBe(201);
    expect(response.body.toString()).toContain('"PartialObjectMetadata"');
    expect(response.body.toString()).not.toContain('dG9wLXNlY3JldA==');
  });

  test('a namespace that is missing and a kind that is not served are no absence', async () => {
    const { ordinary } = clients;
    const draft = { ...secret('a'), metadata: { name: 'a', namespace: 'missing' } };
    await expect(ordinary.create(SECRETS, draft)).rejects.toMatchObject({ reason: 'NotFound' });
    const unserved = { ...WIDGETS, group: 'unserved.keyward.dev' };
    await expect(ordinary.get(unserved, { namespace, name: 'a' })).rejects.toMatchObject({
      class: 'Transient',
    });
  });

  test('200 writes at once go over at most 32 connections', async () => {
    const own = await connect(sharedControlPlane().adminKubeconfig);
    const { ordinary } = createClients({ transport: own, clock: systemClock });
    const names = Array.from({ length: 200 }, (_, index) => `many-${index}`);
    await Promise.all(names.map((name) => ordinary.create(SECRETS, secret(name))));
    expect(own.connections).toBeLessThanOrEqual(32);
    own.close();
  });
});

describe('rights', () => {
  test('a service account without rights is refused, and a rotated token is picked up after a 401', async () => {
    const plane = sharedControlPlane();
    const file = await plane.kubeconfigFor(namespace, 'nobody');
    const refused = await connect(file);
    const { ordinary } = createClients({ transport: refused, clock: systemClock });
    const ref = { namespace, name: 'x' };
    await expect(ordinary.get(SECRETS, ref)).rejects.toMatchObject({
      class: 'Terminal',
      reason: 'Forbidden',
    });
    refused.close();

    const text = await readFile(file, 'utf8');
    const tokenFile = join(plane.workDir, `token-${namespace}`);
    await writeFile(tokenFile, 'not-a-token');
    const rotated = join(plane.workDir, `kubeconfig-${namespace}`);
    await writeFile(rotated, text.replace(/"?token"?: .*/, `tokenFile: ${tokenFile}`));
    const late = await connect(rotated);
    const client = createClients({ transport: late, clock: systemClock }).ordinary;
    await expect(client.get(SECRETS, ref)).rejects.toMatchObject({ reason: 'Unauthorized' });
    await writeFile(tokenFile, await plane.tokenFor(namespace, 'nobody'));
    await expect(client.get(SECRETS, ref)).rejects.toMatchObject({ reason: 'Forbidden' });
    late.close();
  });
});

describe('following a collection of a real API server', () => {
  test('what was there and what comes is in the cache, and a relist is complete', async () => {
    const scope = { resource: WIDGETS, namespace };
    const metadata = { name: 'before', namespace };
    const widget = { apiVersion: `${WIDGETS.group}/v1`, kind: 'Widget', metadata };
    const before = await clients.ordinary.create(WIDGETS, widget);
    const reflector = reflect(scope);
    reflector.start();
    await reflector.cache.whenSynced();
    expect(reflector.cache.get(metadata)?.metadata.uid).toBe(before.uid);
    const gone = change(reflector, ({ ref, current }) => ref.name === 'before' && !current);
    await clients.ordinary.delete(WIDGETS, { ...metadata, uid: before.uid });
    await gone;
    reflector.relist();
    const again = change(reflector, ({ ref }) => ref.name === 'after');
    await clients.ordinary.create(WIDGETS, { ...widget, metadata: { name: 'after', namespace } });
    await again;
    await reflector.stop();
  });

  test('Secrets arrive without their values', async () => {
    const label = { 'keyward.dev/api-key': 'watched' };
    const reflector = reflect({
      resource: SECRETS,
      namespace,
      labelSelector: 'keyward.dev/api-key',
      metadataOnly: true,
    });
    reflector.start();
    const seen = change(reflector, ({ ref }) => ref.name === 'watched');
    await reflector.cache.whenSynced();
    const draft = secret('watched', { data: { a: 'YQ==' } });
    await clients.ordinary.create(SECRETS, {
      ...draft,
      metadata: { ...draft.metadata, labels: label },
    });
    const { current } = await seen;
    expect(current).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { labels: label } });
    expect(current).not.toHaveProperty('data');
    expect(reflector.cache.size).toBe(1);
    await reflector.stop();
  });
});

describe('the Lease', () => {
  test('passes from one elector to the next, and each term has a higher epoch', async () => {
    const make = (identity: string): LeaderElector =>
      new LeaderElector({
        client: clients.urgent,
        clock: systemClock,
        log: silentLogger,
        lease: { namespace, name: 'leader' },
        identity,
        random: () => 0,
        times: { retryMs: 100 },
      });
    const first = make('a');
    const second = make('b');
    const ignore = (): void => undefined;
    expect(await first.lead(ignore)).toBe(1);
    const waiting = second.lead(ignore);
    await first.stop();
    expect(await waiting).toBe(2);
    const twin = make('b');
    await expect(twin.lead(ignore)).rejects.toMatchObject({ reason: 'IdentityInUse' });
    await second.stop();
    const restarted = make('b');
    expect(await restarted.lead(ignore)).toBe(3);
    await restarted.stop();
  });
});

test('events are accepted, and repeats of another process become a series', async () => {
  const options = {
    client: clients.ordinary,
    clock: systemClock,
    log: silentLogger,
    instance: 'test',
  };
  const ref = { namespace, name: 'life' };
  const event = {
    regarding: { apiVersion: 'v1', kind: 'Secret', ref, uid: 'uid-1' },
    type: 'Normal',
    reason: 'KeyIssued',
    action: 'Issue',
    note: '키'.repeat(800),
  } as const;
  const drops: string[] = [];
  for (const process of ['one', 'two']) {
    const onDrop = (why: string): number => drops.push(why);
    const recorder = new LimitedEventRecorder({ ...options, instance: process, onDrop });
    recorder.record(event);
    await recorder.flush();
  }
  expect(drops).toEqual([]);
  const plane = sharedControlPlane();
  const names = await plane.mustKubectl(['-n', namespace, 'get', 'events', '-o', 'name']);
  const name = names
    .trim()
    .split('\n')
    .find((each) => each.includes('life'))
    ?.split('/')
    .at(-1);
  const held = await readObject(plane, 'events.events.k8s.io', namespace, name ?? '');
  expect(held).toMatchObject({ series: { count: 2 }, reason: 'KeyIssued' });
});
