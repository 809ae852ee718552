/** Two operators on one database and one Lease, each behind proxies of its own; who ends is started anew. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfig, type Rig } from '../crash/rig.ts';
import { Journal } from './journal.ts';
import { ApiProxy, DatabaseProxy } from './proxies.ts';

/** The kubelet waits, too, before it starts what has just ended. */
const RESTART_PAUSE_MS = 1_000;

/** One of the two places. */
export type Place = {
  readonly number: number;
  readonly api: ApiProxy;
  readonly database: DatabaseProxy;
  child: ChildProcess | undefined;
  /** Name of the process that runs there; another one after each start. */
  name: string;
};

/** See the file comment. */
export class Pair {
  readonly journal = new Journal();
  readonly places: Place[] = [];
  readonly #rig: Rig;
  readonly #namespace: string;
  readonly #folder: string;
  readonly #leaseSeconds: number;
  #isStopping = false;
  #started = 0;
  #ended = 0;

  /** @param leaseSeconds how long a silent leader is waited for */
  constructor(rig: Rig, namespace: string, leaseSeconds: number) {
    this.#leaseSeconds = leaseSeconds;
    this.#rig = rig;
    this.#namespace = namespace;
    this.#folder = join(rig.folder, namespace);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** URL of the database, past the proxies. */
  get database(): string {
    if (this.#rig.postgres === undefined) throw new Error('PostgreSQL is not there');
    return this.#rig.postgres.url(`schema=${this.#namespace.replaceAll('-', '_')}`);
  }

  /** How many processes ended by themselves or were told to. */
  get ended(): number {
    return this.#ended;
  }

  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  async open(): Promise<void> {
    for (const number of [1, 2]) {
      const place: Place = {
        number,
        api: new ApiProxy({ ...this.#rig, journal: this.journal, sender: () => place.name }),
        database: new DatabaseProxy(Number(new URL(this.database).port)),
        child: undefined,
        name: '',
      };
      // oxlint-disable-next-line no-await-in-loop
      await this.#start(place);
      this.places.push(place);
    }
  }

  /** The place whose process leads. */
  get leading(): Place | undefined {
    const { leader } = this.journal;
    return this.places.find(({ name, child }) => name === leader && child !== undefined);
  }

  signal(place: Place, signal: NodeJS.Signals): void {
    place.child?.kill(signal);
  }

  async close(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      this.places.map(async ({ child }) => {
        if (child === undefined) return;
        const ended = once(child, 'exit');
        child.kill('SIGCONT');
        child.kill('SIGTERM');
        await ended;
      }),
    );
    for (const { api, database } of this.places) {
      api.close();
      database.close();
    }
  }

  async #start(place: Place): Promise<void> {
    if (this.places[place.number - 1] === undefined) {
      const url = await place.api.listen();
      const file = join(this.#folder, `kubeconfig-${place.number}`);
      writeFileSync(file, kubeconfig(url, this.#rig.token));
      const port = await place.database.listen();
      const database = new URL(this.database);
      database.port = String(port);
      writeFileSync(join(this.#folder, `database-${place.number}`), database.href);
    }
    this.#spawn(place);
  }

  #spawn(place: Place): void {
    this.#started += 1;
    place.name = `operator-${this.#started}`;
    const log = openSync(join(this.#folder, 'log'), 'a');
    const child = spawn(process.execPath, [this.#rig.program, 'operator', ...this.#flags(place)], {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_COMPILE_CACHE: join(this.#rig.folder, 'compiled'),
      },
    });
    closeSync(log);
    place.child = child;
    const { pid = 0 } = child;
    this.#rig.watchdog.watch(pid);
    child.once('exit', () => {
      this.#rig.watchdog.forget(pid);
      place.child = undefined;
      place.name = '';
      this.#ended += 1;
      setTimeout(() => {
        if (!this.#isStopping) this.#spawn(place);
      }, RESTART_PAUSE_MS);
    });
  }

  #flags({ number, name }: Place): readonly string[] {
    return [
      `--kubeconfig=${join(this.#folder, `kubeconfig-${number}`)}`,
      `--database=${readFileSync(join(this.#folder, `database-${number}`), 'utf8')}`,
      `--master-key-file=${this.#rig.masterKeyFile}`,
      `--watch-namespaces=${this.#namespace}`,
      `--namespace=${this.#namespace}`,
      `--identity=${name}`,
      `--lease-seconds=${this.#leaseSeconds}`,
      '--metrics-address=127.0.0.1:0',
      '--log-level=info',
    ];
  }
}
