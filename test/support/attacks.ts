/**
 * What people try who want a key that nobody approved, each at the worst moment. An attack only sends
 * requests; whether one of them is refused at the door or by the operator is all the same to it.
 */
import { API_KEYS, API_KEY_APPLICATIONS, API_KEY_REVIEWS } from '../../src/api/names.ts';
import { requestHash, withTimeZone, type HashedRequest } from '../../src/terms/request.ts';
import { ANN, MALLORY, REVIEWERS, ROB, SELF, SUE, WRITERS, type Crowd } from './crowd.ts';
import type { Loose, TestApi, Who } from './operator.api.ts';

/** Where an attack takes place. */
export type Scene = {
  readonly api: TestApi;
  readonly namespace: string;
  readonly crowd: Crowd;
  /** What the form asks for beside its purpose, as the operator will read it. */
  readonly content: Omit<HashedRequest['content'], 'apiKeyName' | 'purpose' | 'terms'>;
  /** Name of the form and of its key; nobody else has it. */
  readonly name: string;
  /** Waits for a moment that chance determines. */
  readonly hesitate: () => Promise<void>;
};

/** A way to a key; `label` names it in reports. */
export type Attack = { readonly label: string; readonly run: (scene: Scene) => Promise<void> };

const APPROVED = { decision: 'Approved' } as const;
const PURPOSE = 'to get in';
/** Nobody could know it before. */
const SOME_UID = '11111111-2222-4333-8444-555555555555';
/** A portal that the store lists as attestor, and one that it does not. */
const PORTAL: Who = { username: 'portal', groups: [WRITERS] };
const ROBOT: Who = {
  username: 'system:serviceaccount:default:robot',
  groups: [WRITERS, REVIEWERS, 'system:serviceaccounts'],
};

/** All attacks. */
export const ATTACKS: readonly Attack[] = [
  {
    label: 'approves his own form in the same instant',
    run: async (scene) => approveAtOnce(scene, SELF, SELF),
  },
  {
    label: 'approves without the right in the same instant',
    run: async (scene) => approveAtOnce(scene, ANN, MALLORY),
  },
  {
    label: 'approves his own form before the round opens, again and again',
    async run(scene) {
      const form = await apply(scene, SELF);
      const hash = hashOf(scene, form);
      await Promise.all([1, 2, 3].map(() => attempt(review(scene, form, SELF, { hash }))));
    },
  },
  {
    label: 'approves a form before it exists',
    async run(scene) {
      const form = { metadata: { name: scene.name, uid: SOME_UID } };
      const hash = hashOf(scene, form);
      await attempt(review(scene, form, SELF, { hash }));
      await scene.hesitate();
      await apply(scene, SELF);
    },
  },
  {
    label: 'approves a draft before it is submitted',
    async run(scene) {
      const form = await apply(scene, SELF, { submission: 'Draft' });
      await attempt(review(scene, form, SELF, { hash: hashOf(scene, form) }));
      await scene.hesitate();
      await scene.crowd.edit(scene.name, { submission: 'Submitted' }, SELF);
    },
  },
  {
    label: 'edits a form and approves what it was before',
    async run(scene) {
      const form = await apply(scene, ANN);
      await scene.crowd.untilState(scene.name, 'Pending');
      await scene.crowd.edit(scene.name, { purpose: 'to get more' }, ROB);
      await attempt(review(scene, form, ROB, { hash: hashOf(scene, form) }));
    },
  },
  {
    label: 'edits a form and approves what it is then',
    async run(scene) {
      const form = await apply(scene, ANN);
      await scene.crowd.untilState(scene.name, 'Pending');
      const purpose = 'to get more';
      const hash = hashOf(scene, form, { round: 2, purpose });
      const edit = scene.crowd.edit(scene.name, { purpose }, ROB);
      await scene.hesitate();
      await attempt(review(scene, form, ROB, { hash }));
      await edit;
      await attempt(review(scene, form, ROB, { hash }));
    },
  },
  {
    label: 'edits a form before its round opens and approves both readings',
    async run(scene) {
      const form = await apply(scene, ANN);
      const purpose = 'to get more';
      await scene.crowd.edit(scene.name, { purpose }, ROB);
      const hashes = [
        hashOf(scene, form),
        hashOf(scene, form, { purpose }),
        hashOf(scene, form, { round: 2, purpose }),
      ];
      await Promise.all(hashes.map((hash) => attempt(review(scene, form, ROB, { hash }))));
    },
  },
  {
    label: 'edits his form while somebody without the right approves it',
    async run(scene) {
      const form = await apply(scene, SELF);
      const purpose = 'to get more';
      await Promise.all([
        scene.crowd.edit(scene.name, { purpose }, SELF),
        attempt(review(scene, form, MALLORY, { hash: hashOf(scene, form) })),
        attempt(review(scene, form, SELF, { hash: hashOf(scene, form, { purpose }) })),
      ]);
    },
  },
  {
    label: 'says that the applicant approved',
    run: async (scene) => approveAsserted(scene, PORTAL, ANN.username),
  },
  {
    label: 'says that somebody without the right approved',
    run: async (scene) => approveAsserted(scene, PORTAL, MALLORY.username),
  },
  {
    label: 'says for a reviewer what no attestor said',
    run: async (scene) => approveAsserted(scene, ROB, SUE.username),
  },
  {
    label: 'approves as a service account',
    run: async (scene) => approveAtOnce(scene, ANN, ROBOT),
  },
  {
    label: 'claims groups of reviewers',
    async run(scene) {
      const form = await apply(scene, ANN);
      const hash = hashOf(scene, form);
      const reviewer = { username: MALLORY.username, groups: [WRITERS, REVIEWERS] };
      await attempt(review(scene, form, MALLORY, { hash, reviewer }));
    },
  },
  {
    label: 'claims to be a reviewer',
    async run(scene) {
      const form = await apply(scene, ANN);
      const hash = hashOf(scene, form);
      const { username, groups = [] } = ROB;
      const reviewer = { username, groups: [...groups, 'system:authenticated'] };
      await attempt(review(scene, form, MALLORY, { hash, reviewer }));
    },
  },
  {
    label: 'forges who applied',
    async run(scene) {
      const annotations = {
        'keyward.dev/applicant': ANN.username,
        'keyward.dev/editors': SUE.username,
      };
      const filed = await attempt(apply(scene, SELF, {}, { annotations }));
      const form = filed ?? (await apply(scene, SELF));
      const change = { metadata: { annotations } };
      const own = scene.api.as(SELF);
      await attempt(own.patch(API_KEY_APPLICATIONS, [scene.namespace, scene.name], change));
      await attempt(review(scene, form, SELF, { hash: hashOf(scene, form) }));
    },
  },
  {
    label: 'forges the status of his form and of his key',
    async run(scene) {
      const form = await apply(scene, SELF);
      await attempt(createKey(scene));
      const hash = hashOf(scene, form);
      const grant = { state: 'InForce', round: 1, hash, approvedTime: new Date().toISOString() };
      const status = { state: 'Approved', grant };
      const own = scene.api.as(SELF);
      const at = [scene.namespace, scene.name] as const;
      await attempt(own.patch(API_KEY_APPLICATIONS, at, { status }, '/status'));
      await attempt(own.patch(API_KEYS, at, { status: { grant: { round: 1, hash } } }, '/status'));
    },
  },
  {
    label: 'edits a refused review into a good one',
    async run(scene) {
      const form = await apply(scene, ANN);
      const hash = hashOf(scene, form);
      const name = await review(scene, form, MALLORY, { hash });
      const at = [scene.namespace, name] as const;
      const spec = { reviewer: { username: ROB.username, groups: ROB.groups } };
      await attempt(scene.api.as(MALLORY).patch(API_KEY_REVIEWS, at, { spec }));
    },
  },
  {
    label: 'puts a form of his own in the place of one that is being approved',
    async run(scene) {
      const old = await apply(scene, ANN);
      await scene.crowd.remove(scene.name);
      await scene.crowd.untilGone(scene.name);
      const form = await apply(scene, SELF);
      const hash = hashOf(scene, form);
      await attempt(review(scene, old, SUE, { hash: hashOf(scene, old) }));
      await attempt(review(scene, old, SUE, { hash }));
    },
  },
  {
    label: 'makes the key himself and approves',
    async run(scene) {
      await createKey(scene);
      await approveAtOnce(scene, SELF, SELF);
    },
  },
];

