/** The operator as a process of its own, the way a pod runs it: started, watched, signalled, ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'bin', 'keyward.ts');

/** Flags by their long name, without the dashes. An empty text: a flag without a value. */
export type Flags = Readonly<Record<string, string>>;

/** How a process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** One line of the operator's log. */
export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly msg: string;
};

/** A started operator; it runs until it is ended, by itself or by a signal. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  #exit: Exit | undefined;
  /** How it ended, when it has, with all its output read. */
  readonly ended: Promise<Exit>;

  /**
   * Starts `keyward operator` with these flags and nothing of our own environment.
   * @param program another file than the product's own, such as awkward/keyward.ts
   */
  constructor(flags: Flags, environment: Readonly<Record<string, string>> = {}, program = MAIN) {
    this.#child = spawn(process.execPath, [program, 'operator', ...flagArguments(flags)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
        ...environment,
      },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    this.ended = this.#watchEnd();
  }

  /** Process id; the process may be gone. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** Everything it said so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** Its log, line by line. A line that is no JSON fails: a log of two formats is no log. */
  get log(): readonly LogLine[] {
    // The operator's own log lines; `level` and `msg` stand on each.
    return this.stdout
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Resolves when /readyz says so; fails with its words when it ended instead. */
  async whenReady(): Promise<void> {
    await eventually(async () => {
      if (!this.isRunning) return;
      const { code, text } = await this.ask('/readyz');
      if (code !== 200) throw new Error(`${text}${this.stdout}`);
    });
    if (!this.isRunning) throw new Error(`the operator ended: ${this.stderr}${this.stdout}`);
  }

  /** One page of its HTTP server. */
  async ask(path: string): Promise<{ readonly code: number; readonly text: string }> {
    const address = this.log.find((line) => 'metrics' in line)?.['metrics'];
    if (typeof address !== 'string') throw new Error(`not listening yet: ${this.stderr}`);
    const { promise, resolve, reject } = Promise.withResolvers<{ code: number; text: string }>();
    request(`http://${address}${path}`, { agent: false, timeout: 5_000 }, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.once('error', reject);
      res.once('end', () =>
        resolve({ code: res.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
      );
    })
      .once('error', reject)
      .end();
    return await promise;
  }

  /** Sum of all samples of a metric whose labels hold every one of these texts; 0 without samples. */
  async metric(name: string, ...labels: readonly string[]): Promise<number> {
    const { text } = await this.ask('/metrics');
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Asks it to end, as Kubernetes does. */
  async terminate(): Promise<Exit> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    return await this.ended;
  }

  /** Ends it at once, as a lost node does. */
  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return await this.ended;
  }

  /** Sends a signal to a process that still runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  async #watchEnd(): Promise<Exit> {
    await once(this.#child, 'close');
    this.#exit = { code: this.#child.exitCode, signal: this.#child.signalCode };
    return this.#exit;
  }
}

/** Waits until the operator believes the names on new forms and reviews, which takes it some seconds. */
export async function untilProven(operator: OperatorProcess): Promise<void> {
  await eventually(() => {
    const isProven = operator.stdout.includes('policies are proven to be in force');
    if (!isProven) throw new Error(`the policies are not proven: ${operator.stdout}`);
  });
}

/** Any other command of `keyward`, run to its end. */
export async function runKeyward(
  args: readonly string[],
  input = '',
): Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number | null }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
    },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  await once(child, 'close');
  return {
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
    code: child.exitCode,
  };
}

function flagArguments(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) =>
    value === '' ? [`--${name}`] : [`--${name}=${value}`],
  );
}
