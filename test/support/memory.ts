/**
 * A cluster and a ledger in memory, as far as the steps of the ApiKey controller use them: optimistic
 * locking, UIDs, compare-and-swap and fencing hold, everything else does not exist.
 */
import type { KubeObject, ObjectMeta, Ref, Resource } from '../../src/api/meta.ts';
import { KeywardError } from '../../src/kernel/errors.ts';
import type { Draft, ForeignPatch, KubeClient, Written } from '../../src/kube/port.ts';
import type { Commit, CommitResult, Ledger, TokenHolder } from '../../src/ledger/port.ts';
import { MemoryDocuments } from './documents.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';

/** The verbs the controller uses, over a map. */
export class MemoryCluster implements KubeClient {
  clockSkewMs = 0;
  isClockTrusted = true;
  readonly #objects = new Map<string, KubeObject>();
  #versions = 100;
  /** Called before each call; a test changes the world or throws there. */
  before: (verb: string) => void = () => undefined;

  /** The object, or undefined when there is none. */
  find(resource: Resource, ref: Ref): KubeObject | undefined {
    return this.#objects.get(place(resource, ref));
  }

  /** Puts an object there as anybody else would, with a new version; undefined removes it. */
  set(resource: Resource, ref: Ref, object: Draft | undefined): KubeObject | undefined {
    const at = place(resource, ref);
    if (object === undefined) {
      this.#objects.delete(at);
      return undefined;
    }
    const stored = this.#stamp(object, this.#objects.get(at)?.metadata.uid);
    this.#objects.set(at, stored);
    return stored;
  }

  async get(resource: Resource, ref: Ref): Promise<KubeObject | undefined> {
    this.before('get');
    return this.find(resource, ref);
  }

  async create(resource: Resource, draft: Draft): Promise<Written> {
    this.before('create');
    const ref = refOf(draft);
    if (this.find(resource, ref) !== undefined) throw conflict('AlreadyExists');
    return metaOf(this.set(resource, ref, draft));
  }

  async replace(resource: Resource, draft: Draft): Promise<Written | undefined> {
    this.before('replace');
    const ref = refOf(draft);
    const stored = this.find(resource, ref);
    if (stored === undefined) return undefined;
    if (stored.metadata.resourceVersion !== draft.metadata.resourceVersion) {
      throw conflict('Conflict');
    }
    return metaOf(this.set(resource, ref, draft));
  }

  replaceStatus(resource: Resource, draft: Draft): Promise<Written | undefined> {
    return this.replace(resource, draft);
  }

  async patchMetadata(
    resource: Resource,
    ref: Ref,
    metadata: Partial<ObjectMeta>,
  ): Promise<Written | undefined> {
    this.before('patch');
    const stored = this.find(resource, ref);
    if (stored === undefined) return undefined;
    if (stored.metadata.resourceVersion !== metadata.resourceVersion) throw conflict('Conflict');
    const patched = { ...stored, metadata: { ...stored.metadata, ...metadata } };
    return metaOf(this.set(resource, ref, { apiVersion: '', kind: '', ...patched }));
  }

  async patchForeign(
    resource: Resource,
    ref: Ref,
    { body }: ForeignPatch,
  ): Promise<Written | undefined> {
    this.before('patch');
    const stored = this.find(resource, ref);
    if (stored === undefined) return undefined;
    if (stored.metadata.resourceVersion !== body.metadata.resourceVersion) {
      throw conflict('Conflict');
    }
    return metaOf(this.set(resource, ref, merged(stored, body) as Draft));
  }

  async delete(resource: Resource, ref: Ref & { uid: string }): Promise<boolean> {
    this.before('delete');
    const stored = this.find(resource, ref);
    if (stored === undefined) return false;
    if (stored.metadata.uid !== ref.uid) throw conflict('Conflict');
    this.set(resource, ref, undefined);
    return true;
  }

  ask(): Promise<unknown> {
    throw new Error('nothing is asked of this cluster');
  }

  #stamp(object: Draft, uid: string | undefined): KubeObject {
    this.#versions += 1;
    const version = String(this.#versions);
    const stamped = object.metadata.uid ?? uid ?? `uid-${version}`;
    const metadata = { ...object.metadata, uid: stamped, resourceVersion: version };
    return { ...object, metadata };
  }
}

/** A JSON merge patch, as far as nothing is taken away by it. */
function merged(into: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null) return patch;
  const before = typeof into === 'object' && into !== null ? into : {};
  const fields = Object.entries(patch).map(([name, value]) => [
    name,
    merged((before as Record<string, unknown>)[name], value),
  ]);
  return { ...before, ...Object.fromEntries(fields) };
}

/** A ledger of records and nothing else. */
export class MemoryLedger {
  readonly records = new Map<string, KeyRecord>();
  readonly documents = new MemoryDocuments();
  readonly #spent = new Set<string>();
  /** Stores by the vendor's ids. */
  readonly #claimed = new Map<string, Set<string>>();
  /** What is known of stores, by UID. */
  readonly storeTypes = new Map<string, string>();
  /** UIDs by lookup. */
  readonly #imports = new Map<string, string>();
  readonly #holders = new Map<string, TokenHolder>();
  /** Called before and after each commit that succeeds; a test dies there. */
  around: (position: 'before' | 'after', action: string) => void = () => undefined;
  epoch = 1;

