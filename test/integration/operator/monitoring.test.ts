/**
 * What the real operator and the real gate show of themselves: every metric that alerts, dashboards and docs name,
 * who may read it, and what probes say.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPrometheus, type Prometheus } from '../../../control-plane/prometheus.ts';
import { applyObjects, sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { GateProcess } from '../../support/gate.process.ts';
import { Site } from '../../support/operator.site.ts';
import { readExposed, type ExposedFamily } from '../../support/scrape.ts';
import {
  metricsIn,
  plainQuery,
  readDashboards,
  readRules,
  RULES_FILE,
} from '../../conformance/monitoring/rules.ts';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'metrics.md');
const RIGHTS = join(import.meta.dirname, '..', '..', '..', 'deploy', 'rbac');
/** Names that samples of a histogram have beside its own. */
const SUFFIXES = /_(?:bucket|sum|count)$/;

let site: Site;
let gate: GateProcess;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  const secretFile = join(site.folder, 'webhook');
  writeFileSync(secretFile, `whsec_${randomBytes(32).toString('base64')}\n`);
  // Nobody listens there; what matters is that there is a webhook.
  await site.start({ 'webhook-url': 'http://127.0.0.1:9/', 'webhook-secret-file': secretFile });
  await site.issue('web', {
    terms: { validity: { durationDays: 30 } },
    rotation: { maxAgeDays: 7 },
  });
  gate = await GateProcess.start({
    database: site.database,
    keyFile: join(site.folder, 'master.key'),
  });
  await gate.whenReady();
});

afterAll(async () => {
  await gate.stop();
  await site.close();
});

async function exposed(): Promise<ReadonlyMap<string, ExposedFamily>> {
  const texts = await Promise.all([site.operator.ask('/metrics'), gate.ask('/metrics')]);
  return new Map(texts.flatMap(({ text }) => [...readExposed(text)]));
}

/** Where the operator that runs now has its metrics. */
function addressOf({ operator }: Site): string {
  return String(operator.log.find((line) => 'metrics' in line)?.['metrics']);
}

/** Rows of the page: name, type and labels. */
function documented(): ReadonlyMap<string, { readonly type: string; readonly labels: string[] }> {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \|/gm);
  return new Map(
    [...rows].map(([, name = '', type = '', labels = '']) => [
      name,
      { type, labels: [...labels.matchAll(/\w+/g)].map(([label]) => label) },
    ]),
  );
}

describe('what a running operator and a running gate expose', () => {
  test('has every metric that an alert or a dashboard asks for', async () => {
    const names = await exposed();
    const alerts = readRules().groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
    const panels = [...readDashboards().values()].flatMap((dashboard) => dashboard.panels);
    const queries = [
      ...alerts,
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ];
    const wanted = new Set(queries.flatMap(metricsIn));
    expect(wanted.size).toBeGreaterThan(40);
    const missing = [...wanted].filter(
      (name) => !names.has(name) && !names.has(name.replace(SUFFIXES, '')),
    );
    expect(missing).toEqual([]);
  });

  test('is what docs/metrics.md says, name by name, with type and labels', async () => {
    const names = await exposed();
    const rows = documented();
    const ours = [...names.keys()].filter((name) => !/^(?:process|nodejs)_/.test(name));
    expect([...rows.keys()].toSorted()).toEqual(ours.toSorted());
    const described = ours.map((name) => {
      const { type = '', labels = [] } = rows.get(name) ?? {};
      return { name, type, labels: labels.toSorted() };
    });
    const shown = ours.map((name, at) => {
      const { type = '', labels = new Set<string>(), samples = 0 } = names.get(name) ?? {};
      // What never happened has no samples, and so no labels.
      const found = samples > 0 ? [...labels].toSorted() : (described[at]?.labels ?? []);
      return { name, type, labels: found };
    });
    expect(shown).toEqual(described);
  });

  test('has the names of controller-runtime and client-go with their labels', async () => {
    const names = await exposed();
    const labelsOf = (name: string) => [...(names.get(name)?.labels ?? [])].toSorted();
    expect(labelsOf('controller_runtime_reconcile_total')).toEqual(['controller', 'result']);
    expect(labelsOf('controller_runtime_active_workers')).toEqual(['controller']);
    expect(labelsOf('workqueue_depth')).toEqual(['controller', 'name']);
    expect(labelsOf('rest_client_requests_total')).toEqual(['code', 'host', 'method']);
    expect(labelsOf('leader_election_master_status')).toEqual(['name']);
    expect(names.has('process_cpu_seconds_total')).toBe(true);
    expect(names.has('nodejs_eventloop_lag_seconds')).toBe(true);
  });

  test('tells of a key while it is there, and nothing once it is gone', async () => {
    await site.issue('brief');
    const ready = () => site.operator.metric('keyward_key_ready_status', 'name="brief"', '"True"');
    await eventually(async () => expect(await ready()).toBe(1));
    await site.remove('brief');
    await site.untilGone('brief');
    await eventually(async () => {
      const { text } = await site.operator.ask('/metrics');
      expect(text).not.toContain('name="brief"');
    });
    const { text } = await site.operator.ask('/metrics');
    expect(text).toMatch(/keyward_key_expiration_timestamp_seconds\{[^}]*name="web"\} \d{10}\n/);
    expect(text).toMatch(/keyward_key_rotation_due_timestamp_seconds\{[^}]*name="web"\} \d{10}\n/);
  });
});

