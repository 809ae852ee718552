/** Explores every scenario and prints states, time and what was found; `--only N` takes one. */
import { parseArgs } from 'node:util';
import { readOrExplain } from '../../tools/flags.ts';
import { SCENARIOS } from './scenarios.ts';
import { explore } from './search.ts';

const STATES_MAX = 400_000;

const USAGE = 'node test/explorer/main.ts [--only N] [--faults N] [--kinds NAME,NAME]';
const { values } = readOrExplain(USAGE, () =>
  parseArgs({
    options: { only: { type: 'string' }, faults: { type: 'string' }, kinds: { type: 'string' } },
  }),
);

let states = 0;
let findings = 0;
for (const [index, scenario] of SCENARIOS.entries()) {
  if (values.only !== undefined && Number(values.only) !== index) continue;
  const startedMs = performance.now();
  const faults = values.faults === undefined ? scenario.faults : Number(values.faults);
  const kinds = (values.kinds?.split(',') ?? scenario.kinds) as typeof scenario.kinds;
  const result = explore({ ...scenario, faults, kinds }, STATES_MAX);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  states += result.states;
  findings += result.findings.length;
  console.log(
    `${index} ${scenario.title}: ${result.states} states, ${result.transitions} transitions, ` +
      `${result.rests} rests, ${faults} faults, ${seconds} s`,
  );
  for (const { what, trace } of result.findings) {
    console.log(`  ${what}\n${trace.map((label) => `    ${label}`).join('\n')}`);
  }
}
console.log(`${states} states, ${findings} findings`);
process.exitCode = findings === 0 ? 0 : 1;
