/** What is looked at while it runs: memory, handles, heaps, the database, and what the operator writes. */
import { readdir } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { memory } from '../../bench/processes.ts';
import { SECOND_MS } from '../../src/kernel/time.ts';
import { requestsOf, writesIn } from '../support/operator.audit.ts';
import { Inspector } from './inspector.ts';
import type { Point } from './slope.ts';
import type { Subject, World } from './world.ts';

/** One process with nothing to do. */
export type Rest = {
  readonly name: Subject['name'];
  /** On the main heap, garbage collected. */
  readonly heapBytes: number;
  /** Open files and sockets. */
  readonly handles: number;
  readonly rssMiB: number;
};

/** All of it with nothing to do. */
export type Look = { readonly rests: readonly Rest[]; readonly databaseBytes: number };

/** Looks at everything; only at rest do two looks compare. */
export async function lookAt({ subjects, databasePath }: World): Promise<Look> {
  const rests = await Promise.all(subjects.map(restOf));
  return { rests, databaseBytes: databaseBytes(databasePath) };
}

/** What the database holds: pages that are free, and the log beside the file, which has a bound, are left out. */
function databaseBytes(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const one = (name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
    return (one('page_count') - one('freelist_count')) * one('page_size');
  } finally {
    db.close();
  }
}

/** Writes of the operator so far, dry runs and the Lease left out, as `VERB RESOURCE NAMESPACE/NAME`. */
export async function writesSoFar(world: World): Promise<readonly string[]> {
  const requests = await requestsOf(world.controlPlane.auditLog, world.operatorUser);
  return writesIn(requests).map(
    ({ verb, resource, subresource, namespace, name }) =>
      `${verb} ${resource}${subresource === '' ? '' : '/'}${subresource} ${namespace}/${name}`,
  );
}

/** Takes resident memory every few seconds until `stop`, which answers what it took. */
export function watchMemory(
  world: World,
  everySeconds: number,
): { stop(): Readonly<Record<Subject['name'], Point[]>> } {
  const points: Record<Subject['name'], Point[]> = { operator: [], gate: [] };
  const beganMs = performance.now();
  const timer = setInterval(() => {
    for (const { name, pid } of world.subjects) {
      const seconds = (performance.now() - beganMs) / SECOND_MS;
      void memory(pid).then(({ residentMiB }) =>
        points[name].push({ seconds, value: residentMiB }),
      );
    }
  }, everySeconds * SECOND_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return points;
    },
  };
}

async function restOf({ name, pid, inspectPort }: Subject): Promise<Rest> {
  // Not for longer than it takes: a process waits with its end for whoever inspects it.
  const inspector = await Inspector.connect(inspectPort);
  const heapBytes = await inspector.liveBytes();
  await inspector.close();
  const handles = (await readdir(`/proc/${pid}/fd`)).length;
  const { residentMiB } = await memory(pid);
  return { name, heapBytes, handles, rssMiB: residentMiB };
}
