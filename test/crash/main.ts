/**
 * The crash matrix: kills the operator at every mutating call and every commit of every scenario,
 * restarts it, and compares the three books. `--pruned` runs a spread of the plans, `--plan JSON`
 * one of them again. `--seed` says which plans the spread takes. `--database postgres` gives every
 * plan a schema of one PostgreSQL.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Access } from '../../control-plane/access.ts';
import { installKeyward } from '../../control-plane/install.ts';
import { startPostgres } from '../../control-plane/postgres.ts';
import { startControlPlane } from '../../control-plane/start.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import { TestApi } from '../support/operator.api.ts';
import { compareBooks, valuesEver, type Violation } from './books.ts';
import { findLeaks } from './leaks.ts';
import { plansOf, prune, type Learned, type Plan } from './plans.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { Site, type Rig } from './site.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Plans that run side by side; each mostly waits for its operator to start. */
const PARALLEL = 4;
const PRUNED = 110;
const ACCOUNT = 'keyward-operator-crash';

type Verdict = {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  readonly kills: number;
  readonly seconds: number;
  readonly log: string;
};

const { values: flags } = parseArgs({
  options: {
    pruned: { type: 'boolean', default: false },
    plan: { type: 'string' },
    seed: { type: 'string', default: '1' },
    database: { type: 'string', default: 'sqlite' },
    report: { type: 'string', default: join(tmpdir(), 'keyward-crash.jsonl') },
  },
});

let sites = 0;
const postgres = flags.database === 'postgres' ? await startPostgres() : undefined;
const controlPlane = await startControlPlane({ report: (line) => console.error(line) });
const folder = mkdtempSync(join(tmpdir(), 'keyward-crash-'));
let failed = 1;
try {
  const rig = await prepare(controlPlane, folder);
  const verdicts =
    flags.plan === undefined ? await runMatrix(rig) : [await runPlan(rig, parsePlan(flags.plan))];
  failed = summarise(verdicts);
} finally {
  await controlPlane.stop();
  await postgres?.stop();
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);

async function prepare(access: Access, into: string): Promise<Rig> {
  await installKeyward(access);
  const kubeconfig = await access.kubeconfigFor('keyward-system', ACCOUNT);
  const subject = `--serviceaccount=keyward-system:${ACCOUNT}`;
  const binding = ['create', 'clusterrolebinding', ACCOUNT, '--clusterrole=keyward-operator'];
  await access.mustKubectl([...binding, subject]);
  execFileSync(process.execPath, [join(ROOT, 'tools', 'build.ts')], { stdio: 'ignore' });
  const masterKeyFile = join(into, 'master-key');
  const program = join(ROOT, 'dist', 'keyward.js');
  execFileSync(process.execPath, [program, 'master-key', 'create', masterKeyFile], {
    stdio: 'ignore',
  });
  const token = /"?token"?: "?([^"\s]+)/.exec(readFileSync(kubeconfig, 'utf8'))?.[1] ?? '';
  return {
    api: await TestApi.open(access.adminKubeconfig),
    server: new URL(access.url),
    ca: readFileSync(access.caFile, 'utf8'),
    token,
    folder: into,
    program,
    masterKeyFile,
    ...(postgres === undefined
      ? {}
      : { databaseFor: (site: string) => postgres.url(`schema=${site.replaceAll('-', '_')}`) }),
  };
}

async function runMatrix(rig: Rig): Promise<readonly Verdict[]> {
  writeFileSync(flags.report, '');
  const learned = await inParallel(SCENARIOS, (scenario) => learn(rig, scenario));
  const known = SCENARIOS.map((scenario, index) => ({
    scenario,
    learned: learned[index] ?? { calls: 0, commits: 0 },
  }));
  const all = known.flatMap(({ scenario, learned: counts }) => plansOf(scenario, counts));
  const plans = flags.pruned ? prune(known, PRUNED, flags.seed) : all;
  console.log(
    `${SCENARIOS.length} scenarios, ${all.length} plans, running ${plans.length}` +
      (flags.pruned ? ` (--seed ${flags.seed})` : ''),
  );
  return inParallel(plans, (plan) => runPlan(rig, plan));
}

