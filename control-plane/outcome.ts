/** A program that was started and is waited for: what it said, and how it ended. */
import type { ChildProcess } from 'node:child_process';

/** How a program ended. */
export type Outcome = {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code; -1 when it was ended by a signal. */
  readonly code: number;
};

/**
 * Gives the program its input, if it has one, and reads all that it says until it ends. Call it right after the
 * start. A failure of the program is an outcome; rejects when it could not be started.
 */
export function outcomeOf(child: ChildProcess, input = ''): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.once('error', reject);
  child.once('close', (code) =>
    resolve({
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
      code: code ?? -1,
    }),
  );
  // A program may end without reading its input; its exit code then says why.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return promise;
}
