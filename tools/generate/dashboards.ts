/** Writes the Grafana dashboards of the chart: panels in rows of a grid, laid out from left to right. */

/** What a panel shows. Units are Grafana's. */
type Panel = {
  readonly title: string;
  readonly description: string;
  readonly kind: 'stat' | 'timeseries' | 'table' | 'heatmap';
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  /** Query and legend of each line. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
  /** Red from here on; absent: never. */
  readonly redFrom?: number;
};

type Row = { readonly title: string; readonly panels: readonly Panel[] };

/** A dashboard as it is written here. */
type Plan = { readonly uid: string; readonly title: string; readonly rows: readonly Row[] };

const ROW_HEIGHT = 1;
const PANEL_HEIGHT = 7;
const STAT_HEIGHT = 4;
const OURS = 'api(key|client|product).*|(cluster)?keystore';
const RED = 'red';

function stat(title: string, description: string, expr: string, redFrom?: number): Panel {
  const red = redFrom === undefined ? {} : { redFrom };
  return {
    title,
    description,
    kind: 'stat',
    unit: 'short',
    width: 4,
    queries: [[expr, '']],
    ...red,
  };
}

function graph(
  title: string,
  about: { readonly description: string; readonly unit?: string; readonly width?: number },
  ...queries: Panel['queries']
): Panel {
  const { description, unit = 'short', width = 8 } = about;
  return { title, description, kind: 'timeseries', unit, width, queries };
}

function table(title: string, description: string, ...queries: Panel['queries']): Panel {
  return { title, description, kind: 'table', unit: 'dateTimeAsIso', width: 12, queries };
}

const quantile = (share: number, metric: string, by: string): string =>
  `histogram_quantile(${share}, sum by (${[by, 'le'].filter((each) => each !== '').join(', ')}) (rate(${metric}[$__rate_interval])))`;

/** Keys whose end is nearer than so many days. */
const endingWithin = (days: number): string =>
  `count(max by (namespace, name) (keyward_key_expiration_timestamp_seconds{namespace=~"$namespace"}) - time() < ${days} * 86400 and on (namespace, name) max by (namespace, name) (keyward_key_ready_status{condition="True"}) == 1) or vector(0)`;

