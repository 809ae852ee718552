/** Forms and reviews as people send them, for the suites about who asked and who decided. */
import type { Send, Answer, Call, Caller } from './crds.apiserver.ts';
import { API } from './crds.apiserver.ts';

/** On a form: who created it. */
export const APPLICANT = 'keyward.dev/applicant';
/** On a form: who else changed it. */
export const EDITORS = 'keyward.dev/editors';

/** An administrator, so that only the policies are asked; the API server adds the second group. */
export const ALICE: Caller = { username: 'alice', groups: ['system:masters'] };
/** The groups that she then has. */
export const ALICE_GROUPS: readonly string[] = ['system:masters', 'system:authenticated'];
/** Others like her. */
export const BOB: Caller = { username: 'bob', groups: ['system:masters'] };
export const CAROL: Caller = { username: 'carol', groups: ['system:masters'] };

/** Annotations by name; null removes one in a merge patch. */
export type Annotations = Readonly<Record<string, string | null>>;

/** An ApiKeyApplication. */
export function form(name: string, annotations: Annotations = {}, spec: object = {}): object {
  const metadata = { name, annotations };
  return { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKeyApplication', metadata, spec };
}

/** An ApiKeyReview; `reviewer` undefined leaves it to admission. */
export function review(name: string, reviewer?: object): object {
  const spec = {
    applicationRef: { name: 'form', uid: '2f1f9d4e-0000-4000-8000-000000000000' },
    decision: 'Approved',
    requestHash: `sha256:${'a'.repeat(64)}`,
    ...(reviewer === undefined ? {} : { reviewer }),
  };
  return { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKeyReview', metadata: { name }, spec };
}

/** The stamps of a form that came back. */
export function stampsOf(answer: Answer): readonly (string | undefined)[] {
  const metadata = answer.object['metadata'] as
    | { annotations?: Record<string, string> }
    | undefined;
  const annotations = metadata?.annotations ?? {};
  return [annotations[APPLICANT], annotations[EDITORS]];
}

/** The reviewer of a review that came back. */
export function reviewerOf(answer: Answer): unknown {
  return (answer.object['spec'] as { reviewer?: unknown } | undefined)?.reviewer;
}

/** Calls about one kind in one namespace. */
export type Desk = {
  create(body: object, as?: Caller): Promise<Answer>;
  /** Accepted or refused, and nothing comes of it. */
  try(body: object, as?: Caller): Promise<Answer>;
  patch(name: string, body: object, as?: Caller): Promise<Answer>;
  get(name: string): Promise<Answer>;
  path: string;
};

/** Calls about `plural` in `namespace`. */
export function deskOf(send: Send, namespace: string, plural: string): Desk {
  const path = `${API}/namespaces/${namespace}/${plural}`;
  const call = (what: Call, as?: Caller): Promise<Answer> =>
    send({ ...what, ...(as === undefined ? {} : { as }) });
  return {
    path,
    create: (body, as) => call({ method: 'POST', path, body }, as),
    try: (body, as) => call({ method: 'POST', path: `${path}?dryRun=All`, body }, as),
    patch: (name, body, as) => call({ method: 'PATCH', path: `${path}/${name}`, body }, as),
    get: (name) => call({ method: 'GET', path: `${path}/${name}` }),
  };
}

/** A reviewer that is written out, and what is said to Alice about it. */
export type ReviewerCase = {
  readonly why: string;
  readonly reviewer: object;
  readonly refused?: string;
};

const GROUPS = 'spec.reviewer.groups must be your groups';
const YOURSELF = 'spec.reviewer must be yourself, username alice without uid';
const attestedBy = 'alice';

/** What Alice may say of herself and of others; the same with and without mutating policies. */
export const REVIEWERS: readonly ReviewerCase[] = [
  { why: 'herself', reviewer: { username: 'alice', groups: ALICE_GROUPS } },
  {
    why: 'herself, groups in another order',
    reviewer: { username: 'alice', groups: ALICE_GROUPS.toReversed() },
  },
  { why: 'somebody else', reviewer: { username: 'bob', groups: ALICE_GROUPS }, refused: YOURSELF },
  {
    why: 'herself with a UID that she does not have',
    reviewer: { username: 'alice', uid: 'u', groups: ALICE_GROUPS },
    refused: YOURSELF,
  },
  {
    why: 'herself with one group more',
    reviewer: { username: 'alice', groups: [...ALICE_GROUPS, 'security'] },
    refused: GROUPS,
  },
  {
    why: 'herself with one group less',
    reviewer: { username: 'alice', groups: ALICE_GROUPS.slice(1) },
    refused: GROUPS,
  },
  {
    why: 'herself with other groups',
    reviewer: { username: 'alice', groups: ['security', 'x'] },
    refused: GROUPS,
  },
  { why: 'herself without groups', reviewer: { username: 'alice' }, refused: GROUPS },
  { why: 'a person for whom she answers', reviewer: { username: 'dora', attestedBy } },
  {
    why: 'a person for whom somebody else answers',
    reviewer: { username: 'dora', attestedBy: 'bob' },
    refused: 'spec.reviewer.attestedBy must be your user name, which is alice',
  },
  {
    why: 'herself, answered for by somebody else',
    reviewer: { username: 'alice', attestedBy: 'bob' },
    refused: 'attestedBy must be your user name',
  },
  {
    why: 'herself, answered for by herself',
    reviewer: { username: 'alice', attestedBy, groups: ALICE_GROUPS },
    refused: 'for a decision of your own leave attestedBy out',
  },
  {
    why: 'a person with groups',
    reviewer: { username: 'dora', groups: ['security'], attestedBy },
    refused: 'neither uid nor groups',
  },
  {
    why: 'a person with a UID',
    reviewer: { username: 'dora', uid: 'u', attestedBy },
    refused: 'neither uid nor groups',
  },
  {
    why: 'a service account',
    reviewer: { username: 'system:serviceaccount:default:default', attestedBy },
    refused: 'names that begin with system:',
  },
  {
    why: 'two names in one',
    reviewer: { username: 'dora\nerin', attestedBy },
    refused: 'have a line break',
  },
];
