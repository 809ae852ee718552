/**
 * A vendor's account in memory, of any class, for tests of the protocol alone: the wire is the
 * business of the drivers' own tests, which talk to real servers.
 */
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { SLOTS, type SlotName } from '../../src/keys/mint.ts';
import type { KeyFormat } from '../../src/keys/format.ts';
import {
  StoreFailure,
  type Capabilities,
  type NewCredential,
  type RemoteCredential,
  type RemoteHandle,
  type RemoteListing,
  type RemoteStore,
  type RemoteWish,
  type Subscriptions,
  type SubscriptionState,
} from '../../src/stores/contract.ts';
import type { Mark } from '../../src/stores/mark.ts';
import type { Clock } from '../../src/kernel/clock.ts';

/** A credential as the vendor keeps it. */
export type VendorCredential = {
  readonly id: string;
  readonly format: KeyFormat;
  mark: Mark | undefined;
  enabled: boolean;
  name: string;
  description: string;
  readonly createdMs: number;
  readonly values: Map<SlotName, string>;
};

/** What happens to one call: cut before it arrives, carried out and the answer lost, or not let in. */
export type VendorFault = 'Cut' | 'LostAnswer' | 'Throttled';

/** Classes it can be of. */
export type MemoryVendorClass = keyof typeof FORMATS;

/** Code points. */
const NAME_MAX = 255;

const FORMATS = { M: 'Dual', D: 'KeyPair', O: 'Opaque', I: 'Opaque', X: 'Opaque' } as const;

