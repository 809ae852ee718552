/** Running plans: one without a fault per scenario and side to learn its places, then all others. */
import { appendFileSync } from 'node:fs';
import { openLedgerReader } from '../../src/ledger/open.ts';
import { compareBooks, everythingSecret, type Violation } from './books.ts';
import { findLeaks } from './leaks.ts';
import type { Learned, Plan } from './plans.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { SIDES, sideOf, type Side } from './sides.ts';
import type { Rig } from './rig.ts';
import { Site } from './site.ts';

/** What came of a plan. */
export type Verdict = {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** A person has to decide. */
  readonly isAmbiguous: boolean;
  readonly kills: number;
  /** How many of its faults fell. */
  readonly struck: number;
  readonly seconds: number;
  readonly log: string;
};

let sites = 0;

/**
 * One run without a fault: what there is to strike at, and that the books agree. A verdict: they do
 * not, so there are no plans.
 */
export async function learn(rig: Rig, side: Side, scenario: Scenario): Promise<Learned | Verdict> {
  const about = { side: side.name, scenario: scenario.name };
  const { verdict, site } = await run(rig, { ...about, strikes: [] });
  if (verdict.violations.length > 0) return verdict;
  const signing = Object.keys(site.vendor?.credentials ?? {}).length;
  if (
    scenario.working.length > 0 &&
    !verdict.isAmbiguous &&
    everythingSecret(site).size < signing
  ) {
    throw new Error(`${scenario.name}: no value was seen, so nothing would be compared`);
  }
  const ledger = await openLedgerReader(site.database);
  const { commitCounter } = await ledger.identity();
  await ledger.close();
  const vendorCalls = site.vendor?.calls ?? 0;
  site.discard();
  return { ...about, calls: site.proxy.calls.length, commits: commitCounter, vendorCalls };
}

/** Runs one plan and adds a line to the report. */
export async function runPlan(rig: Rig, plan: Plan, report: string): Promise<Verdict> {
  const { verdict, site } = await run(rig, plan);
  if (verdict.violations.length === 0) site.discard();
  const { log: _, ...line } = verdict;
  appendFileSync(report, `${JSON.stringify(line)}\n`);
  return verdict;
}

/** The scenarios that make sense on a side. */
export function scenariosOf(side: Side): readonly Scenario[] {
  return SCENARIOS.filter(({ needs }) => needs === undefined || side.traits.has(needs));
}

/** `side: scenario` of all that make none. */
export function senseless(): readonly string[] {
  return SIDES.flatMap((side) =>
    SCENARIOS.filter(({ needs }) => needs !== undefined && !side.traits.has(needs)).map(
      ({ name }) => `${side.name}: ${name}`,
    ),
  );
}

async function run(rig: Rig, plan: Plan): Promise<{ verdict: Verdict; site: Site }> {
  const scenario = SCENARIOS.find(({ name }) => name === plan.scenario);
  if (scenario === undefined) throw new Error(`there is no scenario "${plan.scenario}"`);
  sites += 1;
  const startMs = performance.now();
  const { strikes } = plan;
  const site = new Site(rig, {
    name: `crash-${sites}`,
    side: sideOf(plan.side),
    scenario,
    strikes,
  });
  let violations: readonly Violation[];
  let isAmbiguous = false;
  try {
    await site.open();
    await scenario.run(site);
    await site.untilSettled();
    await site.untilQuiet();
    await site.stopOperator();
    const books = await compareBooks(site);
    ({ isAmbiguous } = books);
    violations = [...books.violations, ...(await findLeaks(site))];
  } catch (error) {
    violations = [
      { kind: 'NotConverged', text: error instanceof Error ? error.message : String(error) },
    ];
  } finally {
    await site.close();
  }
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  const { kills, struck, log } = site;
  return { verdict: { plan, violations, isAmbiguous, kills, struck, seconds, log }, site };
}
