/** Evidence: what a step must have seen, or the demo fails. */

/** A step saw something else than it should. */
export class Unmet extends Error {
  /** @param seen what was there instead; several lines are fine */
  constructor(expected: string, seen: string) {
    super(`expected: ${expected}\nseen:     ${seen.split('\n').join('\n          ')}`);
  }
}

/** @throws Unmet unless `isSo` */
export function expect(expected: string, isSo: boolean, seen: unknown): void {
  if (!isSo) throw new Unmet(expected, typeof seen === 'string' ? seen : JSON.stringify(seen));
}
