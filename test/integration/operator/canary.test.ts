/**
 * No key value ever leaves the Secret (L1, L4, L6, L7, L9, L10): a whole life at debug level, then
 * every value that was ever in a Secret is searched in everything that was written, said or stored.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ANNOTATION_ROTATE,
  API_KEYS,
  EVENTS,
  KEY_STORES,
  SECRETS,
} from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { findCanaries } from '../../support/operator.canary.ts';
import { runKeyward, type OperatorProcess } from '../../support/operator.ts';
import { SEALED, Site, storeObject } from '../../support/operator.site.ts';

const DEBUG = { 'log-level': 'debug', 'loss-grace-seconds': '0' };
/** What people put into Secrets themselves is secret as well; with letters that every shape escapes. */
const BY_HAND = 'by "hand"/+&=ü\\ 0123456789 by hand';

/** Where values must not be found, and what is there. */
const sinks = new Map<string, Buffer>();
/** Every secret text that was ever in a Secret, by a name that may be printed. */
const canaries = new Map<string, string>();
const operators: OperatorProcess[] = [];
let site: Site;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), flags: DEBUG });
  operators.push(await site.start());
  await bear();
  await suffer();
  await end();
  await collect();
});

afterAll(() => site.close());

/** Remembers the values that the Secret holds now; public names are none. */
async function note(secret: string): Promise<Record<string, string>> {
  const values = await site.values(secret);
  for (const text of Object.values(values)) {
    for (const [value = '', body = ''] of text.matchAll(/(?:\w+_)?([0-9A-Za-z]{49})\b/g)) {
      canaries.set(`value ${canaries.size} of ${secret}`, value);
      canaries.set(`secret ${canaries.size} of ${secret}`, body.slice(0, 43));
    }
  }
  return values;
}

async function rotate(name: string, rotation: { requestId: string; [field: string]: string }) {
  await site.edit(name, { rotation: { slot: null, urgency: null, method: null, ...rotation } });
  await site.untilRotated(name, rotation.requestId);
  await note(name);
}

/** Waits until the Secret holds another value than this, and remembers it. */
async function untilOther(name: string, value: string | undefined): Promise<void> {
  await eventually(async () => {
    expect((await site.values(name))['apiKey']).not.toBe(value);
    expect((await site.key(name)).status.conditions?.[0]?.status).toBe('True');
  });
  await note(name);
}

/** Every format and layout is issued and rotated in every way. */
async function bear(): Promise<void> {
  await site.issue('opaque');
  await site.issue('dual', { format: 'Dual' });
  await site.issue('pair', { format: 'KeyPair', storeRef: SEALED });
  await site.issue('env', { secret: { layout: 'Env', envPrefix: 'A' } });
  await site.issue('text', { secret: { layout: 'Template', template: { a: 'k={{ .apiKey }};' } } });
  await site.issue('kept', { deletionPolicy: 'Retain' });
  for (const name of ['opaque', 'dual', 'pair', 'env', 'text', 'kept']) await note(name);
  for (const name of ['opaque', 'dual', 'pair', 'env', 'text']) {
    await rotate(name, { requestId: 'planned' });
  }
  await rotate('opaque', { requestId: 'leak', urgency: 'Emergency' });
  await rotate('pair', { requestId: 'leak', urgency: 'Emergency' });
  await rotate('dual', { requestId: 'slot', slot: 'Primary' });
  await rotate('env', { requestId: 'in-place', method: 'InPlace' });
}

/** Loss, tampering, refusals and errors. */
async function suffer(): Promise<void> {
  const { api, namespace } = site;
  const { apiKey } = await note('opaque');
  await api.remove(SECRETS, namespace, 'opaque');
  await eventually(async () => expect(await site.secret('opaque')).toBeDefined());
  await untilOther('opaque', apiKey);
  const byHand = { apiKey: Buffer.from(BY_HAND).toString('base64') };
  canaries.set('what was put in by hand', BY_HAND);
  await api.patch(SECRETS, [namespace, 'opaque'], { data: byHand });
  await untilOther('opaque', BY_HAND);
  await api.patch(SECRETS, [namespace, 'pair'], { immutable: true });
  await site.edit('pair', { rotation: { requestId: 'stuck', urgency: 'Planned' } });
  await site.until('pair', 'SecretConflict');
  await api.create(SECRETS, { metadata: { name: 'foreign', namespace }, data: byHand });
  await site.create('foreign');
  await site.until('foreign', 'SecretConflict');
  const template = { a: '{{ .nothing }}' };
  await site.create('invalid', { secret: { layout: 'Template', template } });
  await site.until('invalid', 'InvalidSpec');
  await api.create(KEY_STORES, storeObject(namespace, 'tiny', {}, { limits: { maxKeys: 1 } }));
  const storeRef = { kind: 'KeyStore', name: 'tiny' };
  await site.issue('full-1', { storeRef });
  await note('full-1');
  await site.create('full-2', { storeRef });
  await site.until('full-2', 'LimitExceeded');
  await site.operator.kill();
  // Node's own debug output prints what goes over sockets.
  const environment = { NODE_DEBUG: 'http,https,net,tls,fs' };
  operators.push(await site.start({}, environment));
}

