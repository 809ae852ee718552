import { beforeEach, describe, expect, test } from 'vitest';
import type { FormRecord } from '../../../../src/ledger/form.ts';
import {
  closeForm,
  endGrant,
  lapseRound,
  openRound,
  withdrawRound,
  type RoundRequest,
} from '../../../../src/ledger/formchanges.ts';
import { countReview, type Decision } from '../../../../src/ledger/formdecisions.ts';
import type { TermsSpec } from '../../../../src/terms/terms.ts';
import { ANNOTATION_ROTATE, SECRETS } from '../../../../src/api/names.ts';
import {
  ONE_LAYER,
  aDecision,
  aForm,
  aRequest,
  aRoundRequest,
  aSubmittedForm,
  FORM_AT_MS,
} from '../../../support/forms.ts';
import { aRotation, aSecretSpec, aStore } from '../../../support/world.ts';
import { Desk, WEB } from './desk.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** The id of the reissue that round 2 of the form would be. */
const SPENT_AHEAD = 'reissue/2/form-1';

let at: Desk;
beforeEach(async () => {
  at = new Desk();
  await at.client();
});

const submitted = (changes: Partial<RoundRequest> = {}): FormRecord => aSubmittedForm(changes);
const approve = (form: FormRecord, changes: Partial<Decision> = {}): FormRecord =>
  countReview(form, aDecision('rob', { atMs: at.clock.nowMs(), ...changes }));
const nextRound = (changes: Partial<RoundRequest>) => (form: FormRecord) =>
  openRound(form, aRoundRequest({ submittedMs: at.clock.nowMs(), ...changes }));

/** The form is approved and the key issued. */
async function issued(content: Parameters<typeof aRequest>[0] = {}): Promise<string> {
  await at.form(submitted({ content: aRequest(content) }));
  await at.changeForm(approve);
  at.putKey();
  await at.pass();
  return at.value;
}

