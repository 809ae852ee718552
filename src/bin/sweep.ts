/** Looks for ledger records whose objects vanished: at the start, after each relist, and while some are held back. */
import type { Deps } from '../controllers/apikey/deps.ts';
import type { RetainedEnds } from '../controllers/apikey/retained.ts';
import {
  confirmVanished,
  findVanished,
  HeldAlarm,
  SIGHTING_PAUSE_MS,
  type SweepDeps,
} from '../controllers/apikey/vanished.ts';
import { sleep } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import type { WorkQueue } from '../runtime/queue.ts';

/** Between two tries until the vanished were counted once: so long no name can be taken over. */
const FIRST_PAUSE_MS = 5 * SECOND_MS;

type SweepParts = {
  /** False: the namespace is not ours to judge, or cannot be read. */
  readonly isWatched: (namespace: string) => boolean;
  /** Reads all ApiKeys anew; resolves when that is complete. */
  readonly relist: () => Promise<void>;
  readonly deps: Pick<Deps, 'ledger' | 'guard' | 'clock' | 'epoch' | 'log'> & {
    readonly keys: Pick<Deps['keys'], 'get' | 'synced' | 'completeLists'>;
    readonly client: Pick<Deps['client'], 'isClockTrusted'>;
  };
  readonly retained: Pick<RetainedEnds, 'endDue'>;
  readonly queue: Pick<WorkQueue, 'add'>;
  readonly log: Logger;
  readonly stop: AbortSignal;
};

/** Starts the loop; it ends with `stop` and never throws. */
export function startSweep(parts: SweepParts): void {
  void sweepForever(parts).catch((error: unknown) => {
    if (!parts.stop.aborted) parts.log.error('The sweep ended', { reason: classify(error).reason });
  });
}

async function sweepForever(parts: SweepParts): Promise<void> {
  const { deps, log, stop } = parts;
  const alarm = new HeldAlarm(deps.guard, (held) =>
    log.error(
      'Too many ApiKeys vanished at once: none of these is ended; they are counted anew every ten minutes, and if they stay too many, check the cluster and the database, then restart with --accept-vanished',
      held,
    ),
  );
  let sweptLists = 0;
  while (!stop.aborted) {
    const { synced, completeLists } = deps.keys;
    // Before the sweep too, which may wait for the API server.
    alarm.tell();
    if (synced && (completeLists > sweptLists || deps.guard.isCountDue)) {
      // One sweep after the other is what this loop is for; one that failed leaves the lists unswept.
      // oxlint-disable-next-line no-await-in-loop
      sweptLists = (await sweepOnce(parts)) ?? sweptLists;
      alarm.tell();
    }
    // oxlint-disable-next-line no-await-in-loop
    await endRetained(parts);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(deps.clock, deps.guard.hasCounted ? MINUTE_MS : FIRST_PAUSE_MS, stop);
  }
}

/** Not while our clock is in doubt: what has ended stays ended. */
async function endRetained({ deps, retained, log, stop }: SweepParts): Promise<void> {
  if (!deps.client.isClockTrusted) return;
  try {
    await retained.endDue(deps);
  } catch (error) {
    if (!stop.aborted)
      log.warn('Retained keys could not be ended', { reason: classify(error).reason });
  }
}

/** How many complete lists are swept with it; undefined: it failed before its end. */
async function sweepOnce(parts: SweepParts): Promise<number | undefined> {
  const { isWatched, deps, relist, queue, log, stop } = parts;
  const sweep: SweepDeps = {
    ledger: deps.ledger,
    guard: deps.guard,
    uidOf: (ref) => deps.keys.get(ref)?.uid,
    isWatched,
  };
  try {
    const lists = deps.keys.completeLists;
    const first = await findVanished(sweep);
    for (const ref of [...first.ending, ...first.held]) queue.add(ref, 'normal');
    if (first.missing.size === 0) return lists;
    // The second sighting must come from a second complete list, which a healthy watch never makes.
    await sleep(deps.clock, SIGHTING_PAUSE_MS, stop);
    await relist();
    const relisted = deps.keys.completeLists;
    const second = await findVanished(sweep);
    const both = confirmVanished(deps.guard, first.missing, second.missing);
    // Who was held back in between was not missing the first time.
    for (const ref of [...second.held, ...both]) queue.add(ref, 'normal');
    return relisted;
  } catch (error) {
    if (!stop.aborted)
      log.warn('The sweep failed and is repeated later', { reason: classify(error).reason });
    return undefined;
  }
}
