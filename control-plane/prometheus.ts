/** A real Prometheus that scrapes what a test started and loads rules; gone with the process that started it. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from './ports.ts';
import { findPromtool } from './promtool.ts';
import { startProxy } from './proxy.ts';
import { startWatchdog } from './watchdog.ts';

/** What it watches. */
export type PrometheusOptions = {
  /** HOST:PORT of each process with metrics, by the name of its job. */
  readonly targets: Readonly<Record<string, string>>;
  readonly ruleFile: string;
};

/** A running one. */
export type Prometheus = {
  /** The field `data` of an answer of its API, below `/api/v1/`. @throws Error with its words */
  api(path: string): Promise<unknown>;
  stop(): Promise<void>;
};

/** Scrapes and evaluates every second. @throws Error where its package cannot be had */
export async function startPrometheus({
  targets,
  ruleFile,
}: PrometheusOptions): Promise<Prometheus> {
  const promtool = await findPromtool();
  if (promtool === undefined)
    throw new Error('Prometheus is missing: it needs Debian and a network');
  const folder = await mkdtemp(join(tmpdir(), 'keyward-prometheus-'));
  const watchdog = startWatchdog(folder);
  const config = join(folder, 'prometheus.json');
  // JSON is YAML.
  await writeFile(config, JSON.stringify(configuration(targets, ruleFile)));
  const port = await freePort();
  const server = await startProxy(
    {
      name: 'prometheus',
      path: join(dirname(promtool), 'prometheus'),
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      logFile: join(folder, 'log'),
      env: {},
    },
    { folder, port, watchdog },
  );
  return {
    async api(path) {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
      // The shape of its answers is documented and stable.
      const { status, data, error } = (await response.json()) as Record<string, unknown>;
      if (status !== 'success') throw new Error(`${path}: ${String(error)}`);
      return data;
    },
    stop: () => server.stop(),
  };
}

function configuration(targets: PrometheusOptions['targets'], ruleFile: string): object {
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [ruleFile],
    scrape_configs: Object.entries(targets).map(([job_name, target]) => ({
      job_name,
      honor_labels: true,
      static_configs: [{ targets: [target], labels: { pod: job_name } }],
    })),
  };
}
