/** The two runs of a round: the bare client, which gives W, and the operator. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runBare, startWatching, type Spread, type Watching } from './bare.ts';
import { bareFlags, startOn, type Cluster } from './cluster.ts';
import { difference, keyWrites, liveReads, writesBesideLeases } from './counters.ts';
import { startOperator, type Operator, type Program } from './operator.ts';
import { cpuSeconds, memory, type Memory } from './processes.ts';
import type { Sample } from './sample.ts';

/** What all runs of one size share. */
export type Bench = {
  readonly bare: string;
  readonly program: Program;
  readonly sample: Sample;
  /** Data folder with the keys in it, and the loader's list of them. */
  readonly loaded: string;
  readonly keysFile: string;
  readonly keys: number;
  /** Folder for this run's files. */
  readonly workDir: string;
};

/** Rates in keys per second, processor time in milliseconds per key. */
export type Pace = {
  /** From the start of the process to the last key Ready. */
  readonly fromStartRate: number;
  /** From the first key Ready to the last, as the same watcher saw them. */
  readonly steadyRate: number;
  readonly cpuMs: number;
  readonly serverCpuMs: number;
};

/** What the API server takes from a client that does nothing but the two writes. */
export type BareRun = Pace & {
  readonly pairMs: Spread;
  readonly watcherCpuMs: number;
  /** Of the Secret and of the status, as sent. */
  readonly bodyBytes: readonly number[];
};

/** What a restart with unchanged keys costs. */
export type Restart = {
  readonly readySeconds: number;
  readonly lookedAtSeconds: number;
  readonly cpuSeconds: number;
  readonly writes: number;
  readonly reads: number;
  readonly memory: Memory;
  readonly requests: Readonly<Record<string, number>>;
};

/** What the operator did with keys that were there before it. */
export type OperatorRun = Pace & {
  readonly ready: number;
  readonly writesPerKey: number;
  readonly liveReads: number;
  readonly requests: Readonly<Record<string, number>>;
  readonly memory: Memory;
  readonly restart: Restart;
};

const WARM_UP_PAIRS = 300;
const QUIET_MS = 3_000;
const WORKERS = 32;
/** Query of every write: fieldManager as the operator's, because it is written into every object. */
export const QUERY = '?fieldManager=keyward';

/** Gives W: starts a control plane on the loaded data, warms it up, issues all keys bare. */
export async function bareRun(bench: Bench): Promise<BareRun> {
  return withCluster(bench, 'w', async (cluster) => {
    const watching = await watch(bench, cluster);
    const serverBefore = await serverCpu(cluster);
    const answer = await pairs<PairAnswer>(bench, cluster, {});
    const seen = await watching.seen;
    const serverSeconds = (await serverCpu(cluster)) - serverBefore;
    return {
      fromStartRate: answer.pairs / answer.seconds,
      steadyRate: steadyRate(seen),
      cpuMs: perKey(bench, answer.cpuSeconds),
      serverCpuMs: perKey(bench, serverSeconds),
      pairMs: answer.pairMs,
      bodyBytes: answer.bodyBytes,
      watcherCpuMs: perKey(bench, seen.cpuSeconds),
    };
  });
}

/** Measures the operator, then its restart; `further` may go on with the same cluster. */
export async function operatorRun(
  bench: Bench,
  further: (cluster: Cluster, operator: Operator, run: OperatorRun) => Promise<void>,
): Promise<OperatorRun> {
  return withCluster(bench, 'operator', async (cluster) => {
    const watching = await watch(bench, cluster);
    const before = await cluster.requests();
    const serverBefore = await serverCpu(cluster);
    const first = await startOperator(cluster, bench.program, 'operator');
    const issued = await issueAll(bench, cluster, { watching, operator: first });
    await first.stop();
    const requests = difference(before, issued.after);
    const again = await restart(bench, cluster);
    const run: OperatorRun = {
      ...issued.figures,
      serverCpuMs: perKey(bench, issued.serverSeconds - serverBefore),
      writesPerKey: keyWrites(requests) / bench.keys,
      liveReads: liveReads(requests),
      requests: Object.fromEntries(requests),
      restart: again.figures,
    };
    try {
      await further(cluster, again.operator, run);
    } finally {
      await again.operator.stop();
    }
    return run;
  });
}

