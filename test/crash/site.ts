/**
 * One place to run one plan in: namespace, store, database, vendor, proxy and an operator that is
 * restarted whenever it is killed.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Postgres } from '../../control-plane/postgres.ts';
import { API_KEYS, KEY_STORES, NAMESPACES, SECRETS } from '../../src/api/names.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';
import { eventually } from '../support/eventually.ts';
import type { Loose, TestApi } from '../support/operator.api.ts';
import { Bystanders } from './bystanders.ts';
import { Operators } from './operators.ts';
import { isKill, type Strike } from './plans.ts';
import { FaultProxy } from './proxy.ts';
import type { Scenario } from './scenarios.ts';
import type { Side } from './sides.ts';
import { readyOf } from './ready.ts';
import { unsettled } from './unsettled.ts';
import { PlanVendor } from './vendor.ts';

/** What all plans of a run share. */
export type Rig = {
  readonly api: TestApi;
  readonly server: URL;
  readonly ca: string;
  readonly token: string;
  /** Name of the operator's service account in keyward-system. */
  readonly account: string;
  /** Folder for databases and logs. */
  readonly folder: string;
  /** The operator's programs, each a bundle: the product's, and one that knows the test driver too. */
  readonly program: string;
  readonly testProgram: string;
  readonly masterKeyFile: string;
  /** Absent: PostgreSQL cannot run here. */
  readonly postgres: Postgres | undefined;
};

/** What a site is made for. */
export type SiteWish = {
  readonly name: string;
  readonly side: Side;
  readonly scenario: Scenario;
  readonly strikes: readonly Strike[];
};

/** Quiet: nothing was written for this long. */
const QUIET_MS = 700;
/** After the last fault everything must have converged within this time, on a busy machine. */
const CONVERGE_MS = 30_000;
/** How long a Lease outlives its holder. */
const LEASE_MS = 15_000;
/** The Secret with what signs for the account at the vendor. */
const ACCOUNT_SECRET = 'account';

export class Site {
  readonly side: Side;
  readonly scenario: Scenario;
  readonly namespace: string;
  readonly proxy: FaultProxy;
  /** Secrets of others in the namespace. */
  readonly bystanders: Bystanders;
  readonly #rig: Rig;
  readonly #folder: string;
  readonly #operators: Operators;
  readonly #strikes: Strike[];
  #struck = 0;
  #struckAtMs = -Infinity;
  #vendor: PlanVendor | undefined;