/** See the file comment. */
export class MemoryVendor implements RemoteStore {
  readonly credentials = new Map<string, VendorCredential>();
  readonly calls: string[] = [];
  /** Asked before each call, with its number from 1. */
  fault: (call: string, nth: number) => VendorFault | undefined = () => undefined;
  /** Whose credentials a login finds; everything else is found only in `account-1`. */
  account = 'account-1';
  /** The account that answers name as the owner; absent: they name none. */
  owner: string | undefined;
  /** Lists show what is at least this old. */
  listLagMs = 0;
  /** Calls about one credential know it when it is at least this old. */
  readLagMs = 0;
  /** Answers to create calls show values. */
  isCreateWhole = true;
  /** Regenerate calls make a value and show it, make one and show the old one, or make none. */
  regenerates: 'AndShows' | 'AndLags' | 'Nothing' = 'AndShows';
  /** Looks at a credential go on to show what it was before the last regenerate call. */
  isLookStale = false;
  /** What it tells of a credential, by the field names of status. */
  facts: Readonly<Record<string, string>> = {};
  /** Subscriptions by `id product`. */
  readonly relations = new Map<string, SubscriptionState>();
  /** Asks and tells of subscriptions, class M alone. */
  readonly subscriptions: Subscriptions = {
    state: (id, product) =>
      this.#call('state', () => this.relations.get(`${id} ${product}`) ?? 'None'),
    request: (id, product) =>
      this.#call('subscribe', () => {
        if (this.relations.has(`${id} ${product}`)) {
          throw new StoreFailure('Refused', { message: 'asked for twice' });
        }
        this.relations.set(`${id} ${product}`, 'Requested');
      }),
    withdraw: (id, product) =>
      this.#call('unsubscribe', () => {
        if (!this.relations.delete(`${id} ${product}`)) {
          throw new StoreFailure('Refused', { message: 'there is none' });
        }
      }),
  };
  readonly #class: MemoryVendorClass;
  readonly #clock: Clock;
  /** Class I: what a request with this token made. */
  readonly #byToken = new Map<string, VendorCredential>();
  readonly #beforeRegenerate = new Map<string, RemoteCredential>();
  #serial = 0;

  constructor(driverClass: MemoryVendorClass, clock: Clock) {
    this.#class = driverClass;
    this.#clock = clock;
  }

  /** Settings of a store with this vendor behind it. */
  handle(): RemoteHandle {
    const capabilities: Capabilities = {
      class: this.#class,
      formats: [FORMATS[this.#class]],
      recoverable: true,
      rotation: 'Replace',
      regeneratePerSlot: this.#class === 'M' || this.#class === 'D',
      suspend: true,
      displayNameMax: NAME_MAX,
      descriptionMax: 500,
      terms: this.#class === 'M' ? ['productRefs'] : [],
    };
    return {
      type: 'Remote',
      capabilities,
      defaultFormat: FORMATS[this.#class],
      provider: 'vendor',
      endpoint: new URL('https://vendor.example'),
      credentials: { secretName: 'account', entries: [] },
      settleMs: 30_000,
      deleteGraceMs: 0,
      onExpiry: 'Disable',
      connect: () => this,
    };
  }

  /** A create call of ours that was held up in the network arrives after all, or came from elsewhere. */
  plantMarked(mark: Mark, format: KeyFormat = FORMATS[this.#class]): VendorCredential {
    return this.#add(format, mark, { name: 'mark', description: 'mark' });
  }

  /** Somebody else makes a credential in the same account. */
  plant(format: KeyFormat = FORMATS[this.#class]): VendorCredential {
    return this.#add(format, undefined, { name: 'stranger', description: '' });
  }

  login(): Promise<{ id: string; facts: Record<string, string> }> {
    return this.#call('login', () => ({ id: this.account, facts: {} }));
  }

  create(wanted: NewCredential): Promise<RemoteCredential> {
    return this.#call('create', () => {
      const { token } = wanted.mark;
      const before = this.#class === 'I' ? this.#byToken.get(token) : undefined;
      const made = before ?? this.#make(wanted);
      this.#byToken.set(token, made);
      return this.#show(made, this.isCreateWhole ? 'Values' : 'NoValues');
    });
  }

  read(id: string): Promise<RemoteCredential | undefined> {
    return this.#call('read', () => {
      const found = this.#known(id);
      const stale = this.isLookStale ? this.#beforeRegenerate.get(id) : undefined;
      return found && (stale ?? this.#show(found, this.#shown()));
    });
  }

  find(mark: Mark): Promise<readonly RemoteListing[]> {
    return this.#call('find', () =>
      this.#listed().filter((each) => each.mark?.token === mark.token),
    );
  }

  list(): Promise<readonly RemoteListing[]> {
    return this.#call('list', () => this.#listed());
  }

  update(id: string, wish: RemoteWish): Promise<RemoteCredential | undefined> {
    return this.#call('update', () => {
      const found = this.#known(id);
      if (found === undefined) return undefined;
      if (this.#class !== 'D') this.#demandName(wish.name);
      Object.assign(found, this.#class === 'D' ? { enabled: wish.enabled } : wish);
      if (found.name !== 'mark') found.mark = undefined;
      return this.#show(found, this.#shown());
    });
  }

  regenerate(id: string, slot: SlotName): Promise<RemoteCredential | undefined> {
    return this.#call('regenerate', () => {
      const found = this.#known(id);
      const before = found && this.#show(found, 'Values');
      if (before !== undefined) this.#beforeRegenerate.set(id, before);
      if (this.regenerates !== 'Nothing') found?.values.set(slot, this.#value());
      return found && this.regenerates === 'AndShows' ? this.#show(found, 'Values') : before;
    });
  }

  delete(id: string): Promise<'Deleted' | 'NotFound'> {
    return this.#call('delete', () =>
      this.#known(id) !== undefined && this.#own.delete(id) ? 'Deleted' : 'NotFound',
    );
  }

  async #call<T>(name: string, act: () => T): Promise<T> {
    this.calls.push(name);
    const fault = this.fault(name, this.calls.length);
    if (fault === 'Throttled') throw new StoreFailure('Throttled', { message: 'too many' });
    if (fault === 'Cut') throw new StoreFailure('Unavailable', { message: 'cut before' });
    const answer = act();
    if (fault === 'LostAnswer') throw new StoreFailure('Unavailable', { message: 'answer lost' });
    return answer;
  }

  /** Vendors that have names take no empty one and none that is too long. */
  #demandName(name: string): void {
    if (name !== '' && Array.from(name).length <= NAME_MAX) return;
    throw new StoreFailure('Refused', { message: 'the name is empty or too long' });
  }

  #known(id: string): VendorCredential | undefined {
    const found = this.#own.get(id);
    const isOld = found !== undefined && found.createdMs + this.readLagMs <= this.#clock.nowMs();
    return isOld ? found : undefined;
  }

  #shown(): 'Values' | 'NoValues' {
    return this.#class === 'M' || this.#class === 'D' ? 'Values' : 'NoValues';
  }

  #make({ format, mark }: NewCredential): VendorCredential {
    const isMarked = this.#class === 'M' || this.#class === 'O';
    const text = isMarked ? 'mark' : '';
    return this.#add(format, isMarked ? mark : undefined, { name: text, description: text });
  }

  #add(
    format: KeyFormat,
    mark: Mark | undefined,
    named: { readonly name: string; readonly description: string },
  ): VendorCredential {
    this.#serial += 1;
    const made: VendorCredential = {
      id: `id-${this.#serial}`,
      format,
      mark,
      enabled: true,
      ...named,
      createdMs: this.#clock.nowMs(),
      values: new Map(SLOTS[format].map((slot) => [slot, this.#value()])),
    };
    this.credentials.set(made.id, made);
    return made;
  }

  /** What the account of the last login has. */
  get #own(): Map<string, VendorCredential> {
    return this.account === 'account-1' ? this.credentials : new Map();
  }

  #value(): string {
    this.#serial += 1;
    // No shorter than what values made elsewhere are.
    return `vendor-value-${this.#serial}`;
  }

  #listed(): readonly RemoteListing[] {
    const shownMs = this.#clock.nowMs() - this.listLagMs;
    return [...this.#own.values()]
      .filter(({ createdMs }) => this.listLagMs === 0 || createdMs <= shownMs)
      .map(({ id, mark, enabled, createdMs }) => ({
        id,
        enabled,
        createdMs,
        ...(mark === undefined ? {} : { mark }),
      }));
  }

  #show(from: VendorCredential, what: 'Values' | 'NoValues'): RemoteCredential {
    const { id, mark, enabled, name, description, createdMs, values } = from;
    const shown = what === 'Values' ? [...values] : [];
    return {
      id,
      enabled,
      createdMs,
      ...(mark === undefined ? {} : { mark }),
      ...(this.#class === 'D' ? {} : { name, description }),
      ...(this.owner === undefined ? {} : { accountId: this.owner }),
      hint: id,
      values: Object.fromEntries(shown.map(([slot, value]) => [slot, new Sensitive(value)])),
      facts: this.facts,
    };
  }
}
