/** The dashboards: queries that Prometheus can read, and panels that do not lie on each other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { findPromtool, promtool } from '../../../control-plane/promtool.ts';
import { metricsIn, plainQuery, readDashboards, type Panel } from './rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyward-dashboards-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dashboards = readDashboards();

function queriesOf(panels: readonly Panel[]): readonly string[] {
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

describe('dashboards', () => {
  test('are the two that the chart promises', () => {
    expect([...dashboards.keys()].toSorted()).toEqual(['gate-and-stores.json', 'overview.json']);
  });

  test.each([...dashboards])(
    '%s has queries that Prometheus can read',
    async (name, { panels }) => {
      const program = await findPromtool();
      if (program === undefined)
        throw new Error('promtool is missing: it needs Debian and a network');
      const queries = queriesOf(panels);
      expect(queries.length).toBeGreaterThan(15);
      const rules = queries.map((expr, at) => ({ record: `query:${at}`, expr: plainQuery(expr) }));
      const file = join(folder, `${name}.yaml`);
      writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
      const { isGood, text } = await promtool(program, 'check', 'rules', file);
      expect(text).toContain('SUCCESS');
      expect(isGood).toBe(true);
      for (const query of queries) expect(metricsIn(query).length).toBeGreaterThan(0);
    },
  );

  test.each([...dashboards])('%s has panels that say what they show and where', (_, dashboard) => {
    const { panels, templating } = dashboard;
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Set<string>();
    const silent = panels.filter(
      ({ type, description = '' }) => type !== 'row' && !description.endsWith('.'),
    );
    expect(silent).toEqual([]);
    for (const { gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let cell = 0; cell < w * h; cell += 1) {
        const at = `${x + (cell % w)},${y + Math.floor(cell / w)}`;
        expect(taken.has(at)).toBe(false);
        taken.add(at);
      }
    }
    const variables = new Set(templating.list.map(({ name }) => name));
    const used = queriesOf(panels).flatMap((query) =>
      [...query.matchAll(/\$(\w+)/g)].map(([, name = '']) => name),
    );
    const unknown = used.filter((name) => !name.startsWith('__') && !variables.has(name));
    expect(unknown).toEqual([]);
  });
});
