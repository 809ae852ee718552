/** The same without mutating policies, on an API server that has none: the client says who it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installKeyward } from '../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/start.ts';
import {
  accepted,
  expectedOutcome,
  OPERATOR,
  outcome,
  senderTo,
  type Caller,
  type Send,
} from './crds.apiserver.ts';
import {
  ALICE,
  ALICE_GROUPS,
  APPLICANT,
  BOB,
  deskOf,
  EDITORS,
  form,
  review,
  REVIEWERS,
  reviewerOf,
  stampsOf,
  type Annotations,
  type Desk,
} from './crds.identity.ts';

let plane: ControlPlane;
let send: Send;
let forms: Desk;
let reviews: Desk;

beforeAll(async () => {
  plane = await startControlPlane({ emulatedVersion: '1.35' });
  await installKeyward(plane, { mutatingPolicies: 'leave out' });
  send = senderTo(plane);
  forms = deskOf(send, 'default', 'apikeyapplications');
  reviews = deskOf(send, 'default', 'apikeyreviews');
});

afterAll(() => plane.stop());

const NOT_YOURS = 'must be your user name, which is alice';
const NOT_EDITED = 'says who has changed the form and cannot be edited';

describe('a new form', () => {
  it.each<{ why: string; annotations: Annotations; refused?: string }>([
    { why: 'of its creator', annotations: { [APPLICANT]: 'alice' } },
    { why: 'of somebody else', annotations: { [APPLICANT]: 'bob' }, refused: NOT_YOURS },
    { why: 'of nobody', annotations: {}, refused: NOT_YOURS },
    {
      why: 'with editors',
      annotations: { [APPLICANT]: 'alice', [EDITORS]: 'bob' },
      refused: NOT_EDITED,
    },
  ])('R1: $why: $refused', async ({ annotations, refused }) => {
    expect(outcome(await forms.try(form('new', annotations), ALICE))).toEqual(
      expectedOutcome(refused),
    );
  });

  it('is refused when the operator forges it', async () => {
    const own = deskOf(send, 'keyward-system', 'apikeyapplications');
    const answer = outcome(await own.try(form('forged', { [APPLICANT]: 'alice' }), OPERATOR));
    expect(answer).toContain("ValidatingAdmissionPolicy 'keyward-applications'");
  });
});

describe('an edit', () => {
  let count = 0;
  const fresh = async (editors?: string): Promise<string> => {
    const name = `edit-${(count += 1)}`;
    await forms.create(form(name, { [APPLICANT]: 'alice' }), ALICE);
    if (editors !== undefined) {
      const metadata = { annotations: { [EDITORS]: 'carol' } };
      await forms.patch(
        name,
        { metadata, spec: { purpose: '0' } },
        { ...ALICE, username: 'carol' },
      );
    }
    return name;
  };

  it.each<{
    why: string;
    as: Caller;
    before?: string;
    annotations?: Annotations;
    spec?: object;
    refused?: string;
  }>([
    { why: 'by the applicant', as: ALICE, spec: { purpose: '1' } },
    {
      why: 'by the applicant, who lists himself',
      as: ALICE,
      annotations: { [EDITORS]: 'alice' },
      spec: { purpose: '1' },
      refused: NOT_EDITED,
    },
    {
      why: 'by somebody else, unsaid',
      as: BOB,
      spec: { purpose: '1' },
      refused:
        'appends a line with his user name to the annotation keyward.dev/editors; yours is bob',
    },
    {
      why: 'by somebody else, said',
      as: BOB,
      annotations: { [EDITORS]: 'bob' },
      spec: { purpose: '1' },
    },
    {
      why: 'by somebody else, in the name of a third',
      as: BOB,
      annotations: { [EDITORS]: 'carol' },
      spec: { purpose: '1' },
      refused: 'yours is bob',
    },
    {
      why: 'by a second one, behind the first',
      as: BOB,
      before: 'carol',
      annotations: { [EDITORS]: 'carol\nbob' },
      spec: { purpose: '1' },
    },
    {
      why: 'by a second one, in place of the first',
      as: BOB,
      before: 'carol',
      annotations: { [EDITORS]: 'bob' },
      spec: { purpose: '1' },
      refused: 'yours is bob',
    },
    {
      why: 'by a second one, with a third',
      as: BOB,
      before: 'carol',
      annotations: { [EDITORS]: 'carol\nbob\ndora' },
      spec: { purpose: '1' },
      refused: 'yours is bob',
    },
    {
      why: 'by one who is listed',
      as: { ...ALICE, username: 'carol' },
      before: 'carol',
      spec: { purpose: '1' },
    },
    {
      why: 'of the list alone',
      as: BOB,
      before: 'carol',
      annotations: { [EDITORS]: null },
      refused: NOT_EDITED,
    },
    {
      why: 'of the list, with nothing changed',
      as: BOB,
      annotations: { [EDITORS]: 'bob' },
      refused: NOT_EDITED,
    },
    {
      why: 'of the applicant',
      as: BOB,
      annotations: { [APPLICANT]: 'bob' },
      refused: 'says who created the form and cannot be changed',
    },
    {
      why: 'that removes the applicant',
      as: BOB,
      annotations: { [APPLICANT]: null },
      refused: 'says who created the form and cannot be changed',
    },
    { why: 'of other annotations', as: BOB, annotations: { other: 'x' } },
  ])('$why: $refused', async ({ as, before, annotations, spec, refused }) => {
    const name = await fresh(before);
    const patch = {
      ...(annotations === undefined ? {} : { metadata: { annotations } }),
      ...(spec === undefined ? {} : { spec }),
    };
    expect(outcome(await forms.patch(name, patch, as))).toEqual(expectedOutcome(refused));
  });

  it('by a 33rd person is refused', async () => {
    const name = await fresh();
    let editors = '';
    const edit = (i: number): Promise<string> => {
      editors = i === 1 ? 'e1' : `${editors}\ne${i}`;
      const patch = {
        metadata: { annotations: { [EDITORS]: editors } },
        spec: { purpose: `${i}` },
      };
      return forms.patch(name, patch, { ...ALICE, username: `e${i}` }).then(outcome);
    };
    // oxlint-disable-next-line no-await-in-loop
    for (let i = 1; i <= 32; i += 1) expect(await edit(i)).toBe(accepted);
    expect(await edit(33)).toContain('32 people have edited this form');
    expect(stampsOf(await forms.get(name))[1]?.split('\n')).toHaveLength(32);
  });
});

describe('a new review', () => {
  it.each([
    ...REVIEWERS,
    { why: 'nobody', reviewer: undefined, refused: 'spec.reviewer must be yourself' },
  ])('R2: from Alice that names $why: $refused', async ({ reviewer, refused }) => {
    const answer = await reviews.try(review('named', reviewer), ALICE);
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
    expect(reviewerOf(answer)).toEqual(refused === undefined ? reviewer : undefined);
  });

  it('is not written by the operator', async () => {
    const own = deskOf(send, 'keyward-system', 'apikeyreviews');
    const reviewer = { username: OPERATOR.username, groups: OPERATOR.groups };
    expect(outcome(await own.create(review('own', reviewer), OPERATOR))).toContain(
      'may not apply for keys, decide about them',
    );
    const forged = review('own', { ...reviewer, groups: ALICE_GROUPS });
    expect(outcome(await own.try(forged, OPERATOR))).toContain(
      "ValidatingAdmissionPolicy 'keyward-reviews'",
    );
  });
});
