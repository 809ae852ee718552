/**
 * `npm run fuzz`: decisions of the gate against an independent model of it.
 *
 *     npm run fuzz -- [--cases N] [--seed N]
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed)) {
  console.log('--cases and --seed must be whole numbers');
  process.exit(2);
}
console.log(`${cases} cases, seed ${seed}`);
const startedMs = performance.now();
const { answers, differences } = await fuzz(cases, seed);
for (const [answer, times] of [...answers].toSorted(([, a], [, b]) => b - a)) {
  console.log(`${String(times).padStart(9)}  ${answer}`);
}
for (const { options, expected, actual } of differences) {
  console.log(`DIFFERENCE\n  model: ${expected}\n  gate:  ${actual}`);
  for (const option of options) console.log(`  with ${option}`);
}
const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
console.log(`${differences.length} differences in ${seconds} s (seed ${seed})`);
process.exitCode = differences.length === 0 ? 0 : 1;
