/** What a run of the matrix says at its end. */
import type { Violation } from './books.ts';
import type { Verdict } from './matrix.ts';
import { SIDES } from './sides.ts';

/** Slowest plans that are named. */
const SLOWEST = 3;

/** What else there is to say: sides that cannot run here, plans that were not begun. */
export type Rest = {
  readonly skipped: readonly string[];
  readonly left: number;
  readonly tookMs: number;
};

/** Prints what failed and the counts; answers how many plans failed. */
export function summarise(verdicts: readonly Verdict[], { skipped, left, tookMs }: Rest): number {
  const bad = verdicts.filter(({ violations }) => violations.length > 0);
  for (const verdict of bad) printFailure(verdict);
  const count = (kind: Violation['kind']): number =>
    verdicts.flatMap(({ violations }) => violations).filter((one) => one.kind === kind).length;
  const minutes = (tookMs / 60_000).toFixed(1);
  const pairs = verdicts.filter(({ plan }) => plan.strikes.length === 2).length;
  console.log(
    [
      ...SIDES.map(({ name }) => sideText(name, verdicts)),
      ...verdicts
        .toSorted((a, b) => b.seconds - a.seconds)
        .slice(0, SLOWEST)
        .map(({ plan, seconds }) => `slow: ${seconds} s ${JSON.stringify(plan)}`),
      `report: ${verdicts.length} plans in ${minutes} minutes, ${pairs} with two faults, ${verdicts.length - bad.length} converged`,
      `report: ${count('LostKey')} lost keys, ${count('LiveOrphan')} live orphans, ${count('WrongAdoption')} wrong adoptions, ${count('Duplicate')} duplicates, ${count('ForeignChanged')} foreign objects changed, ${count('Resurrection')} resurrections, ${count('Leaked')} leaks, ${count('Unapproved')} unapproved`,
      left === 0 ? undefined : `report: ${left} plans were not begun`,
      ...skipped.map((name) => `skipped: side ${name}, PostgreSQL cannot run here`),
      `${verdicts.length - bad.length} passed, ${bad.length} failed` +
        (skipped.length === 0 ? '' : `, ${skipped.length} skipped`),
    ]
      .filter((line) => line !== undefined)
      .join('\n'),
  );
  return bad.length;
}

function sideText(side: string, verdicts: readonly Verdict[]): string | undefined {
  const own = verdicts.filter(({ plan }) => plan.side === side);
  if (own.length === 0) return undefined;
  const kills = own.reduce((sum, verdict) => sum + verdict.kills, 0);
  const fallen = own.filter(({ struck, plan }) => struck === plan.strikes.length).length;
  const ambiguous = own.filter(({ isAmbiguous }) => isAmbiguous).length;
  const slowest = Math.max(...own.map(({ seconds }) => seconds));
  return (
    `side ${side}: ${own.length} plans, ${fallen} met all their faults, ${kills} kills, ` +
    `${ambiguous} left to a person, slowest ${slowest} s`
  );
}

function printFailure({ plan, violations, log }: Verdict): void {
  console.log(`\nFAILED ${JSON.stringify(plan)}`);
  for (const { kind, text } of violations) console.log(`  ${kind}: ${text}`);
  console.log(`  again: npm run crash -- --plan '${JSON.stringify(plan)}'`);
  console.log(log.split('\n').slice(-12).join('\n'));
}