type PairAnswer = {
  readonly pairs: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly pairMs: Spread;
  readonly bodyBytes: readonly number[];
};

async function withCluster<Result>(
  bench: Bench,
  name: string,
  work: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const cluster = await startOn(bench.loaded, join(bench.workDir, name));
  try {
    // A server that has just started is slower than one that has worked; both kinds of run skip that.
    await pairs(bench, cluster, { 'dry-run': true, count: Math.min(bench.keys, WARM_UP_PAIRS) });
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

function pairs<Answer>(
  bench: Bench,
  cluster: Cluster,
  more: Readonly<Record<string, number | boolean>>,
): Promise<Answer> {
  return runBare<Answer>(bench.bare, 'pair', {
    ...bareFlags(cluster),
    token: cluster.tokens.bare,
    keys: bench.keysFile,
    secret: bench.sample.secretFile,
    status: bench.sample.statusFile,
    query: QUERY,
    workers: WORKERS,
    ...more,
  });
}

function watch(bench: Bench, cluster: Cluster): Promise<Watching> {
  return startWatching(bench.bare, {
    ...bareFlags(cluster),
    token: cluster.tokens.loader,
    count: bench.keys,
    seconds: 60 + bench.keys / 25,
  });
}

type Issuing = { readonly watching: Watching; readonly operator: Operator };

async function issueAll(bench: Bench, cluster: Cluster, { watching, operator }: Issuing) {
  // An operator that fails to start must not be waited for.
  await operator.untilReady().catch((err: unknown) => {
    watching.giveUp();
    throw err;
  });
  const seen = await watching.seen;
  const cpu = await cpuSeconds(operator.pid);
  const serverSeconds = await serverCpu(cluster);
  await pause(QUIET_MS);
  const lastMs = seen.lastMs ?? Number.NaN;
  return {
    serverSeconds,
    after: await cluster.requests(),
    figures: {
      ready: seen.ready,
      fromStartRate: seen.ready / ((lastMs - operator.spawnedMs) / 1_000),
      steadyRate: steadyRate(seen),
      cpuMs: perKey(bench, cpu),
      memory: await memory(operator.pid),
    },
  };
}

/**
 * The store's own count of keys is written at most once a minute, so a first start writes what the
 * run before it still owed; the second one is the restart with nothing changed.
 */
async function restart(bench: Bench, cluster: Cluster) {
  const settling = await startOperator(cluster, bench.program, 'operator');
  try {
    await settling.untilLookedAt(bench.keys);
    await pause(QUIET_MS);
  } finally {
    await settling.stop();
  }
  const before = await cluster.requests();
  const operator = await startOperator(cluster, bench.program, 'operator');
  try {
    const readySeconds = await operator.untilReady();
    const lookedAtSeconds = await operator.untilLookedAt(bench.keys);
    const cpu = await cpuSeconds(operator.pid);
    await pause(QUIET_MS);
    const requests = difference(before, await cluster.requests());
    const figures: Restart = {
      readySeconds,
      lookedAtSeconds,
      cpuSeconds: cpu,
      writes: writesBesideLeases(requests),
      reads: liveReads(requests),
      memory: await memory(operator.pid),
      requests: Object.fromEntries(requests),
    };
    return { operator, figures };
  } catch (err) {
    await operator.stop();
    throw err;
  }
}

function steadyRate(seen: { ready: number; firstMs?: number; lastMs?: number }): number {
  const { ready, firstMs = Number.NaN, lastMs = Number.NaN } = seen;
  return (ready - 1) / ((lastMs - firstMs) / 1_000);
}

function perKey(bench: Bench, seconds: number): number {
  return (seconds * 1_000) / bench.keys;
}

function serverCpu(cluster: Cluster): Promise<number> {
  return cpuSeconds(cluster.apiserver.pid ?? 0);
}
