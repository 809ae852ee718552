/**
 * The ends of retained keys. No object wakes them, and a vendor enforces no dates, so the operator ends
 * them at their instant; what is owed to a vendor then is paid as a debt.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { close, end } from '../../ledger/transitions.ts';
import { isOver } from './wanted.ts';

/** Where ended keys are read and written. */
type EndingLedger = {
  readonly ledger: Pick<Ledger, 'load' | 'commit'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly epoch: () => number;
  readonly log: Logger;
};

/** Retained keys that have an end: of each the UID, bounded by their number. */
export class RetainedEnds {
  readonly #ends = new Map<string, number>();

  /** The same ledger; what it scans and commits is noted here. */
  watch(ledger: Ledger): Ledger {
    return {
      ...ledger,
      scan: async (limit, after) => {
        const page = await ledger.scan(limit, after);
        for (const record of page.records) this.#note(record);
        return page;
      },
      commit: async (commit) => {
        const result = await ledger.commit(commit);
        if (result.type === 'Committed') this.#note(result.record);
        return result;
      },
    };
  }

  /**
   * Ends what is over. Only while the clock is trusted, because it cannot be undone. May be repeated.
   * @throws KeywardError of the ledger
   */
  async endDue({ ledger, clock, epoch, log }: EndingLedger): Promise<void> {
    const nowMs = clock.nowMs();
    for (const [uid, endMs] of this.#ends) {
      if (endMs > nowMs) continue;
      // oxlint-disable-next-line no-await-in-loop
      const { record } = await ledger.load(uid, { namespace: '', name: '' });
      if (record?.phase !== 'Retained' || !isOver(record, nowMs)) {
        this.#ends.delete(uid);
        continue;
      }
      const { namespace, name, revision } = record;
      // oxlint-disable-next-line no-await-in-loop
      const { type } = await ledger.commit({
        record: close(end(record, nowMs)),
        expectedRevision: revision,
        epoch: epoch(),
        audit: {
          action: 'KeyEnded',
          actor: 'schedule',
          atMs: nowMs,
          facts: { because: 'Expired' },
        },
      });
      // Through `watch` the commit has taken it from the list; what was stale is read again next time.
      if (type === 'Committed')
        log.info('A retained key has expired and was ended', { namespace, name, uid });
    }
  }

  #note({ uid, phase, terms: { endMs } }: KeyRecord): void {
    if (phase === 'Retained' && endMs !== undefined) this.#ends.set(uid, endMs);
    else this.#ends.delete(uid);
  }
}
