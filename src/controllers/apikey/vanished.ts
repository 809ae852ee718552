/**
 * Keys whose objects vanished while nobody looked: found, doubted, and ended only in small numbers.
 *
 * An empty list, a restored etcd or a wrong cluster look exactly like "everybody deleted everything".
 * So a vanished object is sighted twice with a pause between, read live once more (ProveGone), and
 * if too many are missing at once none is ended until a person has looked.
 */
import type { Ref } from '../../api/meta.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
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

/** Counts what vanishes and says when it is too much. Before the first count nothing may end. */
export class VanishedGuard {
  readonly #clock: Clock;
  readonly #accept: 'Few' | 'All';
  #endings: number[] = [];
  #pending = 0;
  /** Undefined: nothing was counted yet. */
  #total: number | undefined;
  /** What was asked about before the first count. */
  readonly #early = new Map<string, Ref>();

  /** @param accept All: a person has looked (`--accept-vanished`), nothing is held back */
  constructor(clock: Clock, accept: 'Few' | 'All') {
    this.#clock = clock;
    this.#accept = accept;
  }

  /** False until `found` was called: how many vanished is not known. */
  get hasCounted(): boolean {
    return this.#total !== undefined;
  }

  /**
   * What the last sweep found: keys without object, and all keys. Returns what was asked about before it
   * was known, to be looked at again.
   */
  found(missing: number, total: number): readonly Ref[] {
    this.#pending = missing;
    this.#total = total;
    const early = [...this.#early.values()];
    this.#early.clear();
    return early;
  }

  /**
   * False: not counted yet, or too many at once; then a person must look.
   *
   * @param gone whose object vanished; absent: nobody waits for the answer
   */
  permits(gone?: Ref): boolean {
    if (this.#accept === 'All') return true;
    const total = this.#total;
    if (total === undefined) {
      if (gone !== undefined) this.#remember(gone);
      return false;
    }
    const since = this.#clock.monotonicMs() - WINDOW_MS;
    this.#endings = this.#endings.filter((atMs) => atMs > since);
    // With the next one, which may be one of those that were found.
    const count = this.#endings.length + Math.max(1, this.#pending);
    if (count > VANISHED_MAX) return false;
    return count <= HANDFUL || total === 0 || count <= total * VANISHED_SHARE_MAX;
  }

  /**
   * Asked right before a key is ended because its object vanished: true counts it. What `permits` said
   * when its World was read, it said to all that were read at that time.
   */
  admits(): boolean {
    if (!this.permits()) return false;
    this.#endings.push(this.#clock.monotonicMs());
    this.#pending = Math.max(0, this.#pending - 1);
    return true;
  }

  #remember({ namespace, name }: Ref): void {
    this.#early.set(`${namespace}/${name}`, { namespace, name });
  }
}

/** What a sweep compares, and where it reports. */
export type SweepDeps = {
  readonly ledger: Ledger;
  readonly guard: VanishedGuard;
  readonly log: Logger;
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
  /** Those that were held back because nothing had been counted yet. */
  readonly early: readonly Ref[];
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
  const early = deps.guard.found(missing.size, total);
  return { missing, ending, early };
}

/** What was missing both times; logs an alarm when it is too much to act upon. */
export function confirmVanished(
  deps: SweepDeps,
  first: ReadonlyMap<string, Ref>,
  second: ReadonlyMap<string, Ref>,
): readonly Ref[] {
  const both = [...second].filter(([uid]) => first.has(uid)).map(([, ref]) => ref);
  if (both.length > 0 && !deps.guard.permits()) {
    deps.log.error(
      'Too many ApiKeys vanished at once: none is ended; check the cluster and the database, then restart with --accept-vanished',
      { vanished: both.length },
    );
  }
  return both;
}
