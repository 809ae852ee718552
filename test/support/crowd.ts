/**
 * People who apply for keys and decide about them, on a real API server: each request is sent in the
 * name of one of them, so that policies and the operator see who acts.
 */
import assert from 'node:assert/strict';
import type { ApiKeyApplicationStatus } from '../../src/api/generated/apikeyapplication.ts';
import type { ApiKeyReviewStatus } from '../../src/api/generated/apikeyreview.ts';
import type { KubeObject, Resource } from '../../src/api/meta.ts';
import {
  ANNOTATION_APPLICANT,
  ANNOTATION_EDITORS,
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
} from '../../src/api/names.ts';
import { eventually } from './eventually.ts';
import type { Loose, TestApi, Who } from './operator.api.ts';

/** A form as the API server shows it. */
export type Form = KubeObject<{
  readonly spec?: unknown;
  readonly status?: ApiKeyApplicationStatus;
}>;

/** A review as the API server shows it. */
export type Review = KubeObject<{
  readonly spec?: unknown;
  readonly status?: ApiKeyReviewStatus;
}>;

/** What a review says beside what it is about. */
export type Decision = {
  readonly decision: 'Approved' | 'Denied' | 'Returned' | 'Revoked' | 'Suspended' | 'Resumed';
  readonly layer?: string;
  readonly narrowed?: object;
  readonly reviewer?: object;
};

/** Everybody in it may write forms, reviews, keys and clients, wherever they want. */
export const WRITERS = 'keyward-test-writers';
/** Everybody in it has verb approve on all stores, and on their layers `first` and `second`. */
export const REVIEWERS = 'keyward-test-reviewers';

/** Applies. */
export const ANN: Who = { username: 'ann', groups: [WRITERS] };
/** May decide. */
export const ROB: Who = { username: 'rob', groups: [WRITERS, REVIEWERS] };
/** May decide too. */
export const SUE: Who = { username: 'sue', groups: [WRITERS, REVIEWERS] };
/** Writes reviews without the right to decide. */
export const MALLORY: Who = { username: 'mallory', groups: [WRITERS] };
/** Who has every right but none to believe in: applies and decides. */
export const SELF: Who = { username: 'self', groups: [WRITERS, REVIEWERS] };

/** Waits as `eventually` does. */
export type Until = <T>(look: () => T | Promise<T>) => Promise<T>;

/** Where the people are. */
export type CrowdOptions = {
  /** An administrator's. */
  readonly api: TestApi;
  readonly namespace: string;
  /** The store that is applied to, of kind KeyStore. */
  readonly store: string;
  /** Sent: the API server has no mutating policies, so that clients say themselves who they are. */
  readonly stamps?: 'Sent';
  readonly until?: Until;
};