const OVERVIEW: Plan = {
  uid: 'keyward-overview',
  title: 'Keyward / Overview',
  rows: [
    {
      title: 'Keys',
      panels: [
        stat('Active', 'Keys whose values work.', 'sum(keyward_keys{state="Active"})'),
        stat(
          'Not Ready',
          'Whatever the reason, also those that wait for a person.',
          'count(max by (namespace, name) (keyward_key_ready_status{namespace=~"$namespace", condition!="True"}) == 1) or vector(0)',
          1,
        ),
        stat('End within 30 days', 'Working keys.', endingWithin(30)),
        stat('End within 7 days', 'Working keys.', endingWithin(7), 1),
        stat('End within a day', 'Working keys.', endingWithin(1), 1),
        stat(
          'Old values in use',
          'Rotations whose overlap is over, while the old values still work.',
          'count(time() - max by (namespace, name) (keyward_key_previous_retire_timestamp_seconds{namespace=~"$namespace"}) > 0) or vector(0)',
          1,
        ),
        graph('Keys by state', { description: 'Of all stores.', width: 12 }, [
          'sum by (state) (keyward_keys)',
          '{{state}}',
        ]),
        graph(
          'Issued, rotated, ended',
          { description: 'In the last hour.', width: 12 },
          ['sum by (basis) (increase(keyward_issued_total[1h]))', 'issued: {{basis}}'],
          ['sum by (trigger) (increase(keyward_rotations_total[1h]))', 'rotated: {{trigger}}'],
          ['sum by (cause) (increase(keyward_revocations_total[1h]))', 'ended: {{cause}}'],
        ),
        table('Ending first', 'The twenty keys that end first.', [
          'bottomk(20, max by (namespace, name) (keyward_key_expiration_timestamp_seconds{namespace=~"$namespace"}) * 1000)',
          '',
        ]),
        table('Not Ready', 'With the reason of condition Ready.', [
          'max by (namespace, name, reason, store) (keyward_key_info{namespace=~"$namespace"}) and on (namespace, name) max by (namespace, name) (keyward_key_ready_status{condition!="True"}) == 1',
          '',
        ]),
      ],
    },
    {
      title: 'Applications',
      panels: [
        graph('Forms by state', { description: 'State of the newest round.' }, [
          'sum by (state) (keyward_applications)',
          '{{state}}',
        ]),
        graph(
          'Waiting longest',
          { description: 'Age of the form that waits longest, by store.', unit: 's' },
          [
            'time() - max by (store) (keyward_application_oldest_pending_timestamp_seconds)',
            '{{store}}',
          ],
        ),
        graph(
          'Time to a decision',
          { description: 'Of the forms that were decided in the last day.', unit: 's' },
          [
            'histogram_quantile(0.5, sum by (le) (increase(keyward_application_decision_seconds_bucket[1d])))',
            'median',
          ],
          [
            'histogram_quantile(0.9, sum by (le) (increase(keyward_application_decision_seconds_bucket[1d])))',
            'nine of ten',
          ],
        ),
        graph('Reviews', { description: 'Counted and refused, in the last day.', width: 12 }, [
          'sum by (decision, reason) (increase(keyward_reviews_judged_total[1d]))',
          '{{decision}}: {{reason}}',
        ]),
        graph(
          'Notices',
          { description: 'Deliveries to the webhook, in the last hour.', width: 12 },
          ['sum by (result) (increase(keyward_notice_deliveries_total[1h]))', '{{result}}'],
        ),
      ],
    },
    {
      title: 'Operator',
      panels: [
        graph('Leader', { description: 'One line at 1 is right.' }, [
          'max by (pod) (leader_election_master_status{name="keyward-operator"})',
          '{{pod}}',
        ]),
        graph('Passes', { description: 'Reconciles a second by result.', unit: 'ops' }, [
          `sum by (controller, result) (rate(controller_runtime_reconcile_total{controller=~"${OURS}"}[$__rate_interval]))`,
          '{{controller}}: {{result}}',
        ]),
        graph('Time of a pass', { description: '99 of 100 are faster.', unit: 's' }, [
          quantile(
            0.99,
            `controller_runtime_reconcile_time_seconds_bucket{controller=~"${OURS}"}`,
            'controller',
          ),
          '{{controller}}',
        ]),
        graph('Queue', { description: 'Objects that wait.' }, [
          `sum by (name) (workqueue_depth{name=~"${OURS}"})`,
          '{{name}}',
        ]),
        graph('Calls to the API server', { description: 'By answer.', unit: 'reqps' }, [
          'sum by (code, method) (rate(rest_client_requests_total{pod=~"$pod"}[$__rate_interval]))',
          '{{method}} {{code}}',
        ]),
        graph('Secrets written', { description: 'By result.', unit: 'ops' }, [
          'sum by (result) (rate(keyward_secret_writes_total[$__rate_interval]))',
          '{{result}}',
        ]),
        graph('Memory', { description: 'Resident.', unit: 'bytes' }, [
          'process_resident_memory_bytes and on (pod, instance) keyward_build_info',
          '{{pod}}',
        ]),
        graph('Processor', { description: 'Cores in use.', unit: 'none' }, [
          'rate(process_cpu_seconds_total[$__rate_interval]) and on (pod, instance) keyward_build_info',
          '{{pod}}',
        ]),
        graph('Event loop', { description: 'How late timers are; 99 of 100.', unit: 's' }, [
          'nodejs_eventloop_lag_p99_seconds and on (pod, instance) keyward_build_info',
          '{{pod}}',
        ]),
      ],
    },
  ],
};

