/**
 * Leader election on a Lease. At most one holder acts at a time because a leader stops by its own
 * clock before others may take over by theirs; no clock is ever compared with another machine's.
 *
 *     Following --Lease free, ours, or unchanged for its duration--> Leading --renewals fail--> lost
 *
 * The epoch is the number of transitions of the Lease; whoever writes elsewhere is fenced by it.
 */
import type { KubeObject, Ref } from '../api/meta.ts';
import { LEASES } from '../api/names.ts';
import { type Clock, sleep } from '../kernel/clock.ts';
import { classify, KeywardError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { formatMicroTime } from './microtime.ts';
import type { CallOptions, Draft, KubeClient } from './port.ts';

/** The times of an election, in milliseconds; `LeaderElector` refuses unsafe combinations. */
type LeaseTimes = {
  /** How long others wait after the last renewal that they saw. */
  readonly durationMs: number;
  /** How long a leader keeps leading without a successful renewal. */
  readonly renewDeadlineMs: number;
  /** Between a renewal that worked and the next one. */
  readonly renewMs: number;
  /** Between two tries to become leader, and after a renewal that failed. */
  readonly retryMs: number;
  /** The longest that one call may take; the elector aborts it after that. */
  readonly requestMs: number;
};

/** Which Lease, who we are, and with what to work. */
export type LeaseOptions = {
  /** An urgent client, so that renewals do not queue behind ordinary writes. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lease: Ref;
  /** Unique among the processes that may run at once, and the same after a restart where possible. */
  readonly identity: string;
  readonly times?: Partial<LeaseTimes>;
  /**
   * The highest epoch that was ever stored elsewhere; absent: 0. A Lease that was deleted begins to
   * count anew, and an epoch below the stored one would fence off the new leader for ever.
   */
  readonly lastEpoch?: () => Promise<number>;
  /** Annotations to keep on the Lease, asked for at each renewal; absent or empty: as they are. */
  readonly stamp?: () => Readonly<Record<string, string>>;
  /** A number in [0, 1); keeps candidates from trying in step. */
  readonly random: () => number;
};

type LeaseSpec = {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
};
type Lease = KubeObject<{ readonly spec?: LeaseSpec }>;
type Renewal = 'Renewed' | 'Failed' | 'Lost';
/** The Lease as seen when it last changed, and our own clock at that moment. */
type Sighting = { readonly text: string; readonly atMs: number };
type Term = {
  readonly epoch: number;
  readonly acquiredTime: string;
  /** What the Lease said when it was acquired. */
  readonly found: Readonly<Record<string, string>>;
};

const DEFAULTS: LeaseTimes = {
  durationMs: 15_000,
  renewDeadlineMs: 10_000,
  // Half as often as others do it, for half the processor time at rest: a first renewal that hangs
  // for its whole time still leaves room for a second one.
  renewMs: 4_000,
  retryMs: 2_000,
  requestMs: 4_000,
};

/** All times of an election, in the proportions of the usual ones. */
export function leaseTimes(durationMs: number): LeaseTimes {
  const scaled = (ms: number): number => (ms * durationMs) / DEFAULTS.durationMs;
  return {
    durationMs,
    renewDeadlineMs: scaled(DEFAULTS.renewDeadlineMs),
    renewMs: scaled(DEFAULTS.renewMs),
    retryMs: scaled(DEFAULTS.retryMs),
    requestMs: scaled(DEFAULTS.requestMs),
  };
}

/** Renewals of a twin are this many times as far apart at most, while it renews at all. */
const TWIN_FACTOR = 1.5;

/** One candidate for one term: after `onLost` or `stop` it is of no further use. */
export class LeaderElector {
  readonly #options: LeaseOptions;
  readonly #times: LeaseTimes;
  readonly #stopping = new AbortController();
  #seen: Sighting | undefined;
  /** Since the sighting we may have written the Lease ourselves. */
  #hasTried = false;
  #term: Term | undefined;
  #renewedMs = Number.NEGATIVE_INFINITY;
  /** The Lease as our last renewal left it; undefined: it has to be read first. */
  #held: Lease | undefined;
  #running: Promise<void> | undefined;

  /** Throws a RangeError for times under which two leaders could overlap. */
  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#times = { ...DEFAULTS, ...options.times };
    checkTimes(this.#times);
  }

  /** Epoch of the current term, 1 or more; undefined while somebody else leads. */
  get epoch(): number | undefined {
    return this.#term?.epoch;
  }

  /**
   * Whether the Lease is ours beyond doubt at this very moment, by the monotonic clock. A process that
   * was stopped and goes on learns by this, before any timer, that its time is over.
   */
  get isHeld(): boolean {
    const ageMs = this.#options.clock.monotonicMs() - this.#renewedMs;
    return this.#term !== undefined && ageMs < this.#times.renewDeadlineMs;
  }

  /** Annotations that the Lease had when this term began: what the leader before us noted. */
  get foundAnnotations(): Readonly<Record<string, string>> {
    return this.#term?.found ?? {};
  }

  /**
   * Waits for leadership, then keeps it. Resolves with the epoch; rejects when stopped or aborted.
   *
   * @param onLost called at most once, when renewals failed up to the deadline or somebody else
   *   holds the Lease: stop writing at once, and end the process
   */
  async lead(onLost: () => void, signal?: AbortSignal): Promise<number> {
    const stop = this.#stopping.signal;
    const combined = signal === undefined ? stop : AbortSignal.any([stop, signal]);
    for (;;) {
      const startMs = this.#options.clock.monotonicMs();
      // One try after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      const term = await this.#try(combined);
      combined.throwIfAborted();
      if (term !== undefined) {
        this.#term = term;
        this.#running = this.#keep(startMs, onLost);
        this.#options.log.info('leading', { epoch: term.epoch });
        return term.epoch;
      }
      const pauseMs = this.#times.retryMs * (1 + 0.2 * this.#options.random());
      // oxlint-disable-next-line no-await-in-loop
      await sleep(this.#options.clock, pauseMs, combined);
    }
  }

  /** Ends leading and gives the Lease back, so that a successor need not wait. May be repeated. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    const term = this.#term;
    this.#term = undefined;
    if (term !== undefined) await this.#release(term);
  }

  /** Renews until the deadline passes without a success; the deadline is ours and monotonic. */
  async #keep(acquiredMs: number, onLost: () => void): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    this.#renewedMs = acquiredMs;
    let outcome: Renewal = 'Renewed';
    for (;;) {
      const dueMs = this.#renewedMs + this.#times.renewDeadlineMs;
      const { renewMs, retryMs } = this.#times;
      const wantedMs = outcome === 'Renewed' ? renewMs : retryMs;
      const pauseMs = Math.min(wantedMs, dueMs - clock.monotonicMs());
      // oxlint-disable-next-line no-await-in-loop
      if (!(await paused(clock, pauseMs, signal))) return;
      const startMs = clock.monotonicMs();
      if (startMs >= dueMs) break;
      // oxlint-disable-next-line no-await-in-loop
      outcome = await this.#renew(dueMs - startMs, signal);
      if (signal.aborted) return;
      // Counted from before the call: others may have seen the renewal that early.
      if (outcome === 'Renewed') this.#renewedMs = startMs;
      if (outcome === 'Lost') break;
    }
    this.#term = undefined;
    log.error('leadership lost');
    onLost();
  }

  async #renew(leftMs: number, signal: AbortSignal): Promise<Renewal> {
    const term = this.#term;
    if (term === undefined) return 'Lost';
    const held = this.#held;
    // Whatever goes wrong, it is read again: an answer that got lost may have moved the version.
    this.#held = undefined;
    try {
      return await this.#within(Math.min(leftMs, this.#times.requestMs), signal, async (how) => {
        if (held !== undefined && (await this.#renewHeld(held, term, how))) return 'Renewed';
        const lease = await this.#read(how);
        const isOurs =
          lease?.spec?.holderIdentity === this.#options.identity &&
          lease.spec.leaseTransitions === term.epoch;
        if (lease === undefined || !isOurs) return 'Lost';
        return (await this.#write(lease, term, how)) ? 'Renewed' : 'Failed';
      });
    } catch (thrown) {
      this.#noteFailure(thrown);
      return 'Failed';
    }
  }

  /**
   * Without reading: the version says that the Lease is as we left it, so it is still ours. False
   * when it was changed or deleted, by whomever.
   */
  async #renewHeld(held: Lease, term: Term, how: CallOptions): Promise<boolean> {
    try {
      return await this.#write(held, term, how);
    } catch (thrown) {
      if (classify(thrown).class === 'Conflict') return false;
      throw thrown;
    }
  }

  /** One try to become leader. */
  async #try(signal: AbortSignal): Promise<Term | undefined> {
    try {
      return await this.#within(this.#times.requestMs, signal, async (how) => {
        const lease = await this.#read(how);
        if (lease !== undefined && !this.#isFree(lease)) return undefined;
        const term = await this.#nextTerm(lease);
        // Should its answer get lost, the next look finds our own write.
        this.#hasTried = true;
        if (lease === undefined) return this.#create(term, how);
        return (await this.#write(lease, term, how)) ? term : undefined;
      });
    } catch (thrown) {
      if (classify(thrown).reason === IDENTITY_IN_USE) throw thrown;
      this.#noteFailure(thrown);
      return undefined;
    }
  }

  /**
   * Free: given back, our own from before a restart, or unchanged for its whole duration. Our own counts
   * only when nobody renews it: two processes of one name would take it from each other for ever.
   */
  #isFree(lease: Lease): boolean {
    const { holderIdentity = '', renewTime = '', leaseDurationSeconds } = lease.spec ?? {};
    if (holderIdentity === '') return true;
    const isOurs = holderIdentity === this.#options.identity;
    const nowMs = this.#options.clock.monotonicMs();
    const text = `${lease.metadata.resourceVersion} ${holderIdentity} ${renewTime}`;
    if (this.#seen?.text !== text) {
      const wasOurs = this.#seen?.text.split(' ')[1] === holderIdentity;
      if (isOurs && wasOurs && !this.#hasTried) throw identityInUse(this.#options.identity);
      this.#seen = { text, atMs: nowMs };
      this.#hasTried = false;
    }
    const { durationMs, renewMs } = this.#times;
    // Another build may hold it under longer times than ours.
    const fullMs = Math.max(durationMs, (leaseDurationSeconds ?? 0) * 1_000);
    return nowMs - this.#seen.atMs >= (isOurs ? TWIN_FACTOR * renewMs : fullMs);
  }

  async #read(how: CallOptions): Promise<Lease | undefined> {
    // Parser: every field of the spec is optional and compared, never trusted.
    return (await this.#options.client.get(LEASES, this.#options.lease, how)) as Lease | undefined;
  }

  async #create(term: Term, how: CallOptions): Promise<Term> {
    const { name, namespace } = this.#options.lease;
    await this.#options.client.create(LEASES, this.#draft({ name, namespace }, term), how);
    return term;
  }

  /** False when the Lease is gone; Conflict is thrown when somebody was faster. */
  async #write(lease: Lease, term: Term, how: CallOptions): Promise<boolean> {
    const draft = this.#draft(lease.metadata, term);
    const written = await this.#options.client.replace(LEASES, draft, how);
    if (written === undefined) return false;
    const { resourceVersion } = written;
    const { annotations } = draft.metadata;
    const metadata = { ...lease.metadata, resourceVersion, ...(annotations && { annotations }) };
    this.#held = { ...lease, metadata };
    return true;
  }

  /** Clears the holder. The number of transitions stays: epochs never repeat. */
  async #release(term: Term): Promise<void> {
    try {
      await this.#within(this.#times.requestMs, new AbortController().signal, async (how) => {
        const lease = await this.#read(how);
        if (lease?.spec?.holderIdentity !== this.#options.identity) return;
        if (lease.spec.leaseTransitions !== term.epoch) return;
        const draft = this.#draft(lease.metadata, term);
        const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
        await this.#options.client.replace(LEASES, { ...draft, spec }, how);
      });
    } catch (thrown) {
      // The successor waits for the duration instead; nothing else depends on it.
      this.#noteFailure(thrown);
    }
  }

  #draft(metadata: Draft['metadata'], term: Term): Draft {
    const spec: LeaseSpec = {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.ceil(this.#times.durationMs / 1_000),
      acquireTime: term.acquiredTime,
      renewTime: formatMicroTime(this.#options.clock.nowMs()),
      leaseTransitions: term.epoch,
    };
    const annotations = { ...metadata.annotations, ...this.#options.stamp?.() };
    const stamped = { ...metadata, annotations };
    return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: stamped, spec };
  }

  async #nextTerm(lease: Lease | undefined): Promise<Term> {
    const transitions = lease?.spec?.leaseTransitions ?? 0;
    const stored = (await this.#options.lastEpoch?.()) ?? 0;
    const epoch = Math.max(transitions, stored) + 1;
    const acquiredTime = formatMicroTime(this.#options.clock.nowMs());
    return { epoch, acquiredTime, found: lease?.metadata.annotations ?? {} };
  }

  async #within<T>(
    limitMs: number,
    signal: AbortSignal,
    act: (how: CallOptions) => Promise<T>,
  ): Promise<T> {
    const limit = new AbortController();
    const cancel = this.#options.clock.after(limitMs, () => limit.abort());
    try {
      return await act({ signal: AbortSignal.any([signal, limit.signal]) });
    } finally {
      cancel();
    }
  }

  #noteFailure(thrown: unknown): void {
    const { reason, message } = classify(thrown);
    this.#options.log.info('lease not written', { reason, message });
  }
}

/** Reason of the error with which a candidate gives up whose name somebody else leads under. */
const IDENTITY_IN_USE = 'IdentityInUse';

function identityInUse(identity: string): KeywardError {
  return new KeywardError('Terminal', {
    reason: IDENTITY_IN_USE,
    message: `another process leads as '${identity}'; give each replica an --identity of its own`,
  });
}

/** Otherwise a renewal that is still under way at the deadline could land in a successor's term. */
function checkTimes(times: LeaseTimes): void {
  const { durationMs, renewDeadlineMs, renewMs, retryMs, requestMs } = times;
  if (renewDeadlineMs + requestMs >= durationMs) {
    throw new RangeError('lease: renew deadline plus request time must be below the duration');
  }
  for (const pauseMs of [renewMs, retryMs]) {
    if (pauseMs > 0 && pauseMs < renewDeadlineMs) continue;
    throw new RangeError(
      'lease: renew and retry times must be above 0 and below the renew deadline',
    );
  }
}

async function paused(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(clock, Math.max(delayMs, 0), signal);
    return true;
  } catch {
    return false;
  }
}
