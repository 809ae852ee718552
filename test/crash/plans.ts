/** Which plans there are: every scenario with a kill at every call and every commit. Pure. */
import type { Scenario } from './scenarios.ts';
import type { Fault } from './site.ts';

/** One line that says all that is needed to run it again. */
export type Plan = { readonly scenario: string; readonly fault: Fault };

/** How many mutating calls and commits a scenario has without a fault. */
export type Learned = { readonly calls: number; readonly commits: number };

/** All plans of a scenario, the telling ones first: a lost answer tells more than a torn one. */
export function plansOf(scenario: Scenario, learned: Learned): readonly Plan[] {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
  const calls = (position: 'before' | 'after' | 'torn'): Plan[] =>
    numbers(learned.calls).map((nth) => ({
      scenario: scenario.name,
      fault: { type: 'Call', nth, position },
    }));
  const commits = (position: 'before' | 'after'): Plan[] =>
    numbers(learned.commits).map((nth) => ({
      scenario: scenario.name,
      fault: { type: 'Commit', nth, position },
    }));
  return [
    ...calls('after'),
    ...commits('after'),
    ...calls('before'),
    ...commits('before'),
    ...calls('torn'),
  ];
}

/** `count` plans, spread over all scenarios and the most telling kinds of each. */
export function prune(byScenario: readonly (readonly Plan[])[], count: number): readonly Plan[] {
  const chosen: Plan[] = [];
  for (let round = 0; chosen.length < count; round += 1) {
    const next = byScenario.flatMap((plans) => plans.slice(round, round + 1));
    if (next.length === 0) break;
    chosen.push(...next);
  }
  return chosen.slice(0, count);
}
