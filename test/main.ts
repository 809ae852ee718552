/**
 * `npm test`: runs every layer, even after one has failed, shows what failed, and closes with the
 * counts alone on a line. `--static` runs the layers that need nothing but the source; `--only`
 * takes layer names separated by commas.
 */
import { parseArgs } from 'node:util';
import { readOrExplain } from '../tools/flags.ts';
import { LAYERS, type Layer } from './runner/layers.ts';
import { add, NOTHING, tallyText, type Tally } from './runner/tally.ts';

const USAGE = 'npm test -- [--static] [--only LAYER,LAYER]';
const { values } = readOrExplain(USAGE, () =>
  parseArgs({
    options: { static: { type: 'boolean', default: false }, only: { type: 'string' } },
  }),
);

const layers = chosenLayers();
let total = NOTHING;
for (const layer of layers) total = add(total, await runLayer(layer));
for (const name of total.skipped) console.log(`skipped: ${name}`);
const isComplete = total.skipped.length === 0 || process.env['CI'] !== 'true';
if (!isComplete) console.log('with CI=true a skipped test is a failure');
console.log(tallyText(total));
process.exitCode = total.failed === 0 && isComplete && layers.length > 0 ? 0 : 1;

function chosenLayers(): readonly Layer[] {
  const only = values.static ? 'static,architecture' : values.only;
  if (only === undefined) return LAYERS;
  const names = only.split(',');
  const unknown = names.filter((name) => !LAYERS.some((layer) => layer.name === name));
  if (unknown.length > 0) {
    const known = LAYERS.map(({ name }) => name).join(', ');
    console.log(`there is no layer ${unknown.join(', ')}; the layers are ${known}`);
    return [];
  }
  return LAYERS.filter(({ name }) => names.includes(name));
}

async function runLayer({ name, run }: Layer): Promise<Tally> {
  const startedMs = performance.now();
  const tally = await run();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  if (tally.output !== '') console.log(tally.output.trimEnd());
  console.log(`${name.padEnd(12)} ${seconds.padStart(6)} s  ${tallyText(tally)}`);
  return tally;
}
