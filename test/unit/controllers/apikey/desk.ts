/**
 * One ApiKey `shop/web` and its form, on a cluster and a ledger in memory: forms change as they do in
 * the ledger, the key is reconciled by the real steps.
 */
import type { ApiKeySpec, ApiKeyStatus } from '../../../../src/api/generated/apikey.ts';
import type { Condition, KubeObject, Ref, Resource } from '../../../../src/api/meta.ts';
import {
  ANNOTATION_IMPORT,
  API_KEYS,
  API_VERSION,
  FINALIZER,
  NAMESPACES,
  SECRETS,
} from '../../../../src/api/names.ts';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import { importValues, type Brought } from '../../../../src/controllers/apikey/imports.ts';
import { apiKeySteps } from '../../../../src/controllers/apikey/index.ts';
import { createApiKeyMetrics } from '../../../../src/controllers/apikey/metrics.ts';
import { RemoteChecks } from '../../../../src/controllers/apikey/remote/checks.ts';
import { OwnSecrets } from '../../../../src/controllers/apikey/ownsecrets.ts';
import type { UsableStore } from '../../../../src/controllers/apikey/world.ts';
import { cacheApiKey, viewSecret } from '../../../../src/controllers/apikey/view.ts';
import { classify } from '../../../../src/kernel/errors.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { createRegistry } from '../../../../src/kernel/metrics.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import { joinDigests } from '../../../../src/keys/digest.ts';
import { parseKeyring } from '../../../../src/keys/keyring.ts';
import type { Draft, Written } from '../../../../src/kube/port.ts';
import { ClusterClock } from '../../../../src/kube/clusterclock.ts';
import type { ClientRecord, DocumentChange } from '../../../../src/ledger/documents.ts';
import type { FormRecord } from '../../../../src/ledger/form.ts';
import { Holds } from '../../../../src/ledger/holds.ts';
import type { Ledger } from '../../../../src/ledger/port.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import { OwnStatus } from '../../../../src/runtime/ownstatus.ts';
import { builtinDriver } from '../../../../src/stores/builtin/driver.ts';
import type { StoreHandle } from '../../../../src/stores/contract.ts';
import { isLive, proveForeign, verdict } from '../../../../src/terms/verdict.ts';
import { FakeClock } from '../../../support/clock.ts';
import { FORM_AT_MS } from '../../../support/forms.ts';
import { bring } from '../../../support/imports.ts';
import { MemoryCluster, MemoryLedger } from '../../../support/memory.ts';
import { MemoryVendor, type MemoryVendorClass } from '../../../support/vendor.ts';
import { aSpec, aStore } from '../../../support/world.ts';
import { seeded } from '../../keys/seeded.ts';

const KEYRING = parseKeyring(new Sensitive(`v1:${seeded('master')(32).toString('base64')}`));
/** The key, and the form of the same name. */
export const WEB = { namespace: 'shop', name: 'web' } as const;
const SIGNAL = new AbortController().signal;
const STEPS_MAX = 24;

type StoredKey = KubeObject<{ spec: ApiKeySpec; status?: ApiKeyStatus }>;

/** Status is written beside the spec. */
class Cluster extends MemoryCluster {
  override replaceStatus(resource: Resource, draft: Draft): Promise<Written | undefined> {
    const { namespace = '', name } = draft.metadata;
    const stored = this.find(resource, { namespace, name });
    const metadata = { ...stored?.metadata, ...draft.metadata };
    return this.replace(resource, { ...stored, ...draft, metadata });
  }
}

/** See the file comment. */
export class Desk {
  readonly clock = new FakeClock(FORM_AT_MS + 10_000);
  /** What the controller goes by: `clock`, until a date of the API server is noted that is far from it. */
  readonly time = new ClusterClock(this.clock);
  readonly cluster = new Cluster();
  readonly memory = new MemoryLedger();
  readonly holds = new Holds();
  readonly ledger: Ledger = this.holds.watch(this.memory.port);
  /** Called before each commit of the key; a test lets somebody else commit there. */
  beforeCommit: () => Promise<void> = () => Promise.resolve();
  /** What the ledger was asked to read, by verb. */
  readonly reads: string[] = [];
  /** How often somebody logged in at the vendor. */
  sessions = 0;
  /** The vendor's account; used where the desk was made for one. */
  readonly vendor: MemoryVendor;
  store: UsableStore;
  /** Ids at the vendor by name; what is not here the key cannot have. */
  readonly products = new Map<string, string>();
  /** Names of those that are had under an application only. */
  readonly byGrant = new Set<string>();
  readonly #steps: ReturnType<typeof apiKeySteps>;