describe('A key that names a form', () => {
  test.each<[string, (form: FormRecord) => FormRecord, string, RegExp]>([
    ['has opened no round', () => aForm(), 'ApplicationNotSubmitted', /not submitted/],
    ['waits for a reviewer', (form) => form, 'PendingReview', /round 1 \(Issue\)/],
    [
      'was refused, in the words of the reviewer',
      (form) =>
        countReview(
          form,
          aDecision('rob', { decision: 'Denied', reason: 'Security', message: '보안' }),
        ),
      'Denied',
      /Security: 보안/,
    ],
    [
      'was returned, in the words of the reviewer',
      (form) =>
        countReview(form, aDecision('rob', { decision: 'Returned', message: 'which site?' })),
      'Returned',
      /which site\?/,
    ],
    ['lapsed', (form) => lapseRound(form, FORM_AT_MS + DAY_MS), 'Lapsed', /in time/],
    [
      'was withdrawn',
      (form) => withdrawRound(form, FORM_AT_MS),
      'ApplicationNotSubmitted',
      /withdrawn/,
    ],
  ])('is not issued while the form %s', async (_, change, reason, message) => {
    await at.form(change(submitted({ deadlineMs: FORM_AT_MS + DAY_MS })));
    at.putKey();
    expect(await at.pass()).toEqual([]);
    expect(at.ready).toMatchObject({ status: 'False', reason });
    expect(at.ready?.message).toMatch(message);
    expect(at.record).toBeUndefined();
  });

  test('is not issued without the form, whatever its own status says', async () => {
    at.putKey();
    await at.pass();
    expect(at.ready?.reason).toBe('ApplicationNotFound');
  });

  test('is issued with what was approved, in one commit with its form', async () => {
    const terms = { validity: { timeZone: 'UTC', durationDays: 10 } };
    const quota = { requests: 5, period: 'Day' } as const;
    const value = await issued({ terms: { ...terms, quota }, displayName: 'the shop' });
    expect(at.admits(value)).toBe(true);
    const atMs = at.clock.nowMs();
    expect((await at.stored()).issuedTo).toEqual({ keyUid: 'key-1', atMs });
    expect(at.record).toMatchObject({
      grant: { formUid: 'form-1', round: 1 },
      clientUid: 'client-1',
      terms: { endMs: atMs + 10 * DAY_MS, quota: { requests: 5, period: 'Day' } },
    });
    const hash = (await at.stored()).grant?.hash;
    expect(at.status).toMatchObject({
      clientName: 'acme',
      grant: { applicationName: 'web', round: 1, hash },
    });
    expect(at.ready?.reason).toBe('Active');
    expect(await at.pass()).toEqual([]);
  });

  test('is not issued when the form moves on in the same instant', async () => {
    await at.form(submitted());
    await at.changeForm(approve);
    at.putKey();
    at.beforeCommit = () => at.changeForm((form) => endGrant(form, anEnd('Withdrawn')));
    await expect(at.pass()).rejects.toMatchObject({ reason: 'Stale' });
    at.beforeCommit = () => Promise.resolve();
    expect(at.record).toBeUndefined();
    await at.pass();
    expect(at.ready).toMatchObject({ reason: 'GrantWithdrawn' });
    expect(at.record).toBeUndefined();
  });

  test('is not issued before the date of its grant, and looks again then', async () => {
    const validity = { timeZone: 'Asia/Seoul', effectiveDate: '2027-01-20' };
    await at.form(submitted({ content: aRequest({ terms: { validity } }) }));
    await at.changeForm(approve);
    at.putKey();
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('NotYetValid');
    const midnightMs = Date.UTC(2027, 0, 19, 15);
    expect(at.lookAgainAtMs).toBe(midnightMs);
    at.clock.step(midnightMs - at.clock.nowMs());
    await at.pass();
    expect(at.ready?.reason).toBe('Active');
  });

  test('keeps what was approved when its store becomes stricter', async () => {
    await issued({ terms: { validity: { timeZone: 'UTC' }, quota: { requests: 50 } } });
    at.store = aStore({
      kind: 'KeyStore',
      maxQuotaRequests: 1,
      maxDurationDays: 1,
      durationDays: 1,
    });
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('Active');
  });

  test('has the end that its store gives where nobody named one, and keeps it', async () => {
    const rules = { ...ONE_LAYER, storeDurationDays: 30 };
    await at.form(submitted({ rules }));
    await at.changeForm(approve);
    at.putKey();
    await at.pass();
    const endMs = at.clock.nowMs() + 30 * DAY_MS;
    expect(at.record?.terms.endMs).toBe(endMs);
    at.store = aStore({ kind: 'KeyStore', durationDays: 1 });
    at.clock.step(DAY_MS);
    expect(await at.pass()).toEqual([]);
    expect(at.record?.terms.endMs).toBe(endMs);
  });

  test('is not issued in a store of the same name that is another one', async () => {
    await at.form(submitted());
    await at.changeForm(approve);
    at.store = aStore({ kind: 'KeyStore', uid: 'store-2' });
    at.putKey();
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('StoreNotAvailable');
  });

  test.each([
    ['ApiKeyConflict before anything was issued', false, 'ApiKeyConflict'],
    ['ApplicationInUse afterwards', true, 'ApplicationInUse'],
  ])("of another key's form says %s", async (_, isUsed, reason) => {
    const used = isUsed ? { issuedTo: { keyUid: 'other', atMs: FORM_AT_MS } } : {};
    await at.form({ ...submitted({ content: aRequest({ apiKeyName: 'other' }) }), ...used });
    await at.changeForm(approve);
    at.putKey();
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe(reason);
  });
});

describe('A change of the grant', () => {
  const more = aRequest({ terms: { validity: { timeZone: 'UTC' }, quota: { requests: 9 } } });

  test('says ChangePending and leaves the key as it is until the decision', async () => {
    const value = await issued();
    await at.changeForm(nextRound({ type: 'Change', content: more }));
    expect(await at.pass()).toEqual([]);
    expect(at.ready).toMatchObject({ status: 'True', reason: 'ChangePending' });
    expect(at.admits(value)).toBe(true);
    await at.changeForm(approve);
    expect(await at.pass()).toEqual(['SetTerms']);
    expect(at.record).toMatchObject({ grant: { round: 2 }, terms: { quota: { requests: 9 } } });
    expect(at.ready?.reason).toBe('Active');
    expect(at.value).toBe(value);
  });

  test('with the same terms still counts as a new round, so that its quota is new', async () => {
    await issued();
    const content = aRequest({ displayName: 'other' });
    await at.changeForm(nextRound({ type: 'Change', content }));
    await at.changeForm(approve);
    expect(await at.pass()).toEqual(['SetTerms']);
    expect(at.record?.grant?.round).toBe(2);
  });
});

