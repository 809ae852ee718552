/** A site whose keys live at a fake vendor that runs inside the test: over HTTP, and within reach. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BASE_PATH, NaverFake, OUR_TENANT } from '../../fakes/naver/fake.ts';
import { SolapiFake } from '../../fakes/solapi/fake.ts';
import type { VendorCredential } from '../../kit/fake.ts';
import { API_KEYS, API_VERSION, EVENTS, KEY_STORES, SECRETS } from '../../src/api/names.ts';
import type { Condition } from '../../src/api/meta.ts';
import { eventually } from './eventually.ts';
import { findCanaries, type Finding } from './operator.canary.ts';
import type { Flags } from './operator.ts';
import { Site, type Key } from './operator.site.ts';
import { sharedControlPlane } from './controlplane.ts';

/** What a vendor is called in a KeyStore, and its settings beside endpoint and credentials. */
type Kind = { readonly type: string; readonly member: string; readonly settings: object };

const KINDS: readonly (readonly [new () => object, Kind])[] = [
  [NaverFake, { type: 'Naver', member: 'naver', settings: { tenantId: OUR_TENANT } }],
  [SolapiFake, { type: 'Solapi', member: 'solapi', settings: { deleteGraceSeconds: 0 } }],
];

/** Entries of credentials Secrets that are secret; the others are names. */
const SIGNING: ReadonlySet<string> = new Set(['secretKey', 'signingSecret', 'apiSecret']);

/** Sinks that may be empty: the operator empties the database's log each time it has taken it over. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(['stderr', 'keyward.db-wal']);

/** A store as its status shows it. */
export type StoreSeen = {
  readonly conditions?: readonly Condition[];
  readonly account?: string;
  readonly keys?: { readonly total: number };
};

/** How a site is made. */
export type VendorSiteOptions = {
  /** Between two looks at the same key: an account takes ten requests a second, all keys together. */
  readonly checkSeconds?: number;
  readonly flags?: Flags;
};

/** See the file comment. */
export class VendorSite<Fake extends NaverFake | SolapiFake> {
  readonly fake: Fake;
  readonly site: Site;
  readonly #kind: Kind;

  constructor(fake: Fake, site: Site) {
    this.fake = fake;
    this.site = site;
    this.#kind = kindOf(fake);
  }

  /** Starts fake and operator, with a store `vendor` that is connected. */
  static async open<Made extends NaverFake | SolapiFake>(
    fake: Made,
    { checkSeconds = 600, flags = {} }: VendorSiteOptions = {},
  ): Promise<VendorSite<Made>> {
    await fake.start();
    const site = await Site.open({
      access: sharedControlPlane(),
      flags: {
        'endpoint-hosts': `${kindOf(fake).type}=${new URL(fake.address).host}`,
        'remote-check-seconds': String(checkSeconds),
        ...flags,
      },
    });
    const made = new VendorSite(fake, site);
    await made.putStore('vendor');
    await site.start();
    await made.untilStore('vendor', 'Connected');
    return made;
  }

  async close(): Promise<void> {
    await this.site.close();
    await this.fake.stop();
  }

  /** Makes a Secret with credentials; absent: those of our account. */
  async putAccount(name: string, entries?: Readonly<Record<string, string>>): Promise<void> {
    const { namespace, api } = this.site;
    const stringData = entries ?? this.fake.accounts[0]?.credentials ?? {};
    await api.create(SECRETS, { metadata: { name, namespace }, stringData });
  }

  /** Makes a store of that name, with a Secret `NAME-account`; `member` is merged into its settings. */
  async putStore(
    name: string,
    member: object = {},
    credentials?: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { namespace, api } = this.site;
    const { type, member: memberName, settings } = this.#kind;
    await this.putAccount(`${name}-account`, credentials);
    const endpoint = type === 'Naver' ? `${this.fake.address}${BASE_PATH}` : this.fake.address;
    const credentialsSecretRef = { name: `${name}-account` };
    const whole = { endpoint, credentialsSecretRef, settleSeconds: 1, ...settings, ...member };
    await api.create(KEY_STORES, {
      apiVersion: API_VERSION,
      kind: 'KeyStore',
      metadata: { name, namespace },
      spec: { type, [memberName]: whole },
    });
  }

