/** Which plans there are: every scenario with a fault at every call and every commit, and pairs. Pure. */
import { createHash } from 'node:crypto';

/** Where a fault falls: a call to the API server, a commit of the ledger, a call to the vendor. */
export type Place = 'Call' | 'Commit' | 'Vendor';

/**
 * - before: nothing was done yet, and the operator is killed.
 * - after: it was done, the answer is lost, and the operator is killed.
 * - lost: it was done, the answer is lost, and the operator goes on. Never a commit.
 * - torn: it was done, half of the answer arrives, and the operator is killed. A call only.
 */
export type Position = 'before' | 'after' | 'lost' | 'torn';

/**
 * One fault. Counted from 1 from the moment the fault before it fell, and the first from the start;
 * commits from the start of the process.
 */
export type Strike = { readonly place: Place; readonly nth: number; readonly position: Position };

/** One line that says all that is needed to run it again. */
export type Plan = {
  readonly side: string;
  readonly scenario: string;
  readonly strikes: readonly Strike[];
};

/** What a scenario does on a side when nothing goes wrong. */
export type Learned = {
  readonly side: string;
  readonly scenario: string;
  readonly calls: number;
  readonly commits: number;
  readonly vendorCalls: number;
};

/** How a choice of plans is made. */
export type Choice = { readonly count: number; readonly seed: string };

/** The most faults of each kind that a long scenario gets; all others get every one. */
const MANY = 40;
/** The second fault of a pair falls within so many calls of the first: on the repair. */
const NEAR = 8;
/** Starts in a row that are killed in plans of a hail. */
const HAIL = 10;
/** In a hail the call to the vendor that is met is beyond the login and the first look. */
const BEYOND_LOOKS = 3;

/** Whether the operator survives the fault. */
export function isKill({ position }: Strike): boolean {
  return position !== 'lost';
}

/** Every place where one fault, or two in a row, can fall; and start after start that is killed. */
export function plansOf(learned: Learned): readonly Plan[] {
  return [...faultsOf(learned).flat(), ...hails(learned)].map((strikes) =>
    planOf(learned, strikes),
  );
}

/** Each start gets a call further, or as far as the call before. */
function hails({ vendorCalls }: Learned): readonly (readonly Strike[])[] {
  const starts = Array.from({ length: HAIL }, (_, at) => at + 1);
  const first = starts.map((): Strike => ({ place: 'Call', nth: 1, position: 'after' }));
  const further = starts.map((nth): Strike => ({ place: 'Call', nth, position: 'after' }));
  const atVendor = starts.map((): Strike => ({
    place: 'Vendor',
    nth: BEYOND_LOOKS,
    position: 'after',
  }));
  const deeper = starts.map((nth): Strike => ({ place: 'Vendor', nth, position: 'after' }));
  return [first, further, ...(vendorCalls > 0 ? [atVendor, deeper] : [])];
}

/** The same plans in an order that the seed determines: any part of them is a fair one. */
export function mix(plans: readonly Plan[], seed: string): readonly Plan[] {
  return shuffle(plans, seed);
}

/**
 * So many plans, spread evenly over all scenarios and, within each, over the kinds of faults; the
 * seed says which places of a kind are taken. Each scenario begins with another kind, so that a few
 * plans are not all of one.
 */
export function prune(learned: readonly Learned[], { count, seed }: Choice): readonly Plan[] {
  const byScenario = learned.map((one, at) => {
    const kinds = faultsOf(one).map((faults) =>
      shuffle(faults, `${seed}/${one.side}/${one.scenario}`),
    );
    const first = at % kinds.length;
    const turned = [...kinds.slice(first), ...kinds.slice(0, first)];
    return takeTurns(turned).map((strikes) => planOf(one, strikes));
  });
  return takeTurns(byScenario).slice(0, count);
}

/** So many different plans of two faults each, in turns over the sides, drawn by the seed. */
export function pairsOf(learned: readonly Learned[], { count, seed }: Choice): readonly Plan[] {
  const sides = [...new Set(learned.map(({ side }) => side))];
  const plans = new Map<string, Plan>();
  for (let drawn = 0; plans.size < count && drawn < count * 20; drawn += 1) {
    const side = sides[drawn % sides.length];
    const draw = drawer(`${seed}/${drawn}`);
    const ofSide = learned.filter((one) => one.side === side);
    const one = ofSide[draw(ofSide.length)];
    if (one === undefined) continue;
    const first = single(one, draw, 'Anywhere');
    const second = single(one, draw, isKill(first) ? 'Near' : 'NearWithoutRestart');
    const plan = planOf(one, [first, second]);
    plans.set(JSON.stringify(plan), plan);
  }
  return [...plans.values()];
}

/** One of each list, then the next of each, until all are empty. */
export function takeTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, round) =>
    lists.flatMap((list) => list.slice(round, round + 1)),
  ).flat();
}

function planOf({ side, scenario }: Learned, strikes: readonly Strike[]): Plan {
  return { side, scenario, strikes };
}

/** The kinds of faults, the telling ones first: a lost answer tells more than a torn one. */
function faultsOf(learned: Learned): readonly (readonly (readonly Strike[])[])[] {
  const { side, calls, commits, vendorCalls } = learned;
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
  const at = (place: Place, position: Position): readonly (readonly Strike[])[] => {
    const count = { Call: calls, Commit: commits, Vendor: vendorCalls }[place];
    return numbers(count).map((nth) => [{ place, nth, position }]);
  };
  const ofVendor = (['lost', 'after', 'before'] as const).map((each) => at('Vendor', each));
  // The second kill hits what the restarted operator does to repair the first.
  const twice = numbers(calls).map((nth): readonly Strike[] => [
    { place: 'Call', nth, position: 'after' },
    { place: 'Call', nth: 1, position: 'after' },
  ]);
  return [
    ...ofVendor,
    at('Call', 'after'),
    at('Commit', 'after'),
    at('Call', 'before'),
    at('Commit', 'before'),
    at('Call', 'lost'),
    // What the operator makes of half an answer does not depend on where its keys live.
    ...(side === 'sqlite' ? [twice, at('Call', 'torn')] : []),
  ];
}

type Draw = (below: number) => number;

function single(
  { calls, commits, vendorCalls }: Learned,
  draw: Draw,
  where: 'Anywhere' | 'Near' | 'NearWithoutRestart',
): Strike {
  const places: Place[] = vendorCalls > 0 ? ['Call', 'Vendor', 'Vendor'] : ['Call'];
  // A commit is chosen when the process starts.
  if (where !== 'NearWithoutRestart') places.push('Commit');
  const place = places[draw(places.length)] ?? 'Call';
  const all = { Call: calls, Commit: commits, Vendor: vendorCalls }[place];
  const nth = 1 + draw(Math.max(1, Math.min(all, where === 'Anywhere' ? MANY : NEAR)));
  const positions: readonly Position[] =
    place === 'Commit' ? ['before', 'after'] : ['before', 'after', 'lost'];
  return { place, nth, position: positions[draw(positions.length)] ?? 'after' };
}

/** Numbers that the seed determines. */
function drawer(seed: string): Draw {
  let count = 0;
  return (below) => {
    count += 1;
    return createHash('sha256').update(`${seed}/${count}`).digest().readUInt32BE() % below;
  };
}

/** The same order for the same seed. */
function shuffle<T>(items: readonly T[], seed: string): T[] {
  const place = (item: T): string =>
    createHash('sha256')
      .update(seed + JSON.stringify(item))
      .digest('hex');
  return items.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
}
