/**
 * Proves again and again that the admission policies are in force, so that the names on forms and reviews
 * can be believed. What was created or edited while that was in doubt is not believed later either.
 *
 * Expected use: a controller that sees a new form, edit or review notes the time, calls `prove()`, and then
 * asks `covers`.
 */
import { sleep, type Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { KubeClient } from '../../kube/port.ts';
import { extend, isSameChain, settlesInMs, type Chain } from './chain.ts';
import { examine, type Finding } from './examine.ts';
import type { ProofMetrics } from './metrics.ts';
import type { IdentityProof, ProofState, ProofStore, Vouched } from './proof.ts';

/** While all is well. */
const ROUND_MS = MINUTE_MS;
/** While it is not: whoever repairs it is waiting. */
const HURRIED_ROUND_MS = 5 * SECOND_MS;
/** Many objects at once are one occasion. */
const ROUND_MIN_MS = 250;
/** Three rounds without an answer. */
const STALE_MS = 3 * ROUND_MS;
/** A wall clock that moved more than this against the monotonic one was stepped. */
const STEP_MS = SECOND_MS;

/** What the prover is made of. */
type ProverOptions = {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'clockSkewMs'>;
  /** The operator's own namespace. */
  readonly namespace: string;
  readonly store: ProofStore;
  readonly clock: Clock;
  readonly metrics: ProofMetrics;
  readonly log: Logger;
};

/** The newest look that proved, by our clock, and how far that was ahead of the monotonic one. */
type Look = { readonly beganMs: number; readonly leadMs: number };

const STEPPED: ProofState = { state: 'NotProven', reason: 'the clock of the operator went back' };

/** See the file comment. */
export class PolicyProver implements IdentityProof {
  readonly #options: ProverOptions;
  #stop: AbortSignal = AbortSignal.abort();
  #chain: Chain | undefined;
  /** What the store holds; undefined: not read yet. */
  #kept: { readonly chain: Chain | undefined } | undefined;
  #look: Look | undefined;
  /** Why the newest look proved nothing. */
  #doubt: string | undefined = 'the admission policies have not been looked at yet';
  #told: { readonly state: ProofState['state']; readonly text: string } | undefined;
  /** Somebody was told NotProven since listeners heard of a proof. */
  #isAwaited = false;
  #endedMs = -Infinity;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<ProofState> | undefined;
  readonly #listeners: ((state: ProofState) => void)[] = [];

  constructor(options: ProverOptions) {
    this.#options = options;
  }

  get state(): ProofState {
    const { clock } = this.#options;
    if (this.#doubt !== undefined) return { state: 'NotProven', reason: this.#doubt };
    const [chain, look] = [this.#chain, this.#look];
    if (chain === undefined || look === undefined || clock.nowMs() - look.beganMs > STALE_MS) {
      return { state: 'NotProven', reason: 'the API server has not answered for minutes' };
    }
    return settlesInMs(chain, this.#atServer(look.beganMs)) > 0
      ? { state: 'NotProven', reason: 'the admission policies have only just been seen to act' }
      : { state: 'Proven' };
  }

  atOurClock(serverMs: number): number {
    return serverMs - this.#options.client.clockSkewMs;
  }

  covers(fromMs: number, toMs: number): boolean {
    const [chain, look] = [this.#chain, this.#look];
    if (chain === undefined || look === undefined || !(fromMs <= toMs)) return false;
    if (Math.abs(this.#leadMs() - look.leadMs) > STEP_MS) return false;
    return toMs <= look.beganMs && this.#atServer(fromMs) >= chain.sinceMs;
  }

  async prove(): Promise<ProofState> {
    const askedMs = this.#options.clock.nowMs();
    this.#next ??= this.#lookNext();
    const answer = await this.#next;
    const isAfter = (this.#look?.beganMs ?? askedMs) >= askedMs;
    if (answer.state === 'Proven' && isAfter) return answer;
    this.#isAwaited = true;
    return answer.state === 'Proven' ? STEPPED : answer;
  }

  async vouch(fromMs: number): Promise<Vouched> {
    const seenMs = this.#options.clock.nowMs();
    const answer = await this.prove();
    // Clocks differ by what cannot be measured, and then an object seems to come from the future.
    if (this.covers(Math.min(fromMs, seenMs), seenMs)) return { type: 'Covered' };
    return answer.state === 'Proven'
      ? { type: 'Gap' }
      : { type: 'NotProven', reason: answer.reason };
  }

  onChange(listener: (state: ProofState) => void): void {
    this.#listeners.push(listener);
  }

  /** Proves until `stop`; before, nothing is. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    this.#stop = stop;
    while (!stop.aborted) {
      // One look after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await this.prove();
      // oxlint-disable-next-line no-await-in-loop
      await sleep(this.#options.clock, this.#pauseMs(), stop).catch(() => undefined);
    }
  }

  async #lookNext(): Promise<ProofState> {
    const { clock } = this.#options;
    // A look that is under way began before this call, and says nothing about what the call is for.
    await this.#current;
    const restMs = this.#endedMs + ROUND_MIN_MS - clock.monotonicMs();
    if (restMs > 0) await sleep(clock, restMs, this.#stop).catch(() => undefined);
    this.#next = undefined;
    const look = this.#lookNow();
    this.#current = look.then(() => undefined);
    const failure = await look;
    // What an earlier look proved is no answer to this call.
    return failure === undefined ? this.state : { state: 'NotProven', reason: failure };
  }

  /** Why it could not look; undefined: it did, and the rest is in `state`. Never rejects. */
  async #lookNow(): Promise<string | undefined> {
    if (this.#stop.aborted) return 'this operator does not lead';
    const { clock, store, log } = this.#options;
    const look = { beganMs: clock.nowMs(), leadMs: this.#leadMs() };
    let failure: string | undefined;
    try {
      this.#kept ??= await this.#recall();
      const finding = await examine(this.#options, this.#stop);
      if (this.#stop.aborted) return 'this operator does not lead any more';
      if (finding.type === 'Unknown') failure = finding.reason;
      this.#conclude(finding, look);
      if (!isSameChain(this.#kept.chain, this.#chain)) {
        await store.save(this.#chain, this.#doubt ?? '');
        this.#kept = { chain: this.#chain };
      }
    } catch (error) {
      const { reason, message } = classify(error);
      log.warn('The proof of the admission policies could not be kept', { reason });
      if (this.#kept === undefined) {
        failure = `what was proven before cannot be read: ${message}`;
        this.#doubt = failure;
      }
    } finally {
      this.#endedMs = clock.monotonicMs();
      if (!this.#stop.aborted) this.#tell(failure);
    }
    return failure;
  }

  async #recall(): Promise<{ readonly chain: Chain | undefined }> {
    const chain = await this.#options.store.load();
    this.#chain = chain;
    return { chain };
  }

  #conclude(finding: Finding, look: Look): void {
    if (finding.type === 'Unknown') {
      if (!finding.isPassing || this.#doubt !== undefined) this.#doubt = finding.reason;
      return;
    }
    if (finding.type === 'Broken') {
      this.#chain = undefined;
      this.#look = undefined;
      this.#doubt = finding.reason;
      return;
    }
    const beganMs = this.#atServer(look.beganMs);
    const endedMs = this.#atServer(this.#options.clock.nowMs());
    this.#chain = extend(this.#chain, { beganMs, endedMs, fingerprint: finding.fingerprint });
    this.#look = look;
    this.#doubt = undefined;
  }

  #tell(failure: string | undefined): void {
    const { metrics, log } = this.#options;
    const now = this.state;
    const text = now.state === 'Proven' ? '' : now.reason;
    metrics.state(now.state);
    const told = this.#told;
    this.#told = { state: now.state, text };
    if (told?.text !== text) {
      if (now.state === 'Proven') log.info('The admission policies are proven to be in force');
      else log.warn('The admission policies are not proven to be in force', { reason: text });
    }
    const isAnswer = this.#isAwaited && now.state === 'Proven' && failure === undefined;
    if (told?.state === now.state && !isAnswer) return;
    if (isAnswer) this.#isAwaited = false;
    for (const listener of this.#listeners) listener(now);
  }

  #pauseMs(): number {
    if (this.state.state === 'Proven') return this.#isAwaited ? HURRIED_ROUND_MS : ROUND_MS;
    if (this.#doubt !== undefined || this.#chain === undefined) return HURRIED_ROUND_MS;
    const { clock } = this.#options;
    return Math.min(HURRIED_ROUND_MS, settlesInMs(this.#chain, this.#atServer(clock.nowMs())) + 1);
  }

  #atServer(ourMs: number): number {
    return ourMs + this.#options.client.clockSkewMs;
  }

  #leadMs(): number {
    const { clock } = this.#options;
    return clock.nowMs() - clock.monotonicMs();
  }
}
