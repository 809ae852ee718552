/**
 * One form on a cluster and a ledger in memory, and the passes of the controller over it. The edits
 * are those of an API server with the admission policies: generation and stamps follow them.
 */
import { API_KEY_APPLICATIONS, API_KEYS } from '../../../../src/api/names.ts';
import { ANNOTATION_APPLICANT, ANNOTATION_EDITORS, FINALIZER } from '../../../../src/api/names.ts';
import type {
  ApiKeyApplicationSpec,
  ApiKeyApplicationStatus,
} from '../../../../src/api/generated/apikeyapplication.ts';
import type { KeyStoreApplications } from '../../../../src/api/generated/keystore.ts';
import {
  controllerOf,
  type Condition,
  type KubeObject,
  type Ref,
  type Resource,
} from '../../../../src/api/meta.ts';
import type { Deps } from '../../../../src/controllers/application/deps.ts';
import { applicationSteps, lookAgainAtMs } from '../../../../src/controllers/application/index.ts';
import { createApplicationMetrics } from '../../../../src/controllers/application/metrics.ts';
import { observe } from '../../../../src/controllers/application/observe.ts';
import { Overtime } from '../../../../src/controllers/application/overtime.ts';
import type { ServedKey } from '../../../../src/controllers/application/serving.ts';
import { Sightings } from '../../../../src/controllers/application/sightings.ts';
import { cacheForm } from '../../../../src/controllers/application/view.ts';
import type {
  ClientFact,
  ProductFact,
  UsableStore,
} from '../../../../src/controllers/application/world.ts';
import { ClusterClock } from '../../../../src/kube/clusterclock.ts';
import { createRegistry } from '../../../../src/kernel/metrics.ts';
import { DAY_MS, formatTime } from '../../../../src/kernel/time.ts';
import type { Draft, Written } from '../../../../src/kube/port.ts';
import type { FormRecord } from '../../../../src/ledger/form.ts';
import { countReview, type Decision } from '../../../../src/ledger/formdecisions.ts';
import type { DocumentCommit } from '../../../../src/ledger/port.ts';
import { OwnStatus } from '../../../../src/runtime/ownstatus.ts';
import { reconcile } from '../../../../src/runtime/pipeline.ts';
import type { Result } from '../../../../src/runtime/result.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryCluster, MemoryLedger } from '../../../support/memory.ts';

/** The one form. */
export const REF: Ref = { namespace: 'team', name: 'web' };
/** Who fills it in. */
export const APPLICANT = 'mina';

/** A cluster whose status subresource leaves the rest alone. */
class Cluster extends MemoryCluster {
  statusWrites = 0;

  override async replaceStatus(resource: Resource, draft: Draft): Promise<Written | undefined> {
    const ref = { namespace: draft.metadata.namespace ?? '', name: draft.metadata.name };
    const stored = this.find(resource, ref);
    if (stored === undefined) return undefined;
    this.statusWrites += 1;
    const { resourceVersion } = draft.metadata;
    const metadata = { ...stored.metadata, ...(resourceVersion && { resourceVersion }) };
    return this.replace(resource, { ...stored, metadata, status: draft['status'] } as Draft);
  }
}

/** The annotations as admission leaves them behind an edit. */
function stamps(before: Readonly<Record<string, string>> = {}, by: string) {
  const applicant = before[ANNOTATION_APPLICANT] ?? by;
  const editors = (before[ANNOTATION_EDITORS] ?? '').split('\n').filter(Boolean);
  const all = by === applicant || editors.includes(by) ? editors : [...editors, by];
  return {
    [ANNOTATION_APPLICANT]: applicant,
    ...(all.length === 0 ? {} : { [ANNOTATION_EDITORS]: all.join('\n') }),
  };
}

/** What a complete form says; `change` replaces whole fields, undefined removes one. */
export function aFormSpec(change: Partial<ApiKeyApplicationSpec> = {}): ApiKeyApplicationSpec {
  return { submission: 'Submitted', clientRef: { name: 'shop' }, purpose: 'Checkout', ...change };
}

/** The rules of a store that reviews all it can. */
export function someRules(change: Partial<KeyStoreApplications> = {}): KeyStoreApplications {
  return {
    requirement: 'Always',
    requiredFor: ['Issue', 'Change', 'Reissue', 'Revoke'],
    mode: 'Manual',
    selfReview: 'Forbidden',
    onDenied: 'Resubmit',
    deadlineDays: 14,
    draftDays: 30,
    ...change,
  };
}

