import { describe, expect, test } from 'vitest';
import { FORM_CHECKS } from '../../../../src/controllers/review/formchecks.ts';
import { questionsOf } from '../../../../src/controllers/review/officechecks.ts';
import {
  aCounted,
  aForm,
  aFormTarget,
  aGrant,
  aReview,
  aRound,
  aWorld,
  BOB,
  CREATED_MS,
  messageOf,
  SUBMITTED_MS,
  verdict,
} from './cases.ts';

const form = (change: Parameters<typeof aForm>[0]) => aFormTarget(aForm(change));
const round = (...parts: Parameters<typeof aRound>) => form({ round: aRound(...parts) });
const review = (...parts: Parameters<typeof aReview>) => ({ review: aReview(...parts) });
const ATTESTED = { username: 'bob', attestedBy: 'portal' } as const;
const LAYERS = [
  { name: 'team', approvals: 1 },
  { name: 'security', approvals: 2 },
] as const;

describe('a review of a form', () => {
  test('that names an authenticated reviewer with the right, and what he read, decides', () => {
    expect(verdict()).toBe('Decisive');
  });

  test('is checked in one order, and the API server is asked last', () => {
    expect(FORM_CHECKS.at(-1)?.name).toBe('reviewer has the right');
    expect(verdict({ rights: undefined })).toBe('Ask');
    expect(verdict({ rights: undefined, ...review({ requestHash: 'x' }) })).toBe('HashMismatch');
  });

  test('counts in the second in which its round was submitted, because no clock says more', () => {
    const createdMs = Math.floor(SUBMITTED_MS / 1_000) * 1_000;
    const target = round({ submittedMs: SUBMITTED_MS + 900 });
    expect(verdict({ target, ...review({}, { createdMs }) })).toBe('Decisive');
  });
});

describe('what the cache does not show yet', () => {
  const cached = { ...aFormTarget(), isLive: false };

  test('is read live before anything is approved', () => {
    expect(verdict({ target: cached })).toBe('Look');
    expect(verdict({ target: cached, rights: undefined })).toBe('Look');
  });

  test('is read only where all else speaks for the review', () => {
    expect(verdict({ target: cached, ...review({ requestHash: 'x' }) })).toBe('HashMismatch');
    expect(verdict({ target: cached, ...review({ decision: 'Denied' }) })).toBe('Decisive');
  });
});

describe('the target of a review', () => {
  test('is refused where there is no such form', () => {
    const target = { ...aFormTarget(), sight: undefined };
    expect(verdict({ target })).toBe('ApplicationNotFound');
  });

  test('is refused where the form was made anew under the same name', () => {
    const target = aFormTarget();
    const sight = { uid: 'other', generation: 1, isDeleting: false, authors: [] };
    expect(verdict({ target: { ...target, sight } })).toBe('ApplicationReplaced');
  });

  test('is refused while the form is being deleted', () => {
    const target = aFormTarget();
    const sight = { uid: 'form-uid', generation: 1, isDeleting: true, authors: [] };
    expect(verdict({ target: { ...target, sight } })).toBe('ApplicationNotFound');
  });

  test('is refused where nothing was submitted yet', () => {
    expect(verdict({ target: { ...aFormTarget(), form: undefined } })).toBe('HashMismatch');
    const { round: _, ...drafted } = aForm();
    expect(verdict({ target: aFormTarget(drafted) })).toBe('HashMismatch');
  });

  test('is refused where the store is gone, or another one has its name', () => {
    expect(verdict({ target: { ...aFormTarget(), storeUid: undefined } })).toBe(
      'StoreNotAvailable',
    );
    expect(verdict({ target: { ...aFormTarget(), storeUid: 'other' } })).toBe('StoreNotAvailable');
  });

  test('is not approved where its client is gone, or another one has its name', () => {
    for (const clientUid of [undefined, 'other']) {
      const target = { ...aFormTarget(), clientUid };
      expect(verdict({ target })).toBe('ClientNotAvailable');
      expect(verdict({ target, ...review({ decision: 'Returned' }) })).toBe('Decisive');
      expect(verdict({ target: { ...target, isLive: false } })).toBe('Look');
    }
  });
});

