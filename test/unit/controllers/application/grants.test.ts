/** What was granted holds until its end, changes only by rounds, and gets its ApiKey. */
import { describe, expect, test } from 'vitest';
import { API_KEY_APPLICATIONS, API_KEYS } from '../../../../src/api/names.ts';
import { bindKey, finishReissue } from '../../../../src/ledger/formchanges.ts';
import type { Draft } from '../../../../src/kube/port.ts';
import { aFormSpec, aFormStore, REF, someRules, Workshop } from './workshop.ts';

/** A form with a grant in force, and its key issued. */
async function granted(change: Parameters<typeof aFormSpec>[0] = {}): Promise<Workshop> {
  const at = new Workshop();
  await at.submit(change);
  await at.decide('Approved');
  at.commit(bindKey(at.record(), { keyUid: at.key()?.metadata.uid ?? '', atMs: at.clock.nowMs() }));
  await at.pass();
  return at;
}

function aSecret(name: string) {
  return {
    name,
    type: 'servicebinding.io/api-key',
    layout: 'Binding',
    ownership: 'Owner',
    onLoss: 'Rotate',
  } as const;
}

describe('the ApiKey', () => {
  test('is made at approval, names the form, is owned by it, and has its wish for the Secret', async () => {
    const at = new Workshop();
    await at.submit({ secret: aSecret('creds') });
    expect(at.key()).toBeUndefined();
    await at.decide('Approved');
    expect(at.ready).toBe('InForce');
    expect(at.key()?.spec).toEqual({ applicationRef: { name: 'web' }, secret: aSecret('creds') });
    expect(at.key()?.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'keyward.dev/v1alpha1',
        kind: 'ApiKeyApplication',
        name: 'web',
        uid: at.record().uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect(at.status.apiKeyRef).toEqual({ name: 'web' });
  });

  test('follows the form in the Secret and in nothing else', async () => {
    const at = await granted({ secret: aSecret('one') });
    at.cluster.set(API_KEYS, REF, {
      ...at.key(),
      spec: { ...at.key()?.spec, state: 'Suspended' },
    } as unknown as Draft);
    at.edit({ secret: aSecret('two') });
    await at.pass();
    expect(at.key()?.spec).toEqual({
      applicationRef: { name: 'web' },
      state: 'Suspended',
      secret: aSecret('two'),
    });
    expect(at.record().round?.number).toBe(1);
  });

  test('that somebody else made under the name is never touched: ApiKeyConflict', async () => {
    const at = new Workshop();
    at.cluster.set(API_KEYS, REF, { metadata: { ...REF }, spec: {} } as unknown as Draft);
    const before = at.key();
    await at.submit({ secret: aSecret('one') });
    await at.decide('Approved');
    expect(at.ready).toBe('ApiKeyConflict');
    expect(at.condition('Stalled')?.status).toBe('True');
    expect(at.key()).toEqual(before);
    at.cluster.set(API_KEYS, REF, undefined);
    await at.pass();
    expect(at.ready).toBe('InForce');
    expect(at.key()?.spec.applicationRef).toEqual({ name: 'web' });
  });

  test('that the applicant made himself, naming the form, serves, and its Secret is left to him', async () => {
    const at = new Workshop();
    const spec = { applicationRef: { name: 'web' }, secret: aSecret('his') };
    at.cluster.set(API_KEYS, REF, { metadata: { ...REF }, spec } as unknown as Draft);
    await at.submit({ secret: aSecret('ours') });
    await at.decide('Approved');
    expect(at.ready).toBe('InForce');
    expect(at.key()?.spec.secret).toEqual(aSecret('his'));
  });

  test('is not made again once it was issued and then deleted', async () => {
    const at = await granted();
    at.cluster.set(API_KEYS, REF, undefined);
    await at.pass();
    expect(at.key()).toBeUndefined();
    at.edit({ reissue: { requestId: 'new', reason: 'Routine', whileWaiting: 'KeepActive' } });
    await at.pass();
    await at.decide('Approved');
    expect(at.key()).toBeDefined();
  });

  test('is made for a grant whose day is still to come, too', async () => {
    const at = new Workshop();
    await at.submit({
      terms: { validity: { effectiveDate: '2026-02-01', timeZone: 'Asia/Seoul' } },
    });
    await at.decide('Approved');
    expect(at.status.grant).toMatchObject({
      state: 'Scheduled',
      effectiveTime: '2026-01-31T15:00:00Z',
    });
    expect(at.ready).toBe('NotYetEffective');
    expect(at.key()).toBeDefined();
    await at.passDays(40);
    expect(at.status.grant?.state).toBe('InForce');
    expect(at.ready).toBe('InForce');
  });

  test('takes the name that apiKeyRef gives', async () => {
    const at = new Workshop();
    await at.submit({ apiKeyRef: { name: 'other' } });
    await at.decide('Approved');
    expect(at.key('other')).toBeDefined();
    expect(at.key()).toBeUndefined();
  });
});

describe('changes', () => {
  test('the old grant holds until the decision, and the differences are shown', async () => {
    const at = await granted({ terms: { quota: { requests: 100, period: 'Day' } } });
    at.edit({ terms: { quota: { requests: 500, period: 'Day' } } });
    await at.pass();
    expect(at.ready).toBe('ChangePending');
    expect(at.condition('Ready')?.status).toBe('True');
    expect(at.status.round).toMatchObject({
      number: 2,
      type: 'Change',
      changes: [{ field: 'terms.quota.requests', from: '100', to: '500' }],
    });
    expect(at.status.grant?.terms?.quota?.requests).toBe(100);
    await at.decide('Approved');
    expect(at.status.grant).toMatchObject({ round: 2, terms: { quota: { requests: 500 } } });
    expect(at.status.quota).toEqual({ limit: 500, remaining: 500 });
    expect(at.record().round?.number).toBe(2);
  });

  test('a change with a date of its own waits for it beside the grant', async () => {
    const at = await granted();
    at.edit({ terms: { validity: { effectiveDate: '2026-03-01' }, cidrs: ['10.0.0.0/8'] } });
    await at.pass();
    await at.decide('Approved');
    expect(at.status.nextGrant).toMatchObject({ round: 2, state: 'Scheduled' });
    expect(at.status.grant).toMatchObject({ round: 1, state: 'InForce' });
    await at.pass();
    expect(at.record().round?.number).toBe(2);
    await at.passDays(60);
    expect(at.status.nextGrant).toBeUndefined();
    expect(at.status.grant).toMatchObject({ round: 2, state: 'InForce' });
    expect(at.audit.map(({ action }) => action)).toContain('GrantInForce');
  });

  test('a grant that was narrowed does not ask for what was not given, again and again', async () => {
    const at = new Workshop();
    await at.submit({ terms: { quota: { requests: 500, period: 'Day' } } });
    await at.decide('Approved', {
      narrowed: { validity: { timeZone: 'UTC' }, quota: { requests: 100, period: 'Day' } },
    });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 1, state: 'Approved' });
    expect(at.ready).toBe('InForce');
    at.edit({ terms: { quota: { requests: 100, period: 'Day' } } });
    await at.pass();
    expect(at.record().round?.number).toBe(1);
    at.edit({ terms: { quota: { requests: 400, period: 'Day' } } });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 2, type: 'Change' });
  });

  test('a change that is taken out of the form is taken back', async () => {
    const at = await granted();
    at.edit({ purpose: 'Another' });
    await at.pass();
    expect(at.record().round?.state).toBe('Pending');
    at.edit({ purpose: 'Checkout' });
    await at.pass();
    expect(at.record().round?.state).toBe('Withdrawn');
    expect(at.ready).toBe('InForce');
    expect(at.record().grant?.round).toBe(1);
  });

  test('a denied change says so until the form asks for it no more', async () => {
    const at = await granted();
    at.edit({ purpose: 'Another' });
    await at.pass();
    await at.decide('Denied');
    expect(at.ready).toBe('Denied');
    expect(at.status.grant?.state).toBe('InForce');
    at.edit({ purpose: 'Checkout' });
    await at.pass();
    expect(at.ready).toBe('InForce');
  });

  test('what a grant is for cannot be changed', async () => {
    const at = await granted();
    at.edit({ storeRef: { kind: 'KeyStore', name: 'other' }, clientRef: { name: 'bank' } });
    await at.pass();
    expect(at.status.state).toBe('Incomplete');
    expect(at.condition('Ready')?.message).toContain('spec.storeRef cannot be changed');
    expect(at.condition('Ready')?.message).toContain('spec.clientRef cannot be changed');
    expect(at.status.grant?.state).toBe('InForce');
  });
});