/** The store of the form. */
export function aFormStore(change: Partial<UsableStore> = {}): UsableStore {
  return {
    type: 'Usable',
    kind: 'ClusterKeyStore',
    name: 'default',
    uid: 'store-1',
    capabilities: {
      class: 'Local',
      formats: ['Opaque', 'Dual'],
      recoverable: false,
      rotation: 'Replace',
      regeneratePerSlot: true,
      suspend: true,
      displayNameMax: 255,
      descriptionMax: 500,
      terms: ['quota', 'originPolicy', 'cidrs', 'productRefs'],
    },
    isAtVendor: false,
    defaultFormat: 'Opaque',
    allowsNamespace: true,
    rules: someRules(),
    expiryNoticeDays: [30, 7, 1],
    ...change,
  };
}

/** The client of the form. */
export const CLIENT: ClientFact = {
  type: 'Present',
  name: 'shop',
  uid: 'client-1',
  state: 'Active',
  isRegistered: true,
};

/** Everything around one form; what is public may be changed between passes. */
export class Workshop {
  readonly clock = new FakeClock(Date.UTC(2026, 0, 5, 9));
  /** What the controller goes by: `clock`, until a date of the API server is noted that is far from it. */
  readonly time = new ClusterClock(this.clock);
  readonly cluster = new Cluster();
  readonly ledger = new MemoryLedger();
  readonly events: string[] = [];
  readonly audit: DocumentCommit['audit'][] = [];
  store: ReturnType<Deps['surroundings']['store']> = aFormStore();
  client: ClientFact = CLIENT;
  products: readonly ProductFact[] = [];
  /** Since when the policies are in force; undefined: nobody can prove it now. */
  provenSinceMs: number | undefined = 0;
  /** A new process has one of its own. */
  sightings = new Sightings();
  /** Whether a review of the open round was written in time and is not judged yet. */
  isReviewWaiting = false;
  readonly overtime = new Overtime();
  /** False: too many forms vanished at once. */
  mayEndVanished = true;
  /** What the guard says right before a form that vanished is ended. */
  admitsEnding = true;
  /** What a watch that lags shows instead. */
  shown: { readonly generation: number } | undefined;
  /** False: the policies are off, and nobody stamps what is written. */
  isStamping = true;

