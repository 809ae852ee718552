/**
 * The sessions of all remote stores: one per store, made anew when the settings change, with the
 * credentials that the store may use and the account that its keys are in.
 */
import { refText, type Ref } from '../api/meta.ts';
import { canonicalJson } from '../kernel/canonicaljson.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Entropy } from '../kernel/entropy.ts';
import type { KubeClient } from '../kube/port.ts';
import {
  StoreFailure,
  type Account,
  type Driver,
  type FailureKind,
  type RemoteHandle,
  type VendorHttp,
} from './contract.ts';
import {
  knownSource,
  secretSource,
  type Credentials,
  type CredentialSource,
} from './credentials.ts';
import type { Destination } from './dialing.ts';
import { admitEndpoint, type EndpointHosts } from './endpoints.ts';
import type { Operation } from './guard.ts';
import { Objection, type StoreHealth } from './health.ts';
import type { AccountLines } from './limits.ts';
import type { Remembered, StoreMemory } from './memory.ts';
import { StoreSession } from './session.ts';

/** A store object, as far as a session depends on it. */
export type SessionStore = {
  readonly kind: 'KeyStore' | 'ClusterKeyStore';
  readonly ref: Ref;
  readonly uid: string;
  /** KeyStore.spec.type. */
  readonly type: string;
  /** The driver's member of the spec. */
  readonly settings: Readonly<Record<string, unknown>>;
};

/** One call at a vendor, for metrics. */
export type StoreCall = {
  /** KeyStore.spec.type. */
  readonly type: string;
  readonly operation: Operation;
  readonly result: FailureKind | 'Done';
  readonly tookMs: number;
};

/** What sessions are made with. */
type StoreSessionsOptions = {
  readonly client: Pick<KubeClient, 'get'>;
  /** Where the credentials of cluster stores lie. */
  readonly operatorNamespace: string;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly endpointHosts: EndpointHosts;
  readonly memory: StoreMemory;
  readonly lines: AccountLines;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** The way out to one destination. */
  readonly http: (destination: Destination) => VendorHttp;
  /** See SessionOptions. */
  readonly mayChange: () => boolean;
  /** See SessionOptions. */
  readonly rereadMs?: number;
  /** The health of a store that exists changed; told once for each change. */
  readonly onHealth?: (store: SessionStore, health: StoreHealth) => void;
  readonly onCall?: (call: StoreCall) => void;
};

type Kept = { readonly version: string; readonly session: StoreSession };

/** What differs between a store that exists and one that is only remembered. */
type Origin = {
  readonly type: string;
  /** Names the line until the account is known. */
  readonly name: string;
  readonly handle: RemoteHandle;
  readonly source: CredentialSource;
  readonly precheck: () => Promise<void>;
  readonly accept: (account: Account, credentials: Credentials) => Promise<void>;
  readonly onHealth: (health: StoreHealth) => void;
};

/** See the head of the file. */
export class StoreSessions {
  readonly #options: StoreSessionsOptions;
  readonly #ofObjects = new Map<string, Kept>();
  readonly #ofMemory = new Map<string, Kept>();

  constructor(options: StoreSessionsOptions) {
    this.#options = options;
  }

