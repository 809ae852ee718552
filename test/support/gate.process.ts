/** `keyward gate` as a process of its own: started, asked whether it is ready, frozen, ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../control-plane/ports.ts';
import { eventually } from './eventually.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'bin', 'keyward.ts');

/** What a gate is given. */
export type GateOptions = {
  readonly database: string;
  readonly keyFile: string;
  /** Absent: free ones. */
  readonly httpPort?: number;
  readonly grpcPort?: number;
  /** More flags, such as `--key-query=api_key`. */
  readonly flags?: readonly string[];
};

/** A started gate; it runs until it is ended, by itself or by a signal. */
export class GateProcess {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  readonly #child: ChildProcess;
  readonly #said: Buffer[] = [];
  #hasEnded = false;
  readonly ended: Promise<void>;

  private constructor(child: ChildProcess, ports: readonly [number, number, number]) {
    [this.httpPort, this.grpcPort, this.metricsPort] = ports;
    this.#child = child;
    child.stdout?.on('data', (part: Buffer) => this.#said.push(part));
    child.stderr?.on('data', (part: Buffer) => this.#said.push(part));
    this.ended = this.#watchEnd();
  }

  /** Starts one; does not wait until it is ready. */
  static async start(options: GateOptions): Promise<GateProcess> {
    const { httpPort = await freePort(), grpcPort = await freePort() } = options;
    const metricsPort = await freePort();
    const at = (port: number): string => `127.0.0.1:${port}`;
    const args = [
      `--database=${options.database}`,
      `--gate-key-file=${options.keyFile}`,
      `--http-address=${at(httpPort)}`,
      `--grpc-address=${at(grpcPort)}`,
      `--metrics-address=${at(metricsPort)}`,
      ...(options.flags ?? []),
    ];
    const child = spawn(process.execPath, [MAIN, 'gate', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
      },
    });
    return new GateProcess(child, [httpPort, grpcPort, metricsPort]);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Everything it said so far. */
  get said(): string {
    return Buffer.concat(this.#said).toString();
  }

  get isRunning(): boolean {
    return !this.#hasEnded;
  }

  /** Resolves when /readyz says so; fails with its words when it ended instead. */
  async whenReady(): Promise<this> {
    await eventually(async () => {
      if (this.#hasEnded) return;
      const { code, text } = await this.ask('/readyz');
      if (code !== 200) throw new Error(`not ready: ${text} ${this.said}`);
    });
    if (this.#hasEnded) throw new Error(`the gate ended: ${this.said}`);
    return this;
  }

  /** A page of its other port; code 0: nobody answers. */
  async ask(path: string): Promise<{ readonly code: number; readonly text: string }> {
    try {
      const res = await fetch(`http://127.0.0.1:${this.metricsPort}${path}`);
      return { code: res.status, text: await res.text() };
    } catch {
      return { code: 0, text: '' };
    }
  }

  /** Sum of the samples of a metric whose labels hold every one of these texts; 0 without samples. */
  async metric(name: string, ...labels: readonly string[]): Promise<number> {
    const { text } = await this.ask('/metrics');
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Connections stay open and nothing answers, until `thaw`. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Asks it to end, as Kubernetes does. Repeatable. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.thaw();
    this.#child.kill('SIGTERM');
    await this.ended;
  }

  /** Ends it at once, as a lost node does. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  async #watchEnd(): Promise<void> {
    await once(this.#child, 'close');
    this.#hasEnded = true;
  }
}