describe('one edit, one round', () => {
  test('the end goes before new values, and those before other terms', async () => {
    const at = await granted();
    const reissue = { requestId: 'r1', reason: 'Exposed', whileWaiting: 'KeepActive' } as const;
    at.edit({ purpose: 'Another', reissue, revocation: { justification: 'Over' } });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 2, type: 'Revoke' });
    expect(at.condition('Submitted')).toMatchObject({ reason: 'Deferred', status: 'False' });
    expect(at.condition('Submitted')?.message).toContain('Reissue, Change');
    at.edit({ revocation: undefined as never });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 3, type: 'Reissue' });
    expect(at.record().round?.content.purpose).toBe('Checkout');
    await at.decide('Approved');
    // The key controller carries it out.
    at.commit(finishReissue(at.record(), 'r1'));
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 4, type: 'Change' });
    expect(at.status.lastHandledReissueRequestId).toBe('r1');
  });

  test.for(['Resubmit', 'Final'] as const)(
    'a refused change is not asked for again because new values were (%s)',
    async (onDenied) => {
      const at = await granted();
      at.store = aFormStore({ rules: someRules({ onDenied }) });
      at.edit({ purpose: 'Another' });
      await at.pass();
      await at.decide('Denied');
      at.edit({ reissue: { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' } });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 3, type: 'Reissue' });
      await at.decide('Approved');
      at.commit(finishReissue(at.record(), 'r1'));
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 3, type: 'Reissue' });
      at.edit({ purpose: 'A third one' });
      await at.pass();
      expect(at.record().round?.number).toBe(onDenied === 'Final' ? 3 : 4);
    },
  );

  test('a spent reissue never acts again, whatever the repository says', async () => {
    const at = await granted();
    const reissue = { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' } as const;
    at.edit({ reissue });
    await at.pass();
    await at.decide('Denied');
    const { number } = at.record().round ?? {};
    at.edit({ reissue: undefined as never });
    await at.pass();
    at.edit({ reissue });
    await at.pass();
    expect(at.record().round?.number).toBe(number);
  });

  test('a form that comes with an old reissue does not ask for it', async () => {
    const at = new Workshop();
    await at.submit({
      reissue: { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' },
    });
    await at.decide('Approved');
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 1, state: 'Approved' });
  });

  test('a returned reissue that is taken out of the form is dropped', async () => {
    const at = await granted();
    at.edit({ reissue: { requestId: 'r1', reason: 'Exposed', whileWaiting: 'Suspend' } });
    await at.pass();
    await at.decide('Returned');
    expect(at.record().reissue?.state).toBe('Waiting');
    at.edit({ reissue: undefined as never });
    await at.pass();
    expect(at.record().reissue).toBeUndefined();
  });
});