describe('The end of a grant', () => {
  test.each(['Withdrawn', 'Revoked', 'ClientDeleted'] as const)(
    'revokes the key: %s',
    async (cause) => {
      const value = await issued();
      await at.changeForm((form) => endGrant(form, anEnd(cause)));
      await at.pass();
      expect(at.admits(value)).toBe(false);
      const reason = cause === 'Revoked' ? 'Revoked' : 'GrantWithdrawn';
      expect(at.ready).toMatchObject({ status: 'False', reason });
      expect(at.status?.conditions?.map(({ type }) => type)).not.toContain('SpecSupported');
      expect(at.cluster.find(SECRETS, WEB)).toBeUndefined();
    },
  );

  test('by deletion of the form is final, also when a form of that name comes again', async () => {
    const value = await issued();
    await at.changeForm((form) => closeForm(form, at.clock.nowMs()));
    await at.pass();
    expect(at.admits(value)).toBe(false);
    await at.form({ ...submitted(), uid: 'form-2' });
    await at.form(approve({ ...(await at.stored('form-2')) }));
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('GrantWithdrawn');
    at.removeKey();
    at.putKey({}, 'key-2');
  });

  test('at a date that has come counts before the form says so', async () => {
    const value = await issued();
    const atMs = at.clock.nowMs() + HOUR_MS;
    await at.changeForm((form) => ({ ...form, revocation: { atMs, round: 2, message: 'done' } }));
    await at.pass();
    expect(at.lookAgainAtMs).toBe(atMs);
    expect(at.admits(value)).toBe(true);
    at.clock.step(HOUR_MS);
    await at.pass();
    expect(at.admits(value)).toBe(false);
  });

  test('reaches a key whose spec was made to name no form any more', async () => {
    const value = await issued();
    at.putKey({ applicationRef: undefined, terms: {} } as never);
    expect(await at.pass()).toEqual([]);
    await at.changeForm((form) => endGrant(form, anEnd('Withdrawn')));
    await at.pass();
    expect(at.admits(value)).toBe(false);
  });

  test('is not lifted by an edit of the key', async () => {
    await issued();
    await at.changeForm((form) => endGrant(form, anEnd('Withdrawn')));
    await at.pass();
    at.putKey({ state: 'Active', rotation: aRotation({ requestId: 'r1' }) });
    expect(await at.pass()).toEqual([]);
    expect(at.record?.state).toBe('Revoked');
  });
});

