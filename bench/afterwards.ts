/** What is looked at once per bench, when the keys are issued: half load, and doing nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { runBare, type Spread } from './bare.ts';
import { bareFlags, NAMESPACES, type Cluster } from './cluster.ts';
import { difference, writesBesideLeases } from './counters.ts';
import type { Operator } from './operator.ts';
import { memory, threadSeconds, type Memory } from './processes.ts';
import { QUERY, type Bench } from './runs.ts';

/** Keys that arrive at a fixed rate; durations in milliseconds. */
export type Arrival = {
  readonly keys: number;
  /** Keys that were not Ready a minute after the last one arrived. */
  readonly missing: number;
  readonly rate: number;
  readonly createMs: Spread;
  /** Bare only: from the answer to the creation to the answer to the second write. */
  readonly pairMs: Spread;
  /** From the answer to the creation to the watcher's sight of Ready. */
  readonly createdToReadyMs: Spread;
  readonly sentToReadyMs: Spread;
};

/** An operator that has nothing to do. */
export type Idle = {
  readonly seconds: number;
  readonly millicores: number;
  readonly writes: number;
  readonly requests: Readonly<Record<string, number>>;
  readonly memory: Memory;
};

/** Keys arrive and the running operator issues them. */
export function arriveAtOperator(
  bench: Bench,
  cluster: Cluster,
  load: { readonly rate: number; readonly seconds: number },
): Promise<Arrival> {
  return runBare<Arrival>(bench.bare, 'arrive', {
    ...bareFlags(cluster),
    ...load,
    token: cluster.tokens.loader,
    namespaces: NAMESPACES.arrive.join(','),
  });
}

/** The same arrivals, issued by the bare program while no operator runs. */
export function arriveAtBare(
  bench: Bench,
  cluster: Cluster,
  load: { readonly rate: number; readonly seconds: number },
): Promise<Arrival> {
  return runBare<Arrival>(bench.bare, 'arrive', {
    ...bareFlags(cluster),
    ...load,
    token: cluster.tokens.loader,
    'pair-token': cluster.tokens.bare,
    secret: bench.sample.secretFile,
    status: bench.sample.statusFile,
    query: QUERY,
    namespaces: NAMESPACES.arriveBare.join(','),
  });
}

/** Looks at the operator for so long while nothing happens. */
export async function idle(cluster: Cluster, operator: Operator, seconds: number): Promise<Idle> {
  const before = await cluster.requests();
  const cpuBefore = await threadSeconds(operator.pid);
  await pause(seconds * 1_000);
  const cpuSeconds = (await threadSeconds(operator.pid)) - cpuBefore;
  const requests = difference(before, await cluster.requests());
  return {
    seconds,
    millicores: (cpuSeconds / seconds) * 1_000,
    writes: writesBesideLeases(requests),
    requests: Object.fromEntries(requests),
    memory: await memory(operator.pid),
  };
}
