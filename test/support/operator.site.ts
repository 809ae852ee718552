/**
 * One installation of Keyward for a test file: namespaces of its own, an account as deploy/rbac gives
 * it, a database and a master key in a temporary folder, and an operator process that can be
 * stopped and started. Plus the short words in which the tests speak of keys.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Access } from '../../control-plane/access.ts';
import type { ApiKeySpec, ApiKeyStatus } from '../../src/api/generated/apikey.ts';
import type { Condition, KubeObject } from '../../src/api/meta.ts';
import { API_KEYS, API_VERSION, KEY_STORES, SECRETS } from '../../src/api/names.ts';
import { systemEntropy } from '../../src/kernel/entropy.ts';
import { createMasterKeyFile, loadKeyring } from '../../src/bin/masterkey.ts';
import type { Keyring } from '../../src/keys/keyring.ts';
import { parsePair, parseValue } from '../../src/keys/format.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';
import { verdict, type VerdictContext } from '../../src/terms/verdict.ts';
import { applyObjects } from './controlplane.ts';
import { eventually } from './eventually.ts';
import { OperatorProcess, type Flags } from './operator.ts';
import { OWN_NAMESPACE, rights, type RightsWish } from './operator.rights.ts';
import { TestApi, type Draft, type Loose } from './operator.api.ts';

/** An ApiKey as the API server shows it. */
export type Key = KubeObject<{ readonly spec: ApiKeySpec; readonly status: ApiKeyStatus }>;

/** A wish for a spec: parts of it, defaults come from the API server. Null removes in edits. */
export type Wish = object;

/** Environment variables beside those every operator gets. */
type Environment = Readonly<Record<string, string>>;

/** What kind of installation is wanted. */
export type SiteOptions = RightsWish & {
  readonly access: Access;
  /** How many namespaces of its own, or their names; absent: one. */
  readonly namespaces?: number | readonly string[];
  /** Own: the account of deploy/rbac itself, on a control plane of one's own. Absent: a fresh one. */
  readonly account?: 'Own';
  /** Added to those every operator gets. */
  readonly flags?: Flags;
  /** Another program than the product's own, such as awkward/keyward.ts. */
  readonly program?: string;
};

/** See the file comment. */
export class Site {
  readonly access: Access;
  readonly api: TestApi;
  readonly namespaces: readonly string[];
  readonly kubeconfig: string;
  /** User name of the operator at the API server. */
  readonly user: string;
  /** Holds the database and the master key file; removed by `close`. */
  readonly folder: string;
  readonly #flags: Flags;
  readonly #keyring: Keyring;
  readonly #program: string | undefined;
  #operator: OperatorProcess | undefined;
  #reader: LedgerReader | undefined;

  /** Everything but the operator: `start` runs that. */
  static async open(options: SiteOptions): Promise<Site> {
    const { access } = options;
    const api = await TestApi.open(access.adminKubeconfig);
    const suffix = randomBytes(4).toString('hex');
    const { namespaces: wish = 1 } = options;
    const namespaces =
      typeof wish === 'number' ? Array.from({ length: wish }, (_, i) => `op-${suffix}-${i}`) : wish;
    const account = options.account === 'Own' ? 'keyward-operator' : `keyward-operator-${suffix}`;
    await applyObjects(access, [
      ...namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...namespaces.flatMap((namespace) => [
        storeObject(namespace, 'plain', {}),
        storeObject(namespace, 'sealed', { recovery: 'Sealed' }),
      ]),
      ...(options.account === 'Own' ? [] : rights(account, namespaces, options)),
    ]);
    const kubeconfig = await access.kubeconfigFor(OWN_NAMESPACE, account);
    const folder = await mkdtemp(join(tmpdir(), 'keyward-operator-'));
    await createMasterKeyFile(join(folder, 'master.key'), systemEntropy);
    const keyring = await loadKeyring(join(folder, 'master.key'));
    return new Site({ options, api, namespaces, kubeconfig, account, folder, keyring });
  }