describe('Where new values need review', () => {
  const reissue = (
    reason: 'Exposed' | 'SecurityConcern' | 'Routine',
    whileWaiting: 'KeepActive' | 'Suspend' = 'KeepActive',
  ): Partial<RoundRequest> => ({
    type: 'Reissue',
    content: aRequest({ reissue: { requestId: 'again', reason, whileWaiting } }),
  });

  test.each([
    ['a rotation request', { rotation: aRotation({ requestId: 'r1' }) }, /request 'r1'/],
    ['a rotation by age', { rotation: aRotation({ maxAgeDays: 1 }) }, /maxAgeDays/],
    ['a slot', { rotation: aRotation({ slot: 'Primary' }) }, /slot/],
    ['an emergency', { rotation: aRotation({ urgency: 'Emergency' }) }, /Emergency/],
  ] as const)('%s is refused, and the message says how to ask', async (_, spec, named) => {
    const value = await issued();
    at.putKey(spec);
    at.clock.step(3 * DAY_MS);
    expect(await at.pass()).toEqual([]);
    expect(at.ready).toMatchObject({ status: 'False', reason: 'ReissueRequired' });
    expect(at.ready?.message).toMatch(named);
    expect(at.ready?.message).toMatch(/spec\.reissue/);
    expect(at.value).toBe(value);
    expect(at.admits(value)).toBe(true);
  });

  test('a lost Secret makes no new value; an approved reissue does', async () => {
    const value = await issued();
    at.cluster.set(SECRETS, WEB, undefined);
    expect(await at.pass()).toEqual(['NoteMissing']);
    at.clock.step(HOUR_MS);
    expect(await at.pass()).toEqual(['ProveLoss']);
    expect(at.ready?.reason).toBe('SecretLost');
    expect(at.ready?.message).toMatch(/application 'web' with spec\.reissue/);
    await at.changeForm(nextRound(reissue('Routine')));
    await at.changeForm(approve);
    expect(await at.pass()).toContain('Rotate');
    expect(at.value).not.toBe(value);
    expect(at.admits(at.value)).toBe(true);
    expect((await at.stored()).reissue).toBeUndefined();
  });

  test('a recreated key of a used grant waits for a reissue and keeps its first date', async () => {
    const terms = { validity: { timeZone: 'UTC', durationDays: 10 } };
    await issued({ terms });
    const issuedMs = at.clock.nowMs();
    at.memory.records.clear();
    at.cluster.set(SECRETS, WEB, undefined);
    at.putKey({}, 'key-2');
    at.clock.step(DAY_MS);
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('ReissueRequired');
    const { content } = reissue('Routine', 'Suspend');
    await at.changeForm(nextRound({ type: 'Reissue', content: { ...aRequest(content), terms } }));
    await at.changeForm(approve);
    await at.pass();
    expect(at.ready?.reason).toBe('Active');
    expect(at.record).toMatchObject({ uid: 'key-2', terms: { endMs: issuedMs + 10 * DAY_MS } });
    const form = await at.stored();
    expect(form.issuedTo).toEqual({ keyUid: 'key-2', atMs: issuedMs });
    expect(form.reissue).toBeUndefined();
  });

  test('an approved reissue of an exposed value ends it at once, and acts once', async () => {
    const value = await issued();
    await at.changeForm(nextRound(reissue('Exposed')));
    await at.pass();
    expect(at.admits(value)).toBe(true);
    await at.changeForm(approve);
    expect(await at.pass()).toEqual(['Rotate', 'WriteSecret', 'Confirm']);
    expect(at.admits(value)).toBe(false);
    expect(at.admits(at.value)).toBe(true);
    expect(await at.pass()).toEqual([]);
    expect(at.status?.lastHandledRotationRequestId).toBe('reissue/2/form-1');
  });

  test.each([
    ['a rotation request', () => at.putKey({ rotation: aRotation({ requestId: SPENT_AHEAD }) })],
    ['an annotation', () => at.putKey({}, 'key-1', { [ANNOTATION_ROTATE]: SPENT_AHEAD })],
  ])('no id of an object spends a reissue that comes later: %s', async (_, ask) => {
    at.store = aStore({ kind: 'KeyStore', reviewed: ['Issue', 'Change'] });
    const value = await issued();
    ask();
    expect(await at.pass()).toEqual([]);
    const rotating = at.status?.conditions?.find(({ type }) => type === 'Rotating');
    expect(rotating).toMatchObject({ status: 'False', reason: 'RotationRefused' });
    expect(rotating?.message).toMatch(/choose another id/);
    at.putKey();
    await at.pass();
    await at.changeForm(nextRound(reissue('Exposed')));
    await at.changeForm(approve);
    await at.pass();
    expect(at.admits(value)).toBe(false);
    expect((await at.stored()).reissue).toBeUndefined();
  });

  test('a request beside a reserved one goes on counting', async () => {
    at.store = aStore({ kind: 'KeyStore', reviewed: ['Issue', 'Change'] });
    await issued();
    const rotation = aRotation({ requestId: SPENT_AHEAD });
    at.putKey({ rotation }, 'key-1', { [ANNOTATION_ROTATE]: 'spring' });
    expect(await at.pass()).toEqual(['Rotate', 'WriteSecret', 'Confirm']);
    expect(at.status?.lastHandledRotationRequestId).toBe('spring');
  });

  test.each(['Routine', 'SecurityConcern'] as const)(
    'an approved %s reissue overlaps as the store says, not as the key says',
    async (reason) => {
      const value = await issued();
      at.putKey({ rotation: aRotation({ overlapSeconds: 9 * 86_400 }) });
      await at.changeForm(nextRound(reissue(reason)));
      await at.changeForm(approve);
      await at.pass();
      expect(at.admits(value)).toBe(true);
      at.clock.step(HOUR_MS + 1);
      expect(at.admits(value)).toBe(false);
    },
  );

  test.each([
    ['approved', (form: FormRecord) => approve(form), true],
    [
      'refused',
      (form: FormRecord) =>
        countReview(form, aDecision('rob', { decision: 'Denied', message: 'no' })),
      true,
    ],
    ['lapsed', (form: FormRecord) => lapseRound(form, FORM_AT_MS + DAY_MS), false],
  ] as const)(
    'a key that is switched off while its reissue waits is on again after it was %s: %#',
    async (_, decide, isOn) => {
      const value = await issued();
      const deadlineMs = FORM_AT_MS + DAY_MS;
      await at.changeForm(nextRound({ ...reissue('Exposed', 'Suspend'), deadlineMs }));
      expect(await at.pass()).toEqual(['SetState']);
      expect(at.ready?.reason).toBe('Suspended');
      expect(at.admits(value)).toBe(false);
      await at.changeForm(decide);
      await at.pass();
      expect(at.admits(at.value)).toBe(isOn);
    },
  );

  test('an exposed value never works again between decision and new value', async () => {
    const value = await issued();
    await at.changeForm(nextRound(reissue('Exposed', 'Suspend')));
    await at.pass();
    await at.changeForm(approve);
    const seen: boolean[] = [];
    at.memory.around = () => seen.push(at.admits(value));
    await at.pass();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).not.toContain(true);
    expect(at.record?.state).toBe('Active');
  });
});

