/** `npm run crash`: see HELP. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startControlPlane } from '../../control-plane/start.ts';
import { startWatchdog } from '../../control-plane/watchdog.ts';
import { findPostgres, startPostgres } from '../../control-plane/postgres.ts';
import { amountOf, countOf, readOrExplain } from '../../tools/flags.ts';
import { inParallel } from '../support/parallel.ts';
import { learn, runPlan, scenariosOf, senseless, type Verdict } from './matrix.ts';
import { mix, pairsOf, plansOf, prune, takeTurns, type Learned, type Plan } from './plans.ts';
import { prepare } from './prepare.ts';
import { SCENARIOS } from './scenarios.ts';
import { SIDES, sideOf, type Side, type Trait } from './sides.ts';
import type { Rig } from './rig.ts';
import { summarise } from './summary.ts';

const HELP = `npm run crash [-- options]

Kills the operator, or loses answers, at every mutating call to the API server, every commit and every
call to the vendor of every scenario, on every side; restarts it, lets it converge and compares ledger,
API server and vendor. After that, seeded plans of two faults each.

  --side NAMES    only these sides, by commas: ${SIDES.map(({ name }) => name).join(', ')}
  --only TEXT     only scenarios with this text in their name
  --applications WHICH  scenarios in which keys are applied for: with (default), only, without
  --plan N|JSON   one plan again: its number under these --side and --only, or a line of the report
  --list          print the plans with their numbers and run none
  --pairs N       plans of two faults, over all sides (500)
  --pruned        a spread of the plans, as npm test runs it, and no pairs
  --seed TEXT     what --pruned and --pairs draw by (1)
  --parallel N    plans at a time (6)
  --minutes N     begin no plan after so many; what was left out is counted and no success
  --report FILE   a JSON line per plan
  --after FILE    go on after an earlier run: plans that converged in its report are left out`;

const flags = readOrExplain(HELP, readFlags);

if (flags.help) {
  console.log(HELP);
  process.exit(0);
}
const { wanted } = flags;
const folder = mkdtempSync(join(tmpdir(), 'keyward-crash-'));
const hasPostgres = (await findPostgres()) !== undefined;
const postgres = hasPostgres
  ? await startPostgres({ settings: ['max_connections = 400'] })
  : undefined;
const controlPlane = await startControlPlane({ report: (line) => console.error(line) });
const watchdog = startWatchdog(undefined);
let failed = 1;
try {
  failed = await main(await prepare({ access: controlPlane, folder, postgres, watchdog }));
} finally {
  await watchdog.release();
  await controlPlane.stop();
  await postgres?.stop();
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);

function readFlags() {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      side: { type: 'string' },
      only: { type: 'string', default: '' },
      applications: { type: 'string', default: 'with' },
      plan: { type: 'string' },
      list: { type: 'boolean', default: false },
      pairs: { type: 'string', default: '500' },
      pruned: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      parallel: { type: 'string', default: '6' },
      minutes: { type: 'string' },
      after: { type: 'string' },
      report: { type: 'string', default: join(tmpdir(), 'keyward-crash.jsonl') },
    },
  });
  const { side, applications, pairs, parallel, minutes } = values;
  if (!['with', 'only', 'without'].includes(applications)) {
    throw new Error(`--applications takes with, only or without, not "${applications}"`);
  }
  return {
    ...values,
    wanted: side === undefined ? SIDES : side.split(',').map(sideOf),
    pairs: pairs === '0' ? 0 : countOf('--pairs', pairs),
    parallel: countOf('--parallel', parallel),
    minutes: minutes === undefined ? Infinity : amountOf('--minutes', minutes),
  };
}

async function main(rig: Rig): Promise<number> {
  const startMs = performance.now();
  // A report that a run goes on from is gone on with, too.
  const before = flags.after === undefined ? '' : readFileSync(flags.after, 'utf8');
  if (!flags.list && flags.after !== flags.report) writeFileSync(flags.report, '');
  const isGiven = flags.plan?.startsWith('{') === true;
  const { learned, broken } = isGiven ? { learned: [], broken: [] } : await learnAll(rig);
  const plans = isGiven ? [parsePlan(flags.plan ?? '')] : choose(learned).filter(isToDo(before));
  const endMs = startMs + flags.minutes * 60_000;
  const verdicts = await inParallel(mix(plans, flags.seed), flags.parallel, async (plan) =>
    performance.now() > endMs ? undefined : await runPlan(rig, plan, flags.report),
  );
  const begun = verdicts.filter((verdict) => verdict !== undefined);
  const skipped = wanted.filter((side) => !isRunnable(side)).map(({ name }) => name);
  const left = plans.length - begun.length;
  const tookMs = performance.now() - startMs;
  return summarise([...broken, ...begun], { skipped, left, tookMs }) + left;
}

function isChosen(isAboutForms: boolean): boolean {
  return flags.applications === 'with' || (flags.applications === 'only') === isAboutForms;
}

/** Plans are told apart by all that they say. */
function isToDo(before: string): (plan: Plan) => boolean {
  if (flags.after === undefined) return () => true;
  const lines = before.split('\n').filter((line) => line !== '');
  // Our own report.
  const verdicts = lines.map((line) => JSON.parse(line) as Verdict);
  const converged = verdicts.filter(({ violations }) => violations.length === 0);
  const done = new Set(converged.map(({ plan }) => JSON.stringify(plan)));
  console.log(`plans: ${done.size} that converged before are left out (--after ${flags.after})`);
  return (plan) => !done.has(JSON.stringify(plan));
}