describe('the end', () => {
  test('a revocation that nobody reviews comes at its day, and opens no other round', async () => {
    const at = await granted();
    at.store = aFormStore({ rules: someRules({ requiredFor: ['Issue'] }) });
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-02-01' } });
    await at.pass();
    expect(at.status.grant?.state).toBe('InForce');
    expect(at.record().revocation?.atMs).toBe(Date.UTC(2026, 1, 1));
    await at.passDays(30);
    expect(at.status.grant?.state).toBe('Ended');
    expect(at.ready).toBe('Revoked');
    expect(at.audit.at(-1)).toMatchObject({ action: 'GrantRevoked', actor: 'schedule' });
    at.edit({ purpose: 'Again', revocation: undefined as never });
    await at.pass();
    expect(at.record().round?.type).toBe('Revoke');
  });

  test('a reviewer who withdraws the grant ends the form for good, with his words', async () => {
    const at = await granted();
    await at.decide('Revoked');
    expect(at.ready).toBe('GrantWithdrawn');
    expect(at.condition('Ready')?.message).toContain('Say more.');
    at.edit({ purpose: 'Again', submissionId: 'again' });
    await at.pass();
    expect(at.record().round?.number).toBe(1);
  });

  test('notice days are told once each, and the end shows', async () => {
    const at = await granted({ terms: { validity: { expirationDate: '2026-03-31' } } });
    await at.passDays(90);
    const told = at.audit.filter(({ action }) => action === 'GrantExpiring');
    expect(told.map(({ facts }) => facts['days'])).toEqual([30, 7, 1]);
    expect(at.ready).toBe('Expired');
    expect(at.status.grant).toMatchObject({
      state: 'Expired',
      expirationTime: '2026-04-01T00:00:00Z',
    });
    at.edit({ terms: { validity: { expirationDate: '2026-12-31' } } });
    await at.pass();
    expect(at.record().round).toMatchObject({ type: 'Change', state: 'Pending' });
    await at.decide('Approved');
    expect(at.ready).toBe('InForce');
  });

  test('with its client the grant ends', async () => {
    const at = await granted();
    at.ledger.documents.put({
      kind: 'Client',
      document: {
        clusterId: 'cluster-1',
        uid: 'client-1',
        namespace: 'team',
        name: 'shop',
        revision: 1,
        phase: 'Ended',
        state: 'Active',
      },
    });
    at.client = { type: 'Missing', name: 'shop' };
    await at.pass();
    expect(at.record().ended?.cause).toBe('ClientDeleted');
    expect(at.ready).toBe('GrantEnded');
  });

  test('a deleted form ends its grant before its finalizer goes', async () => {
    const at = await granted();
    const { uid } = at.record();
    at.touch({ deletionTimestamp: '2026-01-05T09:00:00Z' });
    const seen: string[] = [];
    at.cluster.before = (verb) => {
      const phase = at.ledger.documents.peek('Form', uid)?.phase ?? 'None';
      if (verb === 'patch') seen.push(phase);
    };
    await at.pass();
    expect(seen).toEqual(['Ended']);
    expect(at.object()).toBeUndefined();
    expect(at.ledger.documents.peek('Form', uid)?.ended?.cause).toBe('FormDeleted');
    expect(at.audit.at(-1)?.action).toBe('GrantEnded');
  });

  test('a deleted form that the ledger never knew just goes', async () => {
    const at = new Workshop();
    at.put(aFormSpec());
    at.touch({ deletionTimestamp: '2026-01-05T09:00:00Z' });
    await at.pass();
    expect(at.object()).toBeUndefined();
    expect(at.audit).toEqual([]);
  });

  test('R6: a form that was recreated under the name begins anew, and the old one ends first', async () => {
    const at = await granted();
    const { uid } = at.record();
    at.vanish();
    at.put(aFormSpec(), 'mallory');
    await at.pass();
    expect(at.ledger.documents.peek('Form', uid)).toMatchObject({ phase: 'Ended' });
    expect(at.record()).toMatchObject({ applicant: { username: 'mallory' } });
    expect(at.record().round).toMatchObject({ number: 1, state: 'Pending' });
    expect(at.record().grant).toBeUndefined();
  });

  test("too many forms that vanish at once are a person's matter", async () => {
    const at = await granted();
    const { uid } = at.record();
    at.mayEndVanished = false;
    at.vanish();
    await at.pass();
    expect(at.ledger.documents.peek('Form', uid)).toMatchObject({ phase: 'Live' });
  });

  test('a form that vanished is left alone where others were ended since it was looked at', async () => {
    const at = await granted();
    const { uid } = at.record();
    at.admitsEnding = false;
    at.vanish();
    await at.pass();
    expect(at.ledger.documents.peek('Form', uid)).toMatchObject({ phase: 'Live' });
  });

  test('a form that vanished without a word ends what was granted to it', async () => {
    const at = await granted();
    const { uid } = at.record();
    at.vanish();
    await at.pass();
    expect(at.ledger.documents.peek('Form', uid)).toMatchObject({ phase: 'Ended' });
  });
});

describe('the status', () => {
  test('a forged one is written over, and gives nobody anything', async () => {
    const at = new Workshop();
    await at.submit();
    const honest = at.status;
    const object = at.object();
    const forged = { ...honest, state: 'Approved', grant: { state: 'InForce' } };
    at.cluster.set(API_KEY_APPLICATIONS, REF, { ...object, status: forged } as unknown as Draft);
    await at.pass();
    expect(at.status).toEqual(honest);
    expect(at.key()).toBeUndefined();
  });

  test('one that was lost is rebuilt from the ledger', async () => {
    const at = await granted({ terms: { quota: { requests: 7, period: 'Month' } } });
    const honest = at.status;
    const { status: _, ...bare } = at.object() ?? {};
    at.cluster.set(API_KEY_APPLICATIONS, REF, bare as unknown as Draft);
    await at.pass();
    expect({ ...at.status, conditions: [] }).toEqual({ ...honest, conditions: [] });
  });
});
