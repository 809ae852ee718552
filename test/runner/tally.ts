/** Counts of tests, added up over files and layers. */

/** What came of some tests. */
export type Tally = {
  readonly passed: number;
  readonly failed: number;
  /** Full names of the tests that did not run. */
  readonly skipped: readonly string[];
  /** What to show; empty when all went well. */
  readonly output: string;
};

/** No tests at all. */
export const NOTHING: Tally = { passed: 0, failed: 0, skipped: [], output: '' };

/** Both together. */
export function add(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: [...a.skipped, ...b.skipped],
    output: a.output + b.output,
  };
}

/** `N passed, M failed`, and `, K skipped` when any were. */
export function tallyText({ passed, failed, skipped }: Tally): string {
  const counts = `${passed} passed, ${failed} failed`;
  return skipped.length === 0 ? counts : `${counts}, ${skipped.length} skipped`;
}

/** The counts in the last line of `output` that `tallyText` could have written, or undefined. */
export function parseTally(output: string): Tally | undefined {
  const lines = output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm);
  const last = [...lines].at(-1);
  if (last === undefined) return undefined;
  const [, passed, failed, skipped] = last.map(Number);
  return {
    passed: passed ?? 0,
    failed: failed ?? 0,
    skipped: Array.from({ length: skipped || 0 }, () => 'named in the output of its runner'),
    output: '',
  };
}
