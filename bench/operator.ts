/** The operator under test: a process of its own with a service account's token. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../control-plane/ports.ts';
import type { Postgres } from '../control-plane/postgres.ts';
import type { Watchdog } from '../control-plane/watchdog.ts';
import { OPERATOR_NAMESPACE, type Cluster } from './cluster.ts';

/** What is run, with which flags of Node and additions to the environment, and who ends it when the bench itself is ended. */
export type Program = {
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly watchdog: Pick<Watchdog, 'watch' | 'forget'>;
  /** Holds the ledgers; absent: each is a file. */
  readonly postgres?: Pick<Postgres, 'url'>;
};

const LOOK_AGAIN_MS = 50;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/** One running operator. */
export class Operator {
  readonly pid: number;
  /** When its process was started, in milliseconds since the epoch. */
  readonly spawnedMs: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #url: string;
  readonly #logFile: string;

  constructor(
    child: ChildProcess,
    spawnedMs: number,
    files: { readonly url: string; readonly logFile: string },
  ) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.spawnedMs = spawnedMs;
    this.#url = files.url;
    this.#logFile = files.logFile;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
    this.#ended = promise;
  }

  /** Seconds from its start until it said that it is ready. @throws Error with its last words */
  async untilReady(): Promise<number> {
    await this.#until('ready', async () => {
      const res = await fetch(`${this.#url}/readyz`).catch(() => undefined);
      await res?.arrayBuffer();
      return res?.ok === true;
    });
    return (Date.now() - this.spawnedMs) / 1_000;
  }

  /** Seconds from its start until it had looked at `keys` keys and nothing was waiting. */
  async untilLookedAt(keys: number): Promise<number> {
    await this.untilReady();
    await this.#until('done with its first look', async () => {
      const page = await (await fetch(`${this.#url}/metrics`)).text();
      const reconciled = total(page, 'controller_runtime_reconcile_total');
      return reconciled >= keys && total(page, 'workqueue_depth') === 0;
    });
    return (Date.now() - this.spawnedMs) / 1_000;
  }

  /** Asks it to end and waits; after half a minute it is killed. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child.kill('SIGTERM');
    await this.#ended;
    clearTimeout(killer);
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + START_TIMEOUT_MS;
    while (!(await isSo())) {
      const { exitCode } = this.#child;
      const isOver = exitCode !== null || performance.now() > endMs;
      if (isOver) {
        const words = (await readFile(this.#logFile, 'utf8')).split('\n').slice(-12).join('\n');
        throw new Error(`the operator was not ${what}, exit code ${exitCode}; its log:\n${words}`);
      }
      await pause(LOOK_AGAIN_MS);
    }
  }
}

/** Starts an operator; with the same `name` it finds the database of the one before. */
export async function startOperator(
  cluster: Cluster,
  program: Program,
  name: string,
): Promise<Operator> {
  const file = (suffix: string): string => join(cluster.workDir, `${name}.${suffix}`);
  const masterKey = `v1:${randomBytes(32).toString('base64')}\n`;
  await writeFile(file('master-key'), masterKey, { flag: 'wx', mode: 0o600 }).catch(isThere);
  const address = `127.0.0.1:${await freePort()}`;
  const database =
    program.postgres?.url(`schema=${await schemaIn(file('schema'))}`) ?? `sqlite://${file('db')}`;
  const log = openSync(file('log'), 'a');
  const spawnedMs = Date.now();
  const child = spawn(
    process.execPath,
    [
      ...program.nodeFlags,
      program.entry,
      'operator',
      `--kubeconfig=${cluster.operatorKubeconfig}`,
      `--database=${database}`,
      `--master-key-file=${file('master-key')}`,
      `--namespace=${OPERATOR_NAMESPACE}`,
      `--metrics-address=${address}`,
      '--leader-elect=true',
      '--identity=bench',
      '--log-level=info',
    ],
    { stdio: ['ignore', log, log], env: { ...process.env, ...program.env } },
  );
  closeSync(log);
  const pid = child.pid ?? 0;
  program.watchdog.watch(pid);
  child.once('exit', () => program.watchdog.forget(pid));
  return new Operator(child, spawnedMs, { url: `http://${address}`, logFile: file('log') });
}

/** A schema that belongs to this folder, as a file would: folders are used again, schemas are not. */
async function schemaIn(path: string): Promise<string> {
  await writeFile(path, `bench_${randomBytes(6).toString('hex')}`, { flag: 'wx' }).catch(isThere);
  return readFile(path, 'utf8');
}

/** The sum of a metric over its labels. */
function total(page: string, name: string): number {
  return [...page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
    .map((match) => Number(match[1]))
    .reduce((sum, value) => sum + value, 0);
}

function isThere(err: unknown): void {
  if (!(err instanceof Error && 'code' in err && err.code === 'EEXIST')) throw err;
}
