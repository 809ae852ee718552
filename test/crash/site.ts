/**
 * One place to run one plan in: namespace, store, database, vendor, proxy and an operator that is
 * restarted whenever it is killed.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Postgres } from '../../control-plane/postgres.ts';
import { API_KEYS, NAMESPACES, SECRETS } from '../../src/api/names.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import { eventually } from '../support/eventually.ts';
import type { Loose, TestApi } from '../support/operator.api.ts';
import { Crowd } from '../support/crowd.ts';
import { Bystanders } from './bystanders.ts';
import { Faults } from './faults.ts';
import { Operators } from './operators.ts';
import { plantProof } from './proof.ts';
import { FaultProxy } from './proxy.ts';
import { readyOf } from './ready.ts';
import { allRecords } from './records.ts';
import { kubeconfig, type Rig, type SiteWish } from './rig.ts';
import type { Scenario } from './scenario.ts';
import type { Side } from './sides.ts';
import { createStore } from './store.ts';
import { unsettled } from './unsettled.ts';
import { PlanVendor } from './vendor.ts';
import { Witness } from './witness.ts';

/** Quiet: nothing was written for this long. */
const QUIET_MS = 700;
/** After the last fault everything must have converged within this time, on a busy machine. */
const CONVERGE_MS = 30_000;
/** How long a Lease outlives its holder. */
const LEASE_MS = 15_000;

export class Site {
  readonly side: Side;
  readonly scenario: Scenario;
  readonly namespace: string;
  readonly proxy: FaultProxy;
  /** Secrets of others in the namespace. */
  readonly bystanders: Bystanders;
  /** People who apply and decide. */
  readonly people: Crowd;
  /** What was seen between a kill and the next start. */
  readonly witness: Witness;
  readonly #rig: Rig;
  readonly #folder: string;
  readonly #operators: Operators;
  readonly #faults: Faults;
  #vendor: PlanVendor | undefined;

  constructor(rig: Rig, { name, side, scenario, strikes }: SiteWish) {
    this.#rig = rig;
    this.side = side;
    this.scenario = scenario;
    this.namespace = name;
    this.bystanders = new Bystanders(rig.api, name);
    this.people = new Crowd({
      api: rig.api,
      namespace: name,
      store: 'store',
      until: (look) => this.until(look),
    });
    this.witness = new Witness(this);
    this.#folder = join(rig.folder, name);
    this.proxy = new FaultProxy({ ...rig, onStrike: () => this.#faults.strike() });
    this.#faults = new Faults(strikes, {
      atCall: (nth, position) => this.proxy.arm(nth, position),
      atVendor: (nth, point, onStrike) => this.#vendor?.arm(nth, point, onStrike),
      kill: () => this.#operators.kill(this.proxy.leader),
    });
    this.#operators = new Operators({
      program: side.vendor?.type === 'Awkward' ? rig.testProgram : rig.program,
      logFile: join(this.#folder, 'log'),
      compileCache: join(rig.folder, 'compiled'),
      watchdog: rig.watchdog,
      flags: (nth) => this.#flags(nth),
      onKilled: () => {
        this.#faults.onKilled();
        return this.witness.look();
      },
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
    return this.#faults.struck;
  }

  /** Makes namespace, bystanders and store, and starts the operator. */
  async open(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const { api, namespace } = this;
    await api.create(NAMESPACES, { metadata: { name: namespace } });
    const { vendor } = this.side;
    if (vendor !== undefined) this.#vendor = await PlanVendor.open(vendor);
    await this.bystanders.plant();
    await createStore(this);
    if (this.scenario.applications !== undefined) {
      await this.people.register();
      await plantProof(this, this.#rig.proof);
    }
    await this.scenario.prepare?.(this);
    const url = await this.proxy.listen();
    writeFileSync(join(this.#folder, 'kubeconfig'), kubeconfig(url, this.#rig.token));
    this.#faults.arm();
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
    const { namespace } = this;
    // With a form it is the form that says where a key lives.
    const where = 'applicationRef' in spec ? {} : { storeRef: { kind: 'KeyStore', name: 'store' } };
    const object = { metadata: { name, namespace }, spec: { ...where, ...spec } };
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
        if (performance.now() - this.#faults.struckAtMs > withinMs) throw failure;
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

  /** Waits until nothing of ours keeps the namespace, which somebody deleted. */
  async untilNamespaceGone(): Promise<void> {
    await this.until(async () => {
      const left = await this.api.get(NAMESPACES, '', this.namespace);
      if (left !== undefined) throw new Error('the namespace is still there');
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

  /** The second waits for the Lease of the first. */
  async #startSecond(): Promise<void> {
    await this.until(() => {
      if (this.proxy.leader === undefined) throw new Error('no operator leads');
    });
    this.#operators.start();
  }

  #flags(nth: number): readonly string[] {
    const { side, namespace } = this;
    const strike = this.#faults.takeCommit();
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
      ...(strike !== undefined ? [`--crash-at-commit=${strike.nth}:${strike.position}`] : []),
    ];
  }
}
