/** Forms and who decides about them, on the real operator, with people whom the API server knows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_CLIENTS, API_KEY_APPLICATIONS, API_KEY_REVIEWS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { People, type Form } from '../../support/operator.people.ts';
import { Site } from '../../support/operator.site.ts';

let site: Site;
let people: People;

const AT = { storeRef: { kind: 'KeyStore', name: 'desk' } } as const;
const LAYERED = { storeRef: { kind: 'KeyStore', name: 'floors' } } as const;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  people = new People(site);
  await people.openStore('desk', { attestors: [{ username: 'portal' }] });
  await people.openStore('floors', {
    layers: [{ name: 'team' }, { name: 'security', approvals: 2 }],
  });
  await people.appoint('ann', { isConsumer: true, isReviewer: true, approves: ['desk'] });
  await people.appoint('kim', { isConsumer: true, isReviewer: true, approves: ['desk'] });
  const floors = ['floors/team', 'floors/security'];
  await people.appoint('bob', { isReviewer: true, approves: ['desk', ...floors] });
  await people.appoint('lee', { isReviewer: true, approves: ['floors/security'] });
  await people.appoint('eve', { isReviewer: true, approves: ['floors/security'] });
  await people.appoint('mallory', { isReviewer: true });
  await people.appoint('portal', { isReviewer: true, isConsumer: true });
  await site.start();
  await people.register('shop');
  await untilProven();
});

afterAll(async () => {
  people.close();
  await site.close();
});

/** What was written before the first proof never counts, so that proof is awaited. */
async function untilProven(): Promise<void> {
  let tries = 0;
  await eventually(async () => {
    tries += 1;
    await people.file('ann', `early-${tries}`, { ...AT, submission: 'Draft' });
    const reason = await eventually(async () => {
      const { status } = await people.form(`early-${tries}`);
      const [ready] = status.conditions ?? [];
      expect(status.observedGeneration).toBe(1);
      expect(ready?.reason).not.toBe('AwaitingProof');
      return ready?.reason;
    });
    expect(reason).not.toBe('IdentityUnverified');
  });
}

async function valueOf(name: string): Promise<string> {
  const { apiKey = '' } = await site.values(name);
  return apiKey;
}

describe('an approval', () => {
  test('makes the key, and not before it', async () => {
    const form = await people.submit('ann', 'first', AT);
    expect(await site.secret('first')).toBeUndefined();
    expect(await people.verdict(await people.decide('bob', form))).toBe('Decisive');
    await people.until('first', 'Approved');
    await site.until('first', 'Active');
    expect(await site.verdict(await valueOf('first'))).toBe('Allowed');
  });

  test('may grant less than was asked for, and never more', async () => {
    const terms = { quota: { requests: 100 } };
    const form = await people.submit('ann', 'less', { ...AT, terms });
    const more = { narrowed: { quota: { requests: 1_000 } } };
    expect(await people.verdict(await people.decide('bob', form, more))).toBe(
      'GrantExceedsRequest',
    );
    const less = { narrowed: { quota: { requests: 10 } } };
    expect(await people.verdict(await people.decide('bob', form, less))).toBe('Decisive');
    const key = await site.until('less', 'Active');
    expect(key.status.quota?.limit).toBe(10);
  });

  test('counts once, also when the review is deleted and the operator starts anew', async () => {
    const form = await people.submit('ann', 'once', AT);
    const name = await people.decide('bob', form);
    expect(await people.verdict(name)).toBe('Decisive');
    const key = await site.until('once', 'Active');
    await people.as('bob').remove(API_KEY_REVIEWS, site.namespace, name);
    await site.restart();
    await people.until('once', 'Approved');
    expect((await site.until('once', 'Active')).status.keyId).toBe(key.status.keyId);
    expect(await people.verdict(await people.decide('bob', form))).toBe('AlreadyDecided');
  });
});

