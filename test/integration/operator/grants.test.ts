/** ApiKeys on application, on the real operator: what a key gets from its form, and how it loses it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_KEY_APPLICATIONS, API_KEYS, SECRETS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { People, type Form } from '../../support/operator.people.ts';
import { condition, Site, type Key } from '../../support/operator.site.ts';

const AT = { storeRef: { kind: 'KeyStore', name: 'desk' } } as const;

let site: Site;
let people: People;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), flags: { 'loss-grace-seconds': '1' } });
  people = new People(site);
  await people.openStore('desk', { requiredFor: ['Issue', 'Change', 'Reissue', 'Revoke'] });
  await people.appoint('ann', { isConsumer: true });
  await people.appoint('bob', { isReviewer: true, approves: ['desk'] });
  await people.register('shop');
  await site.start();
  await untilProven();
});

/** What was written before the first proof of the policies never counts, so that proof is awaited. */
async function untilProven(): Promise<void> {
  let tries = 0;
  await eventually(async () => {
    tries += 1;
    const name = `probe-${tries}`;
    await people.file('ann', name, AT);
    const { status } = await eventually(async () => {
      const form = await people.form(name);
      expect(form.status.observedGeneration).toBe(1);
      return form;
    });
    expect(status.state).toBe('Pending');
  });
}

afterAll(async () => {
  people.close();
  await site.close();
});

async function granted(name: string, spec: object = {}): Promise<string> {
  const form = await people.submit('ann', name, { ...AT, ...spec });
  await approve(form);
  await site.until(name, 'Active');
  return valueOf(name);
}

async function approve(form: Form): Promise<void> {
  expect(await people.verdict(await people.decide('bob', form))).toBe('Decisive');
}

/** Asks for new values and waits until people can decide. */
async function reissue(name: string, reason: string, more: object = {}): Promise<Form> {
  const requestId = `${name}-${Date.now()}`;
  await people.edit('ann', name, { reissue: { requestId, reason, ...more } });
  return eventually(async () => {
    const form = await people.form(name);
    expect(form.status).toMatchObject({ state: 'Pending', round: { type: 'Reissue' } });
    return form;
  });
}

async function valueOf(name: string): Promise<string> {
  const { apiKey = '' } = await site.values(name);
  return apiKey;
}

async function untilDead(value: string): Promise<void> {
  await eventually(async () => expect(await site.verdict(value)).not.toBe('Allowed'));
}

/** Makes an ApiKey that names a form, as a consumer's manifest does. */
async function createKey(name: string, form = name): Promise<Key> {
  const spec = { applicationRef: { name: form } };
  const object = await people
    .as('ann')
    .create(API_KEYS, { metadata: { name, namespace: site.namespace }, spec });
  return object as unknown as Key;
}

describe('a key', () => {
  test('that is there before its form waits for it, and is issued by its approval', async () => {
    const { metadata } = await createKey('early');
    await site.until('early', 'ApplicationNotFound');
    const form = await people.submit('ann', 'early', { ...AT, displayName: 'Maps' });
    await site.until('early', 'PendingReview');
    expect(await site.record(metadata.uid)).toBeUndefined();
    await approve(form);
    const key = await site.until('early', 'Active');
    expect(key.metadata.uid).toBe(metadata.uid);
    expect(key.status).toMatchObject({
      clientName: 'shop',
      grant: { applicationName: 'early', round: 1, hash: form.status.round?.requestHash },
    });
    expect(await site.verdict(await valueOf('early'))).toBe('Allowed');
  });

  test("shows the reviewer's words while its form is refused", async () => {
    await createKey('refused');
    const form = await people.submit('ann', 'refused', AT);
    const denial = { decision: 'Denied', reason: 'Security', message: 'wrong network' };
    expect(await people.verdict(await people.decide('bob', form, denial))).toBe('Decisive');
    const key = await site.until('refused', 'Denied');
    expect(condition(key, 'Ready')?.message).toContain('Security: wrong network');
  });

  test("that points at a neighbour's form gets nothing", async () => {
    await granted('served');
    await createKey('intruder', 'served');
    await site.until('intruder', 'ApplicationInUse');
    expect(await site.secret('intruder')).toBeUndefined();
  });

  test('keeps its grant unchanged, and its value, until a change is approved', async () => {
    const value = await granted('changing', { terms: { quota: { requests: 10 } } });
    await people.edit('ann', 'changing', { terms: { quota: { requests: 50 } } });
    const form = await people.until('changing', 'Pending');
    expect((await site.until('changing', 'ChangePending')).status.quota?.limit).toBe(10);
    await approve(form);
    await eventually(async () => {
      expect((await site.key('changing')).status).toMatchObject({
        quota: { limit: 50 },
        grant: { round: 2 },
      });
    });
    expect(await valueOf('changing')).toBe(value);
  });

  test('is issued at its effective instant and not before, also over a restart', async () => {
    const notBeforeTime = new Date(Date.now() + 12_000).toISOString().replace(/\.\d+/, '');
    const terms = { validity: { notBeforeTime } };
    const form = await people.submit('ann', 'later', { ...AT, terms });
    await approve(form);
    await site.until('later', 'NotYetValid');
    expect(await site.secret('later')).toBeUndefined();
    await site.restart();
    await site.until('later', 'Active');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(notBeforeTime));
  });
});

