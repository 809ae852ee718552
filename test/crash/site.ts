/** One place to run one plan in: namespace, store, database, proxy and an operator that is restarted. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { API_KEYS, KEY_STORES, NAMESPACES, SECRETS } from '../../src/api/names.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import { isOpen } from '../../src/ledger/transitions.ts';
import { eventually } from '../support/eventually.ts';
import type { Loose, TestApi } from '../support/operator.api.ts';
import { FaultProxy, type Strike } from './proxy.ts';

/** What all plans of a run share. */
export type Rig = {
  readonly api: TestApi;
  readonly server: URL;
  readonly ca: string;
  readonly token: string;
  /** Folder for databases and logs. */
  readonly folder: string;
  /** The operator's program: the bundle. */
  readonly program: string;
  readonly masterKeyFile: string;
  /** URL of a site's database; absent: a file in its folder. */
  readonly databaseFor?: (site: string) => string;
};

/** Where the plan kills the operator: at an API call, or around a commit of the ledger. */
export type Fault =
  | { readonly type: 'None' }
  /** Again: the operator that was started after it is killed too, at its nth call. */
  | ({ readonly type: 'Call'; readonly again?: Strike } & Strike)
  | { readonly type: 'Commit'; readonly nth: number; readonly position: 'before' | 'after' };

/** An object of somebody else, and what must not change about it. */
type Bystander = { readonly name: string; readonly uid: string; readonly resourceVersion: string };

/** Quiet: nothing was written for this long. */
const QUIET_MS = 700;
/** After a kill everything must have converged within this time, on a busy machine. */
const CONVERGE_MS = 30_000;

export class Site {
  readonly namespace: string;
  readonly proxy: FaultProxy;
  readonly #rig: Rig;
  readonly #folder: string;
  readonly #settings: { readonly overlapSeconds: number; readonly maxKeys?: number };
  #child: ChildProcess | undefined;
  #fault: Fault;
  #isStopping = false;
  #kills = 0;
  #restarts: Promise<void> = Promise.resolve();
  #bystanders: readonly Bystander[] = [];

