/** Looks for ledger records whose objects vanished: at the start and after each relist. */
import type { OperatorConfig } from '../config.ts';
import type { Deps } from '../controllers/apikey/deps.ts';
import {
  confirmVanished,
  findVanished,
  SIGHTING_PAUSE_MS,
  type SweepDeps,
} from '../controllers/apikey/vanished.ts';
import { sleep, systemClock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import type { VanishedGuard } from '../controllers/apikey/vanished.ts';

type SweepParts = {
  readonly config: Pick<OperatorConfig, 'watchNamespaces'>;
  readonly deps: Deps & { readonly guard: Deps['guard'] };
  readonly queue: WorkQueue;
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
  const { deps, stop } = parts;
  let sweptLists = 0;
  while (!stop.aborted) {
    if (deps.keys.synced && deps.keys.completeLists > sweptLists) {
      sweptLists = deps.keys.completeLists;
      // One sweep after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await sweepOnce(parts);
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(systemClock, MINUTE_MS, stop);
  }
}

async function sweepOnce({ config, deps, queue, log, stop }: SweepParts): Promise<void> {
  const sweep: SweepDeps = {
    ledger: deps.ledger,
    guard: deps.guard as VanishedGuard,
    log,
    uidOf: (ref) => deps.keys.get(ref)?.uid,
    isWatched: (namespace) =>
      config.watchNamespaces.length === 0 || config.watchNamespaces.includes(namespace),
  };
  try {
    const first = await findVanished(sweep);
    if (first.size === 0) return;
    await sleep(systemClock, SIGHTING_PAUSE_MS, stop);
    const second = await findVanished(sweep);
    for (const ref of confirmVanished(sweep, first, second)) queue.add(ref, 'normal');
  } catch (error) {
    if (!stop.aborted) log.warn('The sweep failed and is repeated later', { reason: classify(error).reason });
  }
}
