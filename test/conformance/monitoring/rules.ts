/** The alerts and dashboards that the chart brings along, as the tests read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const FILES = join(import.meta.dirname, '..', '..', '..', 'charts', 'keyward', 'files');

/** Where the rules are. */
export const RULES_FILE = join(FILES, 'rules.yaml');

/** One alert of the file. */
export type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
};

/** The file as it is. */
export type Rules = { readonly groups: readonly { name: string; rules: readonly Rule[] }[] };

/** @throws where the file is no YAML */
export function readRules(): Rules {
  // Our own file; promtool checks its shape.
  return parse(readFileSync(RULES_FILE, 'utf8')) as Rules;
}

/** A panel with its queries; rows hold panels of their own only while they are folded, which ours are not. */
export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string }[];
};

/** A dashboard file. */
export type Dashboard = {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
};

/** All dashboards by file name. */
export function readDashboards(): ReadonlyMap<string, Dashboard> {
  const folder = join(FILES, 'dashboards');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return new Map(
    files.map((name) => [
      name,
      // Our own files; a test checks what they need.
      JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard,
    ]),
  );
}

/** A query with Grafana's variables replaced as Grafana would. */
export function plainQuery(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '1h')
    .replaceAll(/\$\w+/g, '.*');
}

/** Names of our metrics, and of those that follow others' conventions, that a query uses. */
export function metricsIn(expr: string): readonly string[] {
  const names =
    /\b(?:keyward|controller_runtime|workqueue|rest_client|leader_election|process|nodejs)_\w+/g;
  const withoutValues = expr.replaceAll(/"[^"]*"/g, '""');
  return [...new Set(withoutValues.match(names))];
}
