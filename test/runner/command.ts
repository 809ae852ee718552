/** Running the programs of a layer. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** The repository's root. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** How a program ended; standard output and error in the order in which they came. */
export type Ended = { readonly code: number; readonly output: string };

/**
 * Runs a program from the root, with the pinned Node first in PATH, and collects what it says. A
 * program that cannot be started ends with code 127.
 */
export function run(program: string, args: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const path = [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn(program, args, {
    cwd: ROOT,
    // Lines are looked at by their beginning, so they must not begin with a colour.
    env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  child.once('error', (err) => resolve({ code: 127, output: `${program}: ${err.message}\n` }));
  child.once('close', (code) =>
    resolve({ code: code ?? -1, output: Buffer.concat(said).toString() }),
  );
  return promise;
}

/** Runs a file of ours, or of a package, under the Node that runs this. */
export function runFile(file: string, args: readonly string[]): Promise<Ended> {
  return run(process.execPath, [join(ROOT, file), ...args]);
}
