/** What status tells of quotas while gates count, which are played here through their own port. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVENTS } from '../../../src/api/names.ts';
import { quotaSubject, type GateLedger } from '../../../src/ledger/gate.ts';
import { openGateLedger } from '../../../src/ledger/open.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { People, type Form } from '../../support/operator.people.ts';
import { runKeyward, untilProven } from '../../support/operator.ts';
import { Site } from '../../support/operator.site.ts';

const AT = { storeRef: { kind: 'KeyStore', name: 'desk' } } as const;

let site: Site;
let people: People;
let gate: GateLedger;

beforeAll(async () => {
  site = await Site.open({
    access: sharedControlPlane(),
    flags: { 'quota-reread-seconds': '1' },
  });
  people = new People(site);
  await people.openStore('desk', { requiredFor: ['Issue', 'Change'] });
  await people.appoint('ann', { isConsumer: true });
  await people.appoint('bob', { isReviewer: true, approves: ['desk'] });
  await people.register('shop');
  await site.start();
  await untilProven(site.operator);
  gate = await openGateLedger(site.database);
});

afterAll(async () => {
  await gate.close();
  people.close();
  await site.close();
});

/** Lets calls of a key in, as a gate does. */
async function use(name: string, uses: number): Promise<void> {
  const { metadata } = await site.key(name);
  const record = await site.record(metadata.uid);
  assert.ok(record?.terms.quota);
  const nowMs = Date.now();
  const id = randomBytes(16).toString('hex');
  const limit = record.terms.quota.requests;
  const subject = quotaSubject(record);
  const wish = { id, subject, windowStartMs: 0, limit, uses, nowMs };
  const [lease] = await gate.lease([wish]);
  assert.equal(lease?.uses, uses);
  await gate.returnLeases([{ id, spent: uses }], nowMs);
}

async function untilLeft(name: string, remaining: number) {
  return await eventually(async () => {
    const key = await site.key(name);
    expect(key.status.quota?.remaining).toBe(remaining);
    return key;
  });
}

async function untilFormLeft(name: string, remaining: number): Promise<void> {
  await eventually(async () => {
    const form: Form = await people.form(name);
    expect(form.status.quota?.remaining).toBe(remaining);
  });
}

async function approve(form: Form): Promise<void> {
  expect(await people.verdict(await people.decide('bob', form))).toBe('Decisive');
}

async function usedUpEvents(name: string): Promise<number> {
  const events = await site.api.list(EVENTS, site.namespace);
  return events
    .map((event) => event as unknown as { reason: string; regarding: { name: string } })
    .filter(({ reason, regarding }) => reason === 'QuotaUsedUp' && regarding.name === name).length;
}

describe('a key with a quota', () => {
  test('R109 R111 tells what is left in steps, and once by an event that nothing is', async () => {
    await site.issue('counted', { terms: { quota: { requests: 100 } } });
    await untilLeft('counted', 100);
    await use('counted', 45);
    await use('counted', 10);
    await untilLeft('counted', 45);
    await use('counted', 45);
    expect((await untilLeft('counted', 0)).status.quota).toEqual({ limit: 100, remaining: 0 });
    await eventually(async () => expect(await usedUpEvents('counted')).toBe(1));
  });

  test('is left alone by a restart, and by a gate that only holds uses', async () => {
    await site.issue('held', { terms: { quota: { requests: 10 } } });
    await use('held', 6);
    const before = await untilLeft('held', 4);
    await site.restart();
    const { metadata } = before;
    const id = randomBytes(16).toString('hex');
    const subject = `key/${metadata.uid}`;
    await gate.lease([{ id, subject, windowStartMs: 0, limit: 10, uses: 4, nowMs: Date.now() }]);
    await site.issue('later', { terms: { quota: { requests: 2 } } });
    await use('later', 2);
    await untilLeft('later', 0);
    expect((await site.key('held')).metadata.resourceVersion).toBe(metadata.resourceVersion);
    expect(await usedUpEvents('counted')).toBe(1);
  });

  test('R124 is full again at once when a change was approved, and so is its form', async () => {
    const terms = { quota: { requests: 10 } };
    const form = await people.submit('ann', 'granted', { ...AT, terms });
    await approve(form);
    await site.until('granted', 'Active');
    await untilFormLeft('granted', 10);
    await use('granted', 10);
    await untilLeft('granted', 0);
    await untilFormLeft('granted', 0);
    await people.edit('ann', 'granted', { terms: { quota: { requests: 20 } } });
    await approve(await people.until('granted', 'Pending'));
    await untilLeft('granted', 20);
    await untilFormLeft('granted', 20);
    expect(await usedUpEvents('granted')).toBe(1);
  });
});

describe('uses', () => {
  test('R3 of a key without a quota are in the lists of the database', async () => {
    const { metadata } = await site.issue('free');
    await gate.reportUsage([{ uid: metadata.uid, uses: 17, lastUsedMs: Date.now() }]);
    const list = await runKeyward(['keys', '--database', site.database]);
    expect(list.stdout).toMatch(/ free .* 17 +\d+s ago +- /);
    const access = ['--kubeconfig', site.access.adminKubeconfig, '-n', site.namespace];
    const status = await runKeyward(['status', 'free', ...access, '--database', site.database]);
    expect([status.stderr, status.stdout]).toEqual([
      '',
      expect.stringMatching(/17 calls, the last \d+s ago/),
    ]);
  });
});
