/** The alerts, run by the real promtool over series that fire them and series that must not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { findPromtool, promtool } from '../../../control-plane/promtool.ts';
import { ALERT_CASES, type AlertCase, type Moment } from './alerts.ts';
import { readRules, RULES_FILE, type Rule } from './rules.ts';

const RUNBOOK = join(import.meta.dirname, '..', '..', '..', 'docs', 'runbook.md');
const folder = mkdtempSync(join(tmpdir(), 'keyward-rules-'));
const rules = readRules();
const alerts = rules.groups.flatMap((group) => group.rules);
let program = '';
/** What promtool said of each alert's file. */
let said = new Map<string, string>();

beforeAll(async () => {
  const found = await findPromtool();
  if (found === undefined) throw new Error('promtool is missing: it needs Debian and a network');
  program = found;
  const files = writeCases();
  // All at once: starting it takes longer than all the tests.
  const { text } = await promtool(program, 'test', 'rules', ...files);
  const parts = text.split(/^Unit Testing: +/m).slice(1);
  said = new Map(parts.map((part) => [/^\S*\/(\w+)\.yaml/.exec(part)?.[1] ?? '', part]));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * A file with this rule alone, which is quicker, and without texts, which would have to be repeated word for
 * word in each case; promtool checks them apart.
 */
function ruleFile(rule: Rule): string {
  const file = join(folder, `${rule.alert}.rule.yaml`);
  const alone = { ...rule, annotations: {} };
  writeFileSync(file, stringify({ groups: [{ name: 'alone', rules: [alone] }] }));
  return file;
}

function unitTest({ alert }: AlertCase, moment: Moment, expected: readonly object[]): object {
  const { series, atMinutes } = moment;
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: `${atMinutes}m`, alertname: alert, exp_alerts: expected }],
  };
}

/** A file of promtool's for each alert. */
function writeCases(): readonly string[] {
  return ALERT_CASES.map((each) => {
    const rule = alerts.find(({ alert }) => alert === each.alert);
    if (rule === undefined) throw new Error(`there is no alert ${each.alert}`);
    const labels = { ...rule.labels, ...each.fires.labels };
    const tests = [
      ...[each.fires, ...(each.alsoFires ?? [])].map((moment) =>
        unitTest(each, moment, [{ exp_labels: labels }]),
      ),
      ...each.quiet.map((moment) => unitTest(each, moment, [])),
    ];
    const file = join(folder, `${each.alert}.yaml`);
    const rule_files = [ruleFile(rule)];
    writeFileSync(file, stringify({ rule_files, evaluation_interval: '1m', tests }));
    return file;
  });
}

describe('alerts', () => {
  test('are well-formed, with texts that can be filled in', async () => {
    const { isGood, text } = await promtool(program, 'check', 'rules', RULES_FILE);
    expect(text).toContain('SUCCESS');
    expect(isGood).toBe(true);
  });

  test.each(ALERT_CASES)('$alert fires when it should and not otherwise', ({ alert }) => {
    const [, ...answer] = (said.get(alert) ?? 'nothing\nnothing').trim().split('\n');
    expect(answer.join('\n').trim()).toBe('SUCCESS');
  });

  test('are each tested both ways', () => {
    expect(ALERT_CASES.map(({ alert }) => alert).toSorted()).toEqual(
      alerts.map(({ alert }) => alert).toSorted(),
    );
    for (const { quiet } of ALERT_CASES) expect(quiet.length).toBeGreaterThan(0);
  });

  test('say what it means and what to do, and have a section in the runbook', () => {
    const runbook = readFileSync(RUNBOOK, 'utf8');
    for (const { alert, labels, annotations } of alerts) {
      expect(alert).toMatch(/^Keyward[A-Z]\w+$/);
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary.length).toBeGreaterThan(10);
      expect(annotations.description).toMatch(/\S/);
      expect(runbook).toContain(`\n## ${alert}\n`);
    }
    const sections = [...runbook.matchAll(/^## (Keyward\w+)$/gm)].map(([, name = '']) => name);
    expect(sections.toSorted()).toEqual(alerts.map(({ alert }: Rule) => alert).toSorted());
  });
});
