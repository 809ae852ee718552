/** Looks for forms whose objects vanished: at the start, and while some are held back. */
import type { Ref } from '../api/meta.ts';
import { HeldAlarm, type VanishedGuard } from '../controllers/apikey/vanished.ts';
import { type Clock, sleep } from '../kernel/clock.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import type { Caches } from './cluster.ts';
import type { Parts } from './controllers.ts';
import { untilItWorks } from './repeating.ts';

/** Forms at a time that are looked for. */
const PAGE = 500;
type FormSweepParts = Pick<Parts, 'log'> & {
  readonly clock: Clock;
  readonly ledger: Pick<Parts['ledger'], 'scanDocuments'>;
  readonly caches: Pick<Caches, 'isWatched'> & {
    readonly forms: Pick<Caches['forms'], 'get' | 'whenSynced'>;
  };
  readonly queue: Pick<WorkQueue, 'add'>;
  readonly guard: VanishedGuard;
};

/** When leadership begins, and again for those that are held back; ends with `stop`. Never rejects. */
export async function sweepForms(parts: FormSweepParts, stop: AbortSignal): Promise<void> {
  const { clock, guard, log } = parts;
  const alarm = new HeldAlarm(guard, (held) =>
    log.error(
      'Too many ApiKeyApplications vanished at once: none of these is ended; they are counted anew every ten minutes, and if they stay too many, check the cluster and the database, then restart with --accept-vanished',
      held,
    ),
  );
  const failure = 'Forms that went could not be looked for';
  while (!stop.aborted) {
    alarm.tell();
    if (!guard.hasCounted || guard.isCountDue) {
      // One sweep after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await untilItWorks(parts, failure, () => sweepOnce(parts, stop), stop);
      alarm.tell();
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(clock, MINUTE_MS, stop).catch(() => undefined);
  }
}

async function sweepOnce(
  { caches, ledger, queue, guard }: FormSweepParts,
  stop: AbortSignal,
): Promise<void> {
  const missing = new Map<string, Ref>();
  let total = 0;
  // Not before there is a list: everything is missing from an empty one.
  await caches.forms.whenSynced(stop);
  for (let after: string | undefined; !stop.aborted;) {
    // Each page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const page = await ledger.scanDocuments('Form', PAGE, after);
    const ours = page.filter(({ namespace }) => caches.isWatched(namespace));
    total += ours.length;
    for (const { uid, namespace, name } of ours) {
      if (caches.forms.get({ namespace, name })?.uid !== uid) missing.set(uid, { namespace, name });
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.uid;
  }
  const held = guard.found(missing, total);
  for (const [uid, ref] of missing) guard.permits({ uid, ...ref });
  for (const ref of held) queue.add(ref, 'normal');
  for (const ref of missing.values()) queue.add(ref, 'bulk');
}
