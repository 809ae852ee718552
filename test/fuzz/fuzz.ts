/** Many random cases through gate and model; a difference is reduced to what it takes. */
import { createChance } from '../support/chance.ts';
import { createDraft, finish } from './draft.ts';
import { expected } from './model.ts';
import { DIMENSIONS } from './options.ts';
import type { Raw } from './raw.ts';
import { actual } from './subject.ts';

/** For each dimension the number of its option from 1; 0: plain. */
export type Case = readonly number[];

/** A case on which gate and model differ. */
export type Difference = {
  readonly options: readonly string[];
  readonly expected: string;
  readonly actual: string;
};

/** What a run has seen. */
export type Result = {
  readonly cases: number;
  /** How often each answer was expected, by its first word. */
  readonly answers: ReadonlyMap<string, number>;
  /** Each once, smallest form; at most DIFFERENCES_MAX. */
  readonly differences: readonly Difference[];
};

const DIFFERENCES_MAX = 20;
/** Most cases differ in few things from one that is let in: near misses. */
const CHANGES_MAX = 6;
const SHOWN_SHARE = 0.4;

/** Runs so many cases; the same for the same seed. */
export async function fuzz(cases: number, seed: number): Promise<Result> {
  const chance = createChance(seed);
  const answers = new Map<string, number>();
  const differences = new Map<string, Difference>();
  for (let at = 0; at < cases && differences.size < DIFFERENCES_MAX; at += 1) {
    const chosen = randomCase(chance);
    const raw = build(chosen);
    const wanted = expected(raw);
    const [answer = ''] = wanted.split(' ', 1);
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    if (wanted === (await actual(raw))) continue;
    const found = await describe(await shrink(chosen));
    differences.set(found.options.join(), found);
  }
  return { cases, answers, differences: [...differences.values()] };
}

function randomCase(chance: () => number): Case {
  const chosen = DIMENSIONS.map(() => 0);
  const changes = Math.floor(chance() * (CHANGES_MAX + 1));
  for (let change = 0; change < changes; change += 1) {
    const at = Math.floor(chance() * DIMENSIONS.length);
    const count = DIMENSIONS[at]?.options.length ?? 0;
    chosen[at] = 1 + Math.floor(chance() * count);
  }
  // What is shown decides which checks there are, so it varies more often than the rest.
  if (chance() < SHOWN_SHARE)
    chosen[0] = 1 + Math.floor(chance() * (DIMENSIONS[0]?.options.length ?? 0));
  return chosen;
}

function build(chosen: Case): Raw {
  const draft = createDraft();
  for (const [at, number] of chosen.entries()) DIMENSIONS[at]?.options[number - 1]?.apply(draft);
  return finish(draft);
}

/** Takes options back one by one, as long as gate and model go on to differ. */
async function shrink(chosen: Case): Promise<Case> {
  for (const [at, number] of chosen.entries()) {
    if (number === 0) continue;
    const less = chosen.with(at, 0);
    const raw = build(less);
    if (expected(raw) !== (await actual(raw))) return shrink(less);
  }
  return chosen;
}

async function describe(chosen: Case): Promise<Difference> {
  const options = chosen.flatMap((number, at) => DIMENSIONS[at]?.options[number - 1]?.name ?? []);
  const raw = build(chosen);
  return { options, expected: expected(raw), actual: await actual(raw) };
}