  /** @param at absent: keys are made here and not at a vendor of that class */
  constructor(at?: MemoryVendorClass, builtin: Readonly<Record<string, unknown>> = {}) {
    this.vendor = new MemoryVendor(at ?? 'M', this.clock);
    const handle = at === undefined ? openBuiltin(builtin) : this.vendor.handle();
    const { capabilities, defaultFormat } = handle;
    const remote = handle.type === 'Remote' ? { remote: handle } : {};
    this.store = aStore({ kind: 'KeyStore', capabilities, defaultFormat, ...remote });
    this.#steps = apiKeySteps(this.#makeDeps(handle));
    const metadata = { name: WEB.namespace };
    this.cluster.set(NAMESPACES, { namespace: '', name: WEB.namespace }, draft(metadata));
  }

  /** Makes or replaces the object; another UID is another object. */
  putKey(
    spec: Partial<ApiKeySpec> = {},
    uid = 'key-1',
    annotations: Record<string, string> = {},
  ): void {
    const applicationRef = { name: WEB.name };
    const metadata = { ...WEB, uid, generation: 1, finalizers: [FINALIZER], annotations };
    const status = this.#object()?.metadata.uid === uid ? this.status : undefined;
    this.cluster.set(API_KEYS, WEB, {
      ...draft(metadata),
      spec: aSpec({ applicationRef, ...spec }),
      ...(status === undefined ? {} : { status }),
    });
  }

  /** Makes or replaces an object that needs no form and waits for values. */
  putImport(spec: Partial<ApiKeySpec> = {}): void {
    this.putPlain(spec, { [ANNOTATION_IMPORT]: 'pending' });
  }

  /** Makes or replaces an object that needs no form. */
  putPlain(spec: Partial<ApiKeySpec> = {}, annotations: Record<string, string> = {}): void {
    const metadata = { ...WEB, uid: 'key-1', generation: 1, finalizers: [FINALIZER], annotations };
    const status = this.status;
    this.cluster.set(API_KEYS, WEB, {
      ...draft(metadata),
      spec: aSpec(spec),
      ...(status === undefined ? {} : { status }),
    });
  }

  /** As `keyward import -`: the sentence, or the reason of the refusal. */
  async bring(texts: readonly string[], strength: Brought['strength'] = 'Strong'): Promise<string> {
    const { ledger, clock, record } = this;
    if (record === undefined) throw new Error('there is no record');
    const entropy = seeded(`bring ${texts.join()}`);
    const deps = { ledger, clock, entropy, keyring: KEYRING, epoch: () => 1 };
    return importValues(deps, record, bring(texts, strength)).catch(
      (error: unknown) => classify(error).reason,
    );
  }

  /** Slots that hold this value, of credentials that live. */
  holders(value: string): readonly string[] {
    const pepper = (version: number): Buffer => KEYRING.pepper(version);
    const live = (this.record?.credentials ?? []).filter((each) =>
      isLive(each, this.clock.nowMs()),
    );
    return live.flatMap(({ keyId, slots }) => {
      const digests = joinDigests(slots.map(({ digest }) => digest));
      return proveForeign({ kinds: slots, digests }, { keyId, value }, pepper) ?? [];
    });
  }

  /** Entries of the Secret. */
  get entries(): Readonly<Record<string, string>> {
    const secret = this.cluster.find(SECRETS, WEB) as
      | KubeObject<{ data: Record<string, string> }>
      | undefined;
    const data = Object.entries(secret?.data ?? {});
    return Object.fromEntries(
      data.map(([name, text]) => [name, Buffer.from(text, 'base64').toString()]),
    );
  }

  removeKey(): void {
    this.cluster.set(API_KEYS, WEB, undefined);
  }