describe('the identity of a reviewer', () => {
  test('is not believed where the review names none', () => {
    const { reviewer: _, ...spec } = aReview().spec;
    expect(verdict({ review: { ...aReview(), spec } })).toBe('IdentityUnverified');
    expect(verdict(review({ reviewer: { username: '' } }))).toBe('IdentityUnverified');
  });

  test('is never that of a service account, not even of the namespace of the form', () => {
    const reviewer = { username: 'system:serviceaccount:team:robot' };
    expect(verdict(review({ reviewer }))).toBe('IdentityUnverified');
  });

  test('is not believed where the policies were not in force when it was created', () => {
    expect(verdict({ proof: { type: 'Broken' } })).toBe('IdentityUnverified');
  });

  test('is not believed while nothing can be proven, and may be later', () => {
    expect(verdict({ proof: { type: 'Missing', reason: 'no policies' } })).toBe('Unproven');
  });

  test('waits for a proof where nobody has looked since', () => {
    expect(verdict({ proof: { type: 'Unknown' } })).toBe('Prove');
  });

  test('by assertion counts only from an attestor of the store as it was when the round opened', () => {
    const asserted = review({ reviewer: ATTESTED });
    expect(verdict(asserted)).toBe('IdentityUnverified');
    expect(verdict({ ...asserted, target: round({}, { attestors: ['portal'] }) })).toBe('Decisive');
  });

  test.each([
    ['names a system user', { ...ATTESTED, username: 'system:masters' }],
    ['claims groups', { ...ATTESTED, groups: ['reviewers'] }],
    ['claims a UID', { ...ATTESTED, uid: 'bob-uid' }],
  ])('by assertion does not count where it %s', (_, reviewer) => {
    const target = round({}, { attestors: ['portal'] });
    expect(verdict({ target, ...review({ reviewer }) })).toBe('IdentityUnverified');
  });

  test('by assertion needs a form that says which person it is for', () => {
    const rules = aRound({}, { attestors: ['portal'] });
    const filedBy = (applicant: ReturnType<typeof aForm>['applicant']) =>
      verdict({
        target: form({ round: rules, applicant }),
        ...review({ reviewer: ATTESTED }),
      });
    const robot = 'system:serviceaccount:argocd:argo';
    expect(filedBy({ username: robot, source: 'Authenticated' })).toBe('IdentityUnverified');
    expect(filedBy({ username: 'ann', source: 'Asserted', attestedBy: robot })).toBe('Decisive');
    // The account of a portal may have any name; who uses it to file and to decide is one person.
    expect(filedBy({ username: 'portal', source: 'Authenticated' })).toBe('IdentityUnverified');
  });

  test('by assertion does not count for a form that an account for others has edited', () => {
    const rules = aRound({}, { attestors: ['portal'] });
    const asserted = review({ reviewer: ATTESTED });
    const editedBy = (editor: string) =>
      verdict({ target: form({ round: rules, editors: [editor] }), ...asserted });
    expect(editedBy('portal')).toBe('IdentityUnverified');
    expect(editedBy('system:serviceaccount:argocd:argo')).toBe('IdentityUnverified');
    expect(editedBy('kim')).toBe('Decisive');
    const target = aFormTarget(form({ round: rules }).form);
    const sight = { uid: 'form-uid', generation: 1, isDeleting: false, authors: ['ann', 'portal'] };
    expect(verdict({ target: { ...target, sight }, ...asserted })).toBe('IdentityUnverified');
  });

  test('with a line break in it is never believed', () => {
    expect(verdict(review({ reviewer: { username: 'bob\nann' } }))).toBe('IdentityUnverified');
  });
});

