/**
 * People around an installation under test: who applies, who decides and who has no right to. Each acts
 * under a name of his own, as the API server knows him.
 */
import assert from 'node:assert/strict';
import type { ApiKeyApplicationStatus } from '../../src/api/generated/apikeyapplication.ts';
import type { ApiKeyReviewStatus } from '../../src/api/generated/apikeyreview.ts';
import type { KubeObject, Resource } from '../../src/api/meta.ts';
import {
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  GROUP,
  KEY_STORES,
  SUBJECT_ACCESS_REVIEWS,
} from '../../src/api/names.ts';
import { collectionPath } from '../../src/kube/paths.ts';
import { applyObjects } from './controlplane.ts';
import { eventually } from './eventually.ts';
import type { Loose, TestApi } from './operator.api.ts';
import { storeObject, type Site } from './operator.site.ts';

/** A form as the API server shows it. */
export type Form = KubeObject<{ readonly spec: object; readonly status: ApiKeyApplicationStatus }>;
/** A review as the API server shows it. */
export type Review = KubeObject<{ readonly spec: object; readonly status: ApiKeyReviewStatus }>;

/** What somebody may do in the namespace of the site. */
export type Office = {
  /** May write forms, keys and clients. */
  readonly isConsumer?: true;
  /** May write reviews. */
  readonly isReviewer?: true;
  /** Stores where he may approve, with `/layer` where there are layers. */
  readonly approves?: readonly string[];
  /** May approve clients. */
  readonly approvesClients?: true;
  /** Any more rules of a role. */
  readonly rules?: readonly object[];
};

const RBAC = 'rbac.authorization.k8s.io';

/** See the file comment. */
export class People {
  readonly site: Site;
  readonly #apis = new Map<string, TestApi>();
  #reviews = 0;

  constructor(site: Site) {
    this.site = site;
  }

  /** The API server as this person uses it. */
  as(username: string): TestApi {
    const known = this.#apis.get(username) ?? this.site.api.as(username);
    this.#apis.set(username, known);
    return known;
  }

