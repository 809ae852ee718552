/** Forms on a real API server with the admission policies: applied for, decided, issued, ended. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiKeyApplicationStatus } from '../../../src/api/generated/apikeyapplication.ts';
import type { Condition, KubeObject } from '../../../src/api/meta.ts';
import {
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  API_KEYS,
  KEY_STORES,
  SECRETS,
} from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestApi } from '../../support/operator.api.ts';
import { Site, storeObject } from '../../support/operator.site.ts';

type Form = KubeObject<{ readonly status: ApiKeyApplicationStatus }>;

/** Stores of the tests: who has to decide, and what has to be filled in. */
const REVIEWED = { kind: 'KeyStore', name: 'reviewed' } as const;
const AUTOMATIC = { kind: 'KeyStore', name: 'automatic' } as const;

/** May do all that admission and the operator do not refuse. */
const ADMINISTRATORS = 'system:masters';

let site: Site;
let mina: TestApi;
let ara: TestApi;
let jun: TestApi;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  const { namespace, api } = site;
  [mina, ara, jun] = [
    api.as('mina', ADMINISTRATORS),
    api.as('ara', ADMINISTRATORS),
    api.as('jun', ADMINISTRATORS),
  ];
  const rules = {
    requirement: 'Always',
    requiredFor: ['Issue', 'Change', 'Reissue', 'Revoke'],
    requiredFields: ['Purpose'],
  };
  await api.create(
    KEY_STORES,
    storeObject(namespace, 'reviewed', {}, { applications: rules }) as never,
  );
  await api.create(
    KEY_STORES,
    storeObject(
      namespace,
      'automatic',
      {},
      { applications: { ...rules, mode: 'Automatic' } },
    ) as never,
  );
  const spec = { displayName: 'Shop' };
  await api.create(API_CLIENTS, { metadata: { name: 'shop', namespace }, spec });
  await site.start();
  await eventually(async () => {
    assert.equal(await site.operator.metric('keyward_admission_policies_proven'), 1);
  });
});

afterAll(async () => {
  for (const person of [mina, ara, jun]) person.close();
  await site.close();
});

/** Mina applies; what she leaves out is complete. */
async function apply(name: string, spec: object = {}): Promise<Form> {
  const { namespace } = site;
  const whole = { storeRef: REVIEWED, clientRef: { name: 'shop' }, purpose: 'Checkout', ...spec };
  const draft = { metadata: { name, namespace }, spec: whole };
  return (await mina.create(API_KEY_APPLICATIONS, draft)) as never;
}

async function edit(name: string, spec: object, by = mina): Promise<void> {
  await by.patch(API_KEY_APPLICATIONS, [site.namespace, name], { spec });
}

async function form(name: string): Promise<Form> {
  const found = await site.api.get(API_KEY_APPLICATIONS, site.namespace, name);
  assert.ok(found, `there is no form ${name}`);
  return found as never;
}

function condition(found: Form, type: string): Condition | undefined {
  return found.status.conditions?.find((each) => each.type === type);
}

/** Waits until Ready has this reason, said about the newest spec. */
function until(name: string, reason: string): Promise<Form> {
  return eventually(async () => {
    const found = await form(name);
    const ready = condition(found, 'Ready');
    const isSo =
      ready?.reason === reason && found.status.observedGeneration === found.metadata.generation;
    assert.ok(isSo, `${name}: waited for ${reason}, saw ${ready?.reason} (${ready?.message})`);
    return found;
  });
}

/** Jun decides about what the form asks for now. */
async function decide(name: string, decision: string, more: object = {}): Promise<void> {
  const { metadata, status } = await form(name);
  const words = decision === 'Approved' ? {} : { reason: 'Other', message: 'Say more.' };
  await jun.create(API_KEY_REVIEWS, {
    metadata: { name: `${name}-${status.round?.number}-${Date.now()}`, namespace: site.namespace },
    spec: {
      applicationRef: { name, uid: metadata.uid },
      decision,
      ...(decision === 'Revoked'
        ? { grantRound: status.grant?.round }
        : { requestHash: status.round?.requestHash }),
      ...words,
      ...more,
    },
  });
}

