/** Command lines of the repository's own programs: demo, bench, crash, soak and the like. */
const USAGE_ERROR = 2;

/** What `read` gives; what it refuses ends the program with that sentence, the usage and exit code 2. */
export function readOrExplain<T>(usage: string, read: () => T): T {
  try {
    return read();
  } catch (err) {
    process.stderr.write(
      `${err instanceof Error ? err.message : String(err)}\n\n${usage.trimEnd()}\n`,
    );
    process.exit(USAGE_ERROR);
  }
}

/** A whole number above 0. @throws Error that names the flag */
export function countOf(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${flag} takes whole numbers above 0, not "${text}"`);
}

/** A finite number above 0. @throws Error that names the flag */
export function amountOf(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${flag} takes a number above 0, not "${text}"`);
}