describe('Where new values need no review', () => {
  beforeEach(() => {
    at.store = aStore({ kind: 'KeyStore', reviewed: ['Issue', 'Change'] });
  });

  test('a granted key rotates as any other', async () => {
    const value = await issued();
    at.putKey({ rotation: aRotation({ requestId: 'r1' }) });
    expect(await at.pass()).toContain('Rotate');
    expect(at.value).not.toBe(value);
  });

  test('a recreated key is issued anew', async () => {
    await issued();
    at.memory.records.clear();
    at.cluster.set(SECRETS, WEB, undefined);
    at.putKey({ secret: aSecretSpec() }, 'key-2');
    await at.pass();
    expect(at.record?.uid).toBe('key-2');
  });
});

describe('A reviewer who decided about the key itself', () => {
  test('switches it off whatever its spec says, and on again', async () => {
    const value = await issued();
    await at.hold('Suspended');
    at.putKey({ state: 'Active', displayName: 'edited' });
    await at.pass();
    expect(at.admits(value)).toBe(false);
    expect(at.ready).toMatchObject({ reason: 'Suspended' });
    expect(at.ready?.message).toMatch(/'rob'.*abuse/);
    await at.hold(undefined);
    await at.pass();
    expect(at.admits(value)).toBe(true);
  });

  test('revokes it for good, also a key without a form', async () => {
    at.putKey({ applicationRef: undefined } as never);
    await at.pass();
    const { value } = at;
    await at.hold('Revoked');
    await at.pass();
    expect(at.admits(value)).toBe(false);
    await at.hold(undefined);
    await at.pass();
    expect(at.record?.state).toBe('Revoked');
  });

  test('is not escaped by making the key anew', async () => {
    at.store = aStore({ kind: 'KeyStore', reviewed: [] });
    await issued();
    await at.hold('Suspended');
    at.memory.records.clear();
    at.cluster.set(SECRETS, WEB, undefined);
    at.putKey({}, 'key-2');
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('Suspended');
  });
});

