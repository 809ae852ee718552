/** A fake vendor as a process of its own, moved by its switches over HTTP (fakes/control.ts). */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../control-plane/ports.ts';

const ENTRY = join(import.meta.dirname, '..', '..', 'fakes', 'main.ts');
const LOOK_AGAIN_MS = 50;
const START_TIMEOUT_MS = 60_000;

/** A running fake; it outlives the demo when nobody stops it. */
export class VendorProcess {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
  }

  /** Process id; 0 when the process could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Moves or reads one switch. @throws Error with the fake's words when it refuses */
  async ask(method: string, name: string, body?: object): Promise<unknown> {
    const res = await fetch(new URL(`/__fake/${name}`, this.address), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await res.text();
    if (!res.ok) throw new Error(`the fake vendor refuses ${method} ${name}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Waits until it answers. @throws Error when it ends, or takes too long */
  async untilReady(signal: AbortSignal): Promise<void> {
    const endMs = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const { exitCode } = this.#child;
      if (exitCode !== null) throw new Error(`the fake vendor ended with exit code ${exitCode}`);
      if (performance.now() > endMs) throw new Error('the fake vendor was not ready in time');
      try {
        await this.ask('GET', 'faults');
        return;
      } catch {
        await pause(LOOK_AGAIN_MS, undefined, { signal });
      }
    }
  }

  /** Ends it and waits. Repeatable. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('exit', () => resolve());
    this.#child.ref();
    this.#child.kill('SIGTERM');
    await promise;
  }
}

/** Starts it in a group of its own, as the operator: Ctrl-C must not reach it before the clean-up. */
export async function startVendor(name: string, logFile: string): Promise<VendorProcess> {
  const port = await freePort();
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [ENTRY, name, '--port', String(port)], {
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  child.unref();
  return new VendorProcess(child, `http://127.0.0.1:${port}`);
}