describe('a refusal', () => {
  test('is told to the applicant with its reason, and an edit opens another round', async () => {
    const form = await people.submit('ann', 'denied', AT);
    const denial = { decision: 'Denied', reason: 'PurposeMismatch', message: 'not for maps' };
    expect(await people.verdict(await people.decide('bob', form, denial))).toBe('Decisive');
    const denied = await people.until('denied', 'Denied');
    expect(denied.status.reviews?.at(-1)).toMatchObject({
      reviewer: 'bob',
      reason: 'PurposeMismatch',
      message: 'not for maps',
    });
    expect(await site.secret('denied')).toBeUndefined();
    await people.edit('ann', 'denied', { purpose: 'routes' });
    const again = await people.until('denied', 'Pending');
    expect(again.status.round?.number).toBe(2);
    expect(await people.verdict(await people.decide('bob', form))).toBe('HashMismatch');
    expect(await people.verdict(await people.decide('bob', again))).toBe('Decisive');
    await site.until('denied', 'Active');
  });

  test('may ask for a correction', async () => {
    const form = await people.submit('ann', 'returned', AT);
    const returned = { decision: 'Returned', reason: 'InsufficientInformation', message: 'which?' };
    expect(await people.verdict(await people.decide('bob', form, returned))).toBe('Decisive');
    await people.until('returned', 'Returned');
  });
});

describe('layers', () => {
  test('decide one after the other, with different people', async () => {
    const form = await people.submit('ann', 'layered', LAYERED);
    const say = async (who: string, layer: string) =>
      people.verdict(await people.decide(who, form, { layer }));
    expect(await say('lee', 'security')).toBe('WrongLayer');
    expect(await say('lee', 'team')).toBe('ReviewerNotAuthorized');
    expect(await say('bob', 'team')).toBe('Counted');
    expect(await say('bob', 'security')).toBe('DuplicateReviewer');
    expect(await say('lee', 'security')).toBe('Counted');
    expect(await site.secret('layered')).toBeUndefined();
    expect(await say('eve', 'security')).toBe('Decisive');
    await site.until('layered', 'Active');
  });
});

describe('nobody decides about his own form', () => {
  test('as its applicant', async () => {
    const form = await people.submit('ann', 'own', AT);
    expect(await people.verdict(await people.decide('ann', form))).toBe('SelfReviewNotAllowed');
    expect(await site.secret('own')).toBeUndefined();
  });

  test('as its editor, also when others edited it since', async () => {
    const rbac = await people.submit('ann', 'edited', AT);
    expect(rbac.status.round?.number).toBe(1);
    await people.edit('kim', 'edited', { purpose: 'by kim' });
    await eventually(async () => {
      expect((await people.form('edited')).status.editors).toEqual(['kim']);
    });
    const form = await people.until('edited', 'Pending');
    expect(await people.verdict(await people.decide('kim', form))).toBe('SelfReviewNotAllowed');
  });

  test('under his name said by an attestor, nor through a service account', async () => {
    const form = await people.submit('ann', 'asserted', AT);
    const asserted = (username: string) => ({ reviewer: { username, attestedBy: 'portal' } });
    expect(await people.verdict(await people.decide('portal', form, asserted('ann')))).toBe(
      'SelfReviewNotAllowed',
    );
    const robot = `system:serviceaccount:${site.namespace}:default`;
    await people.appoint(robot, { isReviewer: true, approves: ['desk'] });
    expect(await people.verdict(await people.decide(robot, form))).toBe('IdentityUnverified');
    expect(await people.verdict(await people.decide('portal', form, asserted('bob')))).toBe(
      'Decisive',
    );
    await site.until('asserted', 'Active');
  });

  test('nor by an account for others that files a form as itself, or edits one, and says who decides', async () => {
    const reviewer = { username: 'bob', attestedBy: 'portal' };
    const filed = await people.submit('portal', 'filed', AT);
    expect(await people.verdict(await people.decide('portal', filed, { reviewer }))).toBe(
      'IdentityUnverified',
    );
    await people.submit('ann', 'touched', AT);
    await people.edit('portal', 'touched', { purpose: 'other maps' });
    const touched = await people.until('touched', 'Pending');
    expect(await people.verdict(await people.decide('portal', touched, { reviewer }))).toBe(
      'IdentityUnverified',
    );
    expect(await people.verdict(await people.decide('bob', touched))).toBe('Decisive');
  });

  test('nor, where the store says so, with the right to write forms there', async () => {
    await people.openStore('strict', { selfReview: 'ForbiddenInNamespace' });
    await people.appoint('joe', { isReviewer: true, approves: ['strict'] });
    await people.appoint('jim', { isConsumer: true, isReviewer: true, approves: ['strict'] });
    const form = await people.submit('ann', 'strict', {
      storeRef: { kind: 'KeyStore', name: 'strict' },
    });
    expect(await people.verdict(await people.decide('jim', form))).toBe('SelfReviewNotAllowed');
    expect(await people.verdict(await people.decide('joe', form))).toBe('Decisive');
  });

  test('said by an account that is no attestor', async () => {
    const form = await people.submit('ann', 'unasserted', LAYERED);
    const reviewer = { username: 'bob', attestedBy: 'portal' };
    expect(
      await people.verdict(await people.decide('portal', form, { reviewer, layer: 'team' })),
    ).toBe('IdentityUnverified');
  });
});

