/**
 * What the operator really asks of the API server over a whole life of everything, read from the server's own audit
 * log, against the list of its rights: nothing beside the list, nothing on the list for nothing. Then the
 * same with roles for one namespace, without those of the cluster, and with too few.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import {
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEYS,
  API_PRODUCTS,
  API_VERSION,
  CLUSTER_KEY_STORES,
  KEY_STORES,
  SECRETS,
  SUBJECT_ACCESS_REVIEWS,
  WORKLOADS,
} from '../../../src/api/names.ts';
import { collectionPath } from '../../../src/kube/paths.ts';
import { eventually } from '../../support/eventually.ts';
import { forbidden, unlisted, unused } from '../../support/operator.askedrights.ts';
import { requestsOf, type Request } from '../../support/operator.audit.ts';
import { OperatorProcess, untilProven } from '../../support/operator.ts';
import { People } from '../../support/operator.people.ts';
import { startApiProxy, type ApiProxy, type Call } from '../../support/operator.proxy.ts';
import { OWN_NAMESPACE } from '../../support/operator.rights.ts';
import { condition, Site } from '../../support/operator.site.ts';

const FOLDER = 'deploy/rbac';
/** A vendor that is not there: the store reads its credentials all the same. */
const NOBODY = '127.0.0.1:9';

let plane: ControlPlane;
let site: Site;
let people: People;
let proxy: ApiProxy;
const calls: Call[] = [];
let lives = 0;

beforeAll(async () => {
  plane = await startControlPlane({ audit: true });
  await installKeyward(plane);
  for (const folder of ['metrics', 'restart']) {
    await plane.mustKubectl(['apply', '-f', `${FOLDER}/${folder}`]);
  }
  site = await Site.open({
    access: plane,
    account: 'Own',
    flags: {
      'leader-elect': 'true',
      'loss-grace-seconds': '0',
      'metrics-auth': 'delegated',
      'endpoint-hosts': `Naver=${NOBODY}`,
    },
  });
  people = new People(site);
  proxy = await startApiProxy(site.kubeconfig);
});

afterAll(async () => {
  people.close();
  await site.close();
  await proxy.close();
  await plane.stop();
});

/** All finished requests of the operator so far. */
const requests = (): Promise<Request[]> => requestsOf(plane.auditLog, site.user);

function clusterStore(name: string, spec: object) {
  return { apiVersion: API_VERSION, kind: 'ClusterKeyStore', metadata: { name }, spec };
}

const readyOf = (object: unknown) => condition(object as Parameters<typeof condition>[0], 'Ready');

/** Waits until Ready of an object has this reason. */
async function until(resource: typeof API_KEYS, name: string, reason: string): Promise<string> {
  const namespace = resource.namespaced ? site.namespace : '';
  return eventually(async () => {
    const ready = readyOf(await site.api.get(resource, namespace, name));
    assert.equal(ready?.reason, reason, `${name}: ${ready?.reason}: ${ready?.message}`);
    return ready.message;
  });
}

/** Names of this life, so that one that failed does not disturb the next. */
const named = (name: string): string => `${name}-${lives}`;

/** Stores that are shared: one that works, one whose vendor is not there. */
async function liveStores(): Promise<void> {
  const { api } = site;
  lives += 1;
  const [shared, vendor, account] = [named('shared'), named('vendor'), named('account')];
  await api.create(CLUSTER_KEY_STORES, clusterStore(shared, { type: 'Builtin', builtin: {} }));
  await until(CLUSTER_KEY_STORES, shared, 'Connected');
  const stringData = { accessKey: 'a', secretKey: 's' };
  await api.create(SECRETS, { metadata: { name: account, namespace: OWN_NAMESPACE }, stringData });
  const naver = {
    endpoint: `http://${NOBODY}`,
    tenantId: 'tenant',
    credentialsSecretRef: { name: account },
  };
  await api.create(CLUSTER_KEY_STORES, clusterStore(vendor, { type: 'Naver', naver }));
  await eventually(async () => {
    const read = (await requests()).filter(({ name }) => name === account);
    expect(read.map(({ verb }) => verb)).toContain('get');
  });
}

/** A Secret that somebody deletes is made anew. */
async function loseSecret(name: string): Promise<void> {
  const before = await site.values(name);
  await site.api.remove(SECRETS, site.namespace, name);
  await eventually(async () => expect(await site.values(name)).not.toEqual(before));
}

