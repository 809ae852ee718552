/** Everything around the sessions of stores, in memory: API server, ledger, a vendor that obeys. */
import type { Entropy } from '../../../src/kernel/entropy.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { parseKeyring } from '../../../src/keys/keyring.ts';
import type { StoreRow } from '../../../src/ledger/port.ts';
import type {
  Account,
  Capabilities,
  Connection,
  Driver,
  RemoteCredential,
  RemoteHandle,
  RemoteStore,
  VendorHttp,
} from '../../../src/stores/contract.ts';
import { StoreFailure } from '../../../src/stores/contract.ts';
import type { Destination } from '../../../src/stores/dialing.ts';
import type { StoreHealth } from '../../../src/stores/health.ts';
import { AccountLines } from '../../../src/stores/limits.ts';
import { StoreMemory, type StoreLedger } from '../../../src/stores/memory.ts';
import { StoreSessions, type SessionStore } from '../../../src/stores/sessions.ts';
import { FakeClock } from '../../support/clock.ts';
import { FakeKube } from '../kube/fakekube.ts';
import { seeded } from '../keys/seeded.ts';

/** The member of a spec that the driver of the site reads. */
export const SETTINGS = { endpoint: 'https://vendor.example', secret: 'vendor-login' };

/** A namespaced store `team/vendor`. */
export const STORE: SessionStore = {
  kind: 'KeyStore',
  ref: { namespace: 'team', name: 'vendor' },
  uid: 'store-uid',
  type: 'Fake',
  settings: SETTINGS,
};

/** What the vendor does with one call; the default answers. */
export type Behaviour = (operation: string, user: string) => Promise<unknown>;

/** One site. */
export class Site {
  readonly clock = new FakeClock();
  readonly kube = new FakeKube();
  readonly rows = new Map<string, StoreRow>();
  /** Operation and user of every call that reached the vendor. */
  readonly calls: string[] = [];
  readonly told: StoreHealth[] = [];
  readonly destinations: Destination[] = [];
  /** By user name: the account that a login finds. */
  readonly accounts = new Map<string, string>([['alice', 'account-1']]);
  /** Throws what the vendor does instead of answering. */
  trouble: ((operation: string) => Promise<void>) | undefined;
  /** That exist at the vendor. */
  keys = 0;
  /** The vendor shows nothing by which the account could be told. */
  isAssumed = false;
  isLeading = true;
  /** What the answer to an update shows. */
  updated: RemoteCredential | undefined;
  /** Present: each call of the vendor is one request on it. */
  wire: VendorHttp | undefined;
  readonly sessions: StoreSessions;
  readonly lines = new AccountLines(this.clock);

  constructor() {
    const entropy: Entropy = seeded('site');
    const ledger: StoreLedger = {
      loadStore: async (uid) => this.rows.get(uid),
      saveStore: async (row) => void this.rows.set(row.storeUid, row),
      existsAtVendor: async () => this.keys > 0,
    };
    const keyring = parseKeyring(new Sensitive(`v1:${seeded('master')(32).toString('base64')}`));
    this.sessions = new StoreSessions({
      client: this.kube,
      operatorNamespace: 'keyward-system',
      drivers: new Map([['Fake', this.#driver()]]),
      endpointHosts: new Map(),
      memory: new StoreMemory({ ledger, epoch: () => 1, keyring, entropy }),
      lines: this.lines,
      clock: this.clock,
      entropy,
      http: (destination) => {
        this.destinations.push(destination);
        const none = new Error('the driver of the site has no wire');
        return { send: (...asked) => this.wire?.send(...asked) ?? Promise.reject(none) };
      },
      mayChange: () => this.isLeading,
      onHealth: (_, health) => this.told.push(health),
    });
  }

  /** Puts the Secret with credentials there, or another version of it. */
  putSecret(user: string, namespace = 'team', entries: Record<string, string> = {}): void {
    const texts = { user, word: `word-of-${user}`, ...entries };
    const data = Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
    );
    const metadata = { name: SETTINGS.secret, namespace, uid: 's', resourceVersion: '1' };
    this.kube.objects.set(`secrets/${namespace}/${SETTINGS.secret}`, { metadata, data } as never);
  }

  dropSecret(): void {
    this.kube.objects.clear();
  }

  open(store: SessionStore = STORE) {
    return this.sessions.of(store, this.#handle(store.settings));
  }

  #driver(): Driver {
    return {
      type: 'Fake',
      hosts: ['vendor.example', 'other.example'],
      open: (member) => this.#handle(member),
    };
  }

  #handle(member: Readonly<Record<string, unknown>>): RemoteHandle {
    return {
      type: 'Remote',
      capabilities: CAPABILITIES,
      defaultFormat: 'Opaque',
      provider: 'fake',
      endpoint: new URL(String(member.endpoint)),
      credentials: { secretName: String(member.secret), entries: ['user', 'word'] },
      settleMs: 0,
      deleteGraceMs: 0,
      onExpiry: 'Disable',
      connect: (connection) => this.#remote(connection),
    };
  }

  #remote({ credentials, http }: Connection): RemoteStore {
    const user = credentials.user?.revealText() ?? '';
    const call = async <T>(operation: string, answer: T): Promise<T> => {
      if (this.wire !== undefined) {
        const request = { method: 'POST', path: `/${operation}`, headers: {} } as const;
        await http.send(request, new AbortController().signal);
      }
      this.calls.push(`${operation} ${user}`);
      await this.trouble?.(operation);
      return answer;
    };
    return {
      login: async () => {
        const id = this.accounts.get(user);
        const shown = this.isAssumed ? ({ isAssumed: true } as const) : {};
        const account: Account = { id: id ?? '', facts: {}, ...shown };
        await call('login', account);
        if (id === undefined) throw new StoreFailure('Denied', { message: 'wrong credentials' });
        return account;
      },
      create: () => call('create', { id: '1', enabled: true, hint: '', values: {}, facts: {} }),
      read: () => call('read', undefined),
      find: () => call('find', []),
      list: () => call('list', []),
      update: () => call('update', this.updated),
      regenerate: () => call('regenerate', undefined),
      delete: () => call('delete', 'NotFound'),
      subscriptions: {
        state: () => call('subscription', 'None'),
        request: () => call('subscribe', undefined),
        withdraw: () => call('unsubscribe', undefined),
      },
    };
  }
}

const CAPABILITIES: Capabilities = {
  class: 'M',
  formats: ['Opaque'],
  recoverable: false,
  rotation: 'Replace',
  regeneratePerSlot: false,
  suspend: true,
  displayNameMax: 20,
  descriptionMax: 50,
  terms: [],
};
