/**
 * On a database that takes writers from anywhere, commands change keys without asking the operator. It
 * hears of them by the audit chain, so that a key does not wait for its next look.
 */
import type { Ref } from '../api/meta.ts';
import { sleep, type Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { Ledger } from '../ledger/port.ts';
import { COMMAND_LINE } from './actor.ts';

/** One small query each time; people do not notice the wait. */
const LOOK_MS = 2 * SECOND_MS;
const PAGE = 200;

/** Whom to tell, and where to look. */
type Overhearing = {
  readonly ledger: Pick<Ledger, 'identity' | 'auditLines' | 'load'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** A command changed this key. */
  readonly onKey: (ref: Ref) => void;
  /** A command changed a key that has no object any more. */
  readonly onGone: () => void;
};

/** Tells of each change by a command from now on, until `stop`. Never rejects. */
export async function overhear(parts: Overhearing, stop: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  let heardTo: number | undefined;
  while (!stop.aborted) {
    try {
      // One look after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      heardTo = await look(parts, heardTo);
    } catch (error) {
      const { reason } = classify(error);
      if (!stop.aborted) log.warn('Changes by commands could not be read', { reason });
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(clock, LOOK_MS, stop).catch(() => undefined);
  }
}

/** Tells of the changes since `heardTo`; answers how far it has come. */
async function look(parts: Overhearing, heardTo: number | undefined): Promise<number> {
  const { ledger } = parts;
  const { commitCounter } = await ledger.identity();
  let after = heardTo ?? commitCounter;
  while (after < commitCounter) {
    // Each page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const lines = await ledger.auditLines({ limit: PAGE, after, by: COMMAND_LINE });
    // oxlint-disable-next-line no-await-in-loop
    for (const uid of new Set(lines.map((line) => line.uid))) await tell(parts, uid);
    const last = lines.at(-1);
    if (last === undefined || lines.length < PAGE) break;
    after = last.number;
  }
  return commitCounter;
}

async function tell({ ledger, onKey, onGone }: Overhearing, uid: string): Promise<void> {
  const { record } = await ledger.load(uid, { namespace: '', name: '' });
  if (record === undefined) return;
  const { namespace, name, phase } = record;
  if (phase === 'Live' || phase === 'Ending') onKey({ namespace, name });
  else onGone();
}
