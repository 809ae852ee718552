/** What was granted holds until its end, changes only by rounds, and gets its ApiKey. */
import { describe, expect, test } from 'vitest';
import { API_KEY_APPLICATIONS, API_KEYS } from '../../../../src/api/names.ts';
import { bindKey, finishReissue } from '../../../../src/ledger/formchanges.ts';
import { isSuspendedForReissue } from '../../../../src/ledger/grants.ts';
import type { Draft } from '../../../../src/kube/port.ts';
import { aFormSpec, aFormStore, CLIENT, REF, someRules, Workshop } from './workshop.ts';

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

  test.for(['Denied', 'Returned', 'Lapsed'] as const)(
    'an end that was decided about (%s) holds up neither new values nor other terms, and is not asked for again',
    async (outcome) => {
      const at = await granted();
      at.edit({ revocation: { justification: 'Over' } });
      await at.pass();
      await (outcome === 'Lapsed' ? at.passDays(15) : at.decide(outcome));
      expect(at.record().round).toMatchObject({ number: 2, type: 'Revoke', state: outcome });
      const reissue = { requestId: 'leak', reason: 'Exposed', whileWaiting: 'Suspend' } as const;
      at.edit({ purpose: 'Another', reissue });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 3, type: 'Reissue', state: 'Pending' });
      expect(isSuspendedForReissue(at.record())).toBe(true);
      expect(at.condition('Submitted')?.message).toContain(
        'Change waits until Round 3 (Reissue) is settled; ',
      );
      expect(at.condition('Submitted')?.message).toContain('Round 2 (Revoke)');
      await at.decide('Approved');
      at.commit(finishReissue(at.record(), 'leak'));
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 4, type: 'Change', state: 'Pending' });
      expect(at.condition('Submitted')?.reason).toBe('Submitted');
      await at.decide('Approved');
      expect(at.record().round).toMatchObject({ number: 4, state: 'Approved' });
      at.edit({ submissionId: 'again' });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 5, type: 'Revoke', state: 'Pending' });
    },
  );

  test('a refused end and refused terms are both remembered behind new values', async () => {
    const at = await granted();
    at.edit({ purpose: 'Another' });
    await at.pass();
    await at.decide('Denied');
    at.edit({ revocation: { justification: 'Over' } });
    await at.pass();
    await at.decide('Denied');
    at.edit({ reissue: { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' } });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 4, type: 'Reissue' });
    await at.decide('Approved');
    at.commit(finishReissue(at.record(), 'r1'));
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 4, type: 'Reissue' });
    expect(at.condition('Submitted')?.message).toContain('Round 2 (Change) was refused');
    expect(at.condition('Submitted')?.message).toContain('Round 3 (Revoke) was refused');
  });

  test('an end that was refused and taken out is asked for when it comes again after another round', async () => {
    const at = await granted();
    at.edit({ revocation: { justification: 'Over' } });
    await at.pass();
    await at.decide('Denied');
    at.edit({ purpose: 'Another', revocation: undefined as never });
    await at.pass();
    await at.decide('Approved');
    at.edit({ revocation: { justification: 'Over' } });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 4, type: 'Revoke', state: 'Pending' });
  });

  test('new values that waited for an end go on when that is refused, and may be taken back', async () => {
    const at = await granted();
    at.edit({ reissue: { requestId: 'r1', reason: 'Exposed', whileWaiting: 'Suspend' } });
    await at.pass();
    at.edit({ revocation: { justification: 'Over' } });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 3, type: 'Revoke' });
    await at.decide('Denied');
    expect(at.record().round).toMatchObject({ number: 4, type: 'Reissue', state: 'Pending' });
    at.edit({ reissue: undefined as never });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 4, state: 'Withdrawn' });
    expect(isSuspendedForReissue(at.record())).toBe(false);
  });

  test('new values that were returned keep their turn, so that their key stays as they said', async () => {
    const at = await granted();
    const reissue = { requestId: 'r1', reason: 'Exposed', whileWaiting: 'Suspend' } as const;
    at.edit({ purpose: 'Another', reissue });
    await at.pass();
    await at.decide('Returned');
    expect(at.record().round).toMatchObject({ number: 2, type: 'Reissue', state: 'Returned' });
    expect(at.condition('Submitted')?.reason).toBe('Deferred');
    expect(isSuspendedForReissue(at.record())).toBe(true);
  });

  test.for(['Denied', 'Returned', 'Lapsed', 'taken back'] as const)(
    'new values that were returned wait for their correction, also when an end beside them is %s',
    async (outcome) => {
      const at = await granted();
      const reissue = { requestId: 'r1', reason: 'Exposed', whileWaiting: 'Suspend' } as const;
      at.edit({ purpose: 'Another', reissue });
      await at.pass();
      await at.decide('Returned');
      at.edit({ revocation: { justification: 'Over' } });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 3, type: 'Revoke', state: 'Pending' });
      if (outcome === 'taken back') at.edit({ revocation: undefined as never });
      else if (outcome !== 'Lapsed') await at.decide(outcome);
      await (outcome === 'Lapsed' ? at.passDays(15) : at.pass());
      expect(at.record().round).toMatchObject({ number: 3, type: 'Revoke' });
      expect(isSuspendedForReissue(at.record())).toBe(true);
      expect(at.ready).toBe(outcome === 'taken back' ? 'Returned' : outcome);
      const submitted = at.condition('Submitted')?.message;
      expect(submitted).toContain('Change waits until Round 2 (Reissue) is settled');
      expect(submitted).toContain('Round 2 (Reissue) was returned for correction');
      at.edit({ reissue: { ...reissue, message: 'Seen in a log' } as never });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 4, type: 'Reissue', state: 'Pending' });
      expect(at.record().returnedReissue).toBeUndefined();
    },
  );

  test('new values that were returned are dropped when they are taken out together with an end', async () => {
    const at = await granted();
    at.edit({ reissue: { requestId: 'r1', reason: 'Exposed', whileWaiting: 'Suspend' } });
    await at.pass();
    await at.decide('Returned');
    at.edit({ revocation: { justification: 'Over' } });
    await at.pass();
    at.edit({ reissue: undefined as never, revocation: undefined as never });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 3, state: 'Withdrawn' });
    expect(at.record().reissue).toBeUndefined();
    expect(at.ready).toBe('InForce');
  });

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

  test('a returned reissue is dropped when the form goes back to a request that was carried out', async () => {
    const at = await granted();
    const first = { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' } as const;
    at.edit({ reissue: first });
    await at.pass();
    await at.decide('Approved');
    at.commit(finishReissue(at.record(), 'r1'));
    at.edit({ reissue: { requestId: 'r2', reason: 'Exposed', whileWaiting: 'Suspend' } });
    await at.pass();
    await at.decide('Returned');
    expect(isSuspendedForReissue(at.record())).toBe(true);
    at.edit({ reissue: first });
    await at.pass();
    expect(at.record().reissue).toBeUndefined();
    expect(at.record().round).toMatchObject({ number: 3, state: 'Returned' });
    expect(at.audit.at(-1)).toMatchObject({ action: 'ReissueDropped' });
  });

  test('a returned reissue stays while its correction is asked for under another id', async () => {
    const at = await granted();
    at.edit({ reissue: { requestId: 'r1', reason: 'Exposed', whileWaiting: 'Suspend' } });
    await at.pass();
    await at.decide('Returned');
    at.client = { type: 'Missing', name: 'shop' };
    at.edit({ reissue: { requestId: 'r2', reason: 'Exposed', whileWaiting: 'Suspend' } });
    await at.pass();
    expect(at.ready).toBe('ClientNotAvailable');
    expect(isSuspendedForReissue(at.record())).toBe(true);
    at.client = CLIENT;
    await at.pass();
    expect(at.record().reissue).toMatchObject({ requestId: 'r2', state: 'Waiting' });
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

  test.for([undefined, '2026-11-01', '2020-01-01'])(
    'an earlier end than was approved (%s) is a round of its own, and the later one holds until it is approved',
    async (effectiveDate) => {
      const at = await granted();
      at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-12-01' } });
      await at.pass();
      await at.decide('Approved');
      const earlier = { justification: 'Over', ...(effectiveDate && { effectiveDate }) };
      at.edit({ revocation: earlier });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 3, type: 'Revoke', state: 'Pending' });
      await at.decide('Denied');
      expect(at.ready).toBe('Denied');
      expect(at.record().revocation?.atMs).toBe(Date.UTC(2026, 11, 1));
      at.edit({ submissionId: 'again' });
      await at.pass();
      await at.decide('Approved');
      expect(at.record().revocation?.atMs).toBe(
        effectiveDate === '2026-11-01' ? Date.UTC(2026, 10, 1) : undefined,
      );
      expect(at.record().ended?.cause).toBe(effectiveDate === '2026-11-01' ? undefined : 'Revoked');
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 4, state: 'Approved' });
    },
  );

  test.for(['2026-12-01', '2026-12-02', 'none'])(
    'an end that was approved stays whatever the form says of a later one (%s), and shows',
    async (effectiveDate) => {
      const at = await granted();
      const justification = 'Over';
      at.edit({ revocation: { justification, effectiveDate: '2026-12-01' } });
      await at.pass();
      await at.decide('Approved');
      const isAsked = effectiveDate !== 'none';
      at.edit({
        submissionId: 'again',
        revocation: (isAsked ? { justification, effectiveDate } : undefined) as never,
      });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 2, state: 'Approved' });
      const until = ' until 2026-12-01T00:00:00Z, when its revocation takes effect';
      expect(at.condition('Ready')?.message).toContain(until);
      expect(at.condition('Effective')?.message).toContain(until);
    },
  );

  test('the day of an end is that of the zone of the terms, when it is compared as when it is approved', async () => {
    const at = new Workshop();
    at.store = aFormStore({ timeZone: 'Asia/Seoul' });
    await at.submit();
    await at.decide('Approved');
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-12-01' } });
    await at.pass();
    await at.decide('Approved');
    expect(at.record().revocation?.atMs).toBe(Date.UTC(2026, 10, 30, 15));
    at.edit({ revocation: { justification: 'Over, again', effectiveDate: '2026-12-01' } });
    await at.pass();
    expect(at.record().round?.number).toBe(2);
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-11-30' } });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 3, type: 'Revoke', state: 'Pending' });
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