const REFUSED = 'keyward_gate_verifications_total{result="refused"}';

const GATE: Plan = {
  uid: 'keyward-gate-stores',
  title: 'Keyward / Gate and stores',
  rows: [
    {
      title: 'Gate',
      panels: [
        graph('Calls', { description: 'Decisions a second.', unit: 'reqps' }, [
          'sum by (result) (rate(keyward_gate_verifications_total[$__rate_interval]))',
          '{{result}}',
        ]),
        graph('Refusals by cause', { description: 'The answer tells less.', unit: 'reqps' }, [
          `topk(10, sum by (cause) (rate(${REFUSED}[$__rate_interval])) > 0)`,
          '{{cause}}',
        ]),
        graph(
          'Refused because nobody knew',
          { description: 'Share of all calls; callers get 503.', unit: 'percentunit' },
          [
            'sum(rate(keyward_gate_verifications_total{cause=~"StateUnknown|QuotaUnknown|ReplayUnknown"}[$__rate_interval])) / sum(rate(keyward_gate_verifications_total[$__rate_interval]))',
            'share',
          ],
        ),
        graph(
          'Time of a decision',
          { description: 'Without the wire.', unit: 's' },
          [quantile(0.5, 'keyward_gate_decision_seconds_bucket', ''), 'median'],
          [quantile(0.99, 'keyward_gate_decision_seconds_bucket', ''), '99 of 100'],
        ),
        graph(
          'Age of what gates know',
          { description: 'At the limit everything is refused.', unit: 's' },
          ['max by (pod) (keyward_gate_view_age_seconds)', '{{pod}}'],
          ['max(keyward_gate_view_age_limit_seconds)', 'limit'],
        ),
        graph('Records in memory', { description: 'Share of hits.', unit: 'percentunit' }, [
          'sum(rate(keyward_gate_cache_hits_total[$__rate_interval])) / (sum(rate(keyward_gate_cache_hits_total[$__rate_interval])) + sum(rate(keyward_gate_cache_misses_total[$__rate_interval])))',
          'hits',
        ]),
        graph(
          'Quotas',
          { description: 'Quotas in use, and uses that are reserved and not spent.' },
          ['sum(keyward_gate_quota_counts)', 'quotas'],
          ['sum(keyward_gate_quota_reserved)', 'reserved uses'],
        ),
        graph(
          'Connections',
          { description: 'Open ones.' },
          ['sum by (pod) (keyward_gate_http_connections)', 'HTTP {{pod}}'],
          ['sum by (pod) (keyward_gate_grpc_connections)', 'gRPC {{pod}}'],
        ),
        graph(
          'No decision',
          { description: 'Requests and calls that were turned away before one.', unit: 'reqps' },
          [
            'sum by (kind) (rate(keyward_gate_http_bad_requests_total[$__rate_interval]))',
            'HTTP {{kind}}',
          ],
          [
            'sum by (reason) (rate(keyward_gate_grpc_failures_total[$__rate_interval]))',
            'gRPC {{reason}}',
          ],
        ),
      ],
    },
    {
      title: 'Database',
      panels: [
        graph('Up', { description: '0: frozen, full or away.' }, [
          'min by (pod) (keyward_database_up)',
          '{{pod}}',
        ]),
        graph(
          'Commits',
          { description: 'Seconds that one takes.', unit: 's' },
          [quantile(0.5, 'keyward_database_commit_seconds_bucket', ''), 'median'],
          [quantile(0.99, 'keyward_database_commit_seconds_bucket', ''), '99 of 100'],
        ),
        graph(
          'Size',
          { description: 'SQLite with its log; PostgreSQL tells itself.', unit: 'bytes' },
          ['max(keyward_database_size_bytes)', 'size'],
        ),
        graph(
          'Failures',
          { description: 'Calls that the database did not answer.', width: 12, unit: 'ops' },
          [
            'sum by (reason) (rate(keyward_database_failures_total[$__rate_interval]))',
            'operator: {{reason}}',
          ],
          [
            'sum by (reason) (rate(keyward_gate_database_failures_total[$__rate_interval]))',
            'gate: {{reason}}',
          ],
        ),
        graph('Commits a second', { description: 'Of the operator.', width: 12, unit: 'ops' }, [
          'sum(rate(keyward_database_commit_seconds_count[$__rate_interval]))',
          'commits',
        ]),
      ],
    },
    {
      title: 'Stores',
      panels: [
        table('Stores', 'With the reason of condition Ready; the value means nothing.', [
          'max by (kind, namespace, name, type, reason) (keyward_store_info)',
          '',
        ]),
        graph('Stores that are down', { description: 'Not Ready.', width: 12 }, [
          'sum by (kind, namespace, name) (keyward_store_up == bool 0) > 0',
          '{{kind}} {{namespace}}/{{name}}',
        ]),
        graph('Calls at vendors', { description: 'By operation and result.', unit: 'ops' }, [
          'sum by (type, operation, result) (rate(keyward_store_operation_seconds_count[$__rate_interval]))',
          '{{type}} {{operation}}: {{result}}',
        ]),
        graph('Time of a call', { description: '99 of 100 are faster.', unit: 's' }, [
          quantile(0.99, 'keyward_store_operation_seconds_bucket', 'type'),
          '{{type}}',
        ]),
        graph(
          'To be ended',
          { description: 'Debts: may still work at a vendor. Orphans: belong to no key.' },
          ['max(keyward_debts)', 'debts'],
          ['sum by (type) (keyward_store_orphans)', 'orphans: {{type}}'],
        ),
      ],
    },
  ],
};

