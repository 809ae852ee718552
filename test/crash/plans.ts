/** Which plans there are: every scenario with a kill at every call and every commit. Pure. */
import { createHash } from 'node:crypto';
import type { Scenario } from './scenarios.ts';
import type { Fault } from './site.ts';

/** One line that says all that is needed to run it again. */
export type Plan = { readonly scenario: string; readonly fault: Fault };

/** How many mutating calls and commits a scenario has without a fault. */
export type Learned = { readonly calls: number; readonly commits: number };

/** Every place of a scenario where one kill, or two, can fall. */
export function plansOf(scenario: Scenario, learned: Learned): readonly Plan[] {
  return faultsOf(learned)
    .flat()
    .map((fault) => ({ scenario: scenario.name, fault }));
}

/**
 * `count` plans, spread evenly over all scenarios and, within each, over the kinds of faults; the
 * seed says which places of a kind are taken.
 */
export function prune(
  scenarios: readonly { readonly scenario: Scenario; readonly learned: Learned }[],
  count: number,
  seed: string,
): readonly Plan[] {
  const byScenario = scenarios.map(({ scenario: { name }, learned }) =>
    takeTurns(faultsOf(learned).map((faults) => shuffle(faults, `${seed}/${name}`))).map(
      (fault): Plan => ({ scenario: name, fault }),
    ),
  );
  return takeTurns(byScenario).slice(0, count);
}

/** The kinds of faults, the telling ones first: a lost answer tells more than a torn one. */
function faultsOf({ calls, commits }: Learned): readonly (readonly Fault[])[] {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
  const atCalls = (position: 'before' | 'after' | 'torn'): Fault[] =>
    numbers(calls).map((nth) => ({ type: 'Call', nth, position }));
  const atCommits = (position: 'before' | 'after'): Fault[] =>
    numbers(commits).map((nth) => ({ type: 'Commit', nth, position }));
  // The second kill hits what the restarted operator does to repair the first.
  const twice: Fault[] = numbers(calls).map((nth) => ({
    type: 'Call',
    nth,
    position: 'after',
    again: { nth: 1, position: 'after' },
  }));
  return [
    atCalls('after'),
    atCommits('after'),
    atCalls('before'),
    atCommits('before'),
    twice,
    atCalls('torn'),
  ];
}

/** One of each list, then the next of each, until all are empty. */
function takeTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, round) =>
    lists.flatMap((list) => list.slice(round, round + 1)),
  ).flat();
}

/** The same order for the same seed. */
function shuffle(faults: readonly Fault[], seed: string): Fault[] {
  const place = (fault: Fault): string =>
    createHash('sha256')
      .update(seed + JSON.stringify(fault))
      .digest('hex');
  return faults.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
}