describe('what was read is what is approved', () => {
  test('so a forged hash counts for nothing', async () => {
    const form = await people.submit('ann', 'forged', AT);
    const requestHash = `sha256:${'a'.repeat(64)}`;
    expect(await people.verdict(await people.decide('bob', form, { requestHash }))).toBe(
      'HashMismatch',
    );
  });

  test('so a review of an older round counts for nothing', async () => {
    const read = await people.submit('ann', 'moved', AT);
    await people.edit('ann', 'moved', { purpose: 'something else' });
    const name = await people.decide('bob', read);
    expect(await people.verdict(name)).toBe('HashMismatch');
    const now = await eventually(async () => {
      const form = await people.until('moved', 'Pending');
      expect(form.status.round?.number).toBe(2);
      return form;
    });
    expect(await people.verdict(await people.decide('bob', now))).toBe('Decisive');
  });

  test('so a review of a form counts for no form that was made anew under its name', async () => {
    const read = await people.submit('ann', 'anew', AT);
    await people.as('ann').remove(API_KEY_APPLICATIONS, site.namespace, 'anew');
    await eventually(async () => {
      expect(await site.api.get(API_KEY_APPLICATIONS, site.namespace, 'anew')).toBeUndefined();
    });
    const gone = await people.decide('bob', read);
    expect(await people.verdict(gone)).toBe('ApplicationNotFound');
    const again = await people.submit('kim', 'anew', AT);
    expect(await people.verdict(await people.decide('bob', read))).toBe('ApplicationReplaced');
    expect(await people.verdict(gone)).toBe('ApplicationNotFound');
    expect(again.status.round?.requestHash).not.toBe(read.status.round?.requestHash);
    expect((await people.form('anew')).status.state).toBe('Pending');
  });

  test('so nobody without the right decides, and the refusal says which right', async () => {
    const form = await people.submit('ann', 'unruly', AT);
    const { reason, message } = await people.judged(await people.decide('mallory', form));
    expect(reason).toBe('ReviewerNotAuthorized');
    expect(message).toContain("approve keystores 'desk'");
    expect((await people.form('unruly')).status.state).toBe('Pending');
  });

  test('and a right that comes from a rule for all verbs counts and is said', async () => {
    const rules = [{ apiGroups: ['keyward.dev'], resources: ['*'], verbs: ['*'] }];
    await people.appoint('root', { rules });
    const form = await people.submit('ann', 'wild', AT);
    const { reason, message } = await people.judged(await people.decide('root', form));
    expect(reason).toBe('Decisive');
    expect(message).toContain('RoleBinding "office-of-root');
  });

  test('so who lost the right between reading and deciding decides nothing', async () => {
    await people.appoint('zoe', { isReviewer: true, approves: ['desk'] });
    const form = await people.submit('ann', 'lost', AT);
    await people.appoint('zoe', { isReviewer: true });
    await eventually(async () => {
      expect(await people.verdict(await people.decide('zoe', form))).toBe('ReviewerNotAuthorized');
    });
    expect((await people.form('lost')).status.state).toBe('Pending');
  });
});

