/** What the chart gives Prometheus and Grafana. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openHelm, type Helm } from '../../control-plane/helm.ts';
import { findPromtool, promtool } from '../../control-plane/promtool.ts';
import {
  CHART,
  FULLNAME,
  NAMESPACE,
  objectsOf,
  render,
  template,
  type Rendered,
} from '../support/chart.ts';
import { readRules, type Rules } from './monitoring/rules.ts';

const FIRST_BUILD_MS = 30 * 60_000;
const POSTGRESQL = ['database.type=PostgreSQL', 'database.postgresql.existingSecret=db'];
const DELEGATED = 'metrics.auth=Delegated';

let helm: Helm;
let end = (): Promise<void> => Promise.resolve();
beforeAll(async () => {
  const opened = await openHelm();
  helm = opened.helm;
  end = () => opened.close();
}, FIRST_BUILD_MS);
afterAll(() => end());

async function objects(kind: string, ...values: readonly string[]): Promise<readonly Rendered[]> {
  const all = objectsOf(await render(helm, ['crds.install=false', ...values]));
  return all.filter((each) => each.kind === kind);
}

async function only(kind: string, ...values: readonly string[]): Promise<Rendered> {
  const [object, ...others] = await objects(kind, ...values);
  expect(others).toEqual([]);
  if (object === undefined) throw new Error(`no ${kind} was rendered`);
  return object;
}

test('nothing of it is there by default: a cluster need not know these kinds', async () => {
  const all = objectsOf(await render(helm, []));
  const kinds = all.map(({ kind }) => kind);
  for (const kind of ['ServiceMonitor', 'PodMonitor', 'PrometheusRule', 'ConfigMap']) {
    expect(kinds).not.toContain(kind);
  }
});

describe('monitors', () => {
  type Endpoint = {
    readonly port: string;
    readonly honorLabels: boolean;
    readonly bearerTokenFile?: string;
  };
  const endpointsOf = ({ spec }: Rendered): readonly Endpoint[] => {
    const { endpoints, podMetricsEndpoints } = spec as Record<string, readonly Endpoint[]>;
    return endpoints ?? podMetricsEndpoints ?? [];
  };

  test.each([[[]], [POSTGRESQL]])(
    'collect from operator and gate, labels as they are: %j',
    async (more) => {
      for (const kind of ['ServiceMonitor', 'PodMonitor'] as const) {
        const value = `${kind.charAt(0).toLowerCase()}${kind.slice(1)}.enabled=true`;
        // One rendering after the other: the machine may be busy.
        // oxlint-disable-next-line no-await-in-loop
        const monitor = await only(kind, value, ...more);
        expect(monitor.metadata.namespace).toBe(NAMESPACE);
        const endpoints = endpointsOf(monitor);
        expect(endpoints.map(({ port }) => port)).toEqual(['metrics', 'gate-metrics']);
        expect(endpoints.every(({ honorLabels }) => honorLabels)).toBe(true);
        expect(JSON.stringify(monitor)).not.toContain('earer');
      }
    },
  );

  test('find Services that have each of their ports', async () => {
    for (const more of [[], POSTGRESQL]) {
      // oxlint-disable-next-line no-await-in-loop
      const services = await objects('Service', ...more);
      const ports = services
        .filter(({ metadata }) => metadata.labels?.['keyward.dev/metrics'] === 'true')
        .flatMap(({ spec }) => (spec as { ports: readonly { name: string }[] }).ports)
        .map(({ name }) => name);
      expect(ports.toSorted()).toEqual(['gate-metrics', 'metrics']);
    }
  });

  test('leave the gate out where there is none', async () => {
    const monitor = await only(
      'ServiceMonitor',
      'serviceMonitor.enabled=true',
      'gate.enabled=false',
    );
    expect(endpointsOf(monitor).map(({ port }) => port)).toEqual(['metrics']);
  });

  test('send a token to the operator alone, and only where it asks for one', async () => {
    const monitor = await only('ServiceMonitor', 'serviceMonitor.enabled=true', DELEGATED);
    expect(
      endpointsOf(monitor).map(({ bearerTokenFile }) => bearerTokenFile !== undefined),
    ).toEqual([true, false]);
    const answer = await template(helm, ['podMonitor.enabled=true', DELEGATED]);
    expect(answer.stderr).toContain('podMonitor.authorization');
    const pods = await only(
      'PodMonitor',
      'podMonitor.enabled=true',
      DELEGATED,
      'podMonitor.authorization.credentials.name=token',
      'podMonitor.authorization.credentials.key=token',
    );
    expect(JSON.stringify(pods)).toContain('"credentials":{"key":"token","name":"token"}');
  });
});

describe('alerts', () => {
  const groupsOf = ({ spec }: Rendered): Rules['groups'] => (spec as Rules).groups;

  test('are those of the file, word for word, and Prometheus can read them', async () => {
    const rule = await only('PrometheusRule', 'prometheusRule.enabled=true');
    expect(groupsOf(rule)).toEqual(readRules().groups);
    const program = await findPromtool();
    if (program === undefined)
      throw new Error('promtool is missing: it needs Debian and a network');
    const folder = mkdtempSync(join(tmpdir(), 'keyward-rendered-'));
    const file = join(folder, 'rules.yaml');
    writeFileSync(file, stringify({ groups: groupsOf(rule) }));
    const { text } = await promtool(program, 'check', 'rules', file);
    rmSync(folder, { recursive: true });
    expect(text).toContain('SUCCESS');
  });

  test('are without the gate where there is none, and without those that are switched off', async () => {
    const rule = await only(
      'PrometheusRule',
      'prometheusRule.enabled=true',
      'gate.enabled=false',
      'prometheusRule.disabledAlerts={KeywardDatabaseDown,KeywardKeyNotReady}',
    );
    const names = groupsOf(rule).flatMap(({ rules }) => rules.map(({ alert }) => alert));
    expect(names).toContain('KeywardStoreDown');
    for (const alert of ['KeywardGateAbsent', 'KeywardDatabaseDown', 'KeywardKeyNotReady']) {
      expect(names).not.toContain(alert);
    }
    expect(groupsOf(rule).every(({ rules }) => rules.length > 0)).toBe(true);
  });

  test('cannot be switched off by a name that none has', async () => {
    const { stderr } = await template(helm, [
      'prometheusRule.enabled=true',
      'prometheusRule.disabledAlerts={KeywardTypo}',
    ]);
    expect(stderr).toContain('there is no alert of that name');
  });

  test('link to their section of the runbook where somebody says where it is', async () => {
    const rule = await only(
      'PrometheusRule',
      'prometheusRule.enabled=true',
      'prometheusRule.runbookBaseURL=https://docs.example.com/runbook',
    );
    const [first] = groupsOf(rule)[0]?.rules ?? [];
    expect(first?.annotations).toMatchObject({
      runbook_url: 'https://docs.example.com/runbook#keywardoperatorabsent',
    });
  });
});

test('dashboards reach Grafana byte for byte', async () => {
  const map = await only(
    'ConfigMap',
    'grafanaDashboard.enabled=true',
    'grafanaDashboard.annotations.grafana_folder=Keyward',
  );
  expect(map.metadata.labels?.['grafana_dashboard']).toBe('1');
  expect(map.metadata.annotations).toEqual({ grafana_folder: 'Keyward' });
  expect(map.metadata.name).toBe(`${FULLNAME}-dashboards`);
  const data = map['data'] as Readonly<Record<string, string>>;
  for (const name of ['overview', 'gate-and-stores']) {
    const file = readFileSync(join(CHART, 'files', 'dashboards', `${name}.json`), 'utf8');
    expect(JSON.parse(data[`keyward-${name}.json`] ?? '')).toEqual(JSON.parse(file));
  }
});

describe('readiness', () => {
  type Container = { name: string; readinessProbe: { httpGet: { path: string } } };
  const paths = async (...values: readonly string[]): Promise<Record<string, string>> => {
    const all = objectsOf(await render(helm, ['crds.install=false', ...values]));
    const pods = all.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
    const containers = pods.flatMap(
      ({ spec }) =>
        (spec as { template: { spec: { containers: readonly Container[] } } }).template.spec
          .containers,
    );
    return Object.fromEntries(
      containers.map((each) => [each.name, each.readinessProbe.httpGet.path]),
    );
  };

  test('keeps the only gate in its Service, whatever its database does', async () => {
    expect(await paths()).toEqual({
      operator: '/readyz?exclude=database',
      gate: '/readyz?exclude=view',
    });
  });

  test('asks for everything where others can answer', async () => {
    expect(await paths(...POSTGRESQL)).toEqual({ operator: '/readyz', gate: '/readyz' });
  });
});