  constructor(
    rig: Rig,
    name: string,
    fault: Fault,
    settings: { readonly overlapSeconds: number; readonly maxKeys?: number },
  ) {
    this.#rig = rig;
    this.namespace = name;
    this.#fault = fault;
    this.#settings = settings;
    this.#folder = join(rig.folder, name);
    this.proxy = new FaultProxy({ ...rig, kill: () => this.#child?.kill('SIGKILL') });
    if (fault.type === 'Call') this.proxy.arm(fault);
  }

  get api(): TestApi {
    return this.#rig.api;
  }

  get database(): string {
    const inFolder = `sqlite://${join(this.#folder, 'keyward.db')}`;
    return this.#rig.databaseFor?.(this.namespace) ?? inFolder;
  }

  /** Where database, kubeconfig and log are. */
  get folder(): string {
    return this.#folder;
  }

  get masterKeyFile(): string {
    return this.#rig.masterKeyFile;
  }

  /** How often the operator was killed. */
  get kills(): number {
    return this.#kills;
  }

  /** Makes namespace, bystanders and store, and starts the operator. */
  async open(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const { api, namespace } = this;
    await api.create(NAMESPACES, { metadata: { name: namespace } });
    this.#bystanders = await Promise.all([
      this.#plant({ name: 'foreign', data: { note: 'bWluZQ==' } }),
      this.#plant({
        name: 'planted',
        labels: { 'keyward.dev/api-key': 'key' },
        data: { apiKey: 'cGxhbnRlZA==' },
      }),
    ]);
    const { overlapSeconds, maxKeys } = this.#settings;
    const limits = maxKeys === undefined ? {} : { limits: { maxKeys } };
    await api.create(KEY_STORES, {
      metadata: { name: 'store', namespace },
      spec: { type: 'Builtin', builtin: {}, defaults: { overlapSeconds }, ...limits },
    });
    const url = await this.proxy.listen();
    writeFileSync(join(this.#folder, 'kubeconfig'), kubeconfig(url, this.#rig.token));
    this.#start();
  }

  /**
   * Stops operator and proxy; what it wrote to disk stays until `discard`. The namespace goes with the
   * control plane: with its operator gone its keys would never end, and a hundred such namespaces keep
   * the namespace controller from the one that a plan waits for.
   */
  async close(): Promise<void> {
    await this.stopOperator();
    this.proxy.close();
  }

  discard(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ends the operator in order; the database can be read whole afterwards. */
  async stopOperator(): Promise<void> {
    this.#isStopping = true;
    await this.#restarts;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  /** The operator's log so far. */
  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  async key(name = 'key'): Promise<Loose | undefined> {
    return this.api.get(API_KEYS, this.namespace, name);
  }

  async secret(name = 'key'): Promise<Loose | undefined> {
    return this.api.get(SECRETS, this.namespace, name);
  }

  async createKey(name: string, spec: object = {}): Promise<void> {
    const storeRef = { kind: 'KeyStore', name: 'store' };
    const object = { metadata: { name, namespace: this.namespace }, spec: { storeRef, ...spec } };
    await this.api.create(API_KEYS, object);
  }

  async patchKey(name: string, spec: object): Promise<void> {
    await this.api.patch(API_KEYS, [this.namespace, name], { spec });
  }

  async deleteKey(name: string): Promise<void> {
    await this.api.remove(API_KEYS, this.namespace, name);
  }

  /** Waits until the key shows this reason for its newest generation. */
  async untilReady(reason: string, name = 'key'): Promise<Loose> {
    return eventually(async () => {
      const key = await this.key(name);
      const shown = readyOf(key);
      if (key === undefined || shown !== reason) {
        throw new Error(`ApiKey ${name} shows ${shown} instead of ${reason}`);
      }
      return key;
    }, CONVERGE_MS);
  }

  /** Waits until the key is gone. */
  async untilGone(name = 'key'): Promise<void> {
    await eventually(async () => {
      if ((await this.key(name)) !== undefined) throw new Error(`ApiKey ${name} is still there`);
    }, CONVERGE_MS);
  }

  /** Waits until the operator has written nothing for a while: converged means quiet. */
  async untilQuiet(): Promise<void> {
    for (let waitedMs = 0; waitedMs < CONVERGE_MS; waitedMs += 100) {
      if (performance.now() - this.proxy.lastWriteMs > QUIET_MS) return;
      // Waiting is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await pause(100);
    }
    throw new Error('the operator does not come to rest');
  }

  /** Waits until the ledger has nothing half done: no open credential, no key that is still ending. */
  async untilSettled(): Promise<void> {
    await eventually(async () => {
      const ledger = await openLedgerReader(this.database);
      try {
        const { records } = await ledger.scan(1_000);
        const open = records.filter(
          ({ phase, credentials }) => phase === 'Ending' || credentials.some(isOpen),
        );
        if (open.length > 0) throw new Error(`${open.length} keys are half done in the ledger`);
      } finally {
        await ledger.close();
      }
    }, CONVERGE_MS);
  }

  /** Names of bystanders that were changed. */
  async changedBystanders(): Promise<readonly string[]> {
    const now = await Promise.all(
      this.#bystanders.map(({ name }) => this.api.get(SECRETS, this.namespace, name)),
    );
    return this.#bystanders.flatMap((before, index) => {
      const after = now[index]?.metadata;
      const isSame = after?.uid === before.uid && after.resourceVersion === before.resourceVersion;
      return isSame ? [] : [before.name];
    });
  }

  async #plant(secret: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly data: Readonly<Record<string, string>>;
  }): Promise<Bystander> {
    const { name, labels = {}, data } = secret;
    const metadata = { name, namespace: this.namespace, labels };
    const created = await this.api.create(SECRETS, { metadata, data });
    const { uid, resourceVersion } = created.metadata;
    return { name, uid, resourceVersion };
  }

  #start(): void {
    const log = openSync(join(this.#folder, 'log'), 'a');
    const fault = this.#fault;
    const crash =
      fault.type === 'Commit' ? [`--crash-at-commit=${fault.nth}:${fault.position}`] : [];
    const child = spawn(
      process.execPath,
      [this.#rig.program, 'operator', ...this.#flags(), ...crash],
      { stdio: ['ignore', log, log], env: { PATH: process.env['PATH'] ?? '' } },
    );
    closeSync(log);
    this.#child = child;
    child.once('exit', (_, signal) => {
      if (signal === 'SIGKILL') this.#kills += 1;
      const isStruck = signal === 'SIGKILL' && this.#fault.type === 'Call';
      const again = isStruck && fault.type === 'Call' ? fault.again : undefined;
      if (again !== undefined) {
        this.proxy.arm({ ...again, nth: this.proxy.calls.length + again.nth });
      }
      // Restarted at once and without a fault, as the kubelet would.
      this.#fault = { type: 'None' };
      if (!this.#isStopping) this.#start();
    });
  }

  #flags(): string[] {
    return [
      `--kubeconfig=${join(this.#folder, 'kubeconfig')}`,
      `--database=${this.database}`,
      `--master-key-file=${this.#rig.masterKeyFile}`,
      `--watch-namespaces=${this.namespace}`,
      '--leader-elect=false',
      '--metrics-address=127.0.0.1:0',
      '--loss-grace-seconds=1',
      '--log-level=info',
    ];
  }
}

/** The reason of Ready for the newest generation; undefined while it is behind. */
export function readyOf(key: Loose | undefined): string | undefined {
  const status = key?.status as
    | { observedGeneration?: number; conditions?: { type: string; reason: string }[] }
    | undefined;
  if (status?.observedGeneration !== key?.metadata.generation) return undefined;
  return status?.conditions?.find((condition) => condition.type === 'Ready')?.reason;
}

function kubeconfig(url: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'crash',
    clusters: [{ name: 'crash', cluster: { server: url } }],
    users: [{ name: 'crash', user: { token } }],
    contexts: [{ name: 'crash', context: { cluster: 'crash', user: 'crash' } }],
  });
}