describe('nobody decides about his own form', () => {
  const by = (username: string) => review({ reviewer: { username } });

  test('as its applicant (R28)', () => {
    expect(verdict(by('ann'))).toBe('SelfReviewNotAllowed');
  });

  test('as the person it was filed for, nor as the account that filed it', () => {
    const applicant = { username: 'kim', source: 'Asserted', attestedBy: 'portal' } as const;
    const target = form({ applicant });
    expect(verdict({ target, ...by('kim') })).toBe('SelfReviewNotAllowed');
    expect(verdict({ target, ...by('portal') })).toBe('SelfReviewNotAllowed');
  });

  test('as one who edited it, in the ledger or only in its newest annotations', () => {
    expect(verdict({ target: form({ editors: ['kim', 'bob'] }) })).toBe('SelfReviewNotAllowed');
    const target = aFormTarget();
    const sight = { uid: 'form-uid', generation: 1, isDeleting: false, authors: ['ann', 'bob'] };
    expect(verdict({ target: { ...target, sight } })).toBe('SelfReviewNotAllowed');
  });

  test('under his own name said by an attestor', () => {
    const target = round({}, { attestors: ['portal'] });
    const reviewer = { username: 'ann', attestedBy: 'portal' };
    expect(verdict({ target, ...review({ reviewer }) })).toBe('SelfReviewNotAllowed');
  });

  test('in another Unicode form of his name; in another case it is another name', () => {
    const applicant = { username: 'Jos\u00e9', source: 'Authenticated' } as const;
    const target = form({ applicant });
    expect(verdict({ target, ...by('Jose\u0301') })).toBe('SelfReviewNotAllowed');
    expect(verdict({ target, ...by('jos\u00e9') })).toBe('Decisive');
  });

  test('neither approving nor denying, returning or withdrawing it', () => {
    for (const decision of ['Denied', 'Returned', 'Revoked'] as const) {
      const spec = { decision, reviewer: { username: 'ann' } };
      expect(verdict(review(spec))).toBe('SelfReviewNotAllowed');
    }
  });

  test('unless the store allows it', () => {
    expect(verdict({ target: round({}, { selfReview: 'Allowed' }), ...by('ann') })).toBe(
      'Decisive',
    );
  });

  test('nor, where the store says so, with rights to write forms in the namespace', () => {
    const target = round({}, { selfReview: 'ForbiddenInNamespace' });
    const rights = { mayDecide: true, mayAuthor: 'create apikeyapplications in namespace team' };
    expect(verdict({ target, rights })).toBe('SelfReviewNotAllowed');
    expect(verdict({ target })).toBe('Decisive');
    const asked = questionsOf(aWorld({ target }))?.author ?? [];
    expect(asked.map(({ verb, resource }) => `${verb} ${resource}`)).toContain('create pods');
    expect(questionsOf(aWorld())?.author).toEqual([]);
  });
});

describe('what was read is what is approved', () => {
  test('so a hash of another request, or of another form, does not count', () => {
    expect(verdict(review({ requestHash: 'sha256:forged' }))).toBe('HashMismatch');
    const { requestHash: _, ...spec } = aReview().spec;
    expect(verdict({ review: { ...aReview(), spec } })).toBe('HashMismatch');
  });

  test('so the newest edit of the form is looked at before its review', () => {
    const target = aFormTarget();
    const sight = { uid: 'form-uid', generation: 2, isDeleting: false, authors: ['ann'] };
    expect(verdict({ target: { ...target, sight } })).toBe('Wait');
  });

  test('so an edit that nobody can prove keeps the form from being approved', () => {
    const seen = { generation: 1, atMs: SUBMITTED_MS, isProven: false };
    expect(verdict({ target: form({ seen }) })).toBe('IdentityUnverified');
  });

  test('so a review that is older than its round never counts, whatever hash it guessed', () => {
    expect(verdict(review({}, { createdMs: SUBMITTED_MS - 3_000 }))).toBe('HashMismatch');
  });

  test('by the clock of the API server, where ours is off by minutes', () => {
    const createdMs = SUBMITTED_MS - 60_000;
    expect(verdict({ ...review({}, { createdMs }), skewMs: -120_000 })).toBe('Decisive');
    expect(verdict({ ...review({}, { createdMs: CREATED_MS }), skewMs: 120_000 })).toBe(
      'HashMismatch',
    );
  });

  test.each(['Approved', 'Denied', 'Returned', 'Withdrawn', 'Lapsed', 'Replaced'] as const)(
    'once: a round that is %s is decided',
    (state) => {
      expect(verdict({ target: round({ state }) })).toBe('AlreadyDecided');
    },
  );

  test('in time: one that was written after the deadline does not count, a late look does', () => {
    const target = round({ deadlineMs: CREATED_MS - 10_000 });
    expect(verdict({ target })).toBe('AlreadyDecided');
    const nowMs = CREATED_MS + 86_400_000;
    expect(verdict({ target: round({ deadlineMs: CREATED_MS + 1 }), nowMs })).toBe('Decisive');
  });

  test('once: what a restored database forgot is not approved again, but denied again', () => {
    const condition = { status: 'True', reason: 'Accepted', message: '' } as const;
    const time = { lastTransitionTime: '2026-01-01T00:00:00Z' };
    const status = { conditions: [{ type: 'Ready', ...condition, ...time }] };
    expect(verdict(review({}, { status }))).toBe('AlreadyDecided');
    expect(verdict(review({ decision: 'Denied' }, { status }))).toBe('Decisive');
  });
});