  private constructor(parts: {
    readonly options: SiteOptions;
    readonly api: TestApi;
    readonly namespaces: readonly string[];
    readonly kubeconfig: string;
    readonly account: string;
    readonly folder: string;
    readonly keyring: Keyring;
  }) {
    const { options, api, namespaces, kubeconfig, account, folder, keyring } = parts;
    this.access = options.access;
    this.api = api;
    this.namespaces = namespaces;
    this.kubeconfig = kubeconfig;
    this.user = `system:serviceaccount:${OWN_NAMESPACE}:${account}`;
    this.folder = folder;
    this.#keyring = keyring;
    this.#program = options.program;
    this.#flags = {
      kubeconfig,
      database: `sqlite://${folder}/keyward.db`,
      'master-key-file': join(folder, 'master.key'),
      'watch-namespaces': namespaces.join(','),
      'metrics-address': '127.0.0.1:0',
      'leader-elect': 'false',
      identity: account,
      ...options.flags,
    };
  }

  /** URL of the database. */
  get database(): string {
    return this.#flags['database'] ?? '';
  }

  /** The first namespace. */
  get namespace(): string {
    return this.namespaces[0] ?? '';
  }

  /** The operator that was started last. */
  get operator(): OperatorProcess {
    if (this.#operator === undefined) throw new Error('no operator was started');
    return this.#operator;
  }

  /** All flags the operator gets; `more` wins. */
  flags(more: Flags = {}): Flags {
    return { ...this.#flags, ...more };
  }

  /** Starts an operator and waits until it is ready. */
  async start(more: Flags = {}, environment: Environment = {}): Promise<OperatorProcess> {
    const operator = new OperatorProcess(this.flags(more), environment, this.#program);
    this.#operator = operator;
    await operator.whenReady();
    return operator;
  }

  /** Ends the operator in order, and starts another one on the same database. */
  async restart(more: Flags = {}, environment: Environment = {}): Promise<OperatorProcess> {
    await this.#operator?.terminate();
    return await this.start(more, environment);
  }

  /** Ends everything that was started here. Objects stay with the control plane. */
  async close(): Promise<void> {
    await this.#operator?.terminate();
    await this.#reader?.close();
    this.api.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The operator's database, read beside it. */
  async ledger(): Promise<LedgerReader> {
    this.#reader ??= await openLedgerReader(this.database);
    return this.#reader;
  }

  /** Creates an ApiKey, in the store `plain` unless the spec says otherwise. */
  async create(name: string, spec: Wish = {}, namespace = this.namespace): Promise<Key> {
    const whole = { storeRef: PLAIN, ...spec };
    return asKey(await this.api.create(API_KEYS, { metadata: { name, namespace }, spec: whole }));
  }

  /** Creates an ApiKey and waits until it works. */
  async issue(name: string, spec: Wish = {}, namespace = this.namespace): Promise<Key> {
    await this.create(name, spec, namespace);
    return await this.until(name, 'Active', namespace);
  }

  /** Merges into the spec of an ApiKey. */
  async edit(name: string, spec: Wish, namespace = this.namespace): Promise<Key> {
    return asKey(await this.api.patch(API_KEYS, [namespace, name], { spec }));
  }

  /** Asks for the deletion of an ApiKey. */
  async remove(name: string, namespace = this.namespace): Promise<void> {
    await this.api.remove(API_KEYS, namespace, name);
  }

  /** The ApiKey as it is now. */
  async key(name: string, namespace = this.namespace): Promise<Key> {
    const object = await this.api.get(API_KEYS, namespace, name);
    assert.ok(object, `there is no ApiKey ${name}`);
    return asKey(object);
  }

  /** Waits until Ready has this reason, said about the newest spec. */
  async until(name: string, reason: string, namespace = this.namespace): Promise<Key> {
    return await eventually(async () => {
      const key = await this.key(name, namespace);
      const ready = condition(key, 'Ready');
      const { observedGeneration } = key.status;
      const seen = `${ready?.reason} (${ready?.message}), generation ${observedGeneration}`;
      const isSo = ready?.reason === reason && observedGeneration === key.metadata.generation;
      assert.ok(isSo, `ApiKey ${name}: waited for ${reason}, saw ${seen}`);
      return key;
    });
  }

  /** Waits until the rotation with this id is done, its new values are in the Secret. */
  async untilRotated(name: string, requestId: string, namespace = this.namespace): Promise<Key> {
    return await eventually(async () => {
      const key = await this.key(name, namespace);
      const ready = condition(key, 'Ready');
      assert.equal(key.status.lastHandledRotationRequestId, requestId);
      assert.equal(ready?.status, 'True', `ApiKey ${name}: ${ready?.reason}: ${ready?.message}`);
      return key;
    });
  }

  /** Waits until the operator has said about the newest spec that the key works. */
  async untilSeen(name: string): Promise<Key> {
    return await eventually(async () => {
      const key = await this.key(name);
      const ready = condition(key, 'Ready');
      assert.equal(key.status.observedGeneration, key.metadata.generation);
      assert.equal(ready?.status, 'True', `ApiKey ${name}: ${ready?.reason}: ${ready?.message}`);
      return key;
    });
  }

  /** Waits until the ApiKey is gone. */
  async untilGone(name: string, namespace = this.namespace): Promise<void> {
    await eventually(async () => {
      const object = await this.api.get(API_KEYS, namespace, name);
      assert.equal(object, undefined, `ApiKey ${name} is still there`);
    });
  }

  /** The Secret, or undefined. */
  async secret(name: string, namespace = this.namespace): Promise<Loose | undefined> {
    return await this.api.get(SECRETS, namespace, name);
  }

  /** The decoded entries of the Secret; fails when there is none. */
  async values(name: string, namespace = this.namespace): Promise<Record<string, string>> {
    const secret = await this.secret(name, namespace);
    assert.ok(secret, `there is no Secret ${name}`);
    return decode(secret);
  }

  /**
   * What the gate answers to a value, or to key and secret of a pair: Allowed, or the cause of the no.
   * It reads the database itself, as the gate does.
   */
  async verdict(
    presented: string | readonly [string, string],
    context: Partial<VerdictContext> = {},
  ): Promise<string> {
    const parts =
      typeof presented === 'string' ? parseValue(presented) : parsePair(presented[0], presented[1]);
    if (parts === undefined) return 'MalformedKey';
    const ledger = await this.ledger();
    const record = await ledger.findByKeyId(parts.keyId);
    const { keyId, secret } = parts;
    const answer = verdict(
      record,
      { keyId, secret },
      { nowMs: Date.now(), pepper: (version) => this.#keyring.pepper(version), ...context },
    );
    return answer.type === 'Allowed' ? 'Allowed' : answer.cause;
  }

  /** The ledger's record of an ApiKey that exists or existed. */
  async record(uid: string): Promise<KeyRecord | undefined> {
    const loaded = await (await this.ledger()).load(uid, { namespace: '', name: '' });
    return loaded.record;
  }
}

/** The two stores that every namespace of a site has; `sealed` keeps readable values. */
export const PLAIN = { kind: 'KeyStore', name: 'plain' } as const;
/** See PLAIN. */
export const SEALED = { kind: 'KeyStore', name: 'sealed' } as const;

/** A KeyStore of type Builtin; `more` is merged into its spec. */
export function storeObject(
  namespace: string,
  name: string,
  builtin: object,
  more: object = {},
): Draft {
  return {
    apiVersion: API_VERSION,
    kind: KEY_STORES.kind,
    metadata: { name, namespace },
    spec: { type: 'Builtin', builtin, retention: 'Allowed', ...more },
  };
}

/** The condition of that type, if it is there. */
export function condition(key: Key, type: string): Condition | undefined {
  return key.status.conditions?.find((candidate) => candidate.type === type);
}

/** Entries of a Secret as text. */
export function decode(secret: Loose | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secret?.data ?? {}).map(([name, text]) => [
      name,
      Buffer.from(text, 'base64').toString(),
    ]),
  );
}

function asKey(object: Loose): Key {
  // Asked for by kind, and the schema fills in spec and status.
  return object as unknown as Key;
}
