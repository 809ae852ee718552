/**
 * `npm run bench`: how much of what the API server can take the operator makes use of, and what it
 * costs. Ratios against a bare client in the same round; only counts decide the exit code.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ETCD_VERSION, KUBERNETES_VERSION, reportToStderr } from '../control-plane/binaries.ts';
import { type Postgres, startPostgres } from '../control-plane/postgres.ts';
import { startWatchdog } from '../control-plane/watchdog.ts';
import { arriveAtBare, arriveAtOperator, idle } from './afterwards.ts';
import { buildBare, runBare } from './bare.ts';
import { bareFlags, NAMESPACES, prepareBase, startOn, type Cluster } from './cluster.ts';
import { readOrExplain } from '../tools/flags.ts';
import { parseFlags, USAGE, type BenchOptions } from './flags.ts';
import type { Operator } from './operator.ts';
import { bundleIn, type Entry } from './program.ts';
import { bareRun, operatorRun, type Bench, type OperatorRun } from './runs.ts';
import { takeSample } from './sample.ts';
import { caution, summarize, table, violations, type Round, type Series } from './summary.ts';

const ROOT = join(import.meta.dirname, '..');
const report = (line: string): void =>
  reportToStderr(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${line}`);

const [what, ...rest] = process.argv.slice(2);
if (what === 'gate') {
  const { benchGate } = await import('./gate/main.ts');
  process.exitCode = await benchGate(rest);
} else {
  const options = readOrExplain(USAGE, () => parseFlags(process.argv.slice(2)));
  if (options === 'help') console.log(USAGE);
  else process.exitCode = await bench(options);
}

async function bench(asked: BenchOptions): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'keyward-bench-'));
  const watchdog = startWatchdog(root);
  let postgres: Postgres | undefined;
  try {
    if (asked.database === 'postgres') postgres = await startPostgres({ durable: true });
    const program = {
      ...(await programOf(asked, root)),
      watchdog,
      ...(postgres === undefined ? {} : { postgres }),
    };
    const bare = await buildBare();
    report('making a control plane with Keyward and no keys');
    const base = await prepareBase(root);
    report('issuing one key, to learn the size of its writes');
    const sample = await takeSample(base, root, program);
    const all: Series[] = [];
    for (const keys of asked.sizes) {
      const loaded = await load(base, { root, bare, keys });
      const run = { bare, program, sample, keys, ...loaded, workDir: join(root, 'run') };
      const series = await measure(run, asked);
      all.push(series);
      console.log(
        `\n${keys} keys, rounds: ${series.rounds.length}\n${table(summarize(series, sample))}`,
      );
      const doubt = caution(series);
      if (doubt !== undefined) console.log(doubt);
      await rm(loaded.loaded, { recursive: true, force: true });
    }
    await writeJson(asked, { environment: environment(), options: asked, sample, series: all });
    const wrong = all.flatMap(violations);
    console.log(wrong.length === 0 ? '\nall counts are right' : `\n${wrong.join('\n')}`);
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await watchdog.release();
    await postgres?.stop();
  }
}

/** A bundle of its own: another build must not change the program in the middle of a bench. */
async function programOf({ entry, nodeFlags }: BenchOptions, root: string): Promise<Entry> {
  if (entry !== undefined) return { entry: resolve(entry), nodeFlags, env: {} };
  report('building the bundle');
  const bundle = await bundleIn(root);
  return { ...bundle, nodeFlags: [...bundle.nodeFlags, ...nodeFlags] };
}

type Load = { readonly root: string; readonly bare: string; readonly keys: number };

/** Creates the keys once; all runs of this size begin with copies of the result. */
async function load(
  base: string,
  { root, bare, keys }: Load,
): Promise<Pick<Bench, 'loaded' | 'keysFile'>> {
  report(`creating ${keys} ApiKeys`);
  const loaded = join(root, 'loaded');
  const keysFile = join(root, `keys-${keys}`);
  const cluster = await startOn(base, loaded);
  try {
    await runBare(bare, 'load', {
      ...bareFlags(cluster),
      token: cluster.tokens.loader,
      namespaces: NAMESPACES.load.join(','),
      count: keys,
      keys: keysFile,
    });
  } finally {
    await cluster.stop();
  }
  return { loaded, keysFile };
}

async function measure(run: Bench, asked: BenchOptions): Promise<Series> {
  const rounds: Round[] = [];
  const later: Later = {};
  let isOver = false;
  for (let number = 1; !isOver; number += 1) {
    const isLast = number === asked.rounds;
    const startedMs = performance.now();
    report(`${run.keys} keys, round ${number} of ${asked.rounds}: bare client`);
    const bare = await bareRun(run);
    report(`${run.keys} keys, round ${number} of ${asked.rounds}: operator`);
    const operator = await operatorRun(run, async (cluster, running, figures) => {
      const tookMs = performance.now() - startedMs;
      const isLate = performance.now() + tookMs > asked.budgetSeconds * 1_000;
      if (isLate && !isLast) report('no time for another round');
      isOver = isLast || isLate;
      if (!isOver || run.keys !== asked.sizes.at(-1)) return;
      Object.assign(later, await lookFurther(run, asked, { cluster, running, figures }));
    });
    rounds.push({ bare, operator });
    await rm(run.workDir, { recursive: true, force: true });
  }
  return { keys: run.keys, rounds, ...later };
}

type Later = Pick<Series, 'idle' | 'arriveAtOperator' | 'arriveAtBare'>;
type Live = {
  readonly cluster: Cluster;
  readonly running: Operator;
  readonly figures: OperatorRun;
};

/** With all keys issued: nothing to do, then half load, then the same half load without it. */
async function lookFurther(run: Bench, asked: BenchOptions, live: Live): Promise<Later> {
  const { cluster, running, figures } = live;
  report(`idle for ${asked.idleSeconds} s`);
  const idling = await idle(cluster, running, asked.idleSeconds);
  const half = { rate: figures.steadyRate / 2, seconds: asked.arriveSeconds };
  report(`half load, ${half.rate.toFixed(0)} keys/s for ${half.seconds} s, twice`);
  const ours = await arriveAtOperator(run, cluster, half);
  await running.stop();
  return {
    idle: idling,
    arriveAtOperator: ours,
    arriveAtBare: await arriveAtBare(run, cluster, half),
  };
}

async function writeJson(asked: BenchOptions, figures: object): Promise<void> {
  const time = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  const file = resolve(asked.jsonFile ?? join(ROOT, 'bench', 'results', `${time}.json`));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(figures, undefined, 2)}\n`);
  report(`figures are in ${file}`);
}

function environment(): object {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT });
  return {
    time: new Date().toISOString(),
    commit: commit.toString().trim(),
    node: process.version,
    kubernetes: KUBERNETES_VERSION,
    etcd: ETCD_VERSION,
    cores: availableParallelism(),
  };
}
