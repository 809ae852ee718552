/**
 * `npm run bench -- gate`: what a verification costs, as a ratio to an nginx that does nothing, and what
 * quotas and revocations do under load. Only counts decide the exit code.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../control-plane/postgres.ts';
import { reportToStderr } from '../../control-plane/binaries.ts';
import { startWatchdog } from '../../control-plane/watchdog.ts';
import { countOf, readOrExplain } from '../../tools/flags.ts';
import { median } from '../figures.ts';
import { prepareDatabase } from './database.ts';
import { measureTiming, type TimingFigures } from './timing.ts';
import { findPrograms, type Rig } from './servers.ts';
import {
  measureQuota,
  measureRevocation,
  type QuotaFigures,
  type RevocationFigures,
} from './trouble.ts';
import {
  type ChainFigures,
  measureChain,
  measureVerify,
  ratio,
  type VerifyFigures,
} from './verify.ts';

const USAGE = `usage: npm run bench -- gate [flags]
  --keys N,N        sizes (1,10000,1000000)
  --rounds N        rounds per size: nginx, bare Node, HTTP, gRPC in turn (3)
  --seconds N       length of one run (5)
  --connections N   kept connections of the load (64)
  --records N       records that the gate keeps (as many as there are keys)
  --revocations N   keys that are revoked under load (200)
  --quota N         limit of the quota that three gates share (10000)
  --timings N       refusals of each kind whose time is compared (1000000)
  --quick           1 and 10000 keys, one round of 2 s, 20 revocations, quota 1000,
                    100000 timings
  --json FILE       where the figures go (bench/results/gate-TIME.json)
  --entry FILE      measure this program instead of a fresh bundle
`;
const ROOT = join(import.meta.dirname, '..', '..');
const LOAD_CORE = '1';
const report = (line: string): void =>
  reportToStderr(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${line}`);

type Figures = {
  readonly verify: readonly VerifyFigures[];
  readonly chain: ChainFigures;
  readonly revocation: RevocationFigures;
  readonly quota: QuotaFigures;
  readonly timing: TimingFigures;
};

/** Runs it; the exit code. */
export async function benchGate(args: readonly string[]): Promise<number> {
  const asked = readOrExplain(USAGE, () => readFlags(args));
  if (asked === 'help') {
    console.log(USAGE);
    return 0;
  }
  const root = await mkdtemp(join(tmpdir(), 'keyward-bench-gate-'));
  const watchdog = startWatchdog(root);
  const postgres = await startPostgres({ durable: true });
  try {
    const rig = await prepareRig(root, asked.entry, watchdog);
    const { options } = asked;
    const verify: VerifyFigures[] = [];
    for (const keys of asked.sizes) {
      const database = await prepareDatabase(keys, report);
      report(`${keys} keys: nginx, HTTP and gRPC in turn`);
      verify.push(await measureVerify(rig, database, keys, options));
    }
    report('the chain of nginx and gate');
    const chain = await measureChain(rig, await prepareDatabase(10_000, report), options);
    report('revocations under load');
    const revocation = await measureRevocation(rig, {
      times: asked.revocations,
      url: postgres.url('schema=revocation'),
    });
    report('a quota that three gates share');
    const quota = await measureQuota(rig, {
      limit: asked.quota,
      url: postgres.url('schema=quota'),
    });
    report('the time of a no');
    const timing = await measureTiming(await prepareDatabase(10_000, report), asked.timings);
    const figures = { verify, chain, revocation, quota, timing };
    await writeJson(asked.json, { environment: environment(), options, ...figures });
    console.log(table(figures));
    return wrongCounts(figures);
  } finally {
    await watchdog.release();
    await postgres.stop();
    await rm(root, { recursive: true, force: true });
  }
}

const QUICK = {
  keys: '1,10000',
  rounds: '1',
  seconds: '2',
  revocations: '20',
  quota: '1000',
  timings: '100000',
};
const OPTIONS = {
  keys: { type: 'string', default: '1,10000,1000000' },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '5' },
  connections: { type: 'string', default: '64' },
  records: { type: 'string' },
  revocations: { type: 'string', default: '200' },
  quota: { type: 'string', default: '10000' },
  timings: { type: 'string', default: '1000000' },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  entry: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** @throws Error with one sentence when a flag is unknown or not a number */
function readFlags(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return 'help';
  const number = (name: 'rounds' | 'seconds' | 'revocations' | 'quota' | 'timings') =>
    countOf(`--${name}`, (values.quick ? QUICK[name] : undefined) ?? values[name]);
  const { records, json, entry } = values;
  return {
    sizes: (values.quick ? QUICK.keys : values.keys)
      .split(',')
      .map((text) => countOf('--keys', text)),
    options: {
      rounds: number('rounds'),
      seconds: number('seconds'),
      connections: countOf('--connections', values.connections),
      records: records === undefined ? undefined : countOf('--records', records),
    },
    revocations: number('revocations'),
    quota: number('quota'),
    timings: number('timings'),
    json,
    entry,
  };
}

