/**
 * Keeps the view like the database: opens it, reads everything, follows the change feed, and starts
 * again where the database is another one, or older than it was. While it does not know, the gate
 * says no; it never gives up.
 */
import { sleep, type Clock } from '../../kernel/clock.ts';
import { classify, KeywardError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { backoffMs, MINUTE_MS } from '../../kernel/time.ts';
import { hasReached } from '../../ledger/cursor.ts';
import type { GateLedger } from '../../ledger/gate.ts';
import type { LedgerIdentity } from '../../ledger/port.ts';
import { within } from '../within.ts';
import type { Freshness, Moment } from './freshness.ts';
import type { View } from './view.ts';

const POLL_MS = 100;
const POLL_TIMEOUT_MS = 5_000;
const CHECK_TIMEOUT_MS = MINUTE_MS;
const OPEN_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 1_000;
/** A view that is older is read anew, not patched: the database may have had another life since. */
const PATCHED_MAX_MS = 5 * MINUTE_MS;
/** Failed looks in a row after which the connection counts as broken. */
const FAILURES_MAX = 5;
const REOPEN = { baseMs: 200, maxMs: 2_000 };
const FEED_PAGE = 500;

/** What the follower needs. */
type FollowerDeps = {
  readonly open: () => Promise<GateLedger>;
  readonly view: View;
  readonly freshness: Freshness;
  readonly clock: Clock;
  readonly log: Logger;
  /** Looks at a database before it is believed; throws where it must not be used. */
  readonly check: (ledger: GateLedger) => Promise<void>;
  /** Everything that was reserved in the database before is void. */
  readonly onAnotherDatabase: () => void;
};

/** How far it has come with which database. */
type Position = { readonly identity: LedgerIdentity; readonly cursor: string };

/** See the file comment. */
export class Follower {
  readonly #deps: FollowerDeps;
  readonly #stopping = new AbortController();
  #ledger: GateLedger | undefined;
  #position: Position | undefined;
  /** The newest state of a database that was seen, whatever became of the position in it. */
  #newest: LedgerIdentity | undefined;
  #trouble: string | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  /** The database, while there is one. Also during trouble: what it is asked then may fail. */
  get ledger(): GateLedger | undefined {
    return this.#ledger;
  }

  /** What is wrong, in words that anybody may read; undefined: the last look was good. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Begins; returns at once. */
  start(): void {
    this.#trouble = 'the database was not read yet';
    this.#running = this.#run();
  }

  /** Ends following. The database stays open for whoever has to tell it something; see `close`. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('told to stop'));
    // A question that hangs ends with the process.
    await within(this.#deps.clock, STOP_TIMEOUT_MS, this.#running).catch(() => undefined);
  }

  /** Closes the database. */
  async close(): Promise<void> {
    const ledger = this.#ledger;
    this.#ledger = undefined;
    if (ledger !== undefined) await this.#closeQuietly(ledger);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isStopping; attempt += 1) {
      try {
        await this.#follow(() => {
          attempt = 0;
        });
      } catch (thrown) {
        if (this.#isStopping) return;
        this.#note(classify(thrown));
        await this.close();
        this.#deps.view.records.giveUpLoads();
        // Only one process in one place: there is nobody to be spread from.
        await this.#pause(backoffMs(REOPEN, attempt, 0.5));
      }
    }
  }

  /** One connection, for as long as it is good. Rejects where it is not. */
  async #follow(onSuccess: () => void): Promise<void> {
    const ledger = await this.#open(this.#deps.open);
    this.#ledger = ledger;
    await this.#settle(ledger);
    for (let failures = 0; !this.#isStopping;) {
      try {
        await this.#look(ledger);
        failures = 0;
        onSuccess();
        this.#recovered();
      } catch (thrown) {
        const error = classify(thrown);
        failures += 1;
        if (error.class !== 'Transient' || failures >= FAILURES_MAX) throw error;
        this.#note(error);
      }
      await this.#pause(POLL_MS);
    }
  }

  async #open(open: () => Promise<GateLedger>): Promise<GateLedger> {
    const opening = open();
    try {
      return await within(this.#deps.clock, OPEN_TIMEOUT_MS, opening);
    } catch (thrown) {
      // It may still open later; then nobody wants it any more.
      opening.then(
        (late) => this.#closeQuietly(late),
        () => undefined,
      );
      throw thrown;
    }
  }

  /** Goes on where we were, when this is the same database; else reads all of it. */
  async #settle(ledger: GateLedger): Promise<void> {
    const { check, clock, freshness } = this.#deps;
    const identity = await within(clock, POLL_TIMEOUT_MS, ledger.identity());
    if (isOldCopy(this.#newest, identity)) throw oldCopy();
    const at = { monotonicMs: clock.monotonicMs(), nowMs: clock.nowMs() };
    const isRecent = freshness.ageMs(at) <= PATCHED_MAX_MS;
    const before = this.#position?.identity;
    if (before !== undefined && isRecent && isContinued(before, identity)) return;
    // Looks at every row, so not each time that a connection breaks.
    await within(clock, CHECK_TIMEOUT_MS, check(ledger));
    await this.#readAll(ledger);
  }

  async #readAll(ledger: GateLedger): Promise<void> {
    const { freshness, onAnotherDatabase, view, clock, log } = this.#deps;
    freshness.lose();
    this.#position = undefined;
    onAnotherDatabase();
    view.clear();
    const begunMs = clock.monotonicMs();
    const identity = await within(clock, POLL_TIMEOUT_MS, ledger.identity());
    // First the position: what changes while we read is read again afterwards.
    const { cursor } = await within(clock, POLL_TIMEOUT_MS, ledger.changes(1));
    await view.readAll(ledger, clock, this.#stopping.signal);
    this.#position = { identity, cursor };
    this.#newest = identity;
    const tookMs = Math.round(clock.monotonicMs() - begunMs);
    log.info('read the database', { keyIds: view.known.size, tookMs });
  }

  /** One look: everything that was committed before it began is in the view afterwards. */
  async #look(ledger: GateLedger): Promise<void> {
    const { clock, freshness } = this.#deps;
    const since: Moment = { monotonicMs: clock.monotonicMs(), nowMs: clock.nowMs() };
    const identity = await within(clock, POLL_TIMEOUT_MS, ledger.identity());
    const before = this.#position;
    if (before === undefined || !isContinued(before.identity, identity)) {
      throw anotherDatabase();
    }
    this.#newest = identity;
    await this.#catchUp(ledger, before.cursor, identity);
    freshness.confirm(since);
  }

  /** Up to the commit that was the newest in `identity`, or further. */
  async #catchUp(ledger: GateLedger, from: string, identity: LedgerIdentity): Promise<void> {
    const { clock, view } = this.#deps;
    let cursor = from;
    while (!this.#isStopping) {
      const page = await within(clock, POLL_TIMEOUT_MS, ledger.changes(FEED_PAGE, cursor));
      if (page.uids.length > 0) {
        await within(clock, POLL_TIMEOUT_MS, view.takeIn(page.uids, ledger));
      }
      cursor = page.cursor;
      // Only now: what could not be read is to be read again.
      this.#position = { identity, cursor };
      // Whoever commits without a pause must not keep a look from its end. An empty page ends it too:
      // what the position is still behind is no change.
      if (page.uids.length === 0 || hasReached(cursor, identity)) return;
    }
    throw new Error('told to stop');
  }

  #note(error: KeywardError): void {
    // A file that was replaced, a schema that is not ours, a cursor of another life.
    if (error.class !== 'Transient') {
      this.#position = undefined;
      this.#deps.freshness.lose();
    }
    if (this.#trouble !== error.message) {
      const { reason, message } = error;
      this.#deps.log.warn('cannot follow the database', { reason, message, ...stackOf(error) });
    }
    this.#trouble = error.message;
  }

  #recovered(): void {
    if (this.#trouble !== undefined) this.#deps.log.info('following the database');
    this.#trouble = undefined;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#deps.clock, ms, this.#stopping.signal).catch(() => undefined);
  }

  async #closeQuietly(ledger: GateLedger): Promise<void> {
    const { clock, log } = this.#deps;
    await within(clock, POLL_TIMEOUT_MS, ledger.close()).catch((thrown: unknown) => {
      log.debug('the database did not close', { reason: classify(thrown).reason });
    });
  }
}

/** The same database, and not one that was put back to an earlier state. */
function isContinued(before: LedgerIdentity, now: LedgerIdentity): boolean {
  return (
    before.databaseId === now.databaseId &&
    before.incarnation === now.incarnation &&
    before.commitCounter <= now.commitCounter
  );
}

/**
 * An earlier state of the same database. What was revoked since would live again, so it is not believed until
 * `keyward restore` makes another incarnation of it, as operators want it too.
 */
function isOldCopy(newest: LedgerIdentity | undefined, now: LedgerIdentity): boolean {
  return (
    newest !== undefined &&
    newest.databaseId === now.databaseId &&
    newest.incarnation === now.incarnation &&
    newest.commitCounter > now.commitCounter
  );
}

function oldCopy(): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'DatabaseOlder',
    message:
      'the database is an old copy of what it was; restore a newer one, or run keyward restore',
  });
}

function anotherDatabase(): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'AnotherDatabase',
    message: 'the database is another one, or older, than it was',
  });
}

function stackOf({ cause }: KeywardError): { readonly stack?: string } {
  return cause instanceof Error && cause.stack !== undefined ? { stack: cause.stack } : {};
}