describe('The client of a key', () => {
  const plain = (clientRef: string | undefined, terms?: TermsSpec): void =>
    at.putKey({
      applicationRef: undefined,
      ...(terms === undefined ? {} : { terms }),
      ...(clientRef === undefined ? {} : { clientRef: { name: clientRef } }),
    } as never);

  test('must be there before a key is issued for it', async () => {
    plain('nobody');
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('ClientNotAvailable');
  });

  test('must be registered first where that is reviewed', async () => {
    at.store = aStore({ kind: 'KeyStore', reviewed: ['Client'] });
    plain('acme');
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('ClientNotAvailable');
    await at.client({ registeredBy: 'r-1' });
    await at.pass();
    expect(at.ready?.reason).toBe('Active');
  });

  test('must be registered, too, where a key that is issued gets one, and its terms stay till then', async () => {
    at.store = aStore({ kind: 'KeyStore', reviewed: ['Client'] });
    plain(undefined);
    await at.pass();
    expect(at.ready?.reason).toBe('Active');
    plain('acme', { quota: { requests: 7, period: 'Day' } });
    await at.pass();
    expect(at.ready?.reason).toBe('ClientNotAvailable');
    expect(at.record?.clientUid).toBeUndefined();
    expect(at.record?.terms).not.toHaveProperty('quota');
    await at.client({ registeredBy: 'r-1' });
    await at.pass();
    expect(at.ready?.reason).toBe('Active');
    expect(at.record).toMatchObject({ clientUid: 'client-1', terms: { quota: { requests: 7 } } });
  });

  test('that a key is bound to may go on unregistered when its store begins to review clients', async () => {
    plain('acme');
    await at.pass();
    const { value } = at;
    at.store = aStore({ kind: 'KeyStore', reviewed: ['Client'] });
    await at.pass();
    expect(at.ready?.reason).toBe('Active');
    expect(at.admits(value)).toBe(true);
  });

  test('is not exchanged for one that nobody registered', async () => {
    at.store = aStore({ kind: 'KeyStore', reviewed: ['Client'] });
    await at.client({ registeredBy: 'r-1' });
    plain('acme');
    await at.pass();
    await at.client({ uid: 'client-2', name: 'friend' });
    plain('friend');
    await at.pass();
    expect(at.ready?.reason).toBe('InvalidSpec');
    expect(at.record?.clientUid).toBe('client-1');
  });

  test.each([
    ['of a form', true],
    ['of the key', false],
  ])('%s switches the key off and on, or ends it', async (_, hasForm) => {
    if (hasForm) await issued();
    else {
      plain('acme');
      await at.pass();
    }
    const { value } = at;
    await at.client({ state: 'Suspended' });
    await at.pass();
    expect(at.admits(value)).toBe(false);
    expect(at.ready).toMatchObject({ reason: 'Suspended' });
    await at.client();
    await at.pass();
    expect(at.admits(value)).toBe(true);
    await at.client({ state: 'Revoked' });
    await at.pass();
    expect(at.ready?.reason).toBe('Revoked');
    await at.client();
    await at.pass();
    expect(at.admits(value)).toBe(false);
  });

  test('that is switched off is not left by an edit of the key, nor by making it anew', async () => {
    plain('acme');
    await at.pass();
    const { value } = at;
    await at.client({ state: 'Suspended' });
    await at.client({ uid: 'client-2', name: 'friend' });
    plain('friend');
    await at.pass();
    expect(at.admits(value)).toBe(false);
    plain(undefined);
    await at.pass();
    expect(at.admits(value)).toBe(false);
    await at.client({ state: 'Suspended', phase: 'Ended' });
    await at.client({ uid: 'client-3', name: 'acme' });
    plain('acme');
    await at.pass();
    expect(at.admits(value)).toBe(false);
  });
});