/** One workload of each kind under this name, as targets of a restart. */
async function makeWorkloads(name: string): Promise<readonly object[]> {
  const kinds = Object.values(WORKLOADS);
  for (const resource of kinds) {
    await site.api.create(resource, {
      metadata: { name, namespace: site.namespace },
      spec: {
        selector: { matchLabels: { app: name } },
        ...(resource.kind === 'StatefulSet' ? { serviceName: name } : {}),
        ...(resource.kind === 'DaemonSet' ? {} : { replicas: 0 }),
        template: {
          metadata: { labels: { app: name } },
          spec: { containers: [{ name: 'main', image: 'app:1' }] },
        },
      },
    });
  }
  return kinds.map(({ kind }) => ({ kind, name }));
}

async function untilRestarted(name: string): Promise<void> {
  for (const resource of Object.values(WORKLOADS)) {
    await eventually(async () => {
      const text = JSON.stringify(await site.api.get(resource, site.namespace, name));
      assert.match(text, /"restart\.keyward\.dev\//, `${resource.kind} was not restarted`);
    });
  }
}

/** Keys, with what can happen to their Secrets. */
async function liveKeys(): Promise<void> {
  const { api, namespace } = site;
  const [plain, taken] = [named('plain'), named('taken')];
  const restartTargets = await makeWorkloads(plain);
  await site.issue(plain);
  await site.edit(plain, { rotation: { requestId: 'one', restartTargets } });
  await site.untilRotated(plain, 'one');
  await untilRestarted(plain);
  await api.create(SECRETS, { metadata: { name: taken, namespace } });
  await site.create(taken);
  await site.until(taken, 'SecretConflict');
  const storeRef = { kind: 'ClusterKeyStore', name: named('shared') };
  await site.issue(named('shared'), { storeRef });
}

/** A form from its filing to its key, whose Secret then gets a label. */
async function liveForms(): Promise<void> {
  const { api } = site;
  const [form, store, maps] = [named('form'), named('reviewed'), named('maps')];
  await people.appoint('jin', { isConsumer: true });
  await people.appoint('ara', { isReviewer: true, approves: [store] });
  await people.openStore(store);
  await people.register(named('shop'));
  const product = { apiVersion: API_VERSION, kind: 'ApiProduct', metadata: { name: maps } };
  const spec = { displayName: 'Maps', match: [{ hosts: [`${maps}.example`], pathPrefix: '/' }] };
  await api.create(API_PRODUCTS, { ...product, spec });
  await until(API_PRODUCTS, maps, 'Published');
  const wish = { storeRef: { kind: 'KeyStore', name: store }, clientRef: { name: named('shop') } };
  const filed = await people.submit('jin', form, wish);
  await people.verdict(await people.decide('ara', filed));
  await people.until(form, 'Approved');
  await site.until(form, 'Active');
  const labels = { tier: 'front' };
  await api.patch(API_KEY_APPLICATIONS, [site.namespace, form], { spec: { secret: { labels } } });
  await eventually(async () => {
    expect((await site.secret(form))?.metadata.labels).toMatchObject(labels);
  });
}

async function endAll(): Promise<void> {
  const { api, namespace } = site;
  for (const name of ['plain', 'taken', 'shared'].map(named)) {
    await site.remove(name);
    await site.untilGone(name);
  }
  await api.remove(API_KEY_APPLICATIONS, namespace, named('form'));
  await site.untilGone(named('form'));
  await api.remove(API_CLIENTS, namespace, named('shop'));
  await api.remove(API_PRODUCTS, '', named('maps'));
  await api.remove(KEY_STORES, namespace, named('reviewed'));
  for (const name of ['shared', 'vendor']) await api.remove(CLUSTER_KEY_STORES, '', named(name));
  await eventually(async () => {
    expect(await api.get(CLUSTER_KEY_STORES, '', named('vendor'))).toBeUndefined();
    expect(await api.get(KEY_STORES, namespace, named('reviewed'))).toBeUndefined();
  });
}

/** A key is switched off, and a shared store is at odds with its vendor: both are told by events. */
async function makeEvents(credentials: string, reason: string): Promise<void> {
  const [shared, vendor] = [named('shared'), named('vendor')];
  await site.edit(shared, { state: 'Suspended' });
  await site.until(shared, 'Suspended');
  await site.edit(shared, { state: 'Active' });
  await site.until(shared, 'Active');
  const naver = { credentialsSecretRef: { name: credentials } };
  await site.api.patch(CLUSTER_KEY_STORES, ['', vendor], { spec: { naver } });
  await until(CLUSTER_KEY_STORES, vendor, reason);
}

/** Stores that gates know something of go while no operator runs. */
async function loseStores(): Promise<void> {
  const { api, namespace } = site;
  const spec = { type: 'Builtin', builtin: { profile: 'VisitSeoul' } };
  const name = named('going');
  await api.create(CLUSTER_KEY_STORES, clusterStore(name, spec));
  const { kind } = KEY_STORES;
  await api.create(KEY_STORES, {
    ...clusterStore(name, spec),
    kind,
    metadata: { name, namespace },
  });
  for (const resource of [KEY_STORES, CLUSTER_KEY_STORES]) await until(resource, name, 'Connected');
  await site.operator.terminate();
  for (const [resource, where] of [
    [KEY_STORES, namespace],
    [CLUSTER_KEY_STORES, ''],
  ] as const) {
    await api.remove(resource, where, name);
    await api.patch(resource, [where, name], { metadata: { finalizers: null } });
  }
}

/** Somebody with a token that nobody knows asks for metrics. */
async function scrape(): Promise<number> {
  const address = site.operator.log.find((line) => 'metrics' in line)?.['metrics'];
  const headers = { authorization: 'Bearer nobody' };
  const answer = await fetch(`http://${String(address)}/metrics`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

describe('an operator for all namespaces, over a life of everything', () => {
  let seen: Request[] = [];

  beforeAll(async () => {
    // No name between the commas: all namespaces.
    const flags = { 'watch-namespaces': ',', kubeconfig: proxy.kubeconfig };
    proxy.decide((call) => {
      calls.push(call);
      return { type: 'Pass' };
    });
    await site.start(flags);
    await untilProven(site.operator);
    await liveStores();
    await liveKeys();
    await loseSecret(named('plain'));
    await liveForms();
    await makeEvents('nowhere', 'CredentialsNotFound');
    assert.equal(await scrape(), 401);
    await loseStores();
    // A server that does not know watch-lists: everything is read in pages.
    proxy.decide((call) => {
      calls.push(call);
      return call.path.includes('sendInitialEvents=true')
        ? { type: 'Answer', code: 400 }
        : { type: 'Pass' };
    });
    await site.start(flags);
    // The same events again: they are counted.
    await makeEvents(named('account'), 'ConnectionFailed');
    await site.until(named('taken'), 'SecretConflict');
    await endAll();
    seen = await requests();
  });

  afterAll(() => site.operator.terminate());

  test('asks for nothing that is not on its list (R18)', () => {
    expect(unlisted(seen, { watched: [] })).toEqual([]);
  });

  test('is refused nothing but what the policies are to refuse', () => {
    const forged = seen.filter(({ isDryRun }) => isDryRun);
    expect(forged.length).toBeGreaterThan(0);
    expect(forbidden(seen.filter(({ isDryRun }) => !isDryRun))).toEqual([]);
  });

  test('uses everything on its list, so that no right is there for nothing', async () => {
    // The end of the last product is still being proven.
    await eventually(async () => expect(unused(await requests(), { watched: [] })).toEqual([]));
  });

  test('never asks for the values of Secrets by list or watch', () => {
    const many = calls.filter(
      ({ method, path }) => method === 'GET' && /\/secrets(\?|$)/.test(path),
    );
    expect(many.some(({ path }) => path.includes('watch='))).toBe(true);
    expect(many.some(({ path }) => !path.includes('watch='))).toBe(true);
    for (const { accept, path } of many) {
      for (const form of accept.split(',')) expect(form).toContain('as=PartialObjectMetadata');
      expect(path).toContain('labelSelector=keyward.dev%2Fapi-key');
    }
  });
});

type Manifest = { kind: string; metadata: { name: string }; rules?: Rule[] };
type Rule = { resources: string[]; verbs: string[] };

/** Roles of one namespace, in place of those of the cluster, with some rules taken away. */
async function install(keep: (rule: Rule) => boolean): Promise<void> {
  for (const wide of ['operator.yaml', 'restart/restart.yaml']) {
    await plane.mustKubectl(['delete', '--ignore-not-found', '-f', `${FOLDER}/${wide}`]);
  }
  for (const [file, where] of [
    ['operator.yaml', []],
    ['watched.yaml', ['-n', site.namespace]],
    ['restart/restart.yaml', ['-n', site.namespace]],
  ] as const) {
    const text = await readFile(`${FOLDER}/namespaced/${file}`, 'utf8');
    // Our own manifests.
    const documents = parseAllDocuments(text).map((each) => each.toJS() as Manifest);
    const items = documents.map((each) =>
      each.rules === undefined ? each : { ...each, rules: each.rules.filter(keep) },
    );
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await plane.mustKubectl(['apply', ...where, '-f', '-'], { input });
  }
}

/** Waits until the API server has heard of new roles. */
async function untilMay(verb: string, resource: string, isAllowed: boolean): Promise<void> {
  const { namespace, api, user } = site;
  const group = resource === 'secrets' ? '' : 'keyward.dev';
  const resourceAttributes = { verb, resource, group, namespace };
  await eventually(async () => {
    const { body } = await api.request('POST', collectionPath(SUBJECT_ACCESS_REVIEWS, ''), {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, groups: ['system:serviceaccounts'], resourceAttributes },
    });
    assert.partialDeepStrictEqual(body, { status: { allowed: isAllowed } });
  });
}

const isFollowing = ({ resources, verbs }: Rule): boolean =>
  resources.includes('secrets') && verbs.includes('list');

describe('an operator for one namespace', () => {
  afterEach(() => site.operator.terminate());

  test('works with the roles of that namespace, and without list and watch of Secrets', async () => {
    await install((rule) => !isFollowing(rule));
    await untilMay('get', 'secrets', true);
    await untilMay('list', 'secrets', false);
    await untilMay('list', 'clusterkeystores', true);
    const before = (await requests()).length;
    await site.start({ 'secret-watch': 'none' });
    await untilProven(site.operator);
    await liveStores();
    await liveKeys();
    await liveForms();
    await endAll();
    const seen = (await requests()).slice(before);
    expect(unlisted(seen, { watched: [site.namespace] })).toEqual([]);
    expect(forbidden(seen.filter(({ isDryRun }) => !isDryRun))).toEqual([]);
    expect(
      seen.filter(({ resource, verb }) => resource === 'secrets' && /list|watch/.test(verb)),
    ).toEqual([]);
    const lacking = site.operator.log.filter(({ msg }) => msg.includes('lacks a right'));
    expect(lacking).toEqual([]);
  });

  test('does without what belongs to the cluster, and says so where a key asks for it', async () => {
    const { api } = site;
    await api.create(CLUSTER_KEY_STORES, clusterStore('hidden', { type: 'Builtin', builtin: {} }));
    const isShared = /^(clusterkeystores|apiproducts)/;
    await install(
      ({ resources, verbs }) =>
        !isShared.test(resources[0] ?? '') &&
        !(resources.includes('namespaces') && verbs.includes('list')),
    );
    await untilMay('list', 'clusterkeystores', false);
    await untilMay('list', 'secrets', true);
    const before = (await requests()).length;
    await site.start();
    await site.issue('own');
    await loseSecret('own');
    await site.create('homeless', { storeRef: { kind: 'ClusterKeyStore', name: 'hidden' } });
    await site.until('homeless', 'StoreUnavailable');
    expect(await until(API_KEYS, 'homeless', 'StoreUnavailable')).toContain(
      'may not read ClusterKeyStores',
    );
    const lists = (await requests()).slice(before).filter(({ isDryRun }) => !isDryRun);
    const refused = forbidden(lists);
    const ofCluster =
      /^(list|watch) (keyward.dev\/(clusterkeystores|apiproducts)|\/namespaces) \/:/;
    expect(refused.filter((request) => !ofCluster.test(request))).toEqual([]);
    await eventually(() => {
      const said = site.operator.log
        .filter(({ msg }) => msg.includes('lacks a right'))
        .map(({ level, lacks }) => `${level}: ${String(lacks)}`);
      expect(said).toContain('info: get, list, watch, patch clusterkeystores');
      expect(said).toContain('info: list, watch namespaces');
      expect(said.filter((line) => line.startsWith('warn'))).toEqual([]);
    });
  });

  test('that cannot start for want of a right says which, at /readyz and in its log', async () => {
    await install((rule) => !isFollowing(rule));
    await untilMay('list', 'secrets', false);
    const operator = new OperatorProcess(site.flags());
    try {
      await eventually(async () => {
        const { code, text } = await operator.ask('/readyz?verbose');
        expect(code).toBe(503);
        expect(text).toContain('waiting for caches: secrets (not allowed)');
        expect(text).toContain(`lacks: list, watch secrets in ${site.namespace}`);
      });
      expect(operator.log).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          lacks: 'list, watch secrets',
          namespace: site.namespace,
          without: expect.stringContaining('--secret-watch=none'),
        }),
      );
    } finally {
      await operator.terminate();
    }
  });
});