  /** Gives somebody exactly these rights. */
  async appoint(username: string, office: Office): Promise<void> {
    const { namespace } = this.site;
    const name = `office-of-${username}`;
    const subjects = [{ kind: 'User', apiGroup: RBAC, name: username }];
    await applyObjects(this.site.access, [
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'Role',
        metadata: { name, namespace },
        rules: rulesOf(office),
      },
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata: { name, namespace },
        roleRef: { apiGroup: RBAC, kind: 'Role', name },
        subjects,
      },
    ]);
    await this.#untilAuthorized(username, office);
  }

  /** The API server's authorizer hears of new roles a moment after they were written. */
  async #untilAuthorized(username: string, office: Office): Promise<void> {
    const attributes = [
      ...(office.isConsumer === undefined ? [] : [{ resource: 'apikeyapplications' }]),
      ...(office.isReviewer === undefined ? [] : [{ resource: 'apikeyreviews' }]),
    ];
    const { namespace } = this.site;
    for (const attribute of attributes) {
      const resourceAttributes = { namespace, group: GROUP, verb: 'create', ...attribute };
      const question = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: username, resourceAttributes },
      };
      const path = collectionPath(SUBJECT_ACCESS_REVIEWS, '');
      // oxlint-disable-next-line no-await-in-loop
      await eventually(async () => {
        const { body } = await this.site.api.request('POST', path, question);
        assert.partialDeepStrictEqual(body, { status: { allowed: true } });
      });
    }
  }

  /** A store of the namespace where people decide. */
  async openStore(name: string, applications: object = {}): Promise<void> {
    const rules = { requirement: 'Always', ...applications };
    const store = storeObject(this.site.namespace, name, {}, { applications: rules });
    await this.site.api.create(KEY_STORES, store);
  }

  /** A client, written by an administrator. */
  async register(name: string, spec: object = {}): Promise<Loose> {
    const metadata = { name, namespace: this.site.namespace };
    return this.site.api.create(API_CLIENTS, { metadata, spec: { displayName: name, ...spec } });
  }

  /** Files a form at a store for client `shop`, in somebody's name. */
  async file(username: string, name: string, spec: object = {}): Promise<Form> {
    const metadata = { name, namespace: this.site.namespace };
    const whole = { clientRef: { name: 'shop' }, purpose: 'maps', ...spec };
    const object = await this.as(username).create(API_KEY_APPLICATIONS, { metadata, spec: whole });
    return asForm(object);
  }

  /** Merges into the spec of a form, in somebody's name. */
  async edit(username: string, name: string, spec: object): Promise<Form> {
    const at = [this.site.namespace, name] as const;
    return asForm(await this.as(username).patch(API_KEY_APPLICATIONS, at, { spec }));
  }

  /** The form as it is now. */
  async form(name: string): Promise<Form> {
    const found = await this.site.api.get(API_KEY_APPLICATIONS, this.site.namespace, name);
    assert.ok(found, `there is no form ${name}`);
    return asForm(found);
  }

  /** Waits until the newest round is in this state, and said so about the newest spec. */
  async until(name: string, state: string): Promise<Form> {
    return eventually(async () => {
      const form = await this.form(name);
      const { observedGeneration, conditions = [] } = form.status;
      const ready = conditions.find(({ type }) => type === 'Ready');
      const seen = `${form.status.state}, ${ready?.reason} (${ready?.message})`;
      assert.equal(form.status.state, state, `form ${name}: ${seen}`);
      assert.equal(observedGeneration, form.metadata.generation, `form ${name}: ${seen}`);
      return form;
    });
  }

  /** Files a form and waits until people can decide. */
  async submit(username: string, name: string, spec: object = {}): Promise<Form> {
    await this.file(username, name, spec);
    return this.until(name, 'Pending');
  }

  /** Writes a review about a form as it was read, in somebody's name; returns its name. */
  async decide(username: string, form: Form, spec: object = {}): Promise<string> {
    const { name, uid } = form.metadata;
    const { decision = 'Approved' } = spec as { readonly decision?: string };
    const words = decision === 'Approved' ? {} : { reason: 'Other', message: 'because' };
    const requestHash = form.status.round?.requestHash;
    const read = decision === 'Revoked' ? {} : { requestHash };
    return this.write(username, {
      applicationRef: { name, uid },
      decision,
      ...words,
      ...read,
      ...spec,
    });
  }

  /** Writes a review; returns its name. */
  async write(username: string, spec: object): Promise<string> {
    this.#reviews += 1;
    const name = `review-${this.#reviews}`;
    const metadata = { name, namespace: this.site.namespace };
    await this.as(username).create(API_KEY_REVIEWS, { metadata, spec });
    return name;
  }

  /** Writes a review about a key or a client that is there. */
  async switch(
    username: string,
    resource: Resource,
    name: string,
    decision: string,
  ): Promise<string> {
    const object = await this.site.api.get(resource, this.site.namespace, name);
    const field = resource === API_CLIENTS ? 'clientRef' : 'apiKeyRef';
    const isOpening = decision === 'Resumed' || decision === 'Approved';
    return this.write(username, {
      [field]: { name, uid: object?.metadata.uid },
      decision,
      ...(isOpening ? {} : { reason: 'Security', message: 'it leaked' }),
    });
  }

  /** Waits until a review is judged; the reason of Accepted. */
  async verdict(name: string): Promise<string> {
    return (await this.judged(name)).reason;
  }

  /** Waits until a review is judged; its condition Accepted. */
  async judged(name: string): Promise<{ readonly reason: string; readonly message: string }> {
    return eventually(async () => {
      const found = await this.site.api.get(API_KEY_REVIEWS, this.site.namespace, name);
      // Asked for by kind; the schema fills in status.
      const { status } = found as unknown as Review;
      const conditions = status.conditions ?? [];
      const ready = conditions.find(({ type }) => type === 'Ready');
      const isFinal = ready?.reason === 'Accepted' || ready?.reason === 'Refused';
      assert.ok(isFinal, `review ${name}: ${ready?.reason} (${ready?.message})`);
      const accepted = conditions.find(({ type }) => type === 'Accepted');
      assert.ok(accepted);
      return accepted;
    });
  }

  /** Lets all connections go. */
  close(): void {
    for (const api of this.#apis.values()) api.close();
  }
}

function rulesOf(office: Office): readonly object[] {
  const rule = (resources: readonly string[], verbs: readonly string[], names?: string[]) => ({
    apiGroups: [GROUP],
    resources,
    verbs,
    ...(names === undefined ? {} : { resourceNames: names }),
  });
  const consumer = rule(
    ['apikeys', 'apikeyapplications', 'apiclients'],
    ['get', 'create', 'update', 'patch', 'delete'],
  );
  const stores = (office.approves ?? []).map((at) => {
    const [store = '', layer] = at.split('/');
    return rule([layer === undefined ? 'keystores' : `keystores/${layer}`], ['approve'], [store]);
  });
  return [
    ...(office.isConsumer === undefined ? [] : [consumer]),
    ...(office.isReviewer === undefined ? [] : [rule(['apikeyreviews'], ['create', 'delete'])]),
    ...stores,
    ...(office.approvesClients === undefined ? [] : [rule(['apiclients'], ['approve'])]),
    ...(office.rules ?? []),
  ];
}

function asForm(object: Loose): Form {
  // Asked for by kind, and the schema fills in spec and status.
  return object as unknown as Form;
}
