/** Who asked and who decided cannot be forged: all policies, asked of the real API server. */
import { beforeAll, describe, expect, it } from 'vitest';
import { clientCertificate } from '../../control-plane/credentials.ts';
import { forgeriesFor, isRefusalBy } from '../../src/controllers/identity/forgeries.ts';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import {
  accepted,
  expectedOutcome,
  OPERATOR,
  outcome,
  policiesInForce,
  senderTo,
  senderWith,
  type Caller,
} from './crds.apiserver.ts';
import {
  ALICE,
  ALICE_GROUPS,
  APPLICANT,
  BOB,
  CAROL,
  deskOf,
  EDITORS,
  form,
  review,
  REVIEWERS,
  reviewerOf,
  stampsOf,
  type Desk,
} from './crds.identity.ts';

const access = sharedControlPlane();
const send = senderTo(access);
let forms: Desk;
let reviews: Desk;

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  const namespace = await freshNamespace(access, 'identity');
  await policiesInForce(send, namespace);
  forms = deskOf(send, namespace, 'apikeyapplications');
  reviews = deskOf(send, namespace, 'apikeyreviews');
});

const purpose = (text: string): object => ({ spec: { purpose: text } });
const annotate = (annotations: object | null): object => ({ metadata: { annotations } });

describe('a new form', () => {
  it('R1: bears the name of its creator, whatever he writes there', async () => {
    expect(stampsOf(await forms.try(form('new'), ALICE))).toEqual(['alice', undefined]);
    const forged = form('new', { [APPLICANT]: 'bob', [EDITORS]: 'carol', other: 'kept' });
    const answer = await forms.try(forged, ALICE);
    expect(stampsOf(answer)).toEqual(['alice', undefined]);
    expect(JSON.stringify(answer.object)).toContain('"other":"kept"');
  });

  it('may be filed for somebody else by anybody, but for no system account', async () => {
    const filed = (username: string): Promise<string> =>
      forms.try(form('behalf', {}, { onBehalfOf: { username } }), ALICE).then(outcome);
    expect(await filed('dora')).toBe(accepted);
    expect(await filed('system:serviceaccount:default:default')).toContain('system');
    expect(await filed('dora\nerin')).not.toBe(accepted);
  });

  it('is not filed by a user whose name is two lines, nor reviewed or edited by him', async () => {
    const subject = { commonName: 'dora\nerin', organizations: ['system:masters'] };
    const certificate = await clientCertificate(access.workDir, subject, Date.now());
    const asBoth = senderWith(access, certificate);
    const refused = 'a user name with a line break';
    const path = forms.path;
    expect(outcome(await asBoth({ method: 'POST', path, body: form('two') }))).toContain(refused);
    const decision = await asBoth({ method: 'POST', path: reviews.path, body: review('two') });
    expect(outcome(decision)).toContain(refused);
    await forms.create(form('one'), ALICE);
    const edit = { method: 'PATCH', path: `${path}/one`, body: purpose('two') } as const;
    expect(outcome(await asBoth(edit))).toContain(refused);
    const label = { ...edit, body: { metadata: { labels: { a: 'b' } } } };
    expect(outcome(await asBoth(label))).toBe(accepted);
  });
});

describe('the names on a form', () => {
  it('grow by whoever else changes the spec, once each, in order', async () => {
    await forms.create(form('grows'), ALICE);
    const edit = async (text: string, as: Caller): Promise<unknown> =>
      stampsOf(await forms.patch('grows', purpose(text), as));
    expect(await edit('1', ALICE)).toEqual(['alice', undefined]);
    expect(await edit('2', BOB)).toEqual(['alice', 'bob']);
    expect(await edit('3', CAROL)).toEqual(['alice', 'bob\ncarol']);
    expect(await edit('4', BOB)).toEqual(['alice', 'bob\ncarol']);
    expect(await edit('5', ALICE)).toEqual(['alice', 'bob\ncarol']);
  });

  it('stay when somebody changes metadata alone, or nothing', async () => {
    await forms.create(form('labelled'), ALICE);
    const patch = { metadata: { labels: { team: 'a' }, ownerReferences: null } };
    expect(stampsOf(await forms.patch('labelled', patch, BOB))).toEqual(['alice', undefined]);
    expect(stampsOf(await forms.patch('labelled', {}, BOB))).toEqual(['alice', undefined]);
  });

  it.each([
    { why: 'forged', annotations: { [APPLICANT]: 'carol', [EDITORS]: 'carol' } },
    { why: 'removed', annotations: { [APPLICANT]: null, [EDITORS]: null } },
    { why: 'removed with all annotations', annotations: null },
    { why: 'lengthened', annotations: { [EDITORS]: 'bob\ncarol' } },
  ])('come back when they are $why', async ({ why, annotations }) => {
    const name = `back-${why.length}`;
    await forms.create(form(name), ALICE);
    await forms.patch(name, purpose('1'), BOB);
    expect(stampsOf(await forms.patch(name, annotate(annotations), BOB))).toEqual(['alice', 'bob']);
    const both = { ...annotate(annotations), ...purpose('2') };
    const answer = await forms.patch(name, both, CAROL);
    expect(stampsOf(answer)).toEqual(['alice', 'bob\ncarol']);
  });

  it('are 32 beside the applicant at most: the 33rd is refused, those before are not', async () => {
    await forms.create(form('full'), ALICE);
    for (let i = 1; i <= 32; i += 1) {
      const as = { username: `editor-${i}`, groups: ['system:masters'] };
      // oxlint-disable-next-line no-await-in-loop
      expect(outcome(await forms.patch('full', purpose(`${i}`), as))).toBe(accepted);
    }
    const edit = async (as: Caller): Promise<string> =>
      outcome(await forms.patch('full', purpose(as.username), as));
    expect(await edit(BOB)).toContain('32 people have edited this form');
    expect(await edit({ username: 'editor-32', groups: ['system:masters'] })).toBe(accepted);
    expect(await edit(ALICE)).toBe(accepted);
    const label = { metadata: { labels: { a: 'b' } } };
    expect(outcome(await forms.patch('full', label, BOB))).toBe(accepted);
  });
});

