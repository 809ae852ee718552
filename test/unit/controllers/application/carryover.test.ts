/** What was granted in a lost cluster goes on in the next one, and nothing else does. */
import { describe, expect, test } from 'vitest';
import { carryOver, type CarryOver } from '../../../../src/controllers/application/carryover.ts';
import { cacheForm, viewForm } from '../../../../src/controllers/application/view.ts';
import type { KubeObject } from '../../../../src/api/meta.ts';
import type { FormRecord } from '../../../../src/ledger/form.ts';
import { bindKey, finishReissue } from '../../../../src/ledger/formchanges.ts';
import { DAY_MS } from '../../../../src/kernel/time.ts';
import { APPLICANT, aFormSpec, aFormStore, CLIENT, someRules, Workshop } from './workshop.ts';

type Spec = Parameters<typeof aFormSpec>[0];
type Found = Parameters<typeof carryOver>[1];

const PIPELINE = 'system:serviceaccount:flux:deployer';

/** A form with a grant, its key issued, in the cluster that will be lost. */
async function granted(spec: Spec = {}): Promise<Workshop> {
  const at = new Workshop();
  await at.submit(spec);
  await at.decide('Approved');
  at.commit(bindKey(at.record(), { keyUid: 'key-1', atMs: at.clock.nowMs() }));
  await at.pass();
  return at;
}

function quota(requests: number) {
  return { requests, period: 'Lifetime' } as const;
}

/** Another cluster, in which the pipeline applied this form; store and client have other UIDs. */
function rebuilt(at: Workshop, spec: Spec = {}): Workshop {
  const next = new Workshop();
  next.clock.advance(at.clock.nowMs() - next.clock.nowMs());
  next.store = aFormStore({ uid: 'store-2' });
  next.client = { ...CLIENT, uid: 'client-2' } as typeof CLIENT;
  next.put(aFormSpec(spec), PIPELINE);
  next.touch({ uid: 'form-of-the-new-cluster' });
  return next;
}

function carry(old: FormRecord, next: Workshop, change: Partial<Found> = {}): CarryOver {
  const object = next.object();
  const found: Found = {
    clusterId: 'cluster-1',
    form: object && viewForm(cacheForm(object as KubeObject)),
    store: { uid: 'store-2', type: 'Builtin' },
    client: { uid: 'client-2' },
    storeWas: undefined,
    keyWas: 'NotRevoked',
    ...change,
  };
  return carryOver(old, found, next.clock.nowMs());
}

/** The new cluster after the operator looked at what was carried over. */
async function goOn(at: Workshop, next: Workshop): Promise<FormRecord> {
  const carried = carry(at.record(), next);
  if (carried.type !== 'Carried') throw new Error(carried.because);
  next.commit(carried.form);
  await next.pass();
  return next.record();
}

function why(carried: CarryOver): string {
  return carried.type === 'Carried' ? 'Carried' : carried.because;
}