describe('a real Prometheus', () => {
  let prometheus: Prometheus;
  beforeAll(async () => {
    const targets = { operator: addressOf(site), gate: `127.0.0.1:${gate.metricsPort}` };
    prometheus = await startPrometheus({ targets, ruleFile: RULES_FILE });
  });
  afterAll(() => prometheus.stop());

  test('scrapes both, and evaluates every alert and every panel without an error', async () => {
    await eventually(async () => {
      // As Prometheus documents its answers.
      const { groups } = (await prometheus.api('rules')) as {
        groups: readonly { rules: readonly { name: string; health: string }[] }[];
      };
      const ill = groups.flatMap(({ rules }) => rules.filter(({ health }) => health !== 'ok'));
      expect(groups.length).toBeGreaterThan(0);
      expect(ill).toEqual([]);
      const { activeTargets } = (await prometheus.api('targets')) as {
        activeTargets: readonly { health: string; lastError: string }[];
      };
      expect(activeTargets.map(({ health, lastError }) => `${health}${lastError}`)).toEqual([
        'up',
        'up',
      ]);
    });
    const panels = [...readDashboards().values()].flatMap((dashboard) => dashboard.panels);
    const queries = panels.flatMap(({ targets = [] }) =>
      targets.map(({ expr }) => plainQuery(expr)),
    );
    const answers = await Promise.all(
      queries.map((query) => prometheus.api(`query?query=${encodeURIComponent(query)}`)),
    );
    expect(answers).toHaveLength(queries.length);
    const active = await prometheus.api(
      `query?query=${encodeURIComponent('keyward_keys{state="Active"} > 0')}`,
    );
    expect(JSON.stringify(active)).toContain('"store":"plain"');
  });

  test('sees none of our alerts while all is well', async () => {
    await eventually(async () => {
      const { alerts } = (await prometheus.api('alerts')) as {
        alerts: readonly { labels: { alertname: string } }[];
      };
      expect(alerts.map(({ labels }) => labels.alertname)).toEqual([]);
    });
  });
});

describe('probes', () => {
  test('list their checks', async () => {
    expect((await site.operator.ask('/readyz?verbose')).text).toBe(
      '[+]operator ok\n[+]database ok\nreadyz check passed\n',
    );
    expect((await gate.ask('/readyz?verbose')).text).toBe(
      '[+]gate ok\n[+]view ok\nreadyz check passed\n',
    );
  });

  test('fail while the database takes no commit, but for those that leave it out, and heal', async () => {
    const blocker = new DatabaseSync(join(site.folder, 'keyward.db'));
    blocker.exec('BEGIN IMMEDIATE');
    try {
      await site.create('blocked');
      await eventually(async () => {
        const { code, text } = await site.operator.ask('/readyz');
        expect(code).toBe(503);
        expect(text).toMatch(/^\[-\]database failed: writes: /m);
      });
      expect((await site.operator.ask('/readyz?exclude=database')).code).toBe(200);
      expect((await site.operator.ask('/livez')).code).toBe(200);
      expect((await gate.ask('/readyz')).code).toBe(200);
      expect(await site.operator.metric('keyward_database_up')).toBe(0);
    } finally {
      blocker.exec('ROLLBACK');
      blocker.close();
    }
    await site.until('blocked', 'Active');
    expect((await site.operator.ask('/readyz')).code).toBe(200);
    expect(await site.operator.metric('keyward_database_up')).toBe(1);
  });
});

describe('metrics with --metrics-auth=delegated', () => {
  const reader = 'keyward-metrics-reader';

  async function scrape(token?: string): Promise<{ code: number; text: string }> {
    const address = addressOf(site);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`http://${address}/metrics`, { headers });
    return { code: response.status, text: await response.text() };
  }

  test('are for accounts with the right to get /metrics; probes are for everybody', async () => {
    const access = sharedControlPlane();
    await access.mustKubectl(['apply', '-f', join(RIGHTS, 'people.yaml')]);
    const account = site.user.split(':').at(-1) ?? '';
    const rights = readFileSync(join(RIGHTS, 'metrics', 'metrics.yaml'), 'utf8');
    await access.mustKubectl(['apply', '-f', '-'], {
      input: rights
        .replaceAll('keyward-operator\n', `${account}\n`)
        .replaceAll('keyward-operator-metrics', `${account}-metrics`),
    });
    const { namespace } = site;
    await access.kubeconfigFor(namespace, 'prometheus');
    await access.kubeconfigFor(namespace, 'nobody');
    await applyObjects(access, [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: `${reader}-${namespace}` },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: reader },
        subjects: [{ kind: 'ServiceAccount', name: 'prometheus', namespace }],
      },
    ]);
    await site.restart({ 'metrics-auth': 'delegated' });
    const allowed = await access.tokenFor(namespace, 'prometheus');
    const refused = await access.tokenFor(namespace, 'nobody');
    // A new role reaches the API server's own memory a moment later.
    await eventually(async () => expect((await scrape(allowed)).code).toBe(200));
    expect((await scrape(allowed)).text).toContain('keyward_build_info');
    for (const [token, code] of [
      [undefined, 401],
      ['no-token', 401],
      [refused, 403],
    ] as const) {
      const answer = await scrape(token);
      expect(answer.code).toBe(code);
      expect(answer.text).not.toContain('keyward_');
    }
    expect((await site.operator.ask('/livez')).code).toBe(200);
    expect(JSON.stringify(site.operator.log)).not.toContain(allowed.slice(-40));
  });
});
