/**
 * One server process of the control plane, writing its log to a file, that can be killed, frozen
 * and started again with the same arguments.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Watchdog } from './watchdog.ts';

/** How long a server may take to end by itself before it is killed. */
const GRACE_MS = 10_000;

/** What to run; `logFile` is appended to. */
export type ServerCommand = {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** User and group to run as; absent: ours. */
  readonly uid?: number;
  /** Variables beside ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** What asks it to end; absent: SIGTERM. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
};

/** A server that is running, or was. */
export class Server {
  readonly #command: ServerCommand;
  readonly #watchdog: Watchdog;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(command: ServerCommand, watchdog: Watchdog) {
    this.#command = command;
    this.#watchdog = watchdog;
  }

  /** The program's name, for messages. */
  get name(): string {
    return this.#command.name;
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Starts the process; does not wait until it serves. Nothing happens when it already runs. */
  start(): void {
    if (this.#child !== undefined) return;
    const log = openSync(this.#command.logFile, 'a');
    // A group of its own: Ctrl-C in the terminal must not reach it before the orderly stop.
    const { path, args, uid, env } = this.#command;
    const child = spawn(path, args, {
      stdio: ['ignore', log, log],
      detached: true,
      ...(uid === undefined ? {} : { uid, gid: uid }),
      ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    });
    closeSync(log);
    child.unref();
    this.#child = child;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    const onEnd = (): void => {
      if (child.pid !== undefined) this.#watchdog.forget(child.pid);
      if (this.#child === child) this.#child = undefined;
      resolve();
    };
    child.once('error', onEnd);
    child.once('exit', onEnd);
    if (child.pid !== undefined) this.#watchdog.watch(child.pid);
  }

  /** Asks it to end and waits; after ten seconds it is killed. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => this.#child?.kill('SIGKILL'), GRACE_MS);
    this.#child?.ref();
    this.#child?.kill(this.#command.stopSignal ?? 'SIGTERM');
    // A frozen process would never see the request.
    this.#child?.kill('SIGCONT');
    await this.#ended;
    clearTimeout(killer);
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    this.#child?.ref();
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Stops it in its tracks: connections stay open and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** The last `lines` of its log, for error messages. */
  async lastWords(lines: number): Promise<string> {
    const text = await readFile(this.#command.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  }
}
