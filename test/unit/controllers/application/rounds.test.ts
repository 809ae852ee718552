/** What a form asks for becomes a round, once, and what nobody asks for any more is closed. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../../src/kernel/time.ts';
import { requestHash } from '../../../../src/terms/request.ts';
import { aFormStore, CLIENT, someRules, Workshop } from './workshop.ts';

describe('opening', () => {
  test("a complete form waits for a reviewer, without Stalled: that is nobody's mistake", async () => {
    const at = new Workshop();
    await at.submit();
    expect(at.status.state).toBe('Pending');
    expect(at.ready).toBe('PendingReview');
    expect(at.condition('Ready')?.status).toBe('False');
    expect(at.condition('Stalled')).toBeUndefined();
    expect(at.status.round).toMatchObject({ number: 1, type: 'Issue' });
    expect(at.status.approvals).toEqual({ required: 1, given: 0 });
    expect(at.status.applicant).toEqual({ username: 'mina', source: 'Authenticated' });
  });

  test('the hash is that of the frozen content, and the audit chain says it', async () => {
    const at = new Workshop();
    await at.submit();
    const { round, uid } = at.record();
    if (round === undefined) throw new Error('no round');
    const { number, type, content, hash } = round;
    expect(hash).toBe(requestHash({ formUid: uid, round: number, type, content }));
    expect(at.status.round?.requestHash).toBe(hash);
    expect(at.audit.at(-1)).toMatchObject({
      action: 'RoundOpened',
      actor: 'mina',
      facts: { namespace: 'team', application: 'web', round: 1, type: 'Issue', hash },
    });
    expect(at.events).toEqual(['ApplicationSubmitted']);
  });

  test('looking again at a form that nobody edited commits and writes nothing', async () => {
    const at = new Workshop();
    await at.submit();
    const { statusWrites } = at.cluster;
    const commits = at.audit.length;
    await at.pass();
    await at.pass();
    expect(at.audit.length).toBe(commits);
    expect(at.cluster.statusWrites).toBe(statusWrites);
  });

  test('R21: before approval there is no ApiKey, so no driver and no credential is asked for', async () => {
    const at = new Workshop();
    await at.submit();
    await at.passDays(3);
    expect(at.key()).toBeUndefined();
    expect(at.record().grant).toBeUndefined();
  });

  test('rules are frozen in the round, and an edit of the store opens no other', async () => {
    const at = new Workshop();
    await at.submit();
    const { hash } = at.record().round ?? {};
    at.store = aFormStore({
      timeZone: 'Asia/Seoul',
      defaultFormat: 'Dual',
      rules: someRules({ layers: [{ name: 'security', approvals: 2 }], deadlineDays: 1 }),
    });
    await at.pass();
    const { round } = at.record();
    expect(round?.hash).toBe(hash);
    expect(round?.rules.layers).toEqual([{ name: '', approvals: 1 }]);
    at.edit({ purpose: 'Another one' });
    await at.pass();
    expect(at.record().round).toMatchObject({
      number: 2,
      rules: { layers: [{ name: 'security', approvals: 2 }] },
      content: { format: 'Dual', terms: { validity: { timeZone: 'Asia/Seoul' } } },
    });
  });

  test('contact and secret are no part of what is reviewed', async () => {
    const at = new Workshop();
    await at.submit();
    at.edit({ contact: { name: 'Mina' } });
    await at.pass();
    expect(at.record().round?.number).toBe(1);
    expect(at.record().seen.generation).toBe(2);
  });
});

describe('edits during review', () => {
  test('an edit replaces the open round by one with another hash', async () => {
    const at = new Workshop();
    await at.submit();
    const { hash } = at.record().round ?? {};
    at.edit({ purpose: 'Something else' }, 'jun');
    await at.pass();
    const { round, editors } = at.record();
    expect(round).toMatchObject({ number: 2, state: 'Pending', type: 'Issue' });
    expect(round?.hash).not.toBe(hash);
    expect(editors).toEqual(['jun']);
    expect(at.status.editors).toEqual(['jun']);
    expect(at.audit.at(-1)?.actor).toBe('jun');
  });

  test('an edit that makes the form incomplete closes the round; put right, it is submitted anew', async () => {
    const at = new Workshop();
    at.store = aFormStore({ rules: someRules({ requiredFields: ['Purpose'] }) });
    await at.submit();
    at.edit({ purpose: undefined as never });
    await at.pass();
    expect(at.record().round?.state).toBe('Withdrawn');
    expect(at.status.state).toBe('Incomplete');
    at.edit({ purpose: 'Checkout' });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 2, state: 'Pending' });
  });

  test.for(['Withdrawn', 'Draft'] as const)('%s closes the open round', async (submission) => {
    const at = new Workshop();
    await at.submit();
    at.edit({ submission });
    await at.pass();
    expect(at.record().round?.state).toBe('Withdrawn');
    expect(at.status.state).toBe(submission);
    expect(at.ready).toBe(submission);
    at.edit({ submission: 'Submitted' });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 2, state: 'Pending' });
  });

  test('a store or client that is made anew under the same name is another one', async () => {
    const at = new Workshop();
    await at.submit();
    at.client = { ...CLIENT, uid: 'client-2' } as typeof CLIENT;
    await at.pass();
    expect(at.record().round).toMatchObject({
      number: 2,
      content: { client: { uid: 'client-2' } },
    });
    at.store = aFormStore({ uid: 'store-2' });
    await at.pass();
    expect(at.record().round).toMatchObject({
      number: 3,
      content: { storeRef: { uid: 'store-2' } },
    });
  });

  test('a store that is away leaves the open round alone', async () => {
    const at = new Workshop();
    await at.submit();
    at.store = { type: 'Missing', name: "ClusterKeyStore 'default'" };
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 1, state: 'Pending' });
    expect(at.status.state).toBe('Pending');
  });

  test('a client that is gone is told while the round is open, and one made anew opens the next', async () => {
    const at = new Workshop();
    await at.submit();
    at.client = { type: 'Missing', name: 'shop' };
    await at.pass();
    expect(at.ready).toBe('ClientNotAvailable');
    expect(at.condition('Ready')?.message).toContain("ApiClient 'shop' of round 1 is gone");
    expect(at.record().round).toMatchObject({ number: 1, state: 'Pending' });
    at.client = { ...CLIENT, uid: 'client-2' } as typeof CLIENT;
    await at.pass();
    expect(at.ready).toBe('PendingReview');
    expect(at.record().round).toMatchObject({ number: 2, state: 'Pending' });
  });
});

describe('incomplete', () => {
  test('every problem is named at once, and no round is opened', async () => {
    const at = new Workshop();
    at.store = aFormStore({
      rules: someRules({ requiredFields: ['Purpose', 'Justification', 'Quota'], layers: [] }),
    });
    at.client = { type: 'Missing', name: 'shop' };
    at.products = [{ name: 'maps', state: 'Unavailable' }];
    await at.submit({
      purpose: undefined as never,
      format: 'KeyPair',
      terms: {
        validity: { effectiveDate: '2025-12-31' },
        productRefs: [{ name: 'maps' }],
      },
    });
    const message = at.condition('Ready')?.message ?? '';
    for (const part of [
      'shop',
      'purpose',
      'justification',
      'quota',
      '1227',
      '1127',
      'format',
      '1565',
    ]) {
      expect(message).toContain(part);
    }
    expect(at.status.state).toBe('Incomplete');
    expect(at.ready).toBe('Incomplete');
    expect(at.condition('Submitted')).toMatchObject({ status: 'False', reason: 'Incomplete' });
    expect(at.record().round).toBeUndefined();
  });

  test.for([
    ['StoreNotAvailable', (at: Workshop) => (at.store = { type: 'Missing', name: 'x' })],
    ['ClientNotAvailable', (at: Workshop) => (at.client = { type: 'Missing', name: 'shop' })],
    ['NamespaceNotAllowed', (at: Workshop) => (at.store = aFormStore({ allowsNamespace: false }))],
    [
      'NoReviewers',
      (at: Workshop) => (at.store = aFormStore({ rules: someRules({ layers: [] }) })),
    ],
  ] as const)(
    '%s has a reason of its own, and what comes later heals it',
    async ([reason, break_]) => {
      const at = new Workshop();
      break_(at);
      await at.submit();
      expect(at.ready).toBe(reason);
      at.store = aFormStore();
      at.client = CLIENT;
      await at.pass();
      expect(at.ready).toBe('PendingReview');
    },
  );

  test('what could never be granted as it is frozen opens no round, and is named', async () => {
    const at = new Workshop();
    at.store = aFormStore({ rules: someRules({ mode: 'Automatic' }) });
    // NFC makes two letters of each, so that the site is longer than any may be.
    const site = `https://www.example.com/${'\u0958'.repeat(300)}`;
    const originPolicy = { allowed: [site], missing: 'Deny', unknownPath: 'Allow' } as const;
    await at.submit({ terms: { originPolicy } });
    expect(at.ready).toBe('Incomplete');
    expect(at.condition('Ready')?.message).toContain('spec.terms.originPolicy.allowed[0]');
    expect(at.record().round).toBeUndefined();
  });

  test('what was asked for and is over already is refused with that reason', async () => {
    const at = new Workshop();
    at.store = aFormStore({ rules: someRules({ mode: 'Automatic' }) });
    await at.submit({ terms: { validity: { expirationTime: '2026-01-01T00:00:00Z' } } });
    expect(at.ready).toBe('RequestExpired');
    expect(at.record().grant).toBeUndefined();
  });
});

describe('decisions', () => {
  test.for(['Denied', 'Returned'] as const)(
    '%s shows the words of the reviewer',
    async (decision) => {
      const at = new Workshop();
      await at.submit();
      await at.decide(decision);
      expect(at.ready).toBe(decision);
      expect(at.condition('Ready')?.message).toContain('Say more.');
      expect(at.condition('Stalled')?.status).toBe('True');
      expect(at.status.reviews?.[0]).toMatchObject({ decision, reviewer: 'jun', reason: 'Other' });
      await at.pass();
      expect(at.record().round?.number).toBe(1);
      at.edit({ purpose: 'More' });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 2, state: 'Pending' });
    },
  );

  test('the same content is asked for again with another submissionId', async () => {
    const at = new Workshop();
    await at.submit({ submissionId: 'one' });
    await at.decide('Denied');
    at.edit({ submissionId: 'two' });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 2, submissionId: 'two' });
  });

  test('Final: a denied form is never submitted again', async () => {
    const at = new Workshop();
    at.store = aFormStore({ rules: someRules({ onDenied: 'Final' }) });
    await at.submit();
    await at.decide('Denied');
    at.edit({ purpose: 'More', submissionId: 'again' });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 1, state: 'Denied' });
    expect(at.ready).toBe('Denied');
  });

  test('Automatic: what is complete is opened and approved in one commit', async () => {
    const at = new Workshop();
    at.store = aFormStore({ rules: someRules({ mode: 'Automatic' }) });
    await at.submit();
    expect(at.audit.map(({ action }) => action)).toEqual(['FormSeen', 'RoundApproved']);
    expect(at.audit.at(-1)?.actor).toBe('operator');
    expect(at.record().grant).toMatchObject({ round: 1 });
    expect(at.ready).toBe('InForce');
    expect(at.condition('Approved')?.reason).toBe('ApprovedAutomatically');
  });

  test('a type that the store does not review is approved at once', async () => {
    const at = new Workshop();
    at.store = aFormStore({ rules: someRules({ requiredFor: ['Change'] }) });
    await at.submit();
    expect(at.ready).toBe('InForce');
    at.edit({ purpose: 'More' });
    await at.pass();
    expect(at.record().round).toMatchObject({ type: 'Change', state: 'Pending' });
  });
});

describe('time', () => {
  test('a round lapses at its deadline, not before, and only a new submissionId revives it', async () => {
    const at = new Workshop();
    await at.submit();
    await at.passDays(13.9);
    expect(at.status.state).toBe('Pending');
    await at.passDays(0.2);
    expect(at.status.state).toBe('Lapsed');
    expect(at.audit.at(-1)).toMatchObject({ action: 'RoundLapsed', actor: 'schedule' });
    await at.passDays(1);
    expect(at.record().round?.number).toBe(1);
    at.edit({ submissionId: 'again' });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 2, state: 'Pending' });
  });

  test('a decision that was written in time counts, however late it is looked at', async () => {
    const at = new Workshop();
    await at.submit();
    at.isReviewWaiting = true;
    at.clock.advance(20 * DAY_MS);
    await at.pass();
    expect(at.status.state).toBe('Pending');
    expect(await at.lookAgainAtMs()).toBe(at.clock.nowMs() + 2 * SECOND_MS);
    await at.decide('Approved');
    expect(at.status.state).toBe('Approved');
  });

  test('an edit is noted while a round waits beyond its deadline, because the review waits for that', async () => {
    const at = new Workshop();
    await at.submit();
    at.isReviewWaiting = true;
    at.edit({ secret: { name: 'other' } } as never);
    at.clock.advance(20 * DAY_MS);
    await at.pass();
    expect(at.record().seen.generation).toBe(2);
    expect(at.record().round).toMatchObject({ number: 1, state: 'Pending' });
  });

  test('a round lapses once no decision that was written in time is left', async () => {
    const at = new Workshop();
    await at.submit();
    at.isReviewWaiting = true;
    at.clock.advance(20 * DAY_MS);
    await at.pass();
    at.isReviewWaiting = false;
    at.clock.advance(2 * SECOND_MS);
    await at.pass();
    expect(at.status.state).toBe('Lapsed');
  });

  test('a round waits a day, and not for ever, for a decision that nobody can judge', async () => {
    const at = new Workshop();
    await at.submit();
    at.isReviewWaiting = true;
    at.clock.advance(20 * DAY_MS);
    await at.pass();
    at.clock.advance(DAY_MS - SECOND_MS);
    await at.pass();
    expect(at.status.state).toBe('Pending');
    at.clock.advance(SECOND_MS);
    await at.pass();
    expect(at.status.state).toBe('Lapsed');
  });

  test('a round that is opened while the clock is known to be a day ahead is opened at the server’s time', async () => {
    const at = new Workshop();
    const serverMs = at.clock.nowMs();
    at.time.note(new Date(serverMs).toUTCString(), 0);
    at.clock.step(DAY_MS);
    await at.submit();
    const { submittedMs, deadlineMs } = at.record().round ?? {};
    expect(Math.abs((submittedMs ?? NaN) - serverMs)).toBeLessThanOrEqual(SECOND_MS);
    expect((deadlineMs ?? NaN) - (submittedMs ?? NaN)).toBe(14 * DAY_MS);
    expect(Math.abs(at.record().seen.atMs - serverMs)).toBeLessThanOrEqual(SECOND_MS);
  });

  test('while the clock is not believed nothing lapses, and only what is overdue is looked at every minute', async () => {
    const at = new Workshop();
    await at.submit();
    at.cluster.isClockTrusted = false;
    expect(await at.lookAgainAtMs()).toBe(at.record().round?.deadlineMs);
    at.clock.advance(20 * DAY_MS);
    await at.pass();
    expect(at.status.state).toBe('Pending');
    expect(await at.lookAgainAtMs()).toBe(at.clock.nowMs() + MINUTE_MS);
    at.cluster.isClockTrusted = true;
    await at.pass();
    expect(at.status.state).toBe('Lapsed');
  });

  test('a draft is left alone, lapses when nobody goes on with it, and can still be submitted', async () => {
    const at = new Workshop();
    at.client = { type: 'Unnamed' };
    await at.submit({ submission: 'Draft', clientRef: undefined as never });
    expect(at.status.state).toBe('Draft');
    expect(at.ready).toBe('Draft');
    expect(at.condition('Ready')?.message).toContain(
      'before it can be submitted: spec.clientRef is missing',
    );
    await at.passDays(31);
    expect(at.status.state).toBe('Lapsed');
    expect(at.object()).toBeDefined();
    at.client = CLIENT;
    at.edit({ submission: 'Submitted', clientRef: { name: 'shop' } });
    await at.pass();
    expect(at.status.state).toBe('Pending');
  });
});