describe('where a reissue is reviewed, no other way leads to a new value', () => {
  test('not a rotation request, an age or an emergency', async () => {
    const value = await granted('asking');
    for (const rotation of [{ requestId: 'r1' }, { maxAgeDays: 1 }, { urgency: 'Emergency' }]) {
      // One after the other is what is tested.
      // oxlint-disable-next-line no-await-in-loop
      await site.edit('asking', { rotation: null });
      // oxlint-disable-next-line no-await-in-loop
      await site.edit('asking', { rotation });
      // oxlint-disable-next-line no-await-in-loop
      const key = await site.until('asking', 'ReissueRequired');
      expect(condition(key, 'Ready')?.message).toContain('spec.reissue');
    }
    await site.edit('asking', { rotation: null });
    await site.until('asking', 'Active');
    expect(await valueOf('asking')).toBe(value);
  });

  test('not the deletion of the Secret; a reissue brings it back', async () => {
    const value = await granted('lost');
    await site.api.remove(SECRETS, site.namespace, 'lost');
    await site.until('lost', 'SecretLost');
    await approve(await reissue('lost', 'Routine'));
    await site.until('lost', 'Rotating');
    expect(await valueOf('lost')).not.toBe(value);
    expect(await site.verdict(await valueOf('lost'))).toBe('Allowed');
  });

  test('not the deletion of the key; a reissue serves the next one', async () => {
    const value = await granted('again');
    await site.remove('again');
    await untilDead(value);
    await site.untilGone('again');
    const key = await createKey('again');
    await site.until('again', 'ReissueRequired');
    expect(await site.record(key.metadata.uid)).toBeUndefined();
    await approve(await reissue('again', 'Routine'));
    await site.until('again', 'Active');
  });

  test('an exposed value is off while somebody decides, and dead afterwards', async () => {
    const value = await granted('exposed');
    const form = await reissue('exposed', 'Exposed', { whileWaiting: 'Suspend' });
    await site.until('exposed', 'Suspended');
    expect(await site.verdict(value)).not.toBe('Allowed');
    await approve(form);
    await site.until('exposed', 'Active');
    expect(await valueOf('exposed')).not.toBe(value);
    expect(await site.verdict(value)).not.toBe('Allowed');
    expect(await site.verdict(await valueOf('exposed'))).toBe('Allowed');
  });

  test('a refused reissue leaves the old value, switched on again', async () => {
    const value = await granted('kept');
    const form = await reissue('kept', 'Exposed', { whileWaiting: 'Suspend' });
    await site.until('kept', 'Suspended');
    const denial = { decision: 'Denied', reason: 'Other', message: 'it was not' };
    expect(await people.verdict(await people.decide('bob', form, denial))).toBe('Decisive');
    await site.until('kept', 'Active');
    expect(await site.verdict(value)).toBe('Allowed');
    expect(await valueOf('kept')).toBe(value);
  });
});

describe('the end of a grant', () => {
  test('by a reviewer is the end of the key, for good', async () => {
    const value = await granted('withdrawn');
    const form = await people.form('withdrawn');
    const words = { decision: 'Revoked', grantRound: 1, reason: 'Security', message: 'abuse' };
    expect(await people.verdict(await people.decide('bob', form, words))).toBe('Decisive');
    const key = await site.until('withdrawn', 'GrantWithdrawn');
    expect(condition(key, 'Ready')?.message).toMatch(/'bob'.*abuse/);
    expect(await site.verdict(value)).not.toBe('Allowed');
    await site.edit('withdrawn', { state: 'Suspended' });
    await site.edit('withdrawn', { state: 'Active' });
    await site.until('withdrawn', 'GrantWithdrawn');
  });

  test('by deletion of the form stays, also when a form of its name is approved', async () => {
    await createKey('moved');
    const value = await granted('moved');
    await people.as('ann').remove(API_KEY_APPLICATIONS, site.namespace, 'moved');
    await untilDead(value);
    await eventually(async () =>
      expect(await site.api.get(API_KEY_APPLICATIONS, site.namespace, 'moved')).toBeUndefined(),
    );
    const form = await people.submit('ann', 'moved', AT);
    await approve(form);
    await site.until('moved', 'GrantWithdrawn');
    expect(await site.secret('moved')).toBeUndefined();
  });
});
