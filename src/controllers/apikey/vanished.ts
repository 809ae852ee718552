/**
 * Keys whose objects vanished while nobody looked: found, doubted, and ended only in small numbers.
 *
 * An empty list, a restored etcd or a wrong cluster look exactly like "everybody deleted everything".
 * So a vanished object is sighted twice with a pause between, read live once more (ProveGone), and
 * if too many are missing at once none is ended until a person has looked.
 */
import { refText, type Ref, type UidRef } from '../../api/meta.ts';
import type { Clock } from '../../kernel/clock.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { Ledger } from '../../ledger/port.ts';

/** More than this many at once needs a person. */
const VANISHED_MAX = 20;
/** So does more than this share of all keys, unless it is a handful. */
const VANISHED_SHARE_MAX = 0.05;
const HANDFUL = 3;
/** Endings are counted together over this time. */
const WINDOW_MS = 10 * MINUTE_MS;
/** Between the two sightings. */
export const SIGHTING_PAUSE_MS = 30 * SECOND_MS;
const PAGE = 500;
/** So many are remembered that were held back; a count finds the others. */
const HELD_MAX = 1_000;
/** So many of them are named in the log. */
const NAMED = 5;

/** What is held back because it is too much: how many, and some of them. */
export type HeldBack = { readonly vanished: number; readonly examples: readonly string[] };

/** Counts what vanishes and says when it is too much. Before the first count nothing may end. */
export class VanishedGuard {
  readonly #clock: Clock;
  readonly #accept: 'Few' | 'All';
  #endings: number[] = [];
  #pending = 0;
  /** Undefined: nothing was counted yet. */
  #total: number | undefined;
  #countedAtMs = Number.NEGATIVE_INFINITY;
  /** What may not end yet and was asked about, by UID; stays until it is ended or counted as not missing. */
  readonly #held = new Map<string, Ref>();

  /** @param accept All: a person has looked (`--accept-vanished`), nothing is held back */
  constructor(clock: Clock, accept: 'Few' | 'All') {
    this.#clock = clock;
    this.#accept = accept;
  }

  /** False until `found` was called: how many vanished is not known. */
  get hasCounted(): boolean {
    return this.#total !== undefined;
  }

  /** True: something is held back, and what it was counted with has left the window since. */
  get isCountDue(): boolean {
    return this.#held.size > 0 && this.#clock.monotonicMs() - this.#countedAtMs >= WINDOW_MS;
  }

  /** Undefined: nothing that was asked about is too much, as far as it is counted. */
  get heldBack(): HeldBack | undefined {
    if (this.#held.size === 0 || !this.hasCounted || this.permits()) return undefined;
    const examples = [...this.#held.values()].slice(0, NAMED).map(refText);
    return { vanished: this.#missing, examples };
  }

  /**
   * What the last sweep found: keys without object by UID, and the number of all keys. Returns what was held
   * back until now, to be looked at again.
   */
  found(missing: ReadonlyMap<string, Ref>, total: number): readonly Ref[] {
    this.#pending = missing.size;
    this.#total = total;
    this.#countedAtMs = this.#clock.monotonicMs();
    const held = [...this.#held];
    for (const [uid] of held) if (!missing.has(uid)) this.#held.delete(uid);
    return held.map(([, ref]) => ref);
  }

  /**
   * False: not counted yet, or too many at once; then a person must look. What waits for the answer is
   * remembered: of an object that is gone nothing else comes back to it.
   *
   * @param gone whose object vanished; absent: nobody waits for the answer
   */
  permits(gone?: UidRef): boolean {
    if (this.#accept === 'All' || this.#isFew()) return true;
    if (gone !== undefined && this.#held.size < HELD_MAX) {
      const { uid, namespace, name } = gone;
      this.#held.set(uid, { namespace, name });
    }
    return false;
  }

  #isFew(): boolean {
    const total = this.#total;
    if (total === undefined) return false;
    const since = this.#clock.monotonicMs() - WINDOW_MS;
    this.#endings = this.#endings.filter((atMs) => atMs > since);
    // With the next one, which may be one of those that are known to be missing.
    const count = this.#endings.length + Math.max(1, this.#missing);
    if (count > VANISHED_MAX) return false;
    return count <= HANDFUL || total === 0 || count <= total * VANISHED_SHARE_MAX;
  }

  /**
   * Asked right before a key is ended because its object vanished: true counts it. What `permits` said
   * when its World was read, it said to all that were read at that time.
   */
  admits(gone: UidRef): boolean {
    if (!this.permits(gone)) return false;
    this.#endings.push(this.#clock.monotonicMs());
    this.#pending = Math.max(0, this.#pending - 1);
    this.#held.delete(gone.uid);
    return true;
  }

  /** What a count found is asked about soon after it, so those that are held back are mostly among them. */
  get #missing(): number {
    return Math.max(this.#pending, this.#held.size);
  }
}

/** Says what is held back, and again only when that has changed. */
export class HeldAlarm {
  readonly #guard: Pick<VanishedGuard, 'heldBack'>;
  readonly #say: (held: HeldBack) => void;
  #said: string | undefined;

  /** @param say tells a person what is the matter, and what to do */
  constructor(guard: Pick<VanishedGuard, 'heldBack'>, say: (held: HeldBack) => void) {
    this.#guard = guard;
    this.#say = say;
  }

  /** To be called now and then. */
  tell(): void {
    const held = this.#guard.heldBack;
    const text = held && JSON.stringify(held);
    if (held !== undefined && text !== this.#said) this.#say(held);
    this.#said = text;
  }
}

/** What a sweep compares. */
export type SweepDeps = {
  readonly ledger: Ledger;
  readonly guard: VanishedGuard;
  /** UID of the object under this name in the cache. */
  readonly uidOf: (ref: Ref) => string | undefined;
  /** False: this namespace is not ours to judge. */
  readonly isWatched: (namespace: string) => boolean;
};

/** What a sweep found: ledger records whose objects the cache lacks. */
type Found = {
  /** Live keys, by UID: looked at twice before anything is done. */
  readonly missing: ReadonlyMap<string, Ref>;
  /** Keys that were ended already and only wait to be closed; nothing of them can be lost. */
  readonly ending: readonly Ref[];
  /** Those that were held back until this count. */
  readonly held: readonly Ref[];
};

/** Compares the ledger with the cache. Changes nothing but the guard's counts. */
export async function findVanished(deps: SweepDeps): Promise<Found> {
  const missing = new Map<string, Ref>();
  const ending: Ref[] = [];
  let total = 0;
  let after: string | undefined;
  do {
    const page = await deps.ledger.scan(PAGE, after);
    for (const record of page.records) {
      if (record.phase === 'Retained' || !deps.isWatched(record.namespace)) continue;
      total += 1;
      const ref = { namespace: record.namespace, name: record.name };
      if (deps.uidOf(ref) === record.uid) continue;
      if (record.phase === 'Ending') ending.push(ref);
      else missing.set(record.uid, ref);
    }
    after = page.next;
  } while (after !== undefined);
  const held = deps.guard.found(missing, total);
  return { missing, ending, held };
}

/** What was missing both times; the guard remembers it when it is too much to act upon. */
export function confirmVanished(
  guard: VanishedGuard,
  first: ReadonlyMap<string, Ref>,
  second: ReadonlyMap<string, Ref>,
): readonly Ref[] {
  const both = [...second].filter(([uid]) => first.has(uid));
  for (const [uid, ref] of both) guard.permits({ uid, ...ref });
  return both.map(([, ref]) => ref);
}