  constructor(rig: Rig, { name, side, scenario, strikes }: SiteWish) {
    this.#rig = rig;
    this.side = side;
    this.scenario = scenario;
    this.namespace = name;
    this.bystanders = new Bystanders(rig.api, name);
    this.#strikes = [...strikes];
    this.#folder = join(rig.folder, name);
    this.proxy = new FaultProxy({ ...rig, onStrike: () => this.#strike() });
    this.#operators = new Operators({
      program: side.vendor?.type === 'Awkward' ? rig.testProgram : rig.program,
      logFile: join(this.#folder, 'log'),
      compileCache: join(rig.folder, 'compiled'),
      flags: (nth) => this.#flags(nth),
      onKilled: () => this.#onKilled(),
    });
  }

  get api(): TestApi {
    return this.#rig.api;
  }

  get database(): string {
    const isShared = this.scenario.needs === 'SharedDatabase' || this.side.database !== 'SQLite';
    if (!isShared) return `sqlite://${join(this.#folder, 'keyward.db')}`;
    if (this.#rig.postgres === undefined) throw new Error('PostgreSQL is not there');
    return this.#rig.postgres.url(`schema=${this.schema}`);
  }

  /** Of the plan in PostgreSQL. */
  get schema(): string {
    return this.namespace.replaceAll('-', '_');
  }

  get postgres(): Postgres | undefined {
    return this.database.startsWith('postgres') ? this.#rig.postgres : undefined;
  }

  /** Name of the operator's service account. */
  get account(): string {
    return this.#rig.account;
  }

  /** Where database, kubeconfig and log are. */
  get folder(): string {
    return this.#folder;
  }

  get masterKeyFile(): string {
    return this.#rig.masterKeyFile;
  }

  /** Absent: the store is Keyward's own. */
  get vendor(): PlanVendor | undefined {
    return this.#vendor;
  }

  /** How often an operator was killed. */
  get kills(): number {
    return this.#operators.kills;
  }

  /** How many of the plan's faults fell. */
  get struck(): number {
    return this.#struck;
  }

  /** Makes namespace, bystanders and store, and starts the operator. */
  async open(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const { api, namespace } = this;
    await api.create(NAMESPACES, { metadata: { name: namespace } });
    const { vendor } = this.side;
    if (vendor !== undefined) this.#vendor = await PlanVendor.open(vendor);
    await this.bystanders.plant();
    await this.#createStore();
    await this.scenario.prepare?.(this);
    const url = await this.proxy.listen();
    writeFileSync(join(this.#folder, 'kubeconfig'), kubeconfig(url, this.#rig.token));
    this.#arm();
    this.#operators.start();
    if (this.scenario.needs === 'SharedDatabase') await this.#startSecond();
  }

  /**
   * Stops operator, proxy and vendor; what was written to disk stays until `discard`. The namespace
   * goes with the control plane: with its operator gone its keys would never end, and a hundred such
   * namespaces keep the namespace controller from the one that a plan waits for.
   */
  async close(): Promise<void> {
    await this.stopOperator();
    this.proxy.close();
    await this.#vendor?.close();
  }

  discard(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ends the operator in order; the database can be read whole afterwards. */
  async stopOperator(): Promise<void> {
    await this.#operators.stop();
  }

  /** The operator's log so far. */
  get log(): string {
    return this.#operators.log;
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

  /** Looks again until it is so, or the time to converge after the last fault is over. */
  async until<T>(look: () => T | Promise<T>): Promise<T> {
    const isElected = this.scenario.needs === 'SharedDatabase';
    const withinMs = isElected ? CONVERGE_MS + LEASE_MS : CONVERGE_MS;
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        return await eventually(look, withinMs);
      } catch (failure) {
        if (performance.now() - this.#struckAtMs > withinMs) throw failure;
      }
    }
  }

  /** Waits until the key shows this reason, or one of these, for its newest generation. */
  async untilReady(reason: string | readonly string[], name = 'key'): Promise<Loose> {
    return await this.until(async () => {
      const key = await this.key(name);
      const shown = readyOf(key);
      if (key === undefined || shown === undefined || ![reason].flat().includes(shown)) {
        throw new Error(`ApiKey ${name} shows ${shown} instead of ${reason}`);
      }
      return key;
    });
  }

  /** Waits until the key is gone. */
  async untilGone(name = 'key'): Promise<void> {
    await this.until(async () => {
      if ((await this.key(name)) !== undefined) throw new Error(`ApiKey ${name} is still there`);
    });
  }

  /** Waits until nothing was written and no vendor called for a while: converged means quiet. */
  async untilQuiet(): Promise<void> {
    for (let waitedMs = 0; waitedMs < CONVERGE_MS; waitedMs += 100) {
      const isQuiet = performance.now() - this.proxy.lastWriteMs > QUIET_MS;
      if (isQuiet && Date.now() - (this.#vendor?.lastCallMs ?? 0) > QUIET_MS) return;
      // Waiting is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await pause(100);
    }
    throw new Error('the operator does not come to rest');
  }

  /** Waits until the ledger has nothing half done: nothing open, ending, owed or about to retire. */
  async untilSettled(): Promise<void> {
    await this.until(async () => {
      const ledger = await openLedgerReader(this.database);
      try {
        const records = await allRecords(ledger);
        const open = records.flatMap((record) => unsettled(record, Date.now()));
        if (open.length > 0) throw new Error(`the ledger is not settled: ${open.join(', ')}`);
      } finally {
        await ledger.close();
      }
    });
  }

  async #createStore(): Promise<void> {
    const { api, namespace } = this;
    const { overlapSeconds, maxKeys, recovery = 'None' } = this.scenario;
    const vendor = this.#vendor;
    if (vendor !== undefined) {
      const metadata = { name: ACCOUNT_SECRET, namespace };
      await api.create(SECRETS, { metadata, stringData: vendor.credentials });
    }
    await api.create(KEY_STORES, {
      metadata: { name: 'store', namespace },
      spec: {
        defaults: { overlapSeconds },
        ...(maxKeys === undefined ? {} : { limits: { maxKeys } }),
        ...(vendor === undefined
          ? { type: 'Builtin', builtin: { recovery } }
          : {
              type: vendor.kind.type,
              ...vendor.kind.settings(vendor.fake.address, ACCOUNT_SECRET),
            }),
      },
    });
  }

  /** The second waits for the Lease of the first. */
  async #startSecond(): Promise<void> {
    await this.until(() => {
      if (this.proxy.leader === undefined) throw new Error('no operator leads');
    });
    this.#operators.start();
  }

  /** Makes the next fault of the plan fall; one at a commit does so from the next start on. */
  #arm(): void {
    const [strike] = this.#strikes;
    if (strike === undefined) return;
    const { place, nth, position } = strike;
    if (place === 'Call') this.proxy.arm(nth, position);
    if (place !== 'Vendor') return;
    this.#vendor?.arm(nth, position === 'before' ? 'Before' : 'After', () => this.#strike());
  }

  /** A fault at a call falls. */
  #strike(): void {
    const strike = this.#strikes.shift();
    if (strike === undefined) return;
    this.#struck += 1;
    this.#struckAtMs = performance.now();
    if (isKill(strike)) this.#operators.kill(this.proxy.leader);
    this.#arm();
  }

  /** One at a commit has fallen inside the operator itself. */
  #onKilled(): void {
    if (this.#strikes[0]?.place !== 'Commit' || this.#commitArmed !== this.#strikes[0]) return;
    this.#strikes.shift();
    this.#struck += 1;
    this.#struckAtMs = performance.now();
    this.#arm();
  }

  #commitArmed: Strike | undefined;

  #flags(nth: number): readonly string[] {
    const { side, namespace } = this;
    const [strike] = this.#strikes;
    const isAtCommit = strike?.place === 'Commit' && this.#commitArmed !== strike;
    if (isAtCommit) this.#commitArmed = strike;
    const isElected = this.scenario.needs === 'SharedDatabase';
    return [
      `--kubeconfig=${join(this.#folder, 'kubeconfig')}`,
      `--database=${this.database}`,
      `--master-key-file=${this.#rig.masterKeyFile}`,
      `--watch-namespaces=${namespace}`,
      `--leader-elect=${isElected}`,
      ...(isElected ? [`--namespace=${namespace}`, `--identity=operator-${nth}`] : []),
      ...(this.#vendor === undefined
        ? []
        : [`--endpoint-hosts=${side.vendor?.type}=${this.#vendor.host}`]),
      '--metrics-address=127.0.0.1:0',
      '--loss-grace-seconds=1',
      '--log-level=info',
      ...(isAtCommit ? [`--crash-at-commit=${strike.nth}:${strike.position}`] : []),
    ];
  }
}

/** Keys, and what those that ended still owe. */
export async function allRecords(ledger: LedgerReader): Promise<readonly KeyRecord[]> {
  const keys = await ledger.scan(1_000);
  const debts = await ledger.debts(1_000);
  return [...keys.records, ...debts.records];
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
