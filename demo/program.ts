/** Runs `keyward` from this checkout: its commands, and operator and gate as processes of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { outcomeOf, type Outcome } from '../control-plane/outcome.ts';
import { freePort } from '../control-plane/ports.ts';

const ENTRY = join(import.meta.dirname, '..', 'src', 'bin', 'keyward.ts');
const LOOK_AGAIN_MS = 100;
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;

/** Where the installation of this demo keeps its memory and its master key. */
export type Installation = { readonly database: string; readonly masterKeyFile: string };

/** What a command is given beside its arguments. */
export type Given = {
  /** For its standard input. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Runs a command of `keyward` to its end. A failure is an outcome, not an error. */
export function keyward(
  installation: Installation,
  args: readonly string[],
  { input = '', environment = {} }: Given = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    stdio: 'pipe',
    env: {
      ...process.env,
      KEYWARD_DATABASE: installation.database,
      KEYWARD_MASTER_KEY_FILE: installation.masterKeyFile,
      ...environment,
    },
  });
  return outcomeOf(child, input);
}

/** A running operator or gate. */
export class Program {
  /** As in sentences: `the operator`. */
  readonly name: string;
  readonly logFile: string;
  readonly metricsUrl: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(
    name: string,
    child: ChildProcess,
    { logFile, metricsUrl }: Pick<Program, 'logFile' | 'metricsUrl'>,
  ) {
    this.name = name;
    this.#child = child;
    this.logFile = logFile;
    this.metricsUrl = metricsUrl;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
    this.#ended = promise;
  }

  /** Process id; 0 when the process could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until it says that it is ready. @throws Error when it ends, or takes too long */
  async untilReady(signal: AbortSignal): Promise<void> {
    const endMs = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#isReady())) {
      const { exitCode } = this.#child;
      if (exitCode !== null) throw new Error(`${this.name} ended with exit code ${exitCode}`);
      if (performance.now() > endMs) throw new Error(`${this.name} was not ready in time`);
      await pause(LOOK_AGAIN_MS, undefined, { signal });
    }
  }

  /** Asks it to end and waits; after 20 seconds it is killed. Repeatable. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child.ref();
    this.#child.kill('SIGTERM');
    await this.#ended;
    clearTimeout(killer);
  }

  /** The end of its log, for people. */
  async lastWords(lines: number): Promise<string> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-lines).map(readable).join('\n');
  }

  async #isReady(): Promise<boolean> {
    const res = await fetch(new URL('/readyz', this.metricsUrl)).catch(() => undefined);
    await res?.arrayBuffer();
    return res?.ok === true;
  }
}

/** `18:21:30 info  message  field=value ...`; a line that is not of the log stays as it is. */
function readable(line: string): string {
  try {
    const { level, ts, msg, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const facts = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    return `${String(ts).slice(11, 19)} ${String(level).padEnd(5)} ${[msg, ...facts].join('  ')}`;
  } catch {
    return line;
  }
}

/** How the demo's operator is run. */
export type OperatorOptions = Installation & {
  readonly kubeconfig: string;
  readonly logFile: string;
  /** Beside those of every demo. */
  readonly moreFlags: readonly string[];
};

/** Flags of the operator beside those that name files, as they are shown. */
export const OPERATOR_FLAGS = ['--create-master-key', '--loss-grace-seconds=2'];

/** Starts it in a group of its own: Ctrl-C must not reach it before the clean-up needs it no more. */
export function startOperator(options: OperatorOptions): Promise<Program> {
  const { kubeconfig, database, masterKeyFile, moreFlags, logFile } = options;
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--database=${database}`,
    `--master-key-file=${masterKeyFile}`,
    '--identity=demo',
    ...OPERATOR_FLAGS,
    ...moreFlags,
  ];
  return start('operator', flags, logFile);
}

/** How the demo's gate is run. */
export type GateOptions = {
  readonly database: string;
  readonly gateKeyFile: string;
  /** Of loopback, for gateways. */
  readonly port: number;
  readonly logFile: string;
};

/** Starts a gate, as `startOperator` does. */
export function startGate({ database, gateKeyFile, port, logFile }: GateOptions): Promise<Program> {
  const flags = [
    `--database=${database}`,
    `--gate-key-file=${gateKeyFile}`,
    `--http-address=127.0.0.1:${port}`,
  ];
  return start('gate', flags, logFile);
}

async function start(
  command: 'operator' | 'gate',
  flags: readonly string[],
  logFile: string,
): Promise<Program> {
  const address = `127.0.0.1:${await freePort()}`;
  const log = openSync(logFile, 'a');
  const args = [command, ...flags, `--metrics-address=${address}`];
  const child = spawn(process.execPath, [ENTRY, ...args], {
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  child.unref();
  return new Program(`the ${command}`, child, { logFile, metricsUrl: `http://${address}/` });
}
