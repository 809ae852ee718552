/**
 * What people write in YAML, as a gate answers it: the real operator and the real gate on one database, and
 * nothing else between them.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_PRODUCTS, API_VERSION, EVENTS, KEY_STORES } from '../../../src/api/names.ts';
import type { ApiProductSpec } from '../../../src/api/generated/apiproduct.ts';
import type { Condition } from '../../../src/api/meta.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { call } from '../../support/gate.call.ts';
import { GateProcess } from '../../support/gate.process.ts';
import { People } from '../../support/operator.people.ts';
import { runKeyward, untilProven } from '../../support/operator.ts';
import { Site, storeObject } from '../../support/operator.site.ts';

/** Products belong to no namespace, so names and hosts are this file's own. */
const OWN = randomBytes(4).toString('hex');
const HOST = `${OWN}.example`;
const named = (name: string) => `${name}-${OWN}`;

const AT_DESK = { storeRef: { kind: 'KeyStore', name: 'desk' } } as const;

let site: Site;
let people: People;
let gate: GateProcess;
const made = new Set<string>();

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), flags: { 'quota-reread-seconds': '1' } });
  people = new People(site);
  await people.openStore('desk', { requiredFor: ['Issue', 'Change'] });
  await people.appoint('ann', { isConsumer: true });
  await people.appoint('bob', { isReviewer: true, approves: ['desk'] });
  await people.register('shop');
  await site.start();
  await untilProven(site.operator);
  await product('open', { access: 'Open', match: [{ hosts: [HOST], pathPrefix: '/open' }] });
  gate = await GateProcess.start({
    database: site.database,
    keyFile: join(site.folder, 'master.key'),
    flags: ['--key-headers=X-API-Key,VISITSEOUL-API-KEY'],
  });
  await gate.whenReady();
});

afterAll(async () => {
  await gate.stop();
  await Promise.all([...made].map((name) => site.api.remove(API_PRODUCTS, '', name)));
  people.close();
  await site.close();
});

async function product(name: string, spec: Partial<ApiProductSpec>): Promise<void> {
  made.add(named(name));
  await site.api.create(API_PRODUCTS, {
    apiVersion: API_VERSION,
    kind: 'ApiProduct',
    metadata: { name: named(name) },
    spec: { displayName: name, ...spec },
  });
  await untilProduct(name, 'Published');
}

/** Waits until the product says this of its newest spec. */
async function untilProduct(name: string, reason: string): Promise<void> {
  await eventually(async () => {
    const object = await site.api.get(API_PRODUCTS, '', named(name));
    const status = object?.status as unknown as { readonly conditions: readonly Condition[] };
    const ready = status.conditions.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, reason);
    assert.equal(ready.observedGeneration, object?.metadata.generation);
  });
}

type Answer = { readonly allowed: boolean; readonly reason?: string; readonly caller?: object };