/** Waits until the operator has acted on everything it was told. */
async function actionsOf(uid: string): Promise<readonly string[]> {
  const lines = await (await site.ledger()).auditLines({ limit: 100, uid });
  return lines.map(({ action }) => action).toReversed();
}

describe('a form that is reviewed', () => {
  test('waits without key, Secret or record; approved, it gets all three (R21, R95, R97)', async () => {
    const { metadata } = await apply('web');
    const waiting = await until('web', 'PendingReview');
    expect(waiting.status).toMatchObject({
      state: 'Pending',
      applicant: { username: 'mina', source: 'Authenticated' },
      round: { number: 1, type: 'Issue' },
      approvals: { required: 1, given: 0 },
      grant: { state: 'None' },
    });
    expect(condition(waiting, 'Stalled')).toBeUndefined();
    // R21: whatever could have been asked of a driver or the ledger for a credential was not.
    expect(await actionsOf(metadata.uid)).toEqual(['FormSeen', 'RoundOpened']);
    expect(await site.api.get(API_KEYS, site.namespace, 'web')).toBeUndefined();
    expect(await site.secret('web')).toBeUndefined();
    expect(await (await site.ledger()).countByStore()).toEqual([]);
    await decide('web', 'Approved');
    const granted = await until('web', 'InForce');
    expect(granted.status.grant).toMatchObject({ state: 'InForce', round: 1 });
    const key = await site.until('web', 'Active');
    expect(key.metadata.ownerReferences?.[0]).toMatchObject({ uid: metadata.uid });
    expect(await site.verdict((await site.values('web'))['apiKey'] ?? '')).toBe('Allowed');
    expect(await site.record(key.metadata.uid)).toMatchObject({ grant: { round: 1 } });
  });

  test('a draft is left alone; submitted, it waits (R117)', async () => {
    await apply('draft', { submission: 'Draft', purpose: '' });
    expect((await until('draft', 'Draft')).status.state).toBe('Draft');
    await edit('draft', { submission: 'Submitted', purpose: 'Search' });
    await until('draft', 'PendingReview');
  });

  test('everything that is missing is named at once, and put right it waits (R29, R118)', async () => {
    await apply('bad', {
      purpose: '',
      clientRef: { name: 'nobody' },
      terms: { productRefs: [{ name: 'nothing' }], validity: { effectiveDate: '2020-01-01' } },
    });
    const found = await until('bad', 'Incomplete');
    const message = condition(found, 'Ready')?.message ?? '';
    for (const part of ['purpose', 'nobody', 'nothing', '1127', '1227']) {
      expect(message).toContain(part);
    }
    expect(found.status.round).toBeUndefined();
    await edit('bad', { purpose: 'Maps', clientRef: { name: 'shop' }, terms: null });
    await until('bad', 'PendingReview');
  });

  test('withdrawn, its round is closed; submitted again, it has another', async () => {
    await apply('back');
    await until('back', 'PendingReview');
    await edit('back', { submission: 'Withdrawn' });
    expect((await until('back', 'Withdrawn')).status.state).toBe('Withdrawn');
    await edit('back', { submission: 'Submitted' });
    expect((await until('back', 'PendingReview')).status.round?.number).toBe(2);
  });

  test('refused, it shows the words of the reviewer and is corrected (R14, R18, R19)', async () => {
    await apply('poor');
    await until('poor', 'PendingReview');
    await decide('poor', 'Returned');
    expect(condition(await until('poor', 'Returned'), 'Ready')?.message).toContain('Say more.');
    await edit('poor', { purpose: 'Checkout of the shop' });
    const again = await until('poor', 'PendingReview');
    expect(again.status.round?.number).toBe(2);
    expect(await site.api.get(API_KEYS, site.namespace, 'poor')).toBeUndefined();
  });

  test('changed, it goes on under the old grant until the decision (R121)', async () => {
    await apply('quota', { terms: { quota: { requests: 10 } } });
    await until('quota', 'PendingReview');
    await decide('quota', 'Approved');
    await site.until('quota', 'Active');
    await edit('quota', { terms: { quota: { requests: 20 } } });
    const waiting = await until('quota', 'ChangePending');
    expect(waiting.status.round?.changes).toEqual([
      { field: 'terms.quota.requests', from: '10', to: '20' },
    ]);
    expect((await site.key('quota')).status.quota?.limit).toBe(10);
    await decide('quota', 'Approved');
    expect((await until('quota', 'InForce')).status.grant?.round).toBe(2);
    await eventually(async () => expect((await site.key('quota')).status.quota?.limit).toBe(20));
  });

  test('an editor is remembered, and a forged status does not stay', async () => {
    await apply('edited');
    await until('edited', 'PendingReview');
    await edit('edited', { purpose: 'Mine' }, ara);
    await eventually(async () => expect((await form('edited')).status.editors).toEqual(['ara']));
  });

  test('a grant that a reviewer withdraws ends for good, and its key with it', async () => {
    await apply('gone');
    await until('gone', 'PendingReview');
    await decide('gone', 'Approved');
    await site.until('gone', 'Active');
    const value = (await site.values('gone'))['apiKey'] ?? '';
    await until('gone', 'InForce');
    await decide('gone', 'Revoked');
    await until('gone', 'GrantWithdrawn');
    await eventually(async () => expect(await site.verdict(value)).not.toBe('Allowed'));
  });
});

