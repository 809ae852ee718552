/** A server of the image that runs from its own files, looked at from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../control-plane/ports.ts';
import type { Watchdog } from '../../control-plane/watchdog.ts';
import type { Rooted } from './rooted.ts';

const LOOK_AGAIN_MS = 5;
const TIMEOUT_MS = 60_000;
/** The kernel's unit of processor time, the same on all of our processors. */
const TICK_MS = 10;

/** Memory of a process in bytes. */
export type Memory = {
  /** All that is resident. */
  readonly resident: number;
  /** Of that, what no other process can share. */
  readonly own: number;
};

/** An operator or a gate. */
export class ImageServer {
  readonly #child: ChildProcess;
  readonly #startedMs: number;
  readonly #probes: string;
  readonly #logFile: string;

  private constructor(child: ChildProcess, startedMs: number, at: readonly [string, string]) {
    this.#child = child;
    this.#startedMs = startedMs;
    [this.#probes, this.#logFile] = at;
  }

  /** Starts it; `args` begin with its command. Its probes get a free port of their own. */
  static async start(
    { rooted, watchdog }: { readonly rooted: Rooted; readonly watchdog: Watchdog },
    args: readonly string[],
  ): Promise<ImageServer> {
    const address = `127.0.0.1:${await freePort()}`;
    const [file, ...rest] = rooted.command([...args, `--metrics-address=${address}`]);
    const logFile = join(rooted.data, `${args[0]}.log`);
    const log = openSync(logFile, 'w');
    const startedMs = performance.now();
    const env = { ...rooted.environment, PATH: process.env['PATH'] };
    const child = spawn(file, rest, { stdio: ['ignore', log, log], env });
    closeSync(log);
    // What it cannot be started for shows when it does not answer.
    child.once('error', () => undefined);
    const { pid } = child;
    if (pid !== undefined) {
      watchdog.watch(pid);
      child.once('exit', () => watchdog.forget(pid));
    }
    return new ImageServer(child, startedMs, [`http://${address}`, logFile]);
  }

  /** Milliseconds from the start until the probe says yes. @throws Error with its last words */
  async untilOk(probe: 'livez' | 'readyz'): Promise<number> {
    const endMs = performance.now() + TIMEOUT_MS;
    while (!(await this.#isOk(probe))) {
      const { exitCode } = this.#child;
      if (exitCode !== null || performance.now() > endMs) {
        const words = (await readFile(this.#logFile, 'utf8')).split('\n').slice(-6).join('\n');
        throw new Error(`/${probe} did not say yes; its last words:\n${words}`);
      }
      await pause(LOOK_AGAIN_MS);
    }
    return performance.now() - this.#startedMs;
  }

  async #isOk(probe: string): Promise<boolean> {
    const response = await fetch(`${this.#probes}/${probe}`).catch(() => undefined);
    await response?.arrayBuffer();
    return response?.ok === true;
  }

  /** Linux only. */
  async memory(): Promise<Memory> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    const bytes = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1_024;
    return { resident: bytes('VmRSS'), own: bytes('RssAnon') };
  }

  /** Processor time so far in milliseconds, which other work on the machine hardly changes. Linux only. */
  async processorMs(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8');
    // The name in brackets may hold anything; after it come state, parent and so on, from field 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  /** Asks it to end and waits. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('exit', () => resolve());
    this.#child.kill('SIGTERM');
    await promise;
  }
}