  get deps(): Deps {
    const port = this.ledger.port;
    const parts: Partial<Deps> = {
      client: this.cluster,
      ledger: {
        ...port,
        commitDocuments: async (commit) => {
          const result = await port.commitDocuments(commit);
          if (result.type === 'Committed') this.audit.push(commit.audit);
          return result;
        },
      },
      clock: this.time,
      clusterId: 'cluster-1',
      epoch: () => 1,
      forms: { get: (ref: Ref) => this.#cached(ref) } as Deps['forms'],
      surroundings: {
        store: () => this.store,
        client: async () => this.client,
        products: () => this.products,
        apiKey: (ref) => this.#servedKey(ref),
        isReviewWaiting: () => this.isReviewWaiting,
      },
      proof: this.#proof(),
      sightings: this.sightings,
      overtime: this.overtime,
      committing: new Set(),
      quotaUses: () => undefined,
      guard: { permits: () => this.mayEndVanished, admits: () => this.admitsEnding },
      ownStatus: new OwnStatus(),
      reporter: (_, reason) => void this.events.push(reason),
      metrics: createApplicationMetrics(createRegistry()),
    };
    return parts as Deps;
  }

  /** Somebody applies the form; without `by` it is the applicant. */
  put(spec: ApiKeyApplicationSpec, by: string = APPLICANT): void {
    const stored = this.object();
    const before = stored?.metadata;
    const stamped = this.isStamping ? stamps(before?.annotations, by) : before?.annotations;
    const status = stored?.status;
    this.cluster.set(API_KEY_APPLICATIONS, REF, {
      apiVersion: 'keyward.dev/v1alpha1',
      kind: 'ApiKeyApplication',
      metadata: {
        ...REF,
        finalizers: [FINALIZER],
        creationTimestamp: formatTime(this.clock.nowMs()),
        ...before,
        generation: (before?.generation ?? 0) + 1,
        ...(stamped && { annotations: stamped }),
      },
      spec,
      ...(status === undefined ? {} : { status }),
    });
  }

  /** Edits some fields; undefined removes one. */
  edit(change: Partial<ApiKeyApplicationSpec>, by?: string): void {
    const spec = { ...this.object()?.spec, ...change } as ApiKeyApplicationSpec;
    this.put(JSON.parse(JSON.stringify(spec)) as ApiKeyApplicationSpec, by);
  }

  /** Changes metadata as no edit of the spec does. */
  touch(metadata: Partial<KubeObject['metadata']>): void {
    const stored = this.object();
    if (stored === undefined) return;
    const { metadata: before, ...rest } = stored;
    this.cluster.set(API_KEY_APPLICATIONS, REF, {
      apiVersion: '',
      kind: '',
      ...rest,
      metadata: { ...before, ...metadata },
    });
  }

  /** The form is gone from the cluster, whatever finalizers it had. */
  vanish(): void {
    this.cluster.set(API_KEY_APPLICATIONS, REF, undefined);
  }

  /** One pass of the controller; what is due at once is done in it. */
  async pass(): Promise<Result> {
    const steps = applicationSteps(this.deps);
    const stop = new AbortController().signal;
    const { result } = await reconcile(steps, REF, { clock: this.clock, stop });
    if (this.object()?.metadata.finalizers?.length === 0) this.vanish();
    return result;
  }

  /** When the controller wants to look again, as things stand. */
  async lookAgainAtMs(): Promise<number | undefined> {
    const world = await observe(this.deps, REF);
    return world && lookAgainAtMs(world);
  }

  /** Passes through every instant that the controller wants to look at, up to that many days on. */
  async passDays(days: number): Promise<void> {
    const endMs = this.clock.nowMs() + days * DAY_MS;
    await this.pass();
    for (let pass = 0; pass < 50; pass += 1) {
      // One after the other: time goes on between them.
      // oxlint-disable-next-line no-await-in-loop
      const atMs = await this.lookAgainAtMs();
      if (atMs === undefined || atMs > endMs) break;
      this.clock.advance(atMs - this.clock.nowMs());
      // oxlint-disable-next-line no-await-in-loop
      await this.pass();
    }
    this.clock.advance(endMs - this.clock.nowMs());
    await this.pass();
  }

  /** Puts the form there and looks at it. */
  async submit(change: Partial<ApiKeyApplicationSpec> = {}): Promise<void> {
    this.put(aFormSpec(change));
    await this.pass();
  }

  /** A review that counts, committed as the review controller does it, and the look that follows. */
  async decide(decision: Decision['decision'], change: Partial<Decision> = {}): Promise<void> {
    const document = countReview(this.record(), {
      uid: `review-${this.audit.length}`,
      name: 'review',
      decision,
      layer: '',
      reviewer: { username: 'jun', source: 'Authenticated' },
      ...(decision === 'Approved' ? {} : { reason: 'Other', message: 'Say more.' }),
      atMs: this.clock.nowMs(),
      ...change,
    });
    this.ledger.documents.put({ kind: 'Form', document });
    await this.pass();
  }

  /** Puts a changed record there, as another controller would have committed it. */
  commit(document: FormRecord): void {
    this.ledger.documents.put({ kind: 'Form', document });
  }

  object():
    | KubeObject<{ readonly spec: ApiKeyApplicationSpec; readonly status?: unknown }>
    | undefined {
    return this.cluster.find(API_KEY_APPLICATIONS, REF) as ReturnType<Workshop['object']>;
  }

  /** What the ledger knows of the form; there must be something. */
  record(): FormRecord {
    const found = this.find();
    if (found === undefined) throw new Error('the ledger knows no such form');
    return found;
  }

  /** The newest Live record, else undefined. */
  find(): FormRecord | undefined {
    return this.ledger.documents.peek('Form', this.object()?.metadata.uid ?? '');
  }

  get status(): ApiKeyApplicationStatus {
    return (this.object()?.status ?? {}) as ApiKeyApplicationStatus;
  }

  condition(type: string): Condition | undefined {
    return this.status.conditions?.find((each) => each.type === type);
  }

  /** Reason of Ready. */
  get ready(): string | undefined {
    return this.condition('Ready')?.reason;
  }

  key(name: string = REF.name): KubeObject<{ readonly spec: ServedKey['spec'] }> | undefined {
    return this.cluster.find(API_KEYS, { ...REF, name }) as ReturnType<Workshop['key']>;
  }

  #proof(): Deps['proof'] {
    const state = (): Deps['proof']['state'] =>
      this.provenSinceMs === undefined
        ? { state: 'NotProven', reason: 'the policies were not found' }
        : { state: 'Proven' };
    return {
      state: state(),
      prove: async () => state(),
      covers: (fromMs) => this.provenSinceMs !== undefined && this.provenSinceMs <= fromMs,
      atOurClock: (serverMs) => serverMs - this.cluster.clockSkewMs,
    };
  }

  #cached(ref: Ref) {
    const object = this.cluster.find(API_KEY_APPLICATIONS, ref);
    return object && { ...cacheForm(object), ...this.shown };
  }

  #servedKey(ref: Ref): ServedKey | undefined {
    const object = this.cluster.find(API_KEYS, ref) as ReturnType<Workshop['key']>;
    if (object === undefined) return undefined;
    const { uid, resourceVersion, deletionTimestamp, ownerReferences } = object.metadata;
    const owner = controllerOf(ownerReferences, API_KEY_APPLICATIONS);
    return {
      uid,
      resourceVersion,
      isDeleting: deletionTimestamp !== undefined,
      ...(owner === undefined ? {} : { ownerFormUid: owner.uid }),
      spec: object.spec,
    };
  }
}