describe('new values and the end', () => {
  async function granted(name: string, spec: object = {}): Promise<string> {
    await apply(name, spec);
    await until(name, 'PendingReview');
    await decide(name, 'Approved');
    await site.until(name, 'Active');
    await until(name, 'InForce');
    return (await site.values(name))['apiKey'] ?? '';
  }

  test('exposed values are off until the decision and dead after it; the new ones work (R22, R23, R24, R25, R26)', async () => {
    const exposed = await granted('exposed');
    const reissue = { requestId: 'leak-1', reason: 'Exposed', whileWaiting: 'Suspend' };
    await edit('exposed', { reissue });
    await until('exposed', 'ChangePending');
    await site.until('exposed', 'Suspended');
    expect(await site.verdict(exposed)).toBe('KeySuspended');
    await decide('exposed', 'Approved');
    await eventually(async () => {
      const { status } = await form('exposed');
      expect(status.lastHandledReissueRequestId).toBe('leak-1');
      const fresh = (await site.values('exposed'))['apiKey'] ?? '';
      expect(fresh).not.toBe(exposed);
      expect(await site.verdict(fresh)).toBe('Allowed');
    });
    expect(await site.verdict(exposed)).not.toBe('Allowed');
    await edit('exposed', { reissue: { ...reissue, message: 'again' } });
    await until('exposed', 'InForce');
  });

  test('a denied reissue leaves the old key as it was (R27)', async () => {
    const value = await granted('kept');
    await edit('kept', {
      reissue: { requestId: 'wish', reason: 'Routine', whileWaiting: 'Suspend' },
    });
    await site.until('kept', 'Suspended');
    await decide('kept', 'Denied');
    await site.until('kept', 'Active');
    expect(await site.verdict(value)).toBe('Allowed');
    await until('kept', 'InForce');
  });

  test('a reviewed revocation ends the grant and its key (R123)', async () => {
    const value = await granted('over');
    await edit('over', { revocation: { justification: 'Shop closed' } });
    await until('over', 'ChangePending');
    expect(await site.verdict(value)).toBe('Allowed');
    await decide('over', 'Approved');
    await until('over', 'Revoked');
    await eventually(async () => expect(await site.verdict(value)).not.toBe('Allowed'));
  });

  test('approved ahead of its time, it takes effect by itself, also after a restart (R103)', async () => {
    const notBeforeTime = new Date(Date.now() + 12_000).toISOString().replace(/\.\d+Z/, 'Z');
    await apply('early', { terms: { validity: { notBeforeTime } } });
    await until('early', 'PendingReview');
    await decide('early', 'Approved');
    const waiting = await until('early', 'NotYetEffective');
    expect(waiting.status.grant).toMatchObject({
      state: 'Scheduled',
      effectiveTime: notBeforeTime,
    });
    expect(await site.secret('early')).toBeUndefined();
    await site.restart();
    await site.until('early', 'Active');
    await until('early', 'InForce');
    const { issuedTime = '' } = (await site.key('early')).status;
    expect(Date.parse(issuedTime)).toBeGreaterThanOrEqual(Date.parse(notBeforeTime));
  });

  test('an ApiKey that its owner made himself is served by the form that it names', async () => {
    await site.api.create(API_KEYS, {
      metadata: { name: 'his', namespace: site.namespace },
      spec: { applicationRef: { name: 'his-form' }, secret: { layout: 'Env', envPrefix: 'HIS_' } },
    });
    await apply('his-form', { storeRef: AUTOMATIC, apiKeyRef: { name: 'his' } });
    await until('his-form', 'InForce');
    await site.until('his', 'Active');
    expect(Object.keys(await site.values('his'))).toContain('HIS_API_KEY');
    expect(await site.api.get(API_KEYS, site.namespace, 'his-form')).toBeUndefined();
  });
});