describe('what is granted', () => {
  test('may be narrowed, and never be more than was asked for', () => {
    const quota = { requests: 100, period: 'Lifetime' } as const;
    const target = form({ round: aRound({ content: { ...aRound().content, terms: { quota } } }) });
    const narrowed = (requests: number) =>
      verdict({ target, ...review({ narrowed: { quota: { requests } } }) });
    expect(narrowed(10)).toBe('Decisive');
    expect(narrowed(101)).toBe('GrantExceedsRequest');
    expect(verdict({ target, ...review({ narrowed: { cidrs: [] } }) })).toBe('GrantExceedsRequest');
  });

  test('ends no later than the store gives where nobody named an end', () => {
    const rules = { ...aRound().rules, storeDurationDays: 30 };
    const target = form({ round: aRound({ rules }) });
    const narrowed = (durationDays: number) =>
      verdict({ target, ...review({ narrowed: { durationDays } }) });
    expect(narrowed(30)).toBe('Decisive');
    expect(narrowed(3650)).toBe('GrantExceedsRequest');
  });

  test('is compared with what earlier layers left', () => {
    const quota = { requests: 100, period: 'Lifetime' } as const;
    const content = { ...aRound().content, terms: { quota } };
    const left = { quota: { ...quota, requests: 20 } };
    const target = form({ round: aRound({ content, narrowed: left }) });
    const narrowed = { quota: { requests: 50 } };
    expect(verdict({ target, ...review({ narrowed }) })).toBe('GrantExceedsRequest');
  });

  test('is nothing that could be narrowed in a reissue', () => {
    const target = round({ type: 'Reissue' });
    const narrowed = { quota: { requests: 1 } };
    expect(verdict({ target, ...review({ narrowed }) })).toBe('GrantExceedsRequest');
    expect(verdict({ target })).toBe('Decisive');
  });

  const asked = (validity: object, change: Parameters<typeof aForm>[0] = {}) =>
    form({ round: aRound({ content: { ...aRound().content, terms: { validity } } }), ...change });

  test('must not be over before it is approved', () => {
    const over = asked({ expirationDate: '2025-12-31', timeZone: 'UTC' });
    expect(verdict({ target: over })).toBe('RequestExpired');
    expect(verdict({ target: over, ...review({ decision: 'Returned' }) })).toBe('Decisive');
    const today = asked({ expirationDate: '2026-01-01', timeZone: 'UTC' });
    expect(verdict({ target: today })).toBe('Decisive');
  });

  test('counts its days from the first issue', () => {
    const issuedTo = { keyUid: 'key-uid', atMs: SUBMITTED_MS - 40 * 86_400_000 };
    expect(verdict({ target: asked({ durationDays: 30 }, { issuedTo }) })).toBe('RequestExpired');
    expect(verdict({ target: asked({ durationDays: 30 }) })).toBe('Decisive');
  });
});