describe('a form that asks for just what was granted', () => {
  test('goes on: in force at once, with an ApiKey, and without a round', async () => {
    const terms = { quota: quota(10), validity: { durationDays: 90 } } as const;
    const at = await granted({ terms });
    const next = rebuilt(at, { terms });
    const record = await goOn(at, next);
    expect(next.ready).toBe('InForce');
    expect(next.key()?.spec).toMatchObject({ applicationRef: { name: 'web' } });
    expect(next.audit).toEqual([]);
    expect(record.round).toMatchObject({ number: 1, state: 'Approved' });
    expect(record.grant?.content).toMatchObject({
      storeRef: { uid: 'store-2' },
      client: { uid: 'client-2' },
    });
    expect(record.issuedTo).toBeUndefined();
  });

  test('is another form to every review of the old one', async () => {
    const at = await granted();
    const record = await goOn(at, rebuilt(at));
    expect(record.round?.hash).not.toBe(at.record().round?.hash);
    expect(record.grant?.hash).toBe(record.round?.hash);
  });

  test('has the same applicant, and all its authors besides, so that nobody decides about his own', async () => {
    const at = await granted();
    at.edit({ description: 'For the shop' }, 'editor');
    await at.pass();
    at.edit({ description: '' }, 'editor');
    await at.pass();
    const record = await goOn(at, rebuilt(at));
    expect(record.applicant).toEqual({ username: APPLICANT, source: 'Authenticated' });
    expect(record.editors).toEqual(['editor', PIPELINE]);
  });

  test('counts its days from the first issue there, also when it is issued again', async () => {
    const terms = { validity: { durationDays: 90 } } as const;
    const at = await granted({ terms });
    const startMs = at.record().issuedTo?.atMs;
    at.clock.advance(60 * DAY_MS);
    const next = rebuilt(at, { terms });
    const record = await goOn(at, next);
    expect(record.carried?.firstIssuedMs).toBe(startMs);
    const bound = bindKey(record, { keyUid: 'key-2', atMs: next.clock.nowMs() });
    expect(bound.issuedTo).toEqual({ keyUid: 'key-2', atMs: startMs });
  });

  test('may have been narrowed, and goes on as narrow', async () => {
    const at = new Workshop();
    await at.submit({ terms: { quota: quota(100) } });
    const narrowed = { quota: quota(5), validity: { timeZone: 'UTC' } };
    await at.decide('Approved', { narrowed });
    const next = rebuilt(at, { terms: { quota: quota(100) } });
    const record = await goOn(at, next);
    expect(record.grant?.content.terms.quota?.requests).toBe(5);
    expect(next.ready).toBe('InForce');
    expect(next.audit).toEqual([]);
  });

  test('opens rounds by later edits as ever, with numbers of their own', async () => {
    const at = await granted();
    const next = rebuilt(at);
    await goOn(at, next);
    next.edit({ purpose: 'Something else' }, PIPELINE);
    await next.pass();
    expect(next.record().round).toMatchObject({ number: 2, type: 'Change', state: 'Pending' });
    expect(next.record().grant?.content.purpose).toBe('Checkout');
  });

  test('does not act again on a wish for new values that the repository still has', async () => {
    const at = await granted();
    const reissue = { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' } as const;
    at.edit({ reissue });
    await at.pass();
    expect(at.record().round).toMatchObject({ type: 'Reissue', state: 'Pending' });
    const next = rebuilt(at, { reissue });
    await goOn(at, next);
    expect(next.record().round).toMatchObject({ number: 2, state: 'Withdrawn' });
    expect(next.record().reissue).toBeUndefined();
    expect(next.audit).toEqual([]);
  });

  test('is not asked about terms again that were refused for good, also where new values came since', async () => {
    const at = await granted();
    const rules = someRules({ onDenied: 'Final' });
    at.store = aFormStore({ rules });
    at.edit({ purpose: 'Another' });
    await at.pass();
    await at.decide('Denied');
    const reissue = { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' } as const;
    at.edit({ purpose: 'Checkout', reissue });
    await at.pass();
    await at.decide('Approved');
    at.commit(finishReissue(at.record(), 'r1'));
    await at.pass();
    const next = rebuilt(at, { reissue });
    next.store = aFormStore({ uid: 'store-2', rules });
    const { refused } = await goOn(at, next);
    expect(refused).toMatchObject({ number: 2, type: 'Change', state: 'Denied' });
    expect(refused?.content.storeRef.uid).toBe('store-2');
    next.edit({ purpose: 'A third one' });
    await next.pass();
    expect(next.record().round).toMatchObject({ number: 3, type: 'Reissue' });
  });

  test('keeps a revocation that was approved for a later day', async () => {
    const at = await granted();
    const atMs = at.clock.nowMs() + 3 * DAY_MS;
    at.commit({ ...at.record(), revocation: { atMs, round: 2, message: 'over' } });
    const next = rebuilt(at);
    await goOn(at, next);
    await next.passDays(4);
    expect(next.record().ended?.cause).toBe('Revoked');
  });

  test('does not ask again for an end that was refused there', async () => {
    const revocation = { justification: 'Over' };
    const at = await granted();
    at.edit({ revocation });
    await at.pass();
    await at.decide('Denied');
    at.edit({ reissue: { requestId: 'r1', reason: 'Routine', whileWaiting: 'KeepActive' } });
    await at.pass();
    const next = rebuilt(at, { revocation });
    next.store = aFormStore({ uid: 'store-2', rules: someRules({ requiredFor: ['Issue'] }) });
    const record = await goOn(at, next);
    expect(record.round).toMatchObject({ number: 3, type: 'Reissue', state: 'Withdrawn' });
    expect(next.ready).toBe('InForce');
  });

  test('is believed under the account that applied it, and under no other', async () => {
    const at = await granted();
    const next = rebuilt(at);
    await goOn(at, next);
    next.touch({ annotations: { 'keyward.dev/applicant': 'somebody' } });
    await next.pass();
    expect(next.ready).toBe('IdentityUnverified');
  });
});

describe('not carried over is', () => {
  test('a form that asks for more than was granted, which names the field', async () => {
    const at = await granted({ terms: { quota: quota(10) } });
    const next = rebuilt(at, { terms: { quota: quota(11) } });
    expect(why(carry(at.record(), next))).toContain('terms.quota.requests');
  });

  test.each<[string, Spec]>([
    ['another ApiKey', { apiKeyRef: { name: 'other' } }],
    ['another client', { clientRef: { name: 'other' } }],
    ['another store', { storeRef: { kind: 'ClusterKeyStore', name: 'other' } }],
    ['another purpose', { purpose: 'else' }],
  ])('a form for %s', async (_, spec) => {
    const at = await granted();
    expect(why(carry(at.record(), rebuilt(at, spec)))).toContain('something else');
  });

  test('a form in the name of another person', async () => {
    const at = await granted();
    const next = rebuilt(at, { onBehalfOf: { username: 'eve' } });
    expect(why(carry(at.record(), next))).toContain("on behalf of 'eve'");
  });

  test('a form that nobody stamped', async () => {
    const at = await granted();
    const next = rebuilt(at);
    next.touch({ annotations: {} });
    expect(why(carry(at.record(), next))).toContain('does not say who created it');
  });

  test('a form that is no longer submitted, or is not there', async () => {
    const at = await granted();
    expect(why(carry(at.record(), rebuilt(at, { submission: 'Draft' })))).toContain('Draft');
    expect(why(carry(at.record(), rebuilt(at), { form: undefined }))).toContain('no application');
  });

  test('a grant whose store or client is not there, or whose store is of another type', async () => {
    const at = await granted();
    const next = rebuilt(at);
    const because = (change: Partial<Found>): string => why(carry(at.record(), next, change));
    expect(because({ store: undefined })).toContain("no ClusterKeyStore 'default'");
    expect(because({ client: undefined })).toContain("no ApiClient 'shop'");
    expect(because({ storeWas: 'Naver' })).toContain('was of type Naver');
  });

  test('what was withdrawn, revoked, or switched off until somebody decides', async () => {
    const at = await granted();
    const whileWaiting = { requestId: 'r', reason: 'Exposed', whileWaiting: 'Suspend' } as const;
    at.edit({ reissue: whileWaiting });
    await at.pass();
    expect(why(carry(at.record(), rebuilt(at)))).toContain('switched off');
    expect(why(carry(at.record(), rebuilt(at), { keyWas: 'Revoked' }))).not.toBe('Carried');
    await at.decide('Revoked');
    expect(why(carry(at.record(), rebuilt(at)))).toContain('Withdrawn');
    const revoked = await granted();
    expect(why(carry(revoked.record(), rebuilt(revoked), { keyWas: 'Revoked' }))).toContain(
      'revoked',
    );
  });

  test('a form that nobody decided about yet', async () => {
    const at = new Workshop();
    await at.submit();
    expect(why(carry(at.record(), rebuilt(at)))).toBe('nothing was granted');
  });
});