/** See the file comment. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #until: Until;
  #reviews = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#until = options.until ?? ((look) => eventually(look));
  }

  /** Makes the client on whose behalf everybody applies. */
  async register(name = 'acme', spec: object = {}): Promise<void> {
    const { api, namespace } = this.#options;
    const whole = { displayName: 'Acme', ...spec };
    await api.create(API_CLIENTS, { metadata: { name, namespace }, spec: whole });
  }

  /** Files a form; `metadata` is merged into the object's. */
  async apply(
    name: string,
    spec: object = {},
    who: Who = ANN,
    metadata: object = {},
  ): Promise<Loose> {
    const { api, namespace, store, stamps } = this.#options;
    const annotations = { [ANNOTATION_APPLICANT]: who.username };
    return await api.as(who).create(API_KEY_APPLICATIONS, {
      metadata: { name, namespace, ...(stamps === 'Sent' ? { annotations } : {}), ...metadata },
      spec: { clientRef: { name: 'acme' }, storeRef: { kind: 'KeyStore', name: store }, ...spec },
    });
  }

  /** Merges into the spec of a form; null removes. */
  async edit(name: string, spec: object, who: Who = ANN): Promise<Loose> {
    const { api, namespace, stamps } = this.#options;
    const isStamped = stamps === 'Sent' && who.username !== ANN.username;
    const annotations = { [ANNOTATION_EDITORS]: who.username };
    const change = { spec, ...(isStamped ? { metadata: { annotations } } : {}) };
    return await api.as(who).patch(API_KEY_APPLICATIONS, [namespace, name], change);
  }

  /** Asks for the deletion of a form. */
  async remove(name: string): Promise<void> {
    const { api, namespace } = this.#options;
    await api.remove(API_KEY_APPLICATIONS, namespace, name);
  }

  /** The form as it is now. */
  async form(name: string): Promise<Form> {
    const found = await this.#get(API_KEY_APPLICATIONS, name);
    assert.ok(found, `there is no ApiKeyApplication ${name}`);
    // Asked for by kind.
    return found as Form;
  }

  /** Waits until the newest spec is looked at and this holds. */
  async untilForm(name: string, isSo: (status: ApiKeyApplicationStatus) => boolean): Promise<Form> {
    return await this.#until(async () => {
      const form = await this.form(name);
      const { status } = form;
      const isNew = status?.observedGeneration === form.metadata.generation;
      if (status !== undefined && isNew && isSo(status)) return form;
      throw new Error(`ApiKeyApplication ${name} shows ${JSON.stringify(status)}`);
    });
  }

  /** Waits until the newest round is in this state. */
  async untilState(name: string, state: ApiKeyApplicationStatus['state']): Promise<Form> {
    return await this.untilForm(name, (status) => status.state === state);
  }

  /** Waits until the grant is in this state. */
  async untilGrant(
    name: string,
    state: NonNullable<ApiKeyApplicationStatus['grant']>['state'],
  ): Promise<Form> {
    return await this.untilForm(name, (status) => status.grant?.state === state);
  }

  /** Waits until the form is gone. */
  async untilGone(name: string): Promise<void> {
    await this.#until(async () => {
      const found = await this.#get(API_KEY_APPLICATIONS, name);
      assert.equal(found, undefined, `ApiKeyApplication ${name} is still there`);
    });
  }

  /** Reads the round that is open and decides about what was read; the name of the review. */
  async decide(name: string, decision: Decision, who: Who = ROB): Promise<string> {
    const form = await this.untilState(name, 'Pending');
    return await this.review(form, { ...decision, hash: form.status?.round?.requestHash }, who);
  }

  /** Decides as `decide`, and waits until that was counted. */
  async decided(name: string, decision: Decision, who: Who = ROB): Promise<Review> {
    const review = await this.untilJudged(await this.decide(name, decision, who));
    const { reason } = accepted(review) ?? {};
    assert.ok(reason === 'Counted' || reason === 'Decisive', `${review.metadata.name}: ${reason}`);
    return review;
  }

  /** Takes a grant back. */
  async withdraw(name: string, who: Who = ROB): Promise<string> {
    const form = await this.untilForm(name, ({ grant }) => grant?.round !== undefined);
    const grantRound = form.status?.grant?.round;
    return await this.review(form, { decision: 'Revoked', grantRound }, who);
  }

  /** Writes a review about a form, whatever it says; the name of the review. */
  async review(
    form: { readonly metadata: { readonly name: string; readonly uid: string } },
    {
      hash,
      grantRound,
      ...said
    }: Decision & {
      readonly hash?: string | undefined;
      readonly grantRound?: number | undefined;
    },
    who: Who,
  ): Promise<string> {
    const { api, namespace, stamps } = this.#options;
    const { uid } = form.metadata;
    this.#reviews += 1;
    const name = `${form.metadata.name}-${this.#reviews}-${who.username.replaceAll(/[^a-z]/g, '-')}`;
    const isFree = said.decision === 'Approved' || said.decision === 'Resumed';
    const words = isFree ? {} : { reason: 'Other', message: 'not like this' };
    await api.as(who).create(API_KEY_REVIEWS, {
      metadata: { name, namespace },
      spec: {
        applicationRef: { name: form.metadata.name, uid },
        ...words,
        ...(hash === undefined ? {} : { requestHash: hash }),
        ...(grantRound === undefined ? {} : { grantRound }),
        ...(stamps === 'Sent' ? { reviewer: stampOf(who) } : {}),
        ...said,
      },
    });
    return name;
  }

  /** Waits until a review was judged for good. */
  async untilJudged(name: string): Promise<Review> {
    return await this.#until(async () => {
      const review = await this.#get(API_KEY_REVIEWS, name);
      // Asked for by kind.
      const found = review as Review | undefined;
      const reason = found === undefined ? undefined : readyReason(found);
      if (found !== undefined && (reason === 'Accepted' || reason === 'Refused')) return found;
      throw new Error(`ApiKeyReview ${name} shows ${JSON.stringify(found?.status)}`);
    });
  }

  async #get(resource: Resource, name: string): Promise<Loose | undefined> {
    const { api, namespace } = this.#options;
    return await api.get(resource, namespace, name);
  }
}

/** Gives everybody of this file his rights; once per cluster, may be repeated. */
export async function employ(api: TestApi): Promise<void> {
  const group = 'keyward.dev';
  const kinds = ['apikeys', 'apikeyapplications', 'apikeyreviews', 'apiclients'];
  const verbs = ['get', 'list', 'create', 'update', 'patch', 'delete'];
  const stores = ['keystores', 'keystores/first', 'keystores/second'];
  await Promise.all([
    give(api, WRITERS, { apiGroups: [group], resources: kinds, verbs }),
    give(api, REVIEWERS, { apiGroups: [group], resources: stores, verbs: ['approve'] }),
  ]);
}

/** Gives everybody in a group this right in the whole cluster. */
export async function give(api: TestApi, name: string, rule: object): Promise<void> {
  const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name };
  const subjects = [{ apiGroup: RBAC, kind: 'Group', name }];
  await Promise.all([
    put(api, 'clusterroles', { kind: 'ClusterRole', metadata: { name }, rules: [rule] }),
    put(api, 'clusterrolebindings', {
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef,
      subjects,
    }),
  ]);
}

const RBAC = 'rbac.authorization.k8s.io';

async function put(
  api: TestApi,
  plural: string,
  object: {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly [field: string]: unknown;
  },
): Promise<void> {
  const { name } = object.metadata;
  const path = `/apis/${RBAC}/v1/${plural}/${name}?fieldManager=test&force=true`;
  const body = { apiVersion: `${RBAC}/v1`, ...object };
  const answer = await api.request('PATCH', path, body, 'application/apply-patch+yaml');
  if (answer.code >= 300) throw new Error(`${name}: ${JSON.stringify(answer.body)}`);
}

/** Condition Accepted of a review. */
export function accepted(review: Review) {
  return review.status?.conditions?.find(({ type }) => type === 'Accepted');
}

function readyReason(review: Review): string | undefined {
  return review.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
}

/** What admission fills in where it can. */
function stampOf({ username, groups = [] }: Who): object {
  return { username, groups: [...groups, 'system:authenticated'] };
}