describe('layers', () => {
  const layered = (change: Parameters<typeof aForm>[0] = {}) =>
    form({ round: aRound({}, { layers: LAYERS }), ...change });
  const first = aCounted('kim', { layer: 'team' });
  const second = aCounted('lee', { layer: 'security' });

  test('must be named where the store has them, and only there', () => {
    expect(verdict({ target: layered() })).toBe('WrongLayer');
    expect(verdict(review({ layer: 'team' }))).toBe('WrongLayer');
    expect(verdict({ target: layered(), ...review({ layer: 'nobody' }) })).toBe('WrongLayer');
  });

  test('decide in their order', () => {
    expect(verdict({ target: layered(), ...review({ layer: 'security' }) })).toBe('WrongLayer');
    expect(verdict({ target: layered(), ...review({ layer: 'team' }) })).toBe('Counted');
    const passed = layered({ reviews: [first] });
    expect(verdict({ target: passed, ...review({ layer: 'team' }) })).toBe('WrongLayer');
    expect(verdict({ target: passed, ...review({ layer: 'security' }) })).toBe('Counted');
    const last = layered({ reviews: [first, second] });
    expect(verdict({ target: last, ...review({ layer: 'security' }) })).toBe('Decisive');
  });

  test('are told by subresources of the verb', () => {
    const world = aWorld({ target: layered(), ...review({ layer: 'team' }) });
    expect(questionsOf(world)?.decide).toEqual({
      verb: 'approve',
      group: 'keyward.dev',
      resource: 'clusterkeystores',
      subresource: 'team',
      name: 'default',
    });
  });

  test('end with one denial', () => {
    const denial = review({ layer: 'team', decision: 'Denied' });
    expect(verdict({ target: layered(), ...denial })).toBe('Decisive');
  });

  test('count one person once over all of them, asserted or not', () => {
    const bobs = aCounted('bob', { layer: 'team' });
    const target = layered({ reviews: [bobs] });
    expect(verdict({ target, ...review({ layer: 'security' }) })).toBe('DuplicateReviewer');
    const rules = aRound({}, { layers: LAYERS, attestors: ['portal'] });
    const asserted = review({ layer: 'security', reviewer: ATTESTED });
    expect(verdict({ target: form({ round: rules, reviews: [bobs] }), ...asserted })).toBe(
      'DuplicateReviewer',
    );
  });

  test('begin anew with each round', () => {
    const bobs = aCounted('bob', { layer: 'team' });
    const target = form({ round: aRound({ number: 2 }, { layers: LAYERS }), reviews: [bobs] });
    expect(verdict({ target, ...review({ layer: 'team' }) })).toBe('Counted');
  });
});

describe('the right to decide', () => {
  test('is verb approve on the store by name, asked for user, UID and groups', () => {
    const questions = questionsOf(aWorld());
    expect(questions?.subject).toEqual({ user: 'bob', uid: 'bob-uid', groups: ['reviewers'] });
    expect(questions?.decide).toEqual({
      verb: 'approve',
      group: 'keyward.dev',
      resource: 'clusterkeystores',
      name: 'default',
    });
  });

  test('is asked in the namespace where the store has one', () => {
    const content = { ...aRound().content };
    const storeRef = { kind: 'KeyStore', name: 'own', uid: 'store-uid' } as const;
    const target = round({ content: { ...content, storeRef } });
    expect(questionsOf(aWorld({ target }))?.decide).toEqual({
      verb: 'approve',
      group: 'keyward.dev',
      resource: 'keystores',
      name: 'own',
      namespace: 'team',
    });
  });

  test('of an asserted reviewer is asked by name alone', () => {
    const world = aWorld(review({ reviewer: ATTESTED }));
    expect(questionsOf(world)?.subject).toEqual({ user: 'bob' });
  });

  test('missing, is named in the refusal', () => {
    const rights = { mayDecide: false };
    expect(verdict({ rights })).toBe('ReviewerNotAuthorized');
    expect(messageOf({ rights })).toContain(`"bob" may not approve clusterkeystores 'default'`);
  });

  test('that comes from a rule for all verbs counts, and is said', () => {
    const rights = { mayDecide: true, wildcard: 'ClusterRoleBinding "admins"' };
    expect(verdict({ rights })).toBe('Decisive');
    expect(messageOf({ rights })).toContain('ClusterRoleBinding "admins"');
    expect(questionsOf(aWorld())?.probe.verb).not.toBe('approve');
  });
});

