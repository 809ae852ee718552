/**
 * Has the status of keys and forms tell what is left of a quota. Every half minute it asks the database how much gates
 * have counted, and wakes those whose status is a step behind: at most five writes for a key in a
 * window, however busy it is, and a bounded number of them at a time.
 */
import type { Ref } from '../../api/meta.ts';
import { sleep, type Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { UseReads } from '../../ledger/gate.ts';
import { countKey, countRefOf, usesIn } from '../../ledger/usecounts.ts';
import { quotaStep, type QuotaStep, type ToldQuota } from '../../terms/quotasteps.ts';
import { findZone, UTC, type Zone } from '../../terms/zone.ts';
import type { Metered, MeteredKeys } from './metered.ts';

/** How old what a status tells may be, as far as it is up to us. */
const ROUND_MS = 30 * SECOND_MS;
/** Counts that are asked for at a time. */
const PAGE = 500;
/** Keys whose status is written in one round; others wait for the next one. */
const WAKES_MAX = 300;

/** What the worker is made of. */
type QuotaOptions = {
  readonly keys: MeteredKeys;
  readonly reads: Pick<UseReads, 'counts'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the status of a key says now; undefined: nothing. */
  readonly told: (ref: Ref) => ToldQuota | undefined;
  /** The status of this key, and of the form that it belongs to, is to be looked at. */
  readonly wake: (ref: Ref) => void;
  /** Absent: half a minute. */
  readonly roundMs?: number;
};

type Behind = { readonly key: Metered; readonly step: QuotaStep };

/** See the file comment. */
export class QuotaWorker {
  readonly #options: QuotaOptions;
  /** Making a zone is dear. */
  readonly #zones = new Map<string, Zone>();

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Works until `stop`. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log, roundMs = ROUND_MS } = this.#options;
    while (!stop.aborted) {
      try {
        // One round after the other is what this loop is for.
        // oxlint-disable-next-line no-await-in-loop
        await this.round();
      } catch (error) {
        if (!stop.aborted) log.warn('Quotas could not be read', { reason: classify(error).reason });
      }
      // oxlint-disable-next-line no-await-in-loop
      await sleep(clock, roundMs, stop).catch(() => undefined);
    }
  }

  /** Looks once, and wakes whose status is a step behind; used up first. @throws as the ledger */
  async round(): Promise<void> {
    const { keys, wake } = this.#options;
    const all = keys.all();
    for (let from = 0; from < all.length; from += PAGE) {
      // Page by page, so that others get their turn at the database.
      // oxlint-disable-next-line no-await-in-loop
      await this.#count(all.slice(from, from + PAGE));
    }
    const behind = all.flatMap((key) => this.#behind(key) ?? []);
    const first = behind.toSorted((a, b) => a.step - b.step).slice(0, WAKES_MAX);
    for (const { key, step } of first) {
      key.told = step;
      wake(key.ref);
    }
  }

  async #count(page: readonly Metered[]): Promise<void> {
    const { reads, clock } = this.#options;
    const nowMs = clock.nowMs();
    const refs = page.map((key) => this.#refOf(key, nowMs));
    const counts = new Map((await reads.counts(refs)).map((count) => [countKey(count), count]));
    for (const [index, key] of page.entries()) {
      const ref = refs[index];
      if (ref === undefined) continue;
      const { windowStartMs: startMs, endMs } = ref;
      const uses = usesIn(counts.get(countKey(ref)));
      key.count = { startMs, ...(endMs === undefined ? {} : { endMs }), uses };
    }
  }

  #behind(key: Metered): Behind | undefined {
    const { count, quota } = key;
    if (count === undefined || count === 'Fresh') return undefined;
    const limit = quota.requests;
    const step = quotaStep(limit, limit - count.uses);
    key.told ??= this.#toldStep(key);
    return step === key.told ? undefined : { key, step };
  }

  /** Of a status that says nothing, or what is left of another limit: as if nothing had been used. */
  #toldStep({ ref, quota: { requests } }: Metered): QuotaStep {
    const told = this.#options.told(ref);
    return quotaStep(requests, told?.limit === requests ? (told.remaining ?? requests) : requests);
  }

  #refOf(key: Metered, nowMs: number): ReturnType<typeof countRefOf> {
    return countRefOf(key, key.quota, { zone: this.#zoneOf(key.quota.timeZone), nowMs });
  }

  #zoneOf(name: string): Zone {
    const known = this.#zones.get(name);
    if (known !== undefined) return known;
    // The name was checked when the terms were resolved.
    const zone = findZone(name) ?? UTC;
    this.#zones.set(name, zone);
    return zone;
  }
}