/** One run without a fault: how many calls and commits there are, and that the books agree. */
async function learn(rig: Rig, scenario: Scenario): Promise<Learned> {
  const { verdict, site } = await run(rig, { scenario: scenario.name, fault: { type: 'None' } });
  if (verdict.violations.length > 0) {
    throw new Error(
      `without a fault: ${scenario.name}: ${JSON.stringify(verdict.violations)}\n${verdict.log}`,
    );
  }
  if (scenario.working.length > 0 && valuesEver(site).size === 0) {
    throw new Error(`${scenario.name}: no value was seen, so nothing would be compared`);
  }
  const ledger = await openLedgerReader(site.database);
  const { commitCounter } = await ledger.identity();
  await ledger.close();
  site.discard();
  return { calls: site.proxy.calls.length, commits: commitCounter };
}

async function runPlan(rig: Rig, plan: Plan): Promise<Verdict> {
  const { verdict, site } = await run(rig, plan);
  if (verdict.violations.length === 0) site.discard();
  const { log: _, ...line } = verdict;
  appendFileSync(flags.report, `${JSON.stringify(line)}\n`);
  return verdict;
}

async function run(rig: Rig, plan: Plan): Promise<{ verdict: Verdict; site: Site }> {
  const scenario = SCENARIOS.find(({ name }) => name === plan.scenario);
  if (scenario === undefined) throw new Error(`there is no scenario "${plan.scenario}"`);
  sites += 1;
  const startMs = performance.now();
  const site = new Site(rig, `crash-${sites}`, plan.fault, scenario);
  let violations: readonly Violation[];
  try {
    await site.open();
    await scenario.run(site);
    await site.untilQuiet();
    await site.untilSettled();
    await site.stopOperator();
    violations = [...(await compareBooks(site, scenario)), ...findLeaks(site)];
  } catch (error) {
    violations = [
      { kind: 'NotConverged', text: error instanceof Error ? error.message : String(error) },
    ];
  } finally {
    await site.close();
  }
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  return { verdict: { plan, violations, kills: site.kills, seconds, log: site.log }, site };
}

async function inParallel<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      const item = items[index];
      // One after the other in this worker is what bounds the load.
      // oxlint-disable-next-line no-await-in-loop
      if (item !== undefined) results[index] = await act(item);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return results;
}

function summarise(verdicts: readonly Verdict[]): number {
  const bad = verdicts.filter(({ violations }) => violations.length > 0);
  for (const { plan, violations, log } of bad) {
    console.log(`\nFAILED ${JSON.stringify(plan)}`);
    for (const { kind, text } of violations) console.log(`  ${kind}: ${text}`);
    console.log(`  again: npm run crash -- --plan '${JSON.stringify(plan)}'`);
    console.log(log.split('\n').slice(-12).join('\n'));
  }
  const count = (kind: Violation['kind']): number =>
    verdicts.flatMap(({ violations }) => violations).filter((one) => one.kind === kind).length;
  const hits = verdicts.filter(({ kills }) => kills > 0).length;
  console.log(
    [
      `report: ${verdicts.length} plans, ${hits} with a kill, ${verdicts.length - bad.length} converged`,
      `report: ${count('LostKey')} lost keys, ${count('LiveOrphan')} live orphans, ${count('Duplicate')} duplicates, ${count('ForeignChanged')} foreign objects changed, ${count('Resurrection')} resurrections, ${count('Leaked')} leaks`,
      `${verdicts.length - bad.length} passed, ${bad.length} failed`,
    ].join('\n'),
  );
  return bad.length;
}

function parsePlan(text: string): Plan {
  // Written by a person from a line of the report; a wrong one fails at its first use.
  return JSON.parse(text) as Plan;
}