describe('a new review', () => {
  it('bears name, UID and groups of whoever sends it', async () => {
    const as = { ...ALICE, uid: 'u-1' };
    expect(reviewerOf(await reviews.try(review('filled'), as))).toEqual({
      username: 'alice',
      uid: 'u-1',
      groups: ALICE_GROUPS,
    });
    const plain = await reviews.try(review('filled'), ALICE);
    expect(reviewerOf(plain)).toEqual({ username: 'alice', groups: ALICE_GROUPS });
  });

  it.each(REVIEWERS)('R2: from Alice that names $why: $refused', async ({ reviewer, refused }) => {
    const answer = await reviews.try(review('named', reviewer), ALICE);
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
    expect(reviewerOf(answer)).toEqual(refused === undefined ? reviewer : undefined);
  });

  it('is compared with the UID too', async () => {
    const as = { ...ALICE, uid: 'u-1' };
    const named = (uid: object): Promise<string> =>
      reviews
        .try(review('uid', { username: 'alice', groups: ALICE_GROUPS, ...uid }), as)
        .then(outcome);
    expect(await named({ uid: 'u-1' })).toBe(accepted);
    expect(await named({ uid: 'u-2' })).toContain('and uid u-1');
    expect(await named({})).toContain('and uid u-1');
  });

  it('works for somebody in 500 groups, in any order', async () => {
    const many = Array.from({ length: 498 }, (_, i) => `oidc:department-${i}`);
    const groups = ['system:masters', ...many];
    const as = { username: 'alice', groups };
    const all = [...groups, 'system:authenticated'];
    expect(reviewerOf(await reviews.try(review('many'), as))).toEqual({
      username: 'alice',
      groups: all,
    });
    const turned = review('many', { username: 'alice', groups: all.toReversed() });
    expect(outcome(await reviews.try(turned, as))).toBe(accepted);
  });

  it('cannot be changed by anybody, but labelled', async () => {
    await reviews.create(review('fixed'), ALICE);
    const edit = { spec: { reviewer: { username: 'bob' } } };
    expect(outcome(await reviews.patch('fixed', edit, ALICE))).toContain(
      'a review cannot be changed',
    );
    const label = { metadata: { labels: { a: 'b' } } };
    expect(outcome(await reviews.patch('fixed', label, BOB))).toBe(accepted);
  });
});

describe('the operator', () => {
  it('neither files forms nor writes reviews; its forgeries are refused for what they are', async () => {
    const own = (plural: string): Desk => deskOf(send, 'keyward-system', plural);
    const [ownForms, ownReviews] = [own('apikeyapplications'), own('apikeyreviews')];
    const never = 'may not apply for keys, decide about them';
    expect(outcome(await ownForms.create(form('own'), OPERATOR))).toContain(never);
    expect(outcome(await ownReviews.create(review('own'), OPERATOR))).toContain(never);
    const forged = form('forged', { [APPLICANT]: 'alice' });
    const answer = outcome(await ownForms.try(forged, OPERATOR));
    expect(answer).toContain("ValidatingAdmissionPolicy 'keyward-applications'");
    expect(answer).toContain('must be your user name');
    const reviewer = { username: 'alice', groups: ALICE_GROUPS };
    expect(outcome(await ownReviews.try(review('forged', reviewer), OPERATOR))).toContain(
      "ValidatingAdmissionPolicy 'keyward-reviews'",
    );
    // Nowhere else even that: what the operator may pretend, it may pretend at home.
    expect((await forms.try(forged, OPERATOR)).code).toBe(403);
  });

  it.each(forgeriesFor('keyward-system'))(
    'is refused $lie by $policy and by nothing before it',
    async ({ resource, draft, policy }) => {
      const answer = await deskOf(send, 'keyward-system', resource.plural).try(draft, OPERATOR);
      const said = outcome(answer);
      expect({ said, isRefused: isRefusalBy(policy, said) }).toEqual({ said, isRefused: true });
    },
  );

  it('changes no form but its finalizers, and no stamp', async () => {
    await forms.create(form('served'), ALICE);
    expect(outcome(await forms.patch('served', purpose('x'), OPERATOR))).toContain(
      'may not change a spec',
    );
    const stamped = await forms.patch('served', annotate({ [APPLICANT]: 'bob' }), OPERATOR);
    expect(stampsOf(stamped)).toEqual(['alice', undefined]);
    const forged = annotate({ [APPLICANT]: 'bob' });
    const dry = await send({
      method: 'PATCH',
      path: `${forms.path}/served?dryRun=All`,
      body: forged,
      as: OPERATOR,
    });
    // Two policies refuse it, and the API server tells of one of them.
    expect(outcome(dry)).toMatch(/says who created the form and cannot be changed|may not change/);
    const finalizers = ['keyward.dev/revoke'];
    const patch = { metadata: { finalizers } };
    expect(outcome(await forms.patch('served', patch, OPERATOR))).toBe(accepted);
    const foreign = { metadata: { finalizers: [...finalizers, 'example.com/x'] } };
    expect(outcome(await forms.patch('served', foreign, OPERATOR))).toContain(
      'may not change finalizers of others',
    );
  });
});
