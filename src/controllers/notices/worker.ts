/**
 * Tells one receiver what happened to forms: reads the audit chain on from the last line it was told of,
 * and delivers in order, each notice at least once. Where it stands is kept in the ledger. A receiver that
 * is down holds up its own notices, in growing pauses, and nothing else.
 */
import { sleep, type Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { AuditLine, Ledger, LedgerIdentity } from '../../ledger/port.ts';
import { deliver, type Receiver } from './delivery.ts';
import { noticeOf, type Notice } from './message.ts';
import type { NoticeMetrics } from './metrics.ts';
import type { Position } from './position.ts';

const PAGE = 200;
/** How long a new line may wait while nobody rings. */
const ROUND_MS = 5 * SECOND_MS;
const PAUSE_MIN_MS = SECOND_MS;
const PAUSE_MAX_MS = 10 * MINUTE_MS;
/** A notice that the receiver does not want is given up after so many attempts. */
const REFUSALS_MAX = 5;
/** News that nobody took for this long is none any more. */
const AGE_MAX_MS = 3 * DAY_MS;

/** What the worker is made of. */
type NoticeOptions = {
  readonly ledger: Pick<Ledger, 'auditLines' | 'identity'>;
  readonly position: Position;
  readonly receiver: Receiver;
  readonly clock: Clock;
  readonly metrics: NoticeMetrics;
  readonly log: Logger;
};

/** See the file comment. */
export class NoticeWorker {
  readonly #options: NoticeOptions;
  #databaseId = '';
  #incarnation = '';
  /** The last line that was read: most lines are about keys, and of those no position is kept. */
  #read = 0;

  constructor(options: NoticeOptions) {
    this.#options = options;
  }

  /** Works until `stop`. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!stop.aborted) {
      try {
        // One round after the other is what this loop is for.
        // oxlint-disable-next-line no-await-in-loop
        await this.round(stop);
      } catch (error) {
        if (!stop.aborted)
          log.warn('Notices could not be read', { reason: classify(error).reason });
      }
      // oxlint-disable-next-line no-await-in-loop
      await sleep(clock, ROUND_MS, stop).catch(() => undefined);
    }
  }

  /** Delivers everything there is. The first time ever it begins with what happens from now on. */
  async round(stop: AbortSignal): Promise<void> {
    const { ledger, position } = this.#options;
    const identity = await ledger.identity();
    const { commitCounter } = identity;
    this.#noteDatabase(identity);
    let told = await position.load();
    if (told === undefined) {
      told = commitCounter;
      await position.save(told);
    }
    // Another leader may have told more than was read here.
    told = Math.max(told, this.#read);
    while (!stop.aborted) {
      // oxlint-disable-next-line no-await-in-loop
      const lines = await ledger.auditLines({ limit: PAGE, after: told });
      const last = lines.at(-1);
      if (last === undefined) return;
      // oxlint-disable-next-line no-await-in-loop
      await this.#tell(lines, stop);
      if (stop.aborted) return;
      told = last.number;
      this.#read = told;
    }
  }

  /** What was read of another database, or of one that lost commits, says nothing about this one. */
  #noteDatabase({ databaseId, incarnation, commitCounter }: LedgerIdentity): void {
    const isSame = databaseId === this.#databaseId && incarnation === this.#incarnation;
    if (!isSame || commitCounter < this.#read) this.#read = 0;
    this.#databaseId = databaseId;
    this.#incarnation = incarnation;
  }

  async #tell(lines: readonly AuditLine[], stop: AbortSignal): Promise<void> {
    const { position } = this.#options;
    for (const line of lines) {
      const notice = noticeOf(line, this.#databaseId);
      if (notice === undefined) continue;
      // In order: a decision never arrives before its submission.
      // oxlint-disable-next-line no-await-in-loop
      await this.#deliver(notice, line.atMs, stop);
      if (stop.aborted) return;
      // oxlint-disable-next-line no-await-in-loop
      await position.save(line.number);
    }
  }

  async #deliver(notice: Notice, atMs: number, stop: AbortSignal): Promise<void> {
    const { receiver, clock, metrics, log } = this.#options;
    let pauseMs = PAUSE_MIN_MS;
    let refusals = 0;
    while (!stop.aborted) {
      const nowMs = clock.nowMs();
      // oxlint-disable-next-line no-await-in-loop
      const delivery = await deliver(receiver, notice, { nowMs, signal: stop });
      if (stop.aborted) return;
      metrics.attempted(delivery.type);
      if (delivery.type === 'Delivered') return;
      if (delivery.type === 'Refused') refusals += 1;
      if (refusals >= REFUSALS_MAX || nowMs - atMs > AGE_MAX_MS) {
        metrics.gaveUp();
        log.warn('A notice was given up', { id: notice.id, about: notice.type, ...delivery });
        return;
      }
      const wantedMs = delivery.type === 'Later' ? (delivery.retryAfterMs ?? 0) : 0;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(clock, Math.max(pauseMs, wantedMs), stop).catch(() => undefined);
      pauseMs = Math.min(PAUSE_MAX_MS, pauseMs * 2);
    }
  }
}