  /** As the port; the controller asks for nothing else. */
  get port(): Ledger {
    const port: Partial<Ledger> = {
      load: async (uid, { namespace, name }) => ({
        record: this.records.get(uid),
        others: [...this.records.values()].filter(
          (record) =>
            record.uid !== uid &&
            record.namespace === namespace &&
            record.name === name &&
            (record.phase === 'Live' || record.phase === 'Ending'),
        ),
      }),
      commit: async (commit) => this.#commit(commit),
      findByKeyId: async (keyId) => {
        const uid = this.#imports.get(keyId);
        return [...this.records.values()].find(
          (record) => record.uid === uid || record.credentials.some((each) => each.keyId === keyId),
        );
      },
      ...this.documents.reads(),
      commitDocuments: async ({ changes, epoch, audit }) => {
        this.#fence(epoch);
        if (!this.documents.areCurrent(changes)) return { type: 'Stale' };
        this.around('before', audit.action);
        this.documents.write(changes);
        this.around('after', audit.action);
        return { type: 'Committed' };
      },
      debts: async (limit, after = '') => {
        const owing = [...this.records.values()]
          .filter(({ phase, uid }) => (phase === 'Ended' || phase === 'Retained') && uid > after)
          .filter(({ credentials }) => credentials.some(({ state }) => state === 'Disabled'))
          .toSorted((a, b) => (a.uid < b.uid ? -1 : 1));
        const records = owing.slice(0, limit);
        return { records, next: owing.length > limit ? records.at(-1)?.uid : undefined };
      },
      claimedIds: async (storeUid, ids) =>
        ids.filter((id) =>
          [...(this.#claimed.get(id) ?? [])].some((other) => this.#mayBeAlike(other, storeUid)),
        ),
      findTokens: async (tokens) =>
        [...this.#holders.values()].filter(({ token }) => tokens.includes(token)),
      isRequestSpent: async (uid, requestId) => this.#spent.has(`${uid}/${requestId}`),
    };
    // Whatever else is called is undefined and fails the test.
    return port as Ledger;
  }

  #commit(commit: Commit): CommitResult {
    const { record, expectedRevision, epoch, spendRequestId, documents = [] } = commit;
    this.#fence(epoch);
    const refusal = this.#refusal(commit);
    if (refusal !== undefined) return { type: refusal };
    this.around('before', commit.audit.action);
    if (spendRequestId !== undefined) this.#spent.add(`${record.uid}/${spendRequestId}`);
    for (const lookup of commit.imports?.lookups ?? []) this.#imports.set(lookup, record.uid);
    for (const { remote } of record.credentials) {
      if (remote?.id === undefined) continue;
      const stores = this.#claimed.get(remote.id) ?? new Set();
      this.#claimed.set(remote.id, stores.add(record.store.uid));
    }
    this.#hold(record);
    const stored = { ...record, revision: expectedRevision + 1 };
    this.records.set(record.uid, stored);
    this.documents.write(documents);
    this.around('after', commit.audit.action);
    return { type: 'Committed', record: stored };
  }

  #refusal(commit: Commit): 'Stale' | 'RequestSpent' | 'ValueKnown' | 'AccountBusy' | undefined {
    const { record, expectedRevision, spendRequestId, exclusiveAccount, documents = [] } = commit;
    if ((this.records.get(record.uid)?.revision ?? 0) !== expectedRevision) return 'Stale';
    if (!this.documents.areCurrent(documents)) return 'Stale';
    const isSpent = this.#spent.has(`${record.uid}/${spendRequestId}`);
    if (spendRequestId !== undefined && isSpent) return 'RequestSpent';
    if (commit.imports?.lookups.some((each) => this.#imports.has(each))) return 'ValueKnown';
    const isBusy = exclusiveAccount !== undefined && this.#isBusy(record.uid, exclusiveAccount);
    return isBusy ? 'AccountBusy' : undefined;
  }

  #fence(epoch: number): void {
    if (epoch === this.epoch) return;
    throw new KeywardError('Terminal', { reason: 'Fenced', message: 'an older epoch' });
  }

  /** Every token that was ever seen, and what became of it. */
  #hold({ uid, credentials }: KeyRecord): void {
    for (const { token } of this.records.get(uid)?.credentials ?? []) {
      this.#holders.set(token, { ...this.#holders.get(token), token, state: 'Deleted' });
    }
    for (const { token, state, remote } of credentials) {
      const remoteId = remote?.id;
      this.#holders.set(token, { token, state, ...(remoteId === undefined ? {} : { remoteId }) });
    }
  }

  #mayBeAlike(storeUid: string, other: string): boolean {
    const [type, otherType] = [storeUid, other].map((uid) => this.storeTypes.get(uid));
    return type === undefined || otherType === undefined || type === otherType;
  }

  #isBusy(uid: string, account: string): boolean {
    return [...this.records.values()].some(
      (record) =>
        record.uid !== uid &&
        record.credentials.some(
          ({ state, remote }) =>
            (state === 'Intent' || state === 'Disabled') &&
            remote?.account === account &&
            remote.id === undefined &&
            remote.createBegunAtMs !== undefined,
        ),
    );
  }
}

function place(resource: Resource, { namespace, name }: Ref): string {
  return `${resource.plural}/${namespace}/${name}`;
}

function refOf({ metadata }: Draft): Ref {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

function metaOf(object: KubeObject | undefined): Written {
  if (object === undefined) throw new Error('nothing was stored');
  const { name, uid, resourceVersion } = object.metadata;
  return { name, uid, resourceVersion };
}

function conflict(reason: string): KeywardError {
  return new KeywardError('Conflict', { reason, message: reason });
}
