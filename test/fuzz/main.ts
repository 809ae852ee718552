/**
 * `npm run fuzz`: decisions of the gate against an independent model of it; then its own reading of HTTP against
 * Node's, on real connections.
 *
 *     npm run fuzz -- [--subject decisions|wire|all] [--cases N] [--seed N]
 */
import { parseArgs } from 'node:util';
import { readOrExplain } from '../../tools/flags.ts';
import { fuzz } from './fuzz.ts';
import { fuzzWire } from './wirefuzz.ts';

const USAGE = 'npm run fuzz -- [--subject decisions|wire|all] [--cases N] [--seed N]';
const { values } = readOrExplain(USAGE, () =>
  parseArgs({
    options: {
      subject: { type: 'string', default: 'all' },
      cases: { type: 'string' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    },
  }),
);

/** Runs so many cases, prints what it saw; how many differences there were. */
type Run = (cases: number, seed: number) => Promise<number>;

const decisions: Run = async (cases, seed) => {
  const { answers, differences } = await fuzz(cases, seed);
  for (const [answer, times] of [...answers].toSorted(([, a], [, b]) => b - a)) {
    console.log(`${String(times).padStart(9)}  ${answer}`);
  }
  for (const { options, expected, actual } of differences) {
    console.log(`DIFFERENCE\n  model: ${expected}\n  gate:  ${actual}`);
    for (const option of options) console.log(`  with ${option}`);
  }
  return differences.length;
};

const wire: Run = async (cases, seed) => {
  const { calls, yeses, counted, difference } = await fuzzWire(cases, seed);
  console.log(`${calls} calls; a yes on ${yeses} connections\n${counted.fast}`);
  if (difference !== undefined) console.log(`DIFFERENCE\n${JSON.stringify(difference, null, 2)}`);
  const isCounted = counted.fast === counted.node;
  if (!isCounted) console.log(`COUNTED DIFFERENTLY; Node alone:\n${counted.node}`);
  return Number(difference !== undefined) + Number(!isCounted);
};

const SUBJECTS = [
  { name: 'decisions', run: decisions, cases: '1000000' },
  { name: 'wire', run: wire, cases: '50000' },
];

const chosen = SUBJECTS.filter(({ name }) => ['all', name].includes(values.subject));
const seed = Number(values.seed);
const isCountable = values.cases === undefined || /^[1-9]\d*$/.test(values.cases);
if (chosen.length === 0 || !isCountable || !Number.isInteger(seed)) {
  console.log('--subject is decisions, wire or all; --cases and --seed are whole numbers');
  process.exit(2);
}
for (const { name, run, cases } of chosen) {
  const count = Number(values.cases ?? cases);
  console.log(`${name}: ${count} cases, seed ${seed}`);
  const startedMs = performance.now();
  const differences = await run(count, seed);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(`${name}: ${differences} differences in ${seconds} s (seed ${seed})`);
  if (differences > 0) process.exitCode = 1;
}
