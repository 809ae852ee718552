/** Standard output and standard error of this process, whose readers may go away before we end. */
import { EXIT } from '../cli/exit.ts';
import type { Output } from '../cli/output.ts';

/** Where commands write. */
export const output: Output = {
  data: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
};

/**
 * Lets a command go on to its end whoever still reads it: what it was told to change is changed wholly,
 * and its exit code says how that went. A reader may have read enough, as `head` has, which is no
 * failure; output that could not be written for another reason is one.
 */
export function outliveReaders(): void {
  let isFailure = false;
  // One listener: what runs for weeks may fail at each write, as on a full disk.
  process.once('exit', (code) => {
    if (isFailure && code === EXIT.done) process.exitCode = EXIT.failed;
  });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      isFailure ||= error.code !== 'EPIPE';
    });
  }
}