async function prepareRig(
  root: string,
  entry: string | undefined,
  watchdog: Rig['watchdog'],
): Promise<Rig> {
  const programs = await findPrograms();
  const pinned = pinSelf();
  if (entry === undefined) {
    report('building the bundle');
    execFileSync(process.execPath, [join(ROOT, 'tools', 'build.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const program = resolve(entry ?? join(ROOT, 'dist', 'keyward.js'));
  const [first = ''] = (await readFile(program, 'utf8')).split('\n', 1);
  const words = first.split(' ');
  const nodeFlags = words.filter((word) => word.startsWith('--'));
  const settings = words.map((word) => /^(\w+)=(.*)$/.exec(word)).filter((found) => found !== null);
  return {
    root,
    watchdog,
    gate: [process.execPath, ...nodeFlags, program],
    gateEnv: Object.fromEntries(settings.map(([, name = '', value = '']) => [name, value])),
    pinned,
    ...programs,
  };
}

/** Load on one core and servers on another, where the machine has two and knows how to say so. */
function pinSelf(): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync('taskset', ['-cp', LOAD_CORE, String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function firstLines({ keys, firstMicros, nginxMicros }: VerifyFigures): [string, string][] {
  if (firstMicros === undefined) return [];
  const times = (firstMicros / median(nginxMicros)).toFixed(1);
  return [
    [
      `${keys} keys: HTTP, the first request of a key, times nginx doing nothing`,
      `${times} (${firstMicros.toFixed(0)} µs)`,
    ],
  ];
}

function table({ verify, chain, revocation, quota, timing }: Figures): string {
  const lags = revocation.lagsMs.toSorted((a, b) => a - b);
  const at = (share: number): string => (lags[Math.ceil(lags.length * share) - 1] ?? 0).toFixed(0);
  const smallest = verify[0];
  const largest = verify.at(-1);
  const rows: [string, string][] = verify.flatMap((series) => [
    [
      `${series.keys} keys: HTTP, times nginx doing nothing`,
      `${ratio(series.httpMicros, series.nginxMicros).toFixed(2)} (${micros(series.httpMicros)} and ${micros(series.nginxMicros)} µs)`,
    ],
    ...firstLines(series),
    [
      `${series.keys} keys: a server of Node that decides nothing, times nginx doing nothing`,
      `${ratio(series.bareMicros, series.nginxMicros).toFixed(2)} (${micros(series.bareMicros)} µs)`,
    ],
    [
      `${series.keys} keys: gRPC, times nginx doing nothing`,
      `${ratio(series.grpcMicros, series.nginxMicros).toFixed(2)} (${micros(series.grpcMicros)} µs)`,
    ],
    [
      `${series.keys} keys: ready after; RSS then, and after all rounds`,
      `${(series.coldStartMs / 1_000).toFixed(1)} s; ${series.readyMiB.toFixed(0)}, ${series.warmMiB.toFixed(0)} MiB`,
    ],
  ]);
  if (smallest !== undefined && largest !== undefined && largest.keys > smallest.keys) {
    const perKey = ((largest.readyMiB - smallest.readyMiB) * 1_048_576) / largest.keys;
    const grown = largest.warmMiB - largest.readyMiB - (smallest.warmMiB - smallest.readyMiB);
    const perRecord = (grown * 1_048_576) / largest.presented;
    rows.push([
      'bytes per key that is known; more, per key that was presented',
      `${perKey.toFixed(0)}; ${perRecord.toFixed(0)}`,
    ]);
  }
  rows.push(
    [
      'nginx with the gate, share of nginx with an answer that is always yes',
      `${(100 * ratio(chain.gateRate, chain.staticRate)).toFixed(0)} % (${median(chain.gateRate).toFixed(0)}/s)`,
    ],
    [
      'revocation to the first no on each of three gates, under load',
      `p50 ${at(0.5)}, p99 ${at(0.99)}, highest ${at(1)} ms (load ${revocation.loadRate.toFixed(0)}/s)`,
    ],
    [
      `quota of ${quota.limit}, three gates, one killed: let in; overshoot`,
      `${quota.letIn} of ${quota.asked}; ${Math.max(0, quota.letIn - quota.limit)}`,
    ],
    [
      'writes for leases per 1000 requests that were let in',
      ((quota.leaseWrites / quota.letIn) * 1_000).toFixed(1),
    ],
  );
  rows.push([
    'time of a no: unknown key, wrong secret; Welch t (apart beyond 4.5)',
    `${timing.unknownNs.toFixed(0)}, ${timing.wrongNs.toFixed(0)} ns; ${timing.t.toFixed(1)}`,
  ]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

function micros(values: readonly number[]): string {
  return median(values).toFixed(1);
}

function wrongCounts({ verify, quota }: Figures): number {
  const refused = verify.reduce((sum, series) => sum + series.refused, 0);
  const isOver = quota.letIn > quota.limit;
  if (refused > 0) console.log(`${refused} honest requests were refused`);
  if (isOver) console.log('the quota was overspent');
  return refused > 0 || isOver ? 1 : 0;
}

async function writeJson(asked: string | undefined, figures: object): Promise<void> {
  const time = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  const file = resolve(asked ?? join(ROOT, 'bench', 'results', `gate-${time}.json`));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(figures, undefined, 2)}\n`);
  report(`figures are in ${file}`);
}

function environment(): object {
  return {
    time: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT }).toString().trim(),
    node: process.version,
    cores: availableParallelism(),
    load: loadavg(),
  };
}
