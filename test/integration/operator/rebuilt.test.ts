/**
 * A cluster that is lost, and another one in which the same manifests were applied: two real control
 * planes, one database.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { API_KEY_APPLICATIONS, API_KEY_REVIEWS, API_KEYS, LEASES } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { OperatorProcess, runKeyward } from '../../support/operator.ts';
import { People } from '../../support/operator.people.ts';
import { Site } from '../../support/operator.site.ts';

const AT = { storeRef: { kind: 'KeyStore', name: 'desk' } } as const;
const RULES = { requiredFor: ['Issue', 'Change', 'Reissue', 'Revoke'] };
const quota = (requests: number) => ({ terms: { quota: { requests } } });
/** Forms, and what the pipeline applies of them in the new cluster. */
const FORMS = [
  { name: 'web', was: quota(10), is: quota(10) },
  { name: 'held', was: {}, is: {} },
  { name: 'more', was: quota(10), is: quota(11) },
  { name: 'ended', was: {}, is: {} },
];

let old: Site;
let oldPeople: People;
let plane: ControlPlane;
let site: Site;
let people: People;
/** Values of the old cluster, and the specs of its reviews. */
const values = new Map<string, string>();
let reviews: readonly object[] = [];

beforeAll(async () => {
  old = await Site.open({ access: sharedControlPlane() });
  oldPeople = new People(old);
  await oldPeople.openStore('desk', RULES);
  await oldPeople.appoint('ann', { isConsumer: true });
  await oldPeople.appoint('bob', { isReviewer: true, approves: ['desk'] });
  await oldPeople.register('shop');
  await old.start();
  await grantAll();
  await old.operator.terminate();
  plane = await startControlPlane();
  await installKeyward(plane);
  const flags = { database: old.database, 'master-key-file': join(old.folder, 'master.key') };
  site = await Site.open({ access: plane, namespaces: old.namespaces, flags });
  people = new People(site);
  await applyAgain();
});

afterAll(async () => {
  people?.close();
  oldPeople.close();
  await site?.close();
  await plane?.stop();
  await old.close();
});

/** Four grants with their keys, one key held and one grant withdrawn by a reviewer, and a key without a form. */
async function grantAll(): Promise<void> {
  await untilProven(oldPeople, 'ann');
  for (const { name, was } of FORMS) {
    // One after the other, as people work.
    // oxlint-disable-next-line no-await-in-loop
    const form = await oldPeople.submit('ann', name, { ...AT, ...was });
    // oxlint-disable-next-line no-await-in-loop
    expect(await oldPeople.verdict(await oldPeople.decide('bob', form))).toBe('Decisive');
    // oxlint-disable-next-line no-await-in-loop
    await old.until(name, 'Active');
  }
  await old.issue('free');
  for (const name of ['web', 'more', 'free']) {
    // oxlint-disable-next-line no-await-in-loop
    values.set(name, (await old.values(name))['apiKey'] ?? '');
  }
  await oldPeople.verdict(await oldPeople.switch('bob', API_KEYS, 'held', 'Suspended'));
  const form = await oldPeople.form('ended');
  const withdrawn = { decision: 'Revoked', grantRound: 1 };
  await oldPeople.verdict(await oldPeople.decide('bob', form, withdrawn));
  const objects = await old.api.list(API_KEY_REVIEWS, old.namespace);
  reviews = objects.map(({ spec }) => spec as object);
}

/** What was written before the first proof of the policies never counts. */
async function untilProven(by: People, username: string): Promise<void> {
  let tries = 0;
  await eventually(async () => {
    tries += 1;
    const name = `probe-${tries}`;
    await by.file(username, name, AT);
    const { status } = await eventually(async () => {
      const form = await by.form(name);
      expect(form.status.observedGeneration).toBe(1);
      return form;
    });
    expect(status.state).toBe('Pending');
  });
}

/** The pipeline applies the repository; one form asks for more than it had. */
async function applyAgain(): Promise<void> {
  await people.openStore('desk', RULES);
  await people.appoint('pipeline', { isConsumer: true });
  await people.appoint('ann', { isReviewer: true, approves: ['desk'] });
  await people.appoint('bob', { isReviewer: true, approves: ['desk'] });
  await people.register('shop');
  await Promise.all(FORMS.map(({ name, is }) => people.file('pipeline', name, { ...AT, ...is })));
  await site.create('free');
}

function rebind(...more: readonly string[]) {
  const place = ['--database', site.database, '--kubeconfig', plane.adminKubeconfig];
  return runKeyward(['restore', '--rebind', ...place, ...more]);
}

/** What a gate answers, that has uses left. */
function verdict(value: string): Promise<string> {
  return old.verdict(value, { quotaRemaining: 1 });
}

async function actions(): Promise<readonly string[]> {
  const lines = await (await old.ledger()).auditLines({ limit: 1_000 });
  return lines.map(({ action }) => action);
}

test('the operator refuses the database and says what to do', async () => {
  const operator = new OperatorProcess(site.flags());
  expect(await operator.ended).toMatchObject({ code: 1 });
  expect(operator.stderr).toContain('restore --rebind');
});

