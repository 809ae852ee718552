/**
 * The order in which the parts of the operator start and stop. The composition root hands in the
 * parts; this file only knows when each has its turn.
 */
import { sleep, type Clock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import type { Cache } from '../kube/port.ts';

/** Long enough for a slow API server with 100 000 objects; then a restart is worth a try. */
const SYNC_LIMIT_MS = 5 * MINUTE_MS;
/** How often a start that waits says what it waits for. */
const SYNC_NOTICE_MS = 30 * SECOND_MS;
/** Below the 30 s that Kubernetes gives a pod, with time left for the release of the lease. */
const GRACE_MS = 20 * SECOND_MS;

/** What fills a cache: a reflector. */
interface Watch {
  /** Begins to list and watch; returns at once. */
  start(): void;
  stop(): Promise<void>;
}

/** A cache that must be complete before anything is decided. */
type NamedCache = {
  /** For messages: the plural of what it holds. */
  readonly name: string;
  readonly cache: Pick<Cache<unknown>, 'synced' | 'whenSynced'> & {
    /** True: the account may not read it; absent: nobody knows. */
    readonly refused?: boolean;
  };
};

/** What decides who leads, as `LeaderElector` does. */
export interface Leadership {
  /**
   * Waits for leadership, however long that takes. Resolves with the epoch: a fencing number greater
   * than that of every earlier leader. Rejects when the signal is aborted.
   *
   * @param onLost called at most once, when the leadership is lost or in doubt
   */
  lead(onLost: () => void, signal?: AbortSignal): Promise<number>;
  /** Ends leading and gives the lease back, so that the next leader need not wait for its end. */
  stop(): Promise<void>;
}

/** A controller, as `Controller` is one. */
interface ManagedController {
  readonly name: string;
  start(): void;
  /** False when something still runs, with unknown effects. */
  stop(graceMs: number): Promise<boolean>;
  /** Ends everything at once without a write. */
  abandon(reason: Error): void;
}

/** What the manager starts and stops, and how long it waits. */
export type ManagerParts = {
  readonly watches: readonly Watch[];
  readonly caches: readonly NamedCache[];
  readonly leadership: Leadership;
  readonly controllers: readonly ManagedController[];
  /** Before any controller starts: stores the epoch, so that every older leader is fenced off. */
  readonly onLeading: (epoch: number) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long caches may take to sync; absent: 5 minutes. */
  readonly syncLimitMs?: number;
  /** How long running work may take to end; absent: 20 s. */
  readonly graceMs?: number;
};

/** How far a manager is. */
type Phase = 'new' | 'syncing' | 'standby' | 'leading' | 'stopping';

/**
 * Starts and stops the operator.
 *
 * Expected flow: caches fill (standby replicas too, so that a take-over is quick);
 * leadership is acquired; `onLeading` stores the epoch; controllers start. When told to stop:
 * controllers take nothing new and end what runs, the lease is given back, watches stop.
 *
 * Guarantees: no controller runs before the epoch is stored. The lease is given back after all
 * work, and only if nothing can write any more; otherwise it runs out by itself. When leadership
 * is lost, all work is aborted and `run` rejects at once with reason LeadershipLost; the process
 * must then exit without any further write.
 */
export class Manager {
  readonly #parts: ManagerParts;
  #phase: Phase = 'new';
  #isLeader = false;
  #isLost = false;

  constructor(parts: ManagerParts) {
    this.#parts = parts;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What the readiness probe lacks; undefined when ready. A synced standby replica is ready. */
  get notReadyBecause(): string | undefined {
    const waiting = this.#unsynced();
    if (waiting.length > 0) return `waiting for caches: ${waiting.join(', ')}`;
    return this.#phase === 'standby' || this.#phase === 'leading' ? undefined : this.#phase;
  }

  /**
   * Runs until `stop` is aborted; once only.
   *
   * Errors: Transient CacheSyncTimeout and LeadershipLost, and whatever `onLeading` or `lead` fail
   * with. Being stopped is no error, at whatever point.
   */
  async run(stop: AbortSignal): Promise<void> {
    try {
      await this.#start(stop);
    } catch (thrown) {
      // Not even the watches are waited for: the successor may be at work already.
      if (this.#isLost) throw thrown;
      await this.#end();
      // Before leading, the stop signal itself ends whatever waits.
      if (this.#isLeader || !stop.aborted) throw thrown;
      return;
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#phase = 'stopping';
    await Promise.all(this.#parts.watches.map((watch) => watch.stop()));
  }

  async #start(stop: AbortSignal): Promise<void> {
    const { caches, leadership, log, watches } = this.#parts;
    this.#phase = 'syncing';
    for (const watch of watches) watch.start();
    await this.#sync(stop);
    this.#phase = 'standby';
    log.info('caches are synced, waiting for leadership', { caches: caches.length });
    const loss = Promise.withResolvers<never>();
    // It is raced against below; a loss that comes earlier must not count as unhandled.
    loss.promise.catch(() => undefined);
    const epoch = await leadership.lead(() => loss.reject(this.#lose()), stop);
    await Promise.race([loss.promise, this.#lead(epoch, stop)]);
  }

  async #sync(stop: AbortSignal): Promise<void> {
    const { caches, clock, log, syncLimitMs = SYNC_LIMIT_MS } = this.#parts;
    const over = new AbortController();
    const signal = AbortSignal.any([stop, over.signal]);
    const synced = Promise.all(caches.map(({ cache }) => cache.whenSynced(signal)));
    const untilMs = clock.monotonicMs() + syncLimitMs;
    const notice = async (): Promise<never> => {
      for (;;) {
        const leftMs = untilMs - clock.monotonicMs();
        if (leftMs <= 0) throw syncTimeout(this.#unsynced(), syncLimitMs);
        await sleep(clock, Math.min(leftMs, SYNC_NOTICE_MS), signal);
        log.warn('caches are not synced yet', { waitingFor: this.#unsynced() });
      }
    };
    try {
      await Promise.race([synced, notice()]);
    } finally {
      over.abort(new Error('syncing is over'));
    }
  }

  async #lead(epoch: number, stop: AbortSignal): Promise<void> {
    const { controllers, onLeading } = this.#parts;
    try {
      await onLeading(epoch);
    } catch (thrown) {
      if (!this.#isLost) await this.#release();
      throw thrown;
    }
    // `run` has rejected already; nothing may start.
    if (this.#isLost) return;
    this.#phase = 'leading';
    this.#isLeader = true;
    if (!stop.aborted) for (const controller of controllers) controller.start();
    await whenAborted(stop);
    await this.#stepDown();
  }

  async #stepDown(): Promise<void> {
    const { controllers, log, graceMs = GRACE_MS } = this.#parts;
    this.#phase = 'stopping';
    const ended = await Promise.all(controllers.map((controller) => controller.stop(graceMs)));
    if (this.#isLost) return;
    if (ended.every(Boolean)) return this.#release();
    const running = controllers.filter((_, i) => !ended[i]).map(({ name }) => name);
    log.warn('work did not end in time, the lease is left to run out', { running });
  }

  async #release(): Promise<void> {
    try {
      await this.#parts.leadership.stop();
    } catch (thrown) {
      // It runs out by itself; the process ends either way.
      const reason = thrown instanceof KeywardError ? thrown.reason : 'InternalError';
      this.#parts.log.warn('the lease could not be released', { reason });
    }
  }

  #lose(): KeywardError {
    this.#isLost = true;
    this.#phase = 'stopping';
    const loss = new KeywardError('Transient', {
      reason: LEADERSHIP_LOST,
      message: 'leadership was lost or is in doubt; this process must end at once',
    });
    for (const controller of this.#parts.controllers) controller.abandon(loss);
    return loss;
  }

  #unsynced(): readonly string[] {
    return this.#parts.caches
      .filter(({ cache }) => !cache.synced)
      .map(({ name, cache }) => (cache.refused === true ? `${name} (not allowed)` : name));
  }
}

/** Reason of the error that means: exit without any further write. */
const LEADERSHIP_LOST = 'LeadershipLost';

function whenAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}

function syncTimeout(waiting: readonly string[], limitMs: number): KeywardError {
  return new KeywardError('Transient', {
    reason: 'CacheSyncTimeout',
    message: `caches not synced after ${limitMs / SECOND_MS} s: ${waiting.join(', ')}`,
  });
}