/** Rotation by annotation, suspension, revocation, retention, deletion. */
async function end(): Promise<void> {
  const annotations = { [ANNOTATION_ROTATE]: 'by-annotation' };
  await site.api.patch(API_KEYS, [site.namespace, 'text'], { metadata: { annotations } });
  await site.untilRotated('text', 'by-annotation');
  await note('text');
  await site.edit('env', { state: 'Suspended' });
  await site.until('env', 'Suspended');
  await site.edit('dual', { state: 'Revoked' });
  await site.until('dual', 'Revoked');
  for (const name of ['kept', 'env']) await site.remove(name);
  for (const name of ['kept', 'env']) await site.untilGone(name);
}

function put(name: string, content: unknown): void {
  if (Buffer.isBuffer(content)) sinks.set(name, content);
  else
    sinks.set(name, Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)));
}

/** Fills the sinks: cluster, process, command line, files. */
async function collect(): Promise<void> {
  const { api, namespace, access, operator, folder } = site;
  put('command line of the process', readFileSync(`/proc/${operator.pid}/cmdline`));
  put('environment of the process', readFileSync(`/proc/${operator.pid}/environ`));
  put('metrics', (await operator.ask('/metrics')).text);
  put('readiness', (await operator.ask('/readyz?verbose')).text);
  put('ApiKeys with managedFields', await api.list(API_KEYS, namespace));
  put('KeyStores with managedFields', await api.list(KEY_STORES, namespace));
  put('events', await api.list(EVENTS, namespace));
  const secrets = await api.list(SECRETS, namespace);
  put(
    'metadata of Secrets',
    secrets.map(({ metadata }) => metadata),
  );
  put('kubectl describe', await access.mustKubectl(['describe', 'apikeys', '-n', namespace]));
  put('kubectl get', await access.mustKubectl(['get', 'apikeys', '-n', namespace, '-o', 'wide']));
  putFiles('open', folder);
  await collectCommands();
  await operator.terminate();
  putFiles('closed', folder);
  for (const [index, { stdout, stderr }] of operators.entries()) {
    put(`standard output of operator ${index}`, stdout);
    put(`standard error of operator ${index}`, stderr);
  }
}

function putFiles(state: string, folder: string): void {
  const names = readdirSync(folder).filter(
    (name) => name.startsWith('keyward.db-') || name === 'keyward.db',
  );
  for (const name of names) {
    const path = join(folder, name);
    if (!name.endsWith('-requests')) put(`${state} file ${name}`, readFileSync(path));
  }
}

async function collectCommands(): Promise<void> {
  const database = `--database=${site.database}`;
  const masterKey = `--master-key-file=${join(site.folder, 'master.key')}`;
  const { apiKey = '' } = await site.values('opaque');
  const { apiKey: id = '', apiSecret = '' } = await site.values('pair');
  const wrong = apiKey.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
  const runs = {
    keys: await runKeyward(['keys', database]),
    retained: await runKeyward(['keys', '--retained', database]),
    identify: await runKeyward(['identify', '-', database, masterKey], apiKey),
    'identify a pair': await runKeyward(
      ['identify', '-', database, masterKey],
      `${id} ${apiSecret}`,
    ),
    'identify a wrong value': await runKeyward(['identify', '-', database, masterKey], wrong),
    'identify without database': await runKeyward(['identify', '-', masterKey], apiKey),
    'audit verify': await runKeyward(['audit', 'verify', database]),
  };
  for (const [name, { stdout, stderr }] of Object.entries(runs)) {
    put(`keyward ${name}`, stdout + stderr);
  }
  expect(runs.identify.stdout).toContain('/opaque');
  expect(runs['audit verify'].stdout).toContain('chain unbroken');
}

describe('after a whole life at debug level', () => {
  test('no value that was ever in a Secret stands in any of the sinks', () => {
    expect(canaries.size).toBeGreaterThan(30);
    expect(sinks.size).toBeGreaterThan(20);
    expect(findCanaries(canaries, sinks)).toEqual([]);
  });

  test('neither does a master key, nor the token of the operator', () => {
    const masterKey = readFileSync(join(site.folder, 'master.key'), 'utf8');
    const token = /token: (\S+)/.exec(readFileSync(site.kubeconfig, 'utf8'))?.[1] ?? '';
    const secrets = new Map([
      ['master key', /v1:(\S+)/.exec(masterKey)?.[1] ?? ''],
      ['token', token],
    ]);
    expect([...secrets.values()].every((text) => text.length > 40)).toBe(true);
    expect(findCanaries(secrets, sinks)).toEqual([]);
  });

  test('the search finds each of them where it is meant to be, in the Secrets themselves', async () => {
    const secrets = await site.api.list(SECRETS, site.namespace);
    const found = findCanaries(
      canaries,
      new Map([['Secrets', Buffer.from(JSON.stringify(secrets))]]),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ canary: 'what was put in by hand', shape: 'Base64' }),
    );
    expect(found.length).toBeGreaterThan(5);
  });

  test('both operators really spoke at debug level, the second one with Node in debug mode', () => {
    expect(operators[1]?.stderr).toMatch(/^(NET|TLS|HTTP|FS|net|tls) \d+/m);
    for (const { log } of operators) {
      expect(log.some(({ level }) => level === 'debug')).toBe(true);
    }
    expect(operators.map(({ log }) => log.filter(({ level }) => level === 'error'))).toEqual([
      [],
      [],
    ]);
  });
});