  /** Commits the next state of the form; `from` absent: what is stored. */
  async form(next: FormRecord): Promise<void> {
    await this.#put({ kind: 'Form', document: next, expectedRevision: next.revision });
  }

  /** The form as it is stored. */
  async stored(uid = 'form-1'): Promise<FormRecord> {
    const form = await this.memory.port.loadDocument('Form', uid);
    if (form === undefined) throw new Error('no form is stored');
    return form;
  }

  /** All forms as they are stored at this instant. */
  formsNow(): readonly FormRecord[] {
    return this.memory.documents.all('Form');
  }

  /** Commits what `change` makes of the stored form. */
  async changeForm(change: (form: FormRecord) => FormRecord): Promise<void> {
    await this.form(change(await this.stored()));
  }

  async client(changes: Partial<ClientRecord> = {}): Promise<void> {
    const head = { clusterId: 'cluster-1', uid: 'client-1', namespace: 'shop', name: 'acme' };
    const before = await this.memory.port.loadDocument('Client', changes.uid ?? head.uid);
    const expectedRevision = before?.revision ?? 0;
    const document = { ...head, revision: 0, phase: 'Live', state: 'Active', ...changes } as const;
    await this.#put({ kind: 'Client', document, expectedRevision });
  }

  /** A reviewer's decision about the key; undefined lifts it. */
  async hold(state: 'Suspended' | 'Revoked' | undefined, uid = 'key-1'): Promise<void> {
    const before = await this.memory.port.loadDocument('Hold', uid);
    const head = { clusterId: 'cluster-1', uid, ...WEB, revision: 0, phase: 'Live' } as const;
    const held = { reviewUid: 'r-1', reviewer: 'rob', message: 'abuse', sinceMs: 1 };
    const document = { ...head, ...(state === undefined ? {} : { held: { state, ...held } }) };
    await this.#put({ kind: 'Hold', document, expectedRevision: before?.revision ?? 0 });
  }

  /** Passes until nothing is left to do, with pauses after failures. */
  async settle(): Promise<void> {
    for (let quiet = 0, passes = 0; quiet < 2 && passes < 40; passes += 1) {
      // Each pass goes on from the one before.
      // oxlint-disable-next-line no-await-in-loop
      const steps = await this.pass().catch(() => ['Failed']);
      const isQuiet = steps.length === 0 && this.vendorTrouble === undefined;
      quiet = isQuiet ? quiet + 1 : 0;
      // oxlint-disable-next-line no-await-in-loop
      if (!isQuiet) await this.clock.advanceSettled(35_000);
    }
  }

  /** What the status says is wrong with the store, but for what publishers have to decide. */
  get vendorTrouble(): string | undefined {
    const synced = this.status?.conditions?.find(({ type }) => type === 'StoreSynced');
    const isTrouble = synced?.status !== 'True' && synced?.reason.startsWith('Store') === true;
    return isTrouble ? synced.reason : undefined;
  }

  /** One reconcile: the names of its steps. @throws KeywardError as a step did */
  async pass(): Promise<readonly string[]> {
    const done: string[] = [];
    this.cluster.isClockTrusted = this.time.isTrusted;
    let world = await this.#steps.observe(WEB, SIGNAL);
    if (world === undefined) return done;
    for (let action = this.#steps.next(world); action; action = this.#steps.next(world)) {
      done.push(action.type);
      if (done.length > STEPS_MAX) throw new Error(`circles: ${done.join(' ')}`);
      // Each step needs the world of the one before.
      // oxlint-disable-next-line no-await-in-loop
      world = await this.#steps.apply(world, action, SIGNAL);
    }
    await this.#steps.report(world, undefined, SIGNAL);
    this.lookAgainAtMs = this.#steps.lookAgainAtMs(world);
    return done;
  }

  /** As the last pass said. */
  lookAgainAtMs: number | undefined;

  get status(): ApiKeyStatus | undefined {
    return this.#object()?.status;
  }

  /** Condition Ready. */
  get ready(): Condition | undefined {
    return this.status?.conditions?.find(({ type }) => type === 'Ready');
  }

  get record(): KeyRecord | undefined {
    return [...this.memory.records.values()].findLast(({ name }) => name === WEB.name);
  }