describe('at the same instant', () => {
  test('nobody approves what he read and edited a moment before, however fast he is', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `fast-${index}`);
    const forms = await Promise.all(names.map((name) => people.submit('ann', name, AT)));
    const reviews = await Promise.all(
      forms.map(async (form) => {
        await people.edit('kim', form.metadata.name, { contact: { name: 'kim' } });
        return people.decide('kim', form);
      }),
    );
    const reasons = await Promise.all(reviews.map((name) => people.verdict(name)));
    expect(new Set(reasons)).toEqual(new Set(['SelfReviewNotAllowed']));
    for (const name of names) expect((await people.form(name)).status.state).toBe('Pending');
  });

  test('nobody approves before he may: not his own form, and not before it was submitted', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `early-bird-${index}`);
    const reviews = await Promise.all(
      names.map(async (name) => {
        const form = await people.file('ann', name, AT);
        const requestHash = `sha256:${'b'.repeat(64)}`;
        return Promise.all(
          ['ann', 'bob', 'mallory'].map((who) => people.decide(who, form, { requestHash })),
        );
      }),
    );
    const reasons = await Promise.all(reviews.flat().map((name) => people.verdict(name)));
    expect(reasons).not.toContain('Decisive');
    await Promise.all(names.map((name) => people.until(name, 'Pending')));
    for (const name of names) expect(await site.secret(name)).toBeUndefined();
  });

  test('approve and deny have one winner', async () => {
    await people.appoint('max', { isReviewer: true, approves: ['desk'] });
    const form = await people.submit('ann', 'both', AT);
    const names = await Promise.all([
      people.decide('bob', form),
      people.decide('max', form, { decision: 'Denied' }),
    ]);
    const reasons = await Promise.all(names.map((name) => people.verdict(name)));
    expect(reasons.toSorted()).toEqual(['AlreadyDecided', 'Decisive']);
    const { status } = await eventually(async () => {
      const now = await people.form('both');
      expect(now.status.state).not.toBe('Pending');
      return now;
    });
    expect(status.state).toBe(reasons[0] === 'Decisive' ? 'Approved' : 'Denied');
  });

  test('forty forms are decided, each once', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `many-${index}`);
    const forms: Form[] = await Promise.all(names.map((name) => people.submit('ann', name, AT)));
    const reviews = await Promise.all(forms.map((form) => people.decide('bob', form)));
    const reasons = await Promise.all(reviews.map((name) => people.verdict(name)));
    expect(new Set(reasons)).toEqual(new Set(['Decisive']));
    await Promise.all(names.map((name) => site.until(name, 'Active')));
  });
});

describe('a withdrawn grant', () => {
  test('kills the key: no Secret, and the gate says no', async () => {
    const form = await people.submit('ann', 'withdrawn', AT);
    await people.verdict(await people.decide('bob', form));
    await site.until('withdrawn', 'Active');
    const presented = await valueOf('withdrawn');
    expect(await site.verdict(presented)).toBe('Allowed');
    const granted = await people.until('withdrawn', 'Approved');
    const wrong = await people.decide('bob', granted, { decision: 'Revoked', grantRound: 7 });
    expect(await people.verdict(wrong)).toBe('GrantNotFound');
    const name = await people.decide('bob', granted, { decision: 'Revoked', grantRound: 1 });
    expect(await people.verdict(name)).toBe('Decisive');
    await eventually(async () => {
      expect(await site.verdict(presented)).not.toBe('Allowed');
      expect(await site.secret('withdrawn')).toBeUndefined();
    });
    await people.edit('ann', 'withdrawn', { purpose: 'please' });
    expect(await people.verdict(await people.decide('bob', granted))).toBe('AlreadyDecided');
    expect(await site.secret('withdrawn')).toBeUndefined();
  });
});

describe('a client that is deleted', () => {
  test('takes the grants on its behalf along', async () => {
    await people.register('leaving');
    const form = await people.submit('ann', 'orphaned', {
      ...AT,
      clientRef: { name: 'leaving' },
    });
    await people.verdict(await people.decide('bob', form));
    await site.until('orphaned', 'Active');
    const presented = await valueOf('orphaned');
    await site.api.remove(API_CLIENTS, site.namespace, 'leaving');
    await eventually(async () => {
      expect(await site.verdict(presented)).not.toBe('Allowed');
      expect((await people.form('orphaned')).status.grant?.state).toBe('Ended');
    });
    await people.register('leaving');
    expect((await people.form('orphaned')).status.grant?.state).toBe('Ended');
  });
});
