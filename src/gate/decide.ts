/**
 * Decides about calls. At once where everything is in memory; otherwise the database is asked, with a
 * deadline. Only what is proven is a yes; whatever goes wrong is StateUnknown, and nothing is thrown.
 *
 *     spoofed, none, ambiguous -> fresh? -> shape -> known id? -> record -> secret or signature
 *       -> (the order of terms/verdict.ts) -> quota -> yes
 *
 * Where something was waited for and the record is another one by then, or was let go, all of it is done again.
 */
import type { Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { StoreProfile } from '../ledger/documents.ts';
import { REFUSALS, type Refusal } from '../terms/refusals.ts';
import { findQuotaRefusal, judgeProven } from '../terms/verdict.ts';
import type { Answers } from './answers.ts';
import type { Call } from './call.ts';
import type { Decider, Decision } from './decision.ts';
import type { Products } from './products.ts';
import { isForeign, readClaim, type Claim, type Lookup, type Prover } from './prover.ts';
import type { Use } from './quotas/count.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { RefusalLog } from './refusallog.ts';
import type { ReplayMemory } from './replay.ts';
import type { UsageCounter } from './usage.ts';
import type { Freshness, Moment } from './view/freshness.ts';
import { placeOf } from './view/place.ts';
import type { Place, PreparedCredential } from './view/prepared.ts';
import type { Known, RecordSource } from './view/records.ts';
import type { View } from './view/view.ts';

/** What decisions are made of. */
type DeciderDeps = {
  readonly view: View;
  readonly freshness: Freshness;
  /** The database; undefined: there is none now. */
  readonly source: () => RecordSource | undefined;
  readonly prover: Prover;
  readonly products: Products;
  readonly quotas: Pick<Quotas, 'take' | 'renewsInSeconds'>;
  readonly replay: Pick<ReplayMemory, 'remember'>;
  readonly usage: Pick<UsageCounter, 'count'>;
  readonly answers: Answers;
  readonly refusals: RefusalLog;
  readonly clock: Clock;
  readonly observe: (tookMs: number) => void;
  readonly onFailure: (reason: string) => void;
};

/** A call with what it says; newFor: see `Outdated`. */
type Asked = { readonly call: Call; readonly claim: Claim; readonly newFor: string | undefined };

/** A call of which it is known whose it is. */
type Proven = {
  readonly call: Call;
  readonly credential: PreparedCredential;
  readonly place: Place;
};

/** A call that waited, and whose record is not to be gone by any more. */
type Outdated = {
  readonly type: 'Outdated';
  /** The keyId under which its signature was found new, and is remembered: it is not asked about again. */
  readonly newFor?: string;
};
type Outcome = Decision | Outdated;

const OUTDATED: Outdated = { type: 'Outdated' };
/** A key that changes again and again while calls wait, or a cache that is too small for what is read. */
const DECISIONS_MAX = 4;

/** See the file comment. */
export class GateDecider implements Decider {
  readonly #deps: DeciderDeps;

  constructor(deps: DeciderDeps) {
    this.#deps = deps;
  }

  readonly #lookup: Lookup = (kind, text) => {
    const { prover, view } = this.#deps;
    return prover.lookup(kind, text, (id) => view.known.has(id));
  };

  decide(call: Call): Decision | Promise<Decision> {
    const { clock, observe } = this.#deps;
    const at = { monotonicMs: clock.monotonicMs(), nowMs: clock.nowMs() };
    let decision: Decision | Promise<Outcome>;
    try {
      decision = this.#decide(call, at);
    } catch (thrown) {
      decision = this.#failed(call, thrown);
    }
    if (decision instanceof Promise) return this.#finish(call, decision, at);
    observe(clock.monotonicMs() - at.monotonicMs);
    return decision;
  }

  async #finish(call: Call, first: Promise<Outcome>, at: Moment): Promise<Decision> {
    const { clock, observe } = this.#deps;
    try {
      let outcome = await first;
      let newFor: string | undefined;
      for (let made = 1; outcome.type === 'Outdated'; made += 1) {
        if (made >= DECISIONS_MAX) return this.#refuse(REFUSALS.StateUnknown, call.profile);
        newFor = outcome.newFor ?? newFor;
        // Each is about what the one before it left.
        // oxlint-disable-next-line no-await-in-loop
        outcome = await this.#decide(call, this.#now(), newFor);
      }
      return outcome;
    } catch (thrown) {
      return this.#failed(call, thrown);
    } finally {
      observe(clock.monotonicMs() - at.monotonicMs);
    }
  }

  #decide(call: Call, at: Moment, newFor?: string): Decision | Promise<Outcome> {
    const { view, freshness } = this.#deps;
    if (call.isSpoofed) return this.#refuse(REFUSALS.HeaderNotAllowed, call.profile);
    const { type } = call.credential;
    if (type === 'None') return this.#refuse(REFUSALS.NoKey, call.profile);
    if (type === 'Ambiguous') return this.#refuse(REFUSALS.AmbiguousKey, call.profile);
    if (!freshness.isFresh(at)) return this.#refuse(REFUSALS.StateUnknown, call.profile);
    const claim = readClaim(call.credential, this.#lookup);
    if (claim === undefined) return this.#refuse(REFUSALS.MalformedKey, call.profile);
    const known = view.find(claim.keyId);
    return known === undefined
      ? this.#decideUnread(call, claim, newFor)
      : this.#decideKnown({ call, claim, newFor }, known, at);
  }

  async #decideUnread(call: Call, claim: Claim, newFor: string | undefined): Promise<Outcome> {
    const { freshness, source, view } = this.#deps;
    const asked = source();
    if (asked === undefined) return this.#refuse(REFUSALS.StateUnknown, call.profile);
    const known = await view.records.load(claim.keyId, asked);
    const at = this.#now();
    if (!freshness.isFresh(at)) return this.#refuse(REFUSALS.StateUnknown, call.profile);
    if (known !== 'Gone' && known.key.isOutdated) return OUTDATED;
    return this.#decideKnown({ call, claim, newFor }, known, at);
  }

  #decideKnown(
    { call, claim, newFor }: Asked,
    known: Known,
    at: Moment,
  ): Decision | Promise<Outcome> {
    const { prover, replay, view } = this.#deps;
    if (known === 'Gone') {
      this.#proveNothing(claim, call, at);
      const { MalformedKey, UnknownKey } = REFUSALS;
      return this.#refuse(isForeign(claim) ? MalformedKey : UnknownKey, call.profile);
    }
    const proof = prover.prove(claim, known, call, at.nowMs);
    if (proof === 'Proven') return this.#judge(call, known, at);
    if ('cause' in proof) {
      // For its time, too: whether nobody has the id was asked only where it was not found at once.
      view.isUnknown(claim.keyId);
      return this.#refuse(proof, call.profile);
    }
    if (proof.keyId === newFor) return this.#judge(call, known, at);
    return this.#decideSigned(call, known, replay.remember(proof));
  }

  /** For its time: whatever comes of it, of nobody's credential nothing is proven. */
  #proveNothing(claim: Claim, call: Call, at: Moment): void {
    try {
      this.#deps.prover.prove(claim, this.#decoyFor(claim), call, at.nowMs);
    } catch {
      // That a decoy needs a master key which is not here says nothing about this call.
    }
  }

  /** Of signatures the prover knows what to do: few credentials have a secret to be opened. */
  #decoyFor(claim: Claim): PreparedCredential | undefined {
    const isValue = claim.type === 'Secret' || claim.type === 'Foreign';
    return isValue ? this.#deps.view.records.decoyFor(claim.keyId) : undefined;
  }

  async #decideSigned(
    call: Call,
    credential: PreparedCredential,
    asked: ReturnType<ReplayMemory['remember']>,
  ): Promise<Outcome> {
    const novelty = await asked;
    const at = this.#now();
    const { profile } = placeOf(credential, this.#deps.view.around);
    const { keyId } = credential;
    if (novelty === 'Seen') return this.#refuse(REFUSALS.SignatureReplayed, profile, keyId);
    if (novelty === 'Unknown') return this.#refuse(REFUSALS.ReplayUnknown, profile, keyId);
    if (!this.#deps.freshness.isFresh(at)) {
      return this.#refuse(REFUSALS.StateUnknown, profile, keyId);
    }
    const outcome = credential.key.isOutdated ? OUTDATED : await this.#judge(call, credential, at);
    return outcome.type === 'Outdated' ? { ...outcome, newFor: keyId } : outcome;
  }

  /** All checks behind the proof. */
  #judge(call: Call, credential: PreparedCredential, at: Moment): Decision | Promise<Outcome> {
    const place = placeOf(credential, this.#deps.view.around);
    const proven = { call, credential, place };
    const refusal = this.#findRefusal(proven, at);
    if (refusal !== undefined) return this.#refuse(refusal, place.profile, credential.keyId);
    const { terms, quotaSubject } = credential.key;
    const uncounted = findQuotaRefusal(terms, undefined);
    if (terms.quota === undefined || uncounted === undefined) return this.#allow(proven, at);
    if (uncounted !== REFUSALS.QuotaUnknown) {
      return this.#refuse(uncounted, place.profile, credential.keyId);
    }
    const taken = this.#deps.quotas.take(quotaSubject, terms.quota, at.nowMs);
    if (taken instanceof Promise) return this.#judgeTaken(proven, taken);
    return typeof taken === 'number'
      ? this.#allow(proven, at, taken)
      : this.#refuseUse(taken, proven, at);
  }

  /** After waiting for a use everything else is looked at again: the wait may have been long. */
  async #judgeTaken(
    { call, credential }: Proven,
    waiting: Promise<Use | Refusal>,
  ): Promise<Outcome> {
    const taken = await waiting;
    const at = this.#now();
    const place = placeOf(credential, this.#deps.view.around);
    const proven = { call, credential, place };
    if ('cause' in taken) return this.#refuseUse(taken, proven, at);
    const refusal = this.#deps.freshness.isFresh(at)
      ? this.#findRefusal(proven, at)
      : REFUSALS.StateUnknown;
    if (refusal === undefined && !credential.key.isOutdated) {
      return this.#allow(proven, at, taken.left);
    }
    taken.giveBack();
    return credential.key.isOutdated || refusal === undefined
      ? OUTDATED
      : this.#refuse(refusal, place.profile, credential.keyId);
  }

  /** A quota that is used up may begin anew. */
  #refuseUse(refusal: Refusal, { credential, place }: Proven, { nowMs }: Moment): Decision {
    const decision = this.#refuse(refusal, place.profile, credential.keyId);
    const { quota } = credential.key.terms;
    const isUsedUp = refusal === REFUSALS.QuotaUsedUp && quota !== undefined;
    if (!isUsedUp || decision.type === 'Allowed') return decision;
    return { ...decision, retryAfterSeconds: this.#deps.quotas.renewsInSeconds(quota, nowMs) };
  }

  #findRefusal({ call, credential, place }: Proven, at: Moment): Refusal | undefined {
    const { products, prover } = this.#deps;
    const { terms } = credential.key;
    const need = products.needOf(call, terms.productRefs);
    const judged = judgeProven(place, terms, {
      nowMs: at.nowMs,
      pepper: prover.pepper,
      origin: call.origin,
      referer: call.referer,
      address: call.address,
      productRef: typeof need === 'string' ? need : undefined,
      productRefusal: typeof need === 'string' ? undefined : need,
    });
    return typeof judged === 'string' ? undefined : judged;
  }

  #allow({ credential, place }: Proven, at: Moment, quotaRemaining?: number): Decision {
    const { answers, usage } = this.#deps;
    usage.count(credential.key.use, at.nowMs);
    if (credential.retiring !== undefined) usage.count(credential.retiring, at.nowMs);
    answers.allowed(place.profile);
    return quotaRemaining === undefined ? place : place.counted(quotaRemaining);
  }

  /** @param keyId of a caller who has proven that it is his */
  #refuse(refusal: Refusal, profile: StoreProfile, keyId?: string): Decision {
    this.#deps.refusals.refused(refusal.cause, profile, keyId);
    return this.#deps.answers.refused(refusal, profile);
  }

  #failed(call: Call, thrown: unknown): Decision {
    const error = classify(thrown);
    this.#deps.onFailure(error.reason);
    // What passes by itself is told by whoever follows the database.
    if (error.class !== 'Transient') this.#deps.refusals.failed(error.reason, error.cause ?? error);
    return this.#refuse(REFUSALS.StateUnknown, call.profile);
  }

  #now(): Moment {
    const { clock } = this.#deps;
    return { monotonicMs: clock.monotonicMs(), nowMs: clock.nowMs() };
  }
}