  /** The value in the Secret. */
  get value(): string {
    return this.entries['apiKey'] ?? '';
  }

  /** Whether the gate lets a value in now. */
  admits(value: string): boolean {
    const pepper = (version: number): Buffer => KEYRING.pepper(version);
    const facts = { nowMs: this.clock.nowMs(), pepper, quotaRemaining: 1 };
    return [...this.memory.records.values()].some(
      (record) => verdict(record, value, facts).type === 'Allowed',
    );
  }

  #object(): StoredKey | undefined {
    // Only this class puts objects there.
    return this.cluster.find(API_KEYS, WEB) as StoredKey | undefined;
  }

  async #put(change: DocumentChange): Promise<void> {
    const audit = { action: 'Tested', actor: 'test', atMs: this.clock.nowMs(), facts: {} };
    const { type } = await this.ledger.commitDocuments({ changes: [change], epoch: 1, audit });
    if (type !== 'Committed') throw new Error('the document has moved on');
  }

  #makeDeps(handle: StoreHandle): Deps {
    const of = () => ({ fact: this.store, handle });
    const parts: Partial<Deps> = {
      client: this.cluster,
      ledger: this.#counted(),
      known: { mayHold: () => true },
      holds: this.holds,
      keyring: KEYRING,
      clock: this.time,
      entropy: seeded('desk'),
      log: silentLogger,
      clusterId: 'cluster-1',
      epoch: () => 1,
      keys: cacheOf((ref) => this.cluster.find(API_KEYS, ref), cacheApiKey),
      secrets: cacheOf((ref) => this.cluster.find(SECRETS, ref), viewSecret),
      stores: { of, bound: of },
      vendors: {
        session: async () => {
          this.sessions += 1;
          const account = { id: 'account-1', facts: {} };
          const exclusively = <T>(work: () => Promise<T>): Promise<T> => work();
          return { account, remote: this.vendor, prove: async () => undefined, exclusively };
        },
      },
      product: (name, { isGranted }) => ({
        name,
        productId: isGranted || !this.byGrant.has(name) ? this.products.get(name) : undefined,
      }),
      remoteChecks: new RemoteChecks(this.time, () => 0.5, 600_000),
      ownSecrets: new OwnSecrets(),
      ownStatus: new OwnStatus(),
      lossGraceMs: 30_000,
      quotaUses: () => undefined,
      debtAfterMs: 600_000,
      guard: { permits: () => true, admits: () => true } as unknown as Deps['guard'],
      reporter: {
        rotated: () => undefined,
        retired: () => undefined,
        stillUsed: () => undefined,
        stateChanged: () => undefined,
        remoteChanged: () => undefined,
        remoteNotEnded: () => undefined,
        secretTrouble: () => undefined,
        quotaUsedUp: () => undefined,
        restarted: () => undefined,
        rolledOut: () => undefined,
      },
      metrics: createApiKeyMetrics(createRegistry()),
    };
    return parts as Deps;
  }

  #counted(): Ledger {
    const { ledger, reads } = this;
    return {
      ...ledger,
      commit: async (commit) => {
        await this.beforeCommit();
        return ledger.commit(commit);
      },
      findDocument: (kind, at) => {
        reads.push(`find ${kind}`);
        return ledger.findDocument(kind, at);
      },
      loadDocument: (kind, uid) => {
        reads.push(`load ${kind}`);
        return ledger.loadDocument(kind, uid);
      },
    };
  }
}

function openBuiltin(builtin: Readonly<Record<string, unknown>>): StoreHandle {
  const handle = builtinDriver.open(builtin);
  if ('problem' in handle) throw new Error(handle.problem);
  return handle;
}

function draft(metadata: Draft['metadata']): Draft {
  return { apiVersion: API_VERSION, kind: 'ApiKey', metadata };
}

/** Only what the steps ask of a cache. */
function cacheOf<R>(
  find: (ref: Ref) => KubeObject | undefined,
  view: (object: KubeObject) => R,
): Deps['keys'] & Deps['secrets'] {
  const get = (ref: Ref): R | undefined => {
    const object = find(ref);
    return object && view(object);
  };
  return { get } as unknown as Deps['keys'] & Deps['secrets'];
}