test('what would happen is shown, and nothing is changed by it', async () => {
  const { code, stdout, stderr } = await rebind();
  expect(stdout.split('\n').map((line) => line.split(/ {3,}/))).toEqual(
    expect.arrayContaining([
      [old.namespace, 'web', 'ann', 'Carried'],
      [old.namespace, 'held', 'ann', 'Carried'],
      [old.namespace, 'more', 'ann', 'Ends', expect.stringContaining('terms.quota.requests')],
      [old.namespace, 'ended', 'ann', 'Ends', expect.stringContaining('Withdrawn')],
    ]),
  );
  expect([code, stderr]).toEqual([0, expect.stringContaining('nothing was changed')]);
  expect(await actions()).not.toContain('ClusterRebound');
});

test('nothing is done while an operator leads in the new cluster', async () => {
  const metadata = { name: 'keyward-operator', namespace: 'keyward-system' };
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  const spec = { holderIdentity: 'operator-7', renewTime, leaseDurationSeconds: 600 };
  await site.api.create(LEASES, { metadata, spec });
  const { code, stderr } = await rebind('--yes');
  expect([code, stderr]).toEqual([1, expect.stringContaining("'operator-7' leads here")]);
  await site.api.remove(LEASES, metadata.namespace, metadata.name);
});

describe('with --yes the database is bound to the new cluster', () => {
  test('the operator takes it, once it is told that all old keys are gone', async () => {
    const { code, stderr } = await rebind('--yes');
    expect([code, stderr]).toEqual([0, expect.stringContaining('--accept-vanished')]);
    await site.start({ 'accept-vanished': '' });
    await untilProven(people, 'pipeline');
  });

  test('a second try finds nothing to do', async () => {
    await site.operator.terminate();
    const { code, stderr } = await rebind('--yes');
    expect([code, stderr]).toEqual([0, expect.stringContaining('nothing to do')]);
    expect((await actions()).filter((action) => action === 'ClusterRebound')).toHaveLength(1);
    await site.start({ 'accept-vanished': '' });
  });

  test('what was granted is in force without a round, and its key has a new value', async () => {
    const key = await site.until('web', 'Active');
    expect(key.status).toMatchObject({ quota: { limit: 10 }, grant: { round: 1 } });
    const { apiKey = '' } = await site.values('web');
    expect(apiKey).not.toBe(values.get('web'));
    expect(await verdict(apiKey)).toBe('Allowed');
    expect((await people.form('web')).status).toMatchObject({ round: { number: 1 } });
  });

  test('all old values are dead, those of keys without a form too', async () => {
    await site.until('free', 'Active');
    await eventually(async () => {
      const answers = await Promise.all([...values.values()].map(verdict));
      expect(answers).not.toContain('Allowed');
    });
  });

  test('a key that a reviewer had switched off is off', async () => {
    const { status } = await eventually(async () => {
      const key = await site.key('held');
      expect(key.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
      return key;
    });
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.reason).toMatch(/Suspended/);
    expect(await site.secret('held')).toBeUndefined();
  });

  test('who asks for more, or was refused, files the form anew and waits for people', async () => {
    for (const { name, is } of FORMS.slice(2)) {
      // Created while no operator was there to prove the policies.
      // oxlint-disable-next-line no-await-in-loop
      expect((await people.until(name, 'Incomplete')).status.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', reason: 'IdentityUnverified' }),
      );
      // oxlint-disable-next-line no-await-in-loop
      await site.api.remove(API_KEY_APPLICATIONS, site.namespace, name);
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => people.file('pipeline', name, { ...AT, ...is }));
      // oxlint-disable-next-line no-await-in-loop
      expect((await people.until(name, 'Pending')).status.round?.number).toBe(1);
    }
  });

  test('no old review counts, as it was or pointed at the new form', async () => {
    const form = await people.until('more', 'Pending');
    for (const spec of reviews) {
      // One after the other: each may have an effect.
      // oxlint-disable-next-line no-await-in-loop
      await people.write('bob', spec);
    }
    const { applicationRef: _, ...first } = reviews.find(isAboutMore) as {
      readonly applicationRef: object;
    };
    const { name, uid } = form.metadata;
    const moved = await people.write('bob', { ...first, applicationRef: { name, uid } });
    expect(await people.verdict(moved)).toBe('HashMismatch');
    expect((await people.form('more')).status.state).toBe('Pending');
    expect(await site.secret('more')).toBeUndefined();
    expect((await people.form('web')).status.round?.number).toBe(1);
  });

  test('the applicant cannot decide about a change, and somebody else can', async () => {
    await people.edit('pipeline', 'web', quota(20));
    const form = await people.until('web', 'Pending');
    expect(form.status.round).toMatchObject({ number: 2, type: 'Change' });
    expect(await people.verdict(await people.decide('ann', form))).toBe('SelfReviewNotAllowed');
    expect(await people.verdict(await people.decide('bob', form))).toBe('Decisive');
    await eventually(async () => {
      expect((await site.key('web')).status).toMatchObject({ quota: { limit: 20 } });
    });
  });

  test('the audit chain is whole and names both clusters', async () => {
    const ledger = await old.ledger();
    expect((await ledger.verifyAudit()).brokenAt).toBeUndefined();
    expect((await actions()).filter((action) => action === 'GrantCarriedOver')).toHaveLength(2);
  });
});

function isAboutMore(spec: object): boolean {
  const { applicationRef } = spec as { readonly applicationRef?: { readonly name: string } };
  return applicationRef?.name === 'more';
}
