/**
 * Keeps a cache equal to a collection of the API server, for ever: whatever ends a stream, another
 * is opened, and what was missed in between is found by comparing.
 *
 *     Reading (everything) --complete--> Following (changes) --end, silence, error--> Following
 *          ^                                                 --410, 5 dead ends in a row--> Reading
 *
 * Reading is one stream that goes on as a watch (watch-list); where the server refuses that, it is
 * pages of a list and a watch after them.
 */
import { type Clock, sleep } from '../kernel/clock.ts';
import { classify, KeywardError } from '../kernel/errors.ts';
import { causeFields, type Logger } from '../kernel/log.ts';
import { type Backoff, backoffMs } from '../kernel/time.ts';
import { RecordCache, type Transform } from './cache.ts';
import type { CallMetrics } from './callmetrics.ts';
import { ANSWER_TOO_LONG } from './failures.ts';
import {
  isInitialEnd,
  ListWatch,
  type Page,
  PAGE_SIZE,
  versionOf,
  type WatchEvent,
} from './listwatch.ts';
import type { WatchScope } from './port.ts';
import type { Transport } from './transport.ts';
import { isLater } from './versions.ts';
import type { WatchMetrics } from './watchmetrics.ts';

/** What to follow and with what to work. */
type ReflectorOptions<R> = {
  readonly transport: Transport;
  readonly scope: WatchScope;
  readonly transform: Transform<R>;
  readonly clock: Clock;
  readonly log: Logger;
  /** A number in [0, 1); spreads time-outs and pauses. */
  readonly random: () => number;
  readonly watchMetrics?: WatchMetrics;
  readonly callMetrics?: CallMetrics;
  /** Longest silence of a stream; absent: 3 minutes. */
  readonly silenceMs?: number;
  /** Pauses after failures; absent: 0.8 s to 30 s. */
  readonly backoff?: Backoff;
};

/** Pauses as client-go makes them: no more than 2 tries per minute and watch in a long outage. */
const BACKOFF: Backoff = { baseMs: 800, maxMs: 30_000 };
/**
 * Bookmarks are due every minute, but streams of idle resources were seen (1.37) to say nothing for
 * 90 s; three times the nominal pause ends no healthy stream.
 */
const SILENCE_MS = 180_000;
/** The server ends streams after 5 to 10 minutes, so that replicas of it share them anew. */
const TIMEOUT_SECONDS_MIN = 300;
/** A stream that lived shorter and said nothing did not work, however politely it ended. */
const SHORT_STREAM_MS = 1_000;
/** After so many dead ends in a row the version itself is the suspect (a 410 that nobody says). */
const DEAD_ENDS_MAX = 5;
/** So many readings in a row, over a minute, from before what we hold: a restored database. */
const OLD_READINGS_MAX = 8;

/** What a server, or something before it, may answer to a request for a watch-list that it does not know. */
const TROUBLES: ReadonlySet<string> = new Set(['ServerError', 'UnexpectedAnswer']);

/** Fills `cache` from `start` to `stop`, whatever happens in between. */
export class Reflector<R> {
  readonly cache: RecordCache<R>;
  readonly #options: ReflectorOptions<R>;
  readonly #source: ListWatch;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** Ends the current stream or list without ending the reflector. */
  #round = new AbortController();
  /** Trouble: pages this time, as the stream broke without saying why. Refused: pages for good. */
  #paging: 'No' | 'Trouble' | 'Refused' = 'No';
  /** From where to follow; '' = everything must be read. */
  #version = '';
  /** Latest version ever seen: a reading from before it is from the past. */
  #highWater = '';
  #deadEnds = 0;
  #oldReadings = 0;
  #heardInRound = false;