  /** Merges into the settings of a store. */
  async editStore(name: string, member: object): Promise<void> {
    const { namespace, api } = this.site;
    await api.patch(KEY_STORES, [namespace, name], { spec: { [this.#kind.member]: member } });
  }

  /** What the store's status says now. */
  async store(name: string): Promise<StoreSeen | undefined> {
    const object = await this.site.api.get(KEY_STORES, this.site.namespace, name);
    // Asked for by kind from a server that checks the shape.
    return object?.status as StoreSeen | undefined;
  }

  /** Waits until Ready of the store has this reason. @returns its message */
  async untilStore(name: string, reason: string): Promise<string> {
    return await eventually(async () => {
      const seen = await this.store(name);
      const ready = seen?.conditions?.find(({ type }) => type === 'Ready');
      assert.equal(ready?.reason, reason, `KeyStore ${name}: ${ready?.reason}: ${ready?.message}`);
      return ready.message;
    });
  }

  /** Creates an ApiKey in the store, `vendor` unless told otherwise. */
  create(name: string, spec: object = {}, store = 'vendor'): Promise<Key> {
    return this.site.create(name, { storeRef: refOf(store), ...spec });
  }

  /** As `create`, and waits until it works. */
  issue(name: string, spec: object = {}, store = 'vendor'): Promise<Key> {
    return this.site.issue(name, { storeRef: refOf(store), ...spec });
  }

  /** The vendor's id of a key. */
  async idOf(name: string): Promise<string> {
    const { remote } = (await this.site.key(name)).status;
    assert.ok(remote?.id !== undefined, `ApiKey ${name} has no status.remote.id`);
    return remote.id;
  }

  /** The vendor's copy of a key. */
  async copyOf(name: string): Promise<VendorCredential> {
    const id = await this.idOf(name);
    const found = this.fake.credentials().find((each) => each.id === id);
    assert.ok(found, `the vendor has no ${id}`);
    return found;
  }

  /** Waits until the Secret holds exactly what the vendor has. */
  async untilSame(name: string): Promise<Record<string, string>> {
    return await eventually(async () => {
      const values = await this.site.values(name);
      const { values: there } = await this.copyOf(name);
      for (const [slot, value] of Object.entries(there)) {
        assert.ok(values[slot] === value, `Secret ${name}: ${slot} is not the vendor's`);
      }
      return values;
    });
  }

  /** Ids of everything in every account. */
  get ids(): readonly string[] {
    return this.fake.credentials().map(({ id }) => id);
  }

  /**
   * Where any value that the vendor has, or what signs for an account, stands outside of Secrets:
   * objects, events, log, metrics, database. Empty: nowhere.
   */
  async leaks(): Promise<readonly Finding[]> {
    const { api, namespace, operator, access, folder } = this.site;
    const files = readdirSync(folder).filter((name) => /^keyward\.db(-wal|-shm)?$/.test(name));
    const kinds = ['describe', 'apikeys,keystores', '-n', namespace];
    const texts = {
      keys: JSON.stringify(await api.list(API_KEYS, namespace)),
      stores: JSON.stringify(await api.list(KEY_STORES, namespace)),
      events: JSON.stringify(await api.list(EVENTS, namespace)),
      metrics: (await operator.ask('/metrics')).text,
      describe: await access.mustKubectl(kinds),
      stdout: operator.stdout,
      stderr: operator.stderr,
    };
    const sinks = [
      ...Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)] as const),
      ...files.map((name) => [name, readFileSync(join(folder, name))] as const),
    ];
    assert.ok(files.length > 0, `there is no database in ${folder}`);
    const empty = sinks.filter(([name, { length }]) => length === 0 && !MAY_BE_EMPTY.has(name));
    assert.deepEqual(Object.keys(Object.fromEntries(empty)), [], 'nothing to search in there');
    const canaries = this.#canaries();
    const secrets = Buffer.from(JSON.stringify(await api.list(SECRETS, namespace)));
    const isSearching = findCanaries(canaries, new Map([['Secrets', secrets]])).length > 0;
    assert.ok(isSearching, 'the search does not even find them in the Secrets');
    return findCanaries(canaries, new Map(sinks));
  }

  #canaries(): ReadonlyMap<string, string> {
    const { accounts } = this.fake;
    const values = this.fake.credentials().flatMap(({ id, values: slots }) => {
      return Object.entries(slots).map(([slot, value]) => [`${slot} of ${id}`, value] as const);
    });
    const signing = accounts.flatMap(({ id, credentials }) =>
      Object.entries(credentials)
        .filter(([entry]) => SIGNING.has(entry))
        .map(([entry, value]) => [`${entry} of ${id}`, value] as const),
    );
    assert.ok(values.length > 0 && signing.length > 0, 'there is nothing to look for');
    return new Map([...values, ...signing]);
  }

  /** Reasons of the events about an object, in no order. */
  async reasons(name: string): Promise<readonly string[]> {
    const events = await this.site.api.list(EVENTS, this.site.namespace);
    return events
      .map((event) => event as unknown as { reason: string; regarding: { name: string } })
      .filter(({ regarding }) => regarding.name === name)
      .map(({ reason }) => reason);
  }
}

function refOf(name: string): object {
  return { kind: 'KeyStore', name };
}

function kindOf(fake: object): Kind {
  const found = KINDS.find(([made]) => fake instanceof made);
  assert.ok(found, 'a fake of another vendor');
  return found[1];
}