describe('a withdrawal of a grant', () => {
  const withdrawal = { decision: 'Revoked', grantRound: 1, requestHash: undefined } as never;
  const granted = (change: Parameters<typeof aForm>[0] = {}) =>
    form({ grant: aGrant(), round: aRound({ state: 'Approved' }), ...change });

  test('counts in every state of the form, also while it is edited', () => {
    for (const state of ['Approved', 'Pending', 'Denied', 'Lapsed', 'Withdrawn'] as const) {
      const target = granted({ round: aRound({ number: 2, state }) });
      expect(verdict({ target, ...review(withdrawal) })).toBe('Decisive');
    }
    const target = granted();
    const sight = { uid: 'form-uid', generation: 9, isDeleting: false, authors: ['ann'] };
    expect(verdict({ target: { ...target, sight }, ...review(withdrawal) })).toBe('Decisive');
  });

  test('must mean the grant that is there, or one that waits for its date', () => {
    expect(verdict(review(withdrawal))).toBe('GrantNotFound');
    const target = granted({ grant: aGrant({ round: 2 }) });
    expect(verdict({ target, ...review(withdrawal) })).toBe('GrantNotFound');
    const waiting = granted({ grant: aGrant({ round: 2 }), nextGrant: aGrant() });
    expect(verdict({ target: waiting, ...review(withdrawal) })).toBe('Decisive');
  });

  test('counts once', () => {
    const ended = { cause: 'Revoked', atMs: SUBMITTED_MS, actor: 'eve' } as const;
    expect(verdict({ target: granted({ ended }), ...review(withdrawal) })).toBe('AlreadyDecided');
    expect(verdict({ target: granted({ ended }) })).toBe('AlreadyDecided');
  });

  test('ends the form, so that later edits of it are not waited for', () => {
    const ended = { cause: 'Withdrawn', atMs: SUBMITTED_MS, actor: 'eve' } as const;
    const target = granted({ ended });
    const sight = { uid: 'form-uid', generation: 9, isDeleting: false, authors: ['ann'] };
    expect(verdict({ target: { ...target, sight } })).toBe('AlreadyDecided');
  });

  test('may come from any layer that the store has now, or from none, whatever the newest round froze', () => {
    const spec = withdrawal as object;
    const storeLayers = ['team', 'security'];
    for (const layers of [LAYERS, [], [{ name: 'former', approvals: 1 }]]) {
      const frozen = granted({ round: aRound({ number: 2, state: 'Approved' }, { layers }) });
      const target = { ...frozen, storeLayers };
      expect(verdict({ target, ...review({ ...spec, layer: 'security' }) })).toBe('Decisive');
      expect(verdict({ target, ...review(spec) })).toBe('Decisive');
      expect(verdict({ target, ...review({ ...spec, layer: 'former' }) })).toBe('WrongLayer');
      const world = aWorld({ target, ...review({ ...spec, layer: 'security' }) });
      expect(questionsOf(world)?.decide.subresource).toBe('security');
    }
  });

  test('needs no store of which anybody knows the layers, but the right on the one that it names', () => {
    const target = { ...granted(), storeUid: undefined, storeLayers: undefined };
    const named = review({ ...(withdrawal as object), layer: 'security' });
    expect(verdict({ target, ...named })).toBe('Decisive');
    expect(verdict({ target, ...named, rights: { mayDecide: false } })).toBe(
      'ReviewerNotAuthorized',
    );
  });

  test('may come from who approved it', () => {
    const target = granted({ reviews: [aCounted('bob')] });
    expect(verdict({ target, ...review({ ...(withdrawal as object), reviewer: BOB }) })).toBe(
      'Decisive',
    );
  });
});