  constructor(options: ReflectorOptions<R>) {
    const { transport, scope, callMetrics } = options;
    this.#options = options;
    this.#log = options.log.with({
      resource: scope.resource.plural,
      ...(scope.namespace === undefined ? {} : { namespace: scope.namespace }),
    });
    this.cache = new RecordCache(options.transform, this.#log);
    this.#source = new ListWatch(transport, scope, callMetrics);
  }

  /** Begins; may be called once. Never throws later: failures are logged, counted and repeated. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the stream; no listener is called afterwards. May be repeated. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#round.abort();
    await this.#running;
  }

  /** Reads everything again at once, for whoever needs one more proof of an absence. */
  relist(): void {
    this.#version = '';
    this.#round.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // One round after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      const pauseMs = await this.#goRound();
      // oxlint-disable-next-line no-await-in-loop
      if (pauseMs > 0) await this.#pause(pauseMs);
    }
  }

  async #goRound(): Promise<number> {
    const startMs = this.#options.clock.monotonicMs();
    this.#round = new AbortController();
    if (this.#stopping.signal.aborted) return 0;
    this.#heardInRound = false;
    try {
      if (this.#version !== '') await this.#follow();
      else if (this.#paging !== 'No') return await this.#readPages();
      else await this.#readStream();
      return this.#ended(startMs);
    } catch (thrown) {
      return this.#failed(classify(thrown));
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    try {
      // The round's signal, so that stop and relist end a pause, too.
      await sleep(this.#options.clock, pauseMs, this.#round.signal);
    } catch {
      // Woken early; the loop looks at why.
    }
  }

  #follow(): Promise<void> {
    return this.#watch(this.#version, (event) => this.#apply(event));
  }

  async #readStream(): Promise<void> {
    this.#beginReading();
    let isInitial = true;
    try {
      await this.#watch(undefined, (event) => {
        if (isInitial && event.type === 'BOOKMARK' && isInitialEnd(event)) {
          this.#endReading(versionOf(event));
          isInitial = false;
        } else if (isInitial && event.type !== 'BOOKMARK') {
          this.#store(event);
        } else if (!isInitial) {
          this.#apply(event);
        }
      });
    } catch (thrown) {
      if (isInitial) this.#noteRefusal(classify(thrown));
      throw thrown;
    }
    if (isInitial) throw endedEarly();
  }

  /** 0, as the watch that follows is to begin at once. */
  async #readPages(): Promise<number> {
    // Pages may fail where a stream works by now.
    if (this.#paging === 'Trouble') this.#paging = 'No';
    this.#beginReading();
    let next = '';
    let version = '';
    let limit = PAGE_SIZE;
    do {
      // Each page names the next.
      // oxlint-disable-next-line no-await-in-loop
      const { page, size } = await this.#readPage(next, limit);
      if (this.#round.signal.aborted) return 0;
      for (const item of page.items) this.cache.put(item);
      next = page.next;
      version = page.version;
      // Where one page was too long others are; the next reading begins with large ones again.
      limit = size;
    } while (next !== '');
    this.#endReading(version);
    return 0;
  }

  /** Asks for half as many objects, down to one, while the answer is too long. */
  async #readPage(
    next: string,
    limit: number,
  ): Promise<{ readonly page: Page; readonly size: number }> {
    for (let size = limit; ; size = Math.floor(size / 2)) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        return { page: await this.#source.list({ next, limit: size }, this.#round.signal), size };
      } catch (thrown) {
        const { reason, message } = classify(thrown);
        if (reason !== ANSWER_TOO_LONG || size === 1) throw thrown;
        this.#log.warn('A page of a list was too long; half as many objects are asked for', {
          message,
          limit: size,
        });
      }
    }
  }

  #watch(version: string | undefined, onEvent: (event: WatchEvent) => void): Promise<void> {
    const { random, silenceMs = SILENCE_MS } = this.#options;
    const { signal } = this.#round;
    const timeoutSeconds = Math.round(TIMEOUT_SECONDS_MIN * (1 + random()));
    const from = version === undefined ? {} : { version };
    return this.#source.watch({ ...from, timeoutSeconds, silenceMs, signal }, (event) => {
      // Several frames may lie in one piece of the stream; none counts after the end.
      if (signal.aborted) return;
      this.#heardInRound = true;
      onEvent(event);
    });
  }

  #beginReading(): void {
    this.cache.beginPass(this.#oldReadings >= OLD_READINGS_MAX ? 'Everything' : 'LaterOnly');
  }

  #endReading(version: string): void {
    const isOld = isLater(this.#highWater, version);
    if (isOld && this.#oldReadings < OLD_READINGS_MAX) {
      this.#oldReadings += 1;
      throw fromThePast();
    }
    if (isOld) this.#log.warn('the API server went back in time; its state is taken as it is');
    this.#oldReadings = 0;
    this.#highWater = version;
    this.#version = version;
    this.cache.endPass(version);
    this.#log.debug('collection read', { objects: this.cache.size });
  }

  /** A change while following. */
  #apply(event: WatchEvent): void {
    const version = versionOf(event);
    if (event.type !== 'BOOKMARK') this.#store(event);
    // Reordered frames must not move the place from which the next stream goes on backwards.
    if (isLater(version, this.#version)) this.#version = version;
    if (isLater(version, this.#highWater)) this.#highWater = version;
    this.#options.watchMetrics?.heard(this.#plural(), this.#options.clock.nowMs());
  }

  #store(event: WatchEvent): void {
    if (event.type === 'DELETED') this.cache.remove(event.object);
    else this.cache.put(event.object);
  }

  /** Servers without watch-list say so by status or inside the stream; pages work everywhere. */
  #noteRefusal(error: KeywardError): void {
    const isRefusal = error.class === 'Terminal' && error.reason !== 'Forbidden';
    if (!isRefusal && !TROUBLES.has(error.reason)) return;
    this.#paging = isRefusal ? 'Refused' : 'Trouble';
    this.#log.info('watch-list refused; reading pages instead', { reason: error.reason });
  }

  /** Pause after a stream that the server ended in good order. */
  #ended(startMs: number): number {
    this.#options.watchMetrics?.restarted(this.#plural(), 'Ended');
    const livedMs = this.#options.clock.monotonicMs() - startMs;
    if (this.#heardInRound || livedMs >= SHORT_STREAM_MS) {
      this.#deadEnds = 0;
      // Some pause all the same, for a server that closes every stream after one frame.
      return livedMs >= SHORT_STREAM_MS ? 0 : this.#backoffMs();
    }
    return this.#deadEnd();
  }

  #failed(error: KeywardError): number {
    if (this.#round.signal.aborted) return 0;
    this.#options.watchMetrics?.restarted(this.#plural(), error.reason);
    const { reason, retryAfterMs = 0 } = error;
    const level = error.class === 'Bug' ? 'error' : 'info';
    const fields = { reason, message: error.message, ...causeFields(error.cause) };
    this.#log[level]('watch interrupted', fields);
    if (reason === 'Expired') this.#version = '';
    if (reason === 'Forbidden') this.cache.markRefused();
    // A reading that breaks off again and again is no progress, however much was heard.
    if (this.#heardInRound && this.#version !== '') this.#deadEnds = 0;
    return Math.max(this.#deadEnd(), retryAfterMs);
  }

  #deadEnd(): number {
    const pauseMs = this.#backoffMs();
    this.#deadEnds += 1;
    if (this.#deadEnds % DEAD_ENDS_MAX === 0) this.#version = '';
    return pauseMs;
  }

  #backoffMs(): number {
    const { backoff = BACKOFF, random } = this.#options;
    return backoffMs(backoff, this.#deadEnds, random());
  }

  #plural(): string {
    return this.#options.scope.resource.plural;
  }
}

function endedEarly(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'EndedEarly',
    message: 'the watch ended before everything had been read',
  });
}

function fromThePast(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'FromThePast',
    message: 'the API server answered with a state from before the one that is known',
  });
}