/** What the gate answers to an application that asks about a call. */
async function ask(value: string, target: string): Promise<Answer> {
  const res = await fetch(`http://127.0.0.1:${gate.httpPort}/v1/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ credential: { value }, method: 'GET', host: HOST, target }),
  });
  // The real gate, whose documentation says this.
  return (await res.json()) as Answer;
}

async function untilAnswer(value: string, target: string, reason: string | undefined) {
  return await eventually(async () => {
    const answer = await ask(value, target);
    expect([answer.allowed, answer.reason]).toEqual([reason === undefined, reason]);
    return answer;
  });
}

async function valueOf(name: string): Promise<string> {
  const { apiKey = '' } = await site.values(name);
  return apiKey;
}

describe('a gate beside its operator', () => {
  test('lets a key in as long as its YAML says so', async () => {
    await site.issue('plain');
    const value = await valueOf('plain');
    const { caller } = await untilAnswer(value, '/open/a', undefined);
    expect(caller).toMatchObject({ namespace: site.namespace, name: 'plain' });
    await site.edit('plain', { state: 'Suspended' });
    await untilAnswer(value, '/open/a', 'KeyDisabled');
    await site.edit('plain', { state: 'Active' });
    await untilAnswer(value, '/open/a', undefined);
    await site.remove('plain');
    await site.untilGone('plain');
    await untilAnswer(value, '/open/a', 'KeyRevoked');
  });

  test('closes a product that is retired, and what belongs to none was never open', async () => {
    await product('short', { access: 'Open', match: [{ hosts: [HOST], pathPrefix: '/short' }] });
    await site.issue('caller');
    const value = await valueOf('caller');
    await untilAnswer(value, '/short', undefined);
    expect((await ask(value, '/elsewhere')).reason).toBe('ApiNotAllowed');
    await site.api.patch(API_PRODUCTS, ['', named('short')], { spec: { state: 'Retired' } });
    await untilProduct('short', 'Retired');
    await untilAnswer(value, '/short', 'ApiNotAllowed');
  });

  test('lets into a product by grant only keys whose approved form names it', async () => {
    await product('granted', { match: [{ hosts: [HOST], pathPrefix: '/granted' }] });
    await site.issue('without');
    await untilAnswer(await valueOf('without'), '/granted', 'ApiNotAllowed');
    const form = await people.submit('ann', 'with', {
      ...AT_DESK,
      terms: { productRefs: [{ name: named('granted') }] },
    });
    expect(await people.verdict(await people.decide('bob', form))).toBe('Decisive');
    await site.until('with', 'Active');
    await untilAnswer(await valueOf('with'), '/granted/deep', undefined);
  });

  test('does not let a product have calls that another one has', async () => {
    await site.issue('faithful');
    const value = await valueOf('faithful');
    await untilAnswer(value, '/open', undefined);
    await product('thief', { state: 'Published' });
    await site.api.patch(API_PRODUCTS, ['', named('thief')], {
      spec: { match: [{ hosts: [HOST], pathPrefix: '/open' }] },
    });
    await untilProduct('thief', 'InvalidSpec');
    expect((await ask(value, '/open')).allowed).toBe(true);
  });

  test('R109 R112 lets as many calls in as the quota says, and status tells that nothing is left', async () => {
    await site.issue('counted', { terms: { quota: { requests: 5 } } });
    const value = await valueOf('counted');
    await untilAnswer(value, '/open', undefined);
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(value, '/open')));
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(4);
    expect(new Set(answers.map(({ reason }) => reason))).toEqual(
      new Set([undefined, 'QuotaExceeded']),
    );
    await eventually(async () => {
      expect((await site.key('counted')).status.quota).toEqual({ limit: 5, remaining: 0 });
      const events = await site.api.list(EVENTS, site.namespace);
      const reasons = events.map((event) => (event as unknown as { reason: string }).reason);
      expect(reasons).toContain('QuotaUsedUp');
    });
    // Uses are written in batches.
    await eventually(async () => {
      const { stdout } = await runKeyward(['keys', '--database', site.database]);
      expect(stdout).toMatch(/ counted .* 5 +\d+s ago +0 /);
    });
  });

  test('answers about a key in the shape of the profile of its store', async () => {
    await site.api.create(
      KEY_STORES,
      storeObject(site.namespace, 'portal', { profile: 'VisitSeoul' }),
    );
    await site.issue('tour', {
      storeRef: { kind: 'KeyStore', name: 'portal' },
      terms: { quota: { requests: 0 } },
    });
    const value = await valueOf('tour');
    const headers = [
      `X-API-Key: ${value}`,
      `X-Forwarded-Host: ${HOST}`,
      'X-Forwarded-Uri: /open',
      'X-Forwarded-Method: GET',
    ];
    await eventually(async () => {
      const answer = await call({ port: gate.httpPort, target: '/auth/forward', headers });
      expect(answer.status).toBe(429);
      expect(JSON.parse(answer.body)).toHaveProperty('result_message');
    });
  });
});
