/** The same for several names: one that fails does not keep the others from being done. */
import { EXIT, type ExitCode, exitCodeOf } from '../cli/exit.ts';
import { visible } from '../cli/visible.ts';
import { classify } from '../kernel/errors.ts';

/**
 * Acts on each name in turn. Failures are told at once; the first one's exit code is the program's.
 * @throws KeywardError the failure itself where only one name was given
 */
export async function eachOf(
  names: readonly string[],
  act: (name: string) => Promise<void>,
): Promise<void> {
  for (const name of names) {
    try {
      // In the order in which they were named.
      // oxlint-disable-next-line no-await-in-loop
      await act(name);
    } catch (thrown) {
      const failure = classify(thrown);
      if (names.length === 1 || failure.class === 'Bug') throw failure;
      process.stderr.write(`keyward: ${visible(name)}: ${visible(failure.message)}\n`);
      endWith(exitCodeOf(failure));
    }
  }
}

/** Of several outcomes the first that is not done gives the exit code of the program. */
export function endWith(code: ExitCode): void {
  if (process.exitCode === undefined || process.exitCode === EXIT.done) process.exitCode = code;
}