/** Path below the repository and text of each dashboard, deterministic. */
export function dashboards(): ReadonlyMap<string, string> {
  const files = new Map([
    ['overview', OVERVIEW],
    ['gate-and-stores', GATE],
  ]);
  return new Map(
    [...files].map(([name, plan]) => [
      `charts/keyward/files/dashboards/${name}.json`,
      `${JSON.stringify(dashboard(plan), undefined, 2)}\n`,
    ]),
  );
}

function dashboard({ uid, title, rows }: Plan) {
  return {
    uid,
    title,
    tags: ['keyward'],
    schemaVersion: 39,
    editable: true,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        variable('namespace', 'Namespace of keys', 'label_values(keyward_key_info, namespace)'),
        variable('pod', 'Pod', 'label_values(keyward_build_info, pod)'),
      ],
    },
    panels: laidOut(rows),
  };
}

function variable(name: string, label: string, query: string) {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

function laidOut(rows: readonly Row[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  let id = 0;
  for (const row of rows) {
    id += 1;
    const place = { x: 0, y, w: 24, h: ROW_HEIGHT };
    panels.push({
      id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: place,
      panels: [],
    });
    y += ROW_HEIGHT;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const h = panel.kind === 'stat' ? STAT_HEIGHT : PANEL_HEIGHT;
      if (x + panel.width > 24) {
        y += height;
        x = 0;
        height = 0;
      }
      id += 1;
      panels.push(panelJson(panel, { id, gridPos: { x, y, w: panel.width, h } }));
      x += panel.width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

function panelJson(panel: Panel, placed: { readonly id: number; readonly gridPos: object }) {
  const { title, description, kind, unit, queries, redFrom } = panel;
  const red = redFrom === undefined ? [] : [{ color: RED, value: redFrom }];
  const isTable = kind === 'table';
  return {
    ...placed,
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit: isTable && title !== 'Ending first' ? 'short' : unit,
        thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }, ...red] },
      },
      overrides: [],
    },
    targets: queries.map(([expr, legendFormat], at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      ...(isTable ? { format: 'table', instant: true } : {}),
    })),
    ...(isTable
      ? { transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }] }
      : {}),
  };
}
