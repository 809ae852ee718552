/** `npm run leaders`: see HELP. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { amountOf, countOf, readOrExplain } from '../../tools/flags.ts';
import { findPostgres, startPostgres } from '../../control-plane/postgres.ts';
import { startControlPlane } from '../../control-plane/start.ts';
import { startWatchdog } from '../../control-plane/watchdog.ts';
import { prepare } from '../crash/prepare.ts';
import type { Rig } from '../crash/rig.ts';
import { inParallel } from '../support/parallel.ts';
import { plansOf, TROUBLES, type Plan } from './plan.ts';
import { LeadersSite, type Outcome } from './run.ts';

const HELP = `npm run leaders [-- options]

Two operators on one database and one Lease. Again and again the one that leads is frozen at a random write,
together with what it has sent, or cut off, or told to stop; another one takes over, and what was frozen thaws.
Nothing may be done twice: no key issued twice, no rotation done twice, no workload restarted twice, no older
value put back, no write begun by who leads no more; epochs only grow.

  --runs N        how many (200)
  --seed N        what they draw by (the time)
  --lease N       seconds that a silent leader is waited for (4); more where the machine is slow
  --parallel N    pairs of operators at a time (3)
  --minutes N     begin no run after so many; what was left out is counted and no success
  --report FILE   a JSON line per run`;

const flags = readOrExplain(HELP, readFlags);

if (flags.help) {
  console.log(HELP);
  process.exit(0);
}
if ((await findPostgres()) === undefined) {
  console.log(
    'skipped: two operators need PostgreSQL, and it is not there\n0 passed, 0 failed, 1 skipped',
  );
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'keyward-leaders-'));
const postgres = await startPostgres({ settings: ['max_connections = 400'] });
const controlPlane = await startControlPlane({ report: (line) => console.error(line) });
const watchdog = startWatchdog(undefined);
let failed = 1;
try {
  const rig = await prepare({ access: controlPlane, folder, postgres, watchdog });
  await controlPlane.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac/restart']);
  const binding = ['create', 'clusterrolebinding', `${rig.account}-restart`];
  const role = '--clusterrole=keyward-operator-restart';
  const subject = `--serviceaccount=keyward-system:${rig.account}`;
  await controlPlane.mustKubectl([...binding, role, subject]);
  failed = await main(rig);
} finally {
  await watchdog.release();
  await controlPlane.stop();
  await postgres.stop();
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
  else console.log(`logs are in ${folder}`);
}
process.exit(failed === 0 ? 0 : 1);

function readFlags() {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      runs: { type: 'string', default: '200' },
      seed: { type: 'string', default: String((Date.now() % 1_000_000) + 1) },
      lease: { type: 'string', default: '4' },
      parallel: { type: 'string', default: '3' },
      minutes: { type: 'string' },
      report: { type: 'string', default: join(tmpdir(), 'keyward-leaders.jsonl') },
    },
  });
  const { help, report, minutes } = values;
  return {
    help,
    report,
    runs: countOf('--runs', values.runs),
    seed: countOf('--seed', values.seed),
    lease: countOf('--lease', values.lease),
    parallel: countOf('--parallel', values.parallel),
    minutes: minutes === undefined ? Infinity : amountOf('--minutes', minutes),
  };
}

async function main(rig: Rig): Promise<number> {
  const beganMs = performance.now();
  const plans = plansOf(flags.seed, flags.runs);
  const width = Math.min(flags.parallel, plans.length);
  console.log(`leaders: ${plans.length} runs, ${width} pairs at a time, --seed ${flags.seed}`);
  writeFileSync(flags.report, '');
  const waiting = [...plans];
  const pairs = Array.from({ length: width }, (_, at) => `leaders-${at + 1}`);
  const all = await inParallel(pairs, width, (name) => runPair(rig, name, waiting, beganMs));
  const outcomes = all.flatMap((one) => one.outcomes);
  const troubles = [
    ...outcomes.flatMap((one) => one.troubles),
    ...all.flatMap((one) => one.troubles),
  ];
  summarise(outcomes, troubles, performance.now() - beganMs);
  const left = plans.length - outcomes.length;
  const bad = outcomes.filter((one) => one.troubles.length > 0).length;
  const late = all.filter((one) => one.troubles.length > 0).length;
  console.log(`${outcomes.length - bad} passed, ${bad + late + left} failed`);
  return bad + late + left;
}

async function runPair(
  rig: Rig,
  name: string,
  waiting: Plan[],
  beganMs: number,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly troubles: readonly string[] }> {
  const site = new LeadersSite(rig, name, flags.lease);
  const outcomes: Outcome[] = [];
  await site.open();
  const endMs = beganMs + flags.minutes * 60_000;
  for (;;) {
    const plan = performance.now() < endMs ? waiting.shift() : undefined;
    if (plan === undefined) break;
    // One after the other: they share a pair.
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await site.run(plan);
    outcomes.push(outcome);
    writeFileSync(flags.report, `${JSON.stringify(outcome)}\n`, { flag: 'a' });
    for (const text of outcome.troubles) console.log(`run ${plan.number} (${name}): ${text}`);
  }
  return { outcomes, troubles: await site.close() };
}

function summarise(
  outcomes: readonly Outcome[],
  troubles: readonly string[],
  tookMs: number,
): void {
  const count = (is: (one: Outcome) => boolean): number => outcomes.filter(is).length;
  const sum = (of: (one: Outcome) => number): number =>
    outcomes.reduce((all, one) => all + of(one), 0);
  for (const trouble of TROUBLES) {
    const of = (one: Outcome): boolean => one.plan.trouble === trouble;
    const changed = count((one) => of(one) && one.lead === 'Changed');
    const struck = count((one) => of(one) && one.strike === 'Struck');
    console.log(
      `  ${trouble}: ${count(of)} runs, ${struck} at a write, lead changed ${changed} times`,
    );
  }
  console.log(`  writes that a former leader began: ${sum((one) => one.begunLate)}`);
  console.log(
    `  writes that were on their way and came late: ${sum((one) => one.delivered)}, of which ${sum((one) => one.landed)} were taken (the same values once more, or what nobody had done yet)`,
  );
  const each = outcomes.map((one) => one.tookMs).toSorted((a, b) => a - b);
  const median = each[Math.floor(each.length / 2)] ?? 0;
  console.log(
    `  ${(median / 1_000).toFixed(1)} s a run (median), ${(tookMs / 60_000).toFixed(1)} min in all`,
  );
  console.log(
    `report: leaders: ${outcomes.length} runs, ${troubles.length} double acts or troubles, seed ${flags.seed}`,
  );
}