describe('a form that nobody has to decide about', () => {
  test('is approved with the same commit, and its key is issued', async () => {
    const { metadata } = await apply('auto', { storeRef: AUTOMATIC });
    await site.until('auto', 'Active');
    const found = await until('auto', 'InForce');
    expect(condition(found, 'Approved')?.reason).toBe('ApprovedAutomatically');
    expect(await actionsOf(metadata.uid)).toEqual(['FormSeen', 'RoundApproved']);
  });

  test('follows its spec.secret, and nothing else of the ApiKey', async () => {
    await apply('names', { storeRef: AUTOMATIC, secret: { layout: 'Env', envPrefix: 'ONE_' } });
    await site.until('names', 'Active');
    await edit('names', { secret: { envPrefix: 'TWO_' } });
    await eventually(async () => {
      expect(Object.keys(await site.values('names'))).toContain('TWO_API_KEY');
    });
  });

  test('deleted, its key is dead at once, and key and Secret go', async () => {
    await apply('short', { storeRef: AUTOMATIC });
    await site.until('short', 'Active');
    const value = (await site.values('short'))['apiKey'] ?? '';
    await mina.remove(API_KEY_APPLICATIONS, site.namespace, 'short');
    await eventually(async () => {
      expect(await site.api.get(API_KEY_APPLICATIONS, site.namespace, 'short')).toBeUndefined();
      expect(await site.verdict(value)).not.toBe('Allowed');
    });
  });

  test('an ApiKey of that name that does not name it is never touched', async () => {
    await site.create('taken');
    await site.until('taken', 'Active');
    const before = await site.key('taken');
    await apply('taken', { storeRef: AUTOMATIC });
    await until('taken', 'ApiKeyConflict');
    const after = await site.key('taken');
    expect(after.spec).toEqual(before.spec);
    await site.remove('taken');
    await until('taken', 'InForce');
    await site.until('taken', 'Active');
  });

  test('a restart looks at every form and writes to none', async () => {
    const versions = async (): Promise<Record<string, string>> => {
      const forms = await site.api.list(API_KEY_APPLICATIONS, site.namespace);
      return Object.fromEntries(
        forms.map(({ metadata }) => [metadata.name, metadata.resourceVersion]),
      );
    };
    const before = await versions();
    await site.restart();
    await eventually(async () => {
      const looked = await site.operator.metric(
        'controller_runtime_reconcile_total',
        'controller="apikeyapplication"',
      );
      expect(looked).toBeGreaterThanOrEqual(Object.keys(before).length);
    });
    expect(await versions()).toEqual(before);
  });

  test('all of it goes on after a restart, without another commit', async () => {
    const { metadata } = await form('auto');
    const before = await actionsOf(metadata.uid);
    await site.restart();
    await edit('auto', { contact: { name: 'Mina' } });
    await eventually(async () => {
      const found = await form('auto');
      expect(found.status.observedGeneration).toBe(found.metadata.generation);
    });
    await until('auto', 'InForce');
    expect(await actionsOf(metadata.uid)).toEqual([...before, 'FormEdited']);
    expect(await site.api.get(SECRETS, site.namespace, 'auto')).toBeDefined();
  });
});