  /** The session of a store that exists. Cheap and without traffic; the same until settings change. */
  of(store: SessionStore, handle: RemoteHandle): StoreSession {
    const version = canonicalJson([store.type, store.settings]);
    const kept = this.#ofObjects.get(store.uid);
    if (kept?.version === version) return kept.session;
    const session = this.#open({
      type: store.type,
      name: store.uid,
      handle,
      source: this.#secretOf(store, handle),
      precheck: () => this.#checkEndpoint(store, handle),
      accept: (account, credentials) => this.#accept(store, account, credentials),
      onHealth: (health) => this.#options.onHealth?.(store, health),
    });
    this.#ofObjects.set(store.uid, { version, session });
    return session;
  }

  /** How a store is doing; undefined: nobody asked for its session yet. */
  health(storeUid: string): StoreHealth | undefined {
    return this.#ofObjects.get(storeUid)?.session.health;
  }

  /**
   * The session of an account as the ledger remembers it, for what is to be ended when the store or
   * its Secret is gone. undefined: nothing is remembered, or there is no driver for it any more.
   * @throws KeywardError Terminal SealBroken, MasterKeyVersionMissing
   */
  async fromMemory(storeUid: string): Promise<StoreSession | undefined> {
    const remembered = await this.#options.memory.open(storeUid);
    const handle = remembered && this.#handleOf(remembered);
    if (remembered === undefined || handle === undefined) return undefined;
    const { type, settings, values, account } = remembered;
    const source = knownSource(values);
    const version = canonicalJson([type, settings, account, source.version]);
    const kept = this.#ofMemory.get(storeUid);
    if (kept?.version === version) return kept.session;
    const session = this.#open({
      type,
      name: storeUid,
      handle,
      source: source.read,
      precheck: async () => undefined,
      accept: async (found) => expectAccount(found, account),
      onHealth: () => undefined,
    });
    this.#ofMemory.set(storeUid, { version, session });
    return session;
  }

  /** Drops the sessions of a store that is gone; what the ledger remembers stays. */
  forget(storeUid: string): void {
    this.#ofObjects.delete(storeUid);
    this.#ofMemory.delete(storeUid);
  }

  #open(origin: Origin): StoreSession {
    const { handle, type } = origin;
    const { clock, entropy, lines, onCall } = this.#options;
    const destination = this.#destinationOf(type, handle);
    const problem = 'problem' in destination ? destination.problem : undefined;
    const line = (): string => {
      const { account } = session;
      const at = `${type}/${handle.endpoint.origin}`;
      return account === undefined ? `${at}/store/${origin.name}` : `${at}/account/${account.id}`;
    };
    const http = 'problem' in destination ? NOWHERE : this.#options.http(destination);
    const session: StoreSession = new StoreSession({
      handle,
      source: origin.source,
      http: (turn, expectMay) => lines.limit(askingFirst(http, expectMay), line, turn),
      clock,
      entropy,
      precheck: async () => {
        if (problem !== undefined) throw new Objection('NotAllowed', problem);
        await origin.precheck();
      },
      accept: origin.accept,
      // Not by account: one and the same may be known by two names, of two users or API keys.
      exclusively: (act, signal) =>
        lines.exclusively(`${type}/${handle.endpoint.origin}`, act, signal),
      mayChange: this.#options.mayChange,
      ...(this.#options.rereadMs === undefined ? {} : { rereadMs: this.#options.rereadMs }),
      onHealth: origin.onHealth,
      onCall: (operation, result, tookMs) => onCall?.({ type, operation, result, tookMs }),
    });
    return session;
  }

  #destinationOf(type: string, { endpoint }: RemoteHandle): ReturnType<typeof admitEndpoint> {
    const { drivers, endpointHosts } = this.#options;
    const defaults = drivers.get(type)?.hosts ?? [];
    return admitEndpoint({ type, endpoint, defaults }, endpointHosts);
  }

  #secretOf(store: SessionStore, { credentials }: RemoteHandle): CredentialSource {
    const { client, operatorNamespace } = this.#options;
    // Never a namespace that the spec names: a store uses what lies where the store itself lies.
    const namespace = store.kind === 'KeyStore' ? store.ref.namespace : operatorNamespace;
    return secretSource(client, { namespace, name: credentials.secretName }, credentials.entries);
  }

  /** Credentials are not even shown to another server than the one that the keys are at. */
  async #checkEndpoint(store: SessionStore, handle: RemoteHandle): Promise<void> {
    const { memory } = this.#options;
    const remembered = await memory.recall(store.uid);
    const before = remembered && this.#handleOf(remembered)?.endpoint.href;
    if (before === undefined || before === handle.endpoint.href) return;
    if (!(await memory.isInUse(store.uid))) return;
    throw new Objection(
      'AccountChanged',
      `${storeText(store)} holds keys at ${before}; its endpoint cannot change before they are gone`,
    );
  }

  async #accept(store: SessionStore, account: Account, credentials: Credentials): Promise<void> {
    const { memory } = this.#options;
    const { uid: storeUid, type, settings } = store;
    const before = (await memory.recall(storeUid))?.account;
    const isOther = before !== undefined && before !== account.id;
    if (isOther && (await memory.isInUse(storeUid))) {
      throw new Objection(
        'AccountChanged',
        `${storeText(store)} holds keys of the account ${before}, but its credentials are those of ` +
          `${account.id}; put the credentials of the old account back`,
      );
    }
    const { values } = credentials;
    if (account.isAssumed === true && before !== undefined) await this.#expectKnown(store, values);
    await memory.keep({ storeUid, type, account: account.id, settings, values });
  }

  /**
   * An account that shows nothing of itself may be any account. Taken for the right one, "not found"
   * there would count as gone: live keys would be forgotten, and made anew where they do not belong.
   */
  async #expectKnown(store: SessionStore, values: Credentials['values']): Promise<void> {
    const { memory } = this.#options;
    if (await memory.holds(store.uid, values)) return;
    if (!(await memory.isInUse(store.uid))) return;
    throw new Objection(
      'AccountChanged',
      `${storeText(store)} holds keys, but the account of its new credentials has none, so it seems to be ` +
        'another one; put the credentials of the old account back, or make any key there by hand, which shows whose it is',
    );
  }

  #handleOf({ type, settings }: Omit<Remembered, 'values'>): RemoteHandle | undefined {
    const handle = this.#options.drivers.get(type)?.open(settings);
    if (handle === undefined || 'problem' in handle || handle.type !== 'Remote') return undefined;
    return handle;
  }
}

function expectAccount(found: Account, account: string): void {
  if (found.id === account) return;
  const message = `the remembered credentials are those of ${found.id} now, not of ${account}`;
  throw new Objection('AccountChanged', message);
}

function storeText({ kind, ref }: SessionStore): string {
  return `${kind} '${refText(ref)}'`;
}

/** `http`, each request of which is refused when `expectMay` throws just before it goes out. */
function askingFirst(http: VendorHttp, expectMay: () => void): VendorHttp {
  return {
    async send(request, signal) {
      expectMay();
      return await http.send(request, signal);
    },
  };
}

/** For endpoints that are not allowed; the session objects before it comes to this. */
const NOWHERE: VendorHttp = {
  send() {
    const message = 'the endpoint of the store is not allowed';
    return Promise.reject(new StoreFailure('Denied', { message, executed: 'No' }));
  },
};
