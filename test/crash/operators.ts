/**
 * The operator's processes of one plan: one, or with a Lease two of which the second waits. One that
 * ends is started again at once, as the kubelet would, until the plan is over.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Watchdog } from '../../control-plane/watchdog.ts';

/** What the processes are started with. */
export type OperatorOptions = {
  /** The program's file. */
  readonly program: string;
  readonly logFile: string;
  /** Folder, shared by all plans. */
  readonly compileCache: string;
  /** Ends them when this process ends first. */
  readonly watchdog: Pick<Watchdog, 'watch' | 'forget'>;
  /** Flags of the process that is started as the nth, counted from 1. */
  readonly flags: (nth: number) => readonly string[];
  /** A process was killed; the next is started when this is over. */
  readonly onKilled: () => Promise<void>;
};

/** See the file comment. */
export class Operators {
  readonly #options: OperatorOptions;
  readonly #running = new Map<number, ChildProcess>();
  #started = 0;
  #isStopping = false;
  #kills = 0;
  #between: Promise<void> = Promise.resolve();

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** How often one was killed. */
  get kills(): number {
    return this.#kills;
  }

  /** Everything they said so far. */
  get log(): string {
    return readFileSync(this.#options.logFile, 'utf8');
  }

  /** Starts one more; answers its number. */
  start(): number {
    this.#started += 1;
    const nth = this.#started;
    const log = openSync(this.#options.logFile, 'a');
    const child = spawn(
      process.execPath,
      [this.#options.program, 'operator', ...this.#options.flags(nth)],
      {
        stdio: ['ignore', log, log],
        // Thousands of starts: compiling the program anew each time is a good part of a plan.
        env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: this.#options.compileCache },
      },
    );
    closeSync(log);
    this.#running.set(nth, child);
    const { pid = 0 } = child;
    const { watchdog } = this.#options;
    watchdog.watch(pid);
    child.once('exit', (_, signal) => {
      watchdog.forget(pid);
      this.#running.delete(nth);
      this.#between = this.#goOn(signal);
    });
    return nth;
  }

  async #goOn(signal: NodeJS.Signals | null): Promise<void> {
    if (signal === 'SIGKILL') {
      this.#kills += 1;
      await this.#options.onKilled();
    }
    if (!this.#isStopping) this.start();
  }

  /** Ends the nth at once; undefined is the one that was started last. */
  kill(nth: number | undefined): void {
    this.#running.get(nth ?? this.#started)?.kill('SIGKILL');
  }

  /** Ends all in order; the database can be read whole afterwards. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      [...this.#running.values()].map(async (child) => {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }),
    );
    await this.#between;
  }
}