function choose(learned: readonly Learned[]): readonly Plan[] {
  const bySide = wanted.map((side) => plansOfSide(side, learned));
  const single = takeTurns(bySide);
  const count = flags.pruned || flags.list || flags.plan !== undefined ? 0 : flags.pairs;
  const pairs = pairsOf(learned.filter(isOfAnyNumber), { count, seed: flags.seed });
  const all = [...single, ...pairs];
  console.log(
    `plans: ${bySide.map((plans, at) => `${wanted[at]?.name} ${plans.length}`).join(', ')}`,
  );
  console.log(`plans: ${all.length} in all, ${pairs.length} of two faults (--seed ${flags.seed})`);
  if (flags.list) printList(single);
  if (flags.plan === undefined) return flags.list ? [] : all;
  const plan = single[Number(flags.plan) - 1];
  if (plan === undefined) throw new Error(`there is no plan ${flags.plan} of ${single.length}`);
  console.log(`plan ${flags.plan}: ${JSON.stringify(plan)}`);
  return [plan];
}

async function learnAll(
  rig: Rig,
): Promise<{ readonly learned: readonly Learned[]; readonly broken: readonly Verdict[] }> {
  const runs = wanted.filter(isRunnable).flatMap((side) =>
    scenariosOf(side)
      .filter(({ name, needs }) => name.includes(flags.only) && isPossible(needs))
      .filter(({ applications }) => isChosen(applications !== undefined))
      .map((scenario) => ({ side, scenario })),
  );
  if (runs.length === 0 && wanted.some(isRunnable)) {
    throw new Error(`no scenario has "${flags.only}" in its name`);
  }
  const without = senseless();
  console.log(`${SCENARIOS.length} scenarios, ${runs.length} on the chosen sides`);
  console.log(`not on sides without what they need, ${without.length}: ${without.join('; ')}`);
  const all = await inParallel(runs, flags.parallel, ({ side, scenario }) =>
    learn(rig, side, scenario),
  );
  return {
    learned: all.filter((one): one is Learned => !('violations' in one)),
    broken: all.filter((one): one is Verdict => 'violations' in one),
  };
}

/** Single faults at the side; few of them where each takes long, and in `npm test`. */
function plansOfSide(side: Side, learned: readonly Learned[]): readonly Plan[] {
  const ofSide = learned.filter((one) => one.side === side.name);
  if (flags.pruned) {
    const choice = { count: side.pruned, seed: flags.seed };
    return prune(ofSide.filter(isOfAnyNumber), choice);
  }
  return ofSide.flatMap((one) => {
    const count = plansMaxOf(one);
    return count === undefined ? plansOf(one) : prune([one], { count, seed: flags.seed });
  });
}

function isOfAnyNumber(one: Learned): boolean {
  return plansMaxOf(one) === undefined;
}

function plansMaxOf({ scenario }: Learned): number | undefined {
  return SCENARIOS.find(({ name }) => name === scenario)?.plansMax;
}

/** Without PostgreSQL its side is skipped, counted, and with CI=true a failure. */
function isRunnable({ database }: Side): boolean {
  return database === 'SQLite' || hasPostgres;
}

function isPossible(needs: Trait | undefined): boolean {
  return needs !== 'SharedDatabase' || hasPostgres;
}

function printList(plans: readonly Plan[]): void {
  for (const [at, plan] of plans.entries()) console.log(`${at + 1} ${JSON.stringify(plan)}`);
}

function parsePlan(text: string): Plan {
  // Written by a person from a line of the report; a wrong one fails at its first use.
  return JSON.parse(text) as Plan;
}