/** SHA-256 of what is asked for, as it will be when the round opens. */
export function hashOf(
  { content, name }: Pick<Scene, 'content' | 'name'>,
  form: { readonly metadata: { readonly uid: string } },
  { round = 1, purpose = PURPOSE }: { readonly round?: number; readonly purpose?: string } = {},
): string {
  return requestHash({
    formUid: form.metadata.uid,
    round,
    type: 'Issue',
    content: { ...content, apiKeyName: name, purpose, terms: withTimeZone({}, undefined) },
  });
}

/** Files the form of a scene. */
export function apply(
  { crowd, name }: Pick<Scene, 'crowd' | 'name'>,
  who: Who,
  spec: object = {},
  metadata: object = {},
): Promise<Loose> {
  return crowd.apply(name, { purpose: PURPOSE, ...spec }, who, metadata);
}

async function approveAtOnce(scene: Scene, applicant: Who, reviewer: Who): Promise<void> {
  const form = await apply(scene, applicant);
  await scene.hesitate();
  await attempt(review(scene, form, reviewer, { hash: hashOf(scene, form) }));
}

async function approveAsserted(scene: Scene, attestor: Who, username: string): Promise<void> {
  const form = await apply(scene, ANN);
  const reviewer = { username, attestedBy: attestor.username };
  await scene.hesitate();
  await attempt(review(scene, form, attestor, { hash: hashOf(scene, form), reviewer }));
}

function review(
  { crowd }: Scene,
  form: { readonly metadata: { readonly name: string; readonly uid: string } },
  who: Who,
  said: { readonly hash: string; readonly reviewer?: object },
): Promise<string> {
  return crowd.review(form, { ...APPROVED, ...said }, who);
}

/** The key of the form, made by who wants it. */
async function createKey({ api, namespace, name }: Scene): Promise<void> {
  const spec = { applicationRef: { name } };
  await api.as(SELF).create(API_KEYS, { metadata: { name, namespace }, spec });
}

/** What is refused at the door is no harm. */
async function attempt<T>(request: Promise<T>): Promise<T | undefined> {
  return await request.catch(() => undefined);
}