describe('At a vendor', () => {
  const content = aRequest({ format: 'Dual' });
  const apply = async (): Promise<void> => {
    at = new Desk('M');
    await at.client();
    await at.form(submitted({ content }));
    at.putKey();
    await at.pass();
  };

  test('nobody logs in, and nothing is called, before the form is approved', async () => {
    await apply();
    expect(at.ready?.reason).toBe('PendingReview');
    expect({ sessions: at.sessions, calls: at.vendor.calls }).toEqual({ sessions: 0, calls: [] });
    await at.changeForm(approve);
    await at.pass();
    expect(at.vendor.credentials.size).toBe(1);
    expect(at.ready?.reason).toBe('Active');
  });

  test('nothing is made when the grant ends between the commit and the call', async () => {
    await apply();
    await at.changeForm(approve);
    at.memory.around = (position, action) => {
      if (position !== 'after' || action !== 'KeyIssued') return;
      at.memory.documents.put({ kind: 'Form', document: ended });
    };
    const ended = endGrant(await at.stored(), anEnd('Withdrawn'));
    await expect(at.pass()).rejects.toMatchObject({ class: 'Conflict' });
    expect(at.vendor.credentials.size).toBe(0);
    await at.pass();
    expect(at.ready?.reason).toBe('GrantWithdrawn');
    expect(at.vendor.credentials.size).toBe(0);
  });

  test('a client that is switched off is off there, too, and what it is called was approved', async () => {
    await apply();
    await at.changeForm(approve);
    await at.pass();
    await at.client({ state: 'Suspended' });
    await at.pass();
    const [credential] = at.vendor.credentials.values();
    expect(credential).toMatchObject({ enabled: false, name: 'web' });
  });

  test('products follow the grant: no earlier, no others, and no longer (R32)', async () => {
    const asking = (...names: readonly string[]) =>
      aRequest({
        format: 'Dual',
        terms: { validity: { timeZone: 'UTC' }, productRefs: names.map((name) => ({ name })) },
      });
    at = new Desk('M');
    at.products.set('maps', 'p-maps').set('mail', 'p-mail');
    for (const name of at.products.keys()) at.byGrant.add(name);
    await at.client();
    await at.form(submitted({ content: asking('maps') }));
    at.putKey();
    await at.settle();
    expect(at.vendor.relations.size).toBe(0);
    await at.changeForm(approve);
    await at.settle();
    expect([...at.vendor.relations.keys()]).toEqual(['id-1 p-maps']);
    await at.changeForm(nextRound({ type: 'Change', content: asking('mail') }));
    await at.settle();
    expect([...at.vendor.relations.keys()]).toEqual(['id-1 p-maps']);
    await at.changeForm(approve);
    await at.settle();
    expect([...at.vendor.relations.keys()]).toEqual(['id-1 p-mail']);
    await at.changeForm((form) => endGrant(form, anEnd('Withdrawn')));
    await at.settle();
    // With the key everything ends that it was subscribed to.
    expect(at.vendor.credentials.size).toBe(0);
  });

  test('a product is not asked for when the grant ends in the moment before the call', async () => {
    at = new Desk('M');
    at.products.set('maps', 'p-maps');
    at.byGrant.add('maps');
    await at.client();
    const terms = { validity: { timeZone: 'UTC' }, productRefs: [{ name: 'maps' }] };
    await at.form(submitted({ content: aRequest({ format: 'Dual', terms }) }));
    at.putKey();
    await at.changeForm(approve);
    const ended = endGrant(await at.stored(), anEnd('Withdrawn'));
    at.memory.around = (position, action) => {
      if (position !== 'after' || action !== 'RemoteSubscription') return;
      at.memory.documents.put({ kind: 'Form', document: ended });
    };
    await at.settle();
    expect(at.vendor.calls).not.toContain('subscribe');
    expect(at.vendor.credentials.size).toBe(0);
  });

  test('an approved reissue of an exposed value replaces it there', async () => {
    await apply();
    await at.changeForm(approve);
    await at.pass();
    const before = [...at.vendor.credentials.values()].map(({ values }) => [...values.values()]);
    const reissue = { requestId: 'r', reason: 'Exposed', whileWaiting: 'Suspend' } as const;
    await at.changeForm(nextRound({ type: 'Reissue', content: { ...content, reissue } }));
    await at.pass();
    await at.changeForm(approve);
    let isExposed = false;
    at.vendor.fault = () => {
      const credentials = [...at.vendor.credentials.values()];
      const isOld = (value: string): boolean => before.flat().includes(value);
      isExposed ||= credentials.some(
        (each) => each.enabled && [...each.values.values()].some(isOld),
      );
      return undefined;
    };
    await at.pass();
    await at.pass();
    const after = [...at.vendor.credentials.values()].map(({ values }) => [...values.values()]);
    expect(after.flat().filter((value) => before.flat().includes(value))).toEqual([]);
    expect(at.ready?.reason).toBe('Active');
    expect([...at.vendor.credentials.values()].map(({ enabled }) => enabled)).toEqual([true]);
    expect(isExposed).toBe(false);
  });
});

test('A key on nobody’s behalf asks the ledger for no document', async () => {
  at.putKey({ applicationRef: undefined } as never);
  await at.pass();
  await at.pass();
  expect(at.ready?.reason).toBe('Active');
  expect(at.reads).toEqual([]);
});

function anEnd(cause: 'Withdrawn' | 'Revoked' | 'ClientDeleted') {
  return { cause, atMs: at.clock.nowMs(), actor: 'rob', message: 'enough' };
}
