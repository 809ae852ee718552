/**
 * Looks through each vendor's account twice an hour for credentials that bear our mark and that no key
 * has, and ends them: seen twice, switched off, deleted a sweep later; what the ledger never knew it only
 * names. Sightings are in memory: after a restart everything is seen twice again before anything is touched.
 */
import type { Clock } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { DAY_MS, MINUTE_MS } from '../../kernel/time.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { RemoteListing } from '../../stores/contract.ts';
import { clusterMark } from '../../stores/mark.ts';
import type { OpenedStore } from '../../stores/opened.ts';
import type { OrphanMetrics } from './metrics.ts';
import {
  findOrphans,
  planSweep,
  sightings,
  type Orphan,
  type Sighting,
  type SweepPlan,
} from './rules.ts';

/** Each store is swept this often. */
export const SWEEP_EVERY_MS = 30 * MINUTE_MS;
/** First sweeps after a start are spread over this time. */
const SPREAD_MS = 5 * MINUTE_MS;
const TICK_MS = MINUTE_MS / 2;
/** Ids in one sentence of a note: an event has room for 1 KiB. */
const NAMED_MAX = 5;

/** A store at a vendor that may be swept. */
export type SweptStore = {
  readonly uid: string;
  /** KeyStore.spec.type. */
  readonly type: string;
  /** For people: kind, namespace and name. */
  readonly text: string;
};

/** What the sweeper is made of. */
type SweeperOptions<Store extends SweptStore> = {
  readonly ledger: Pick<Ledger, 'findTokens' | 'claimedIds'>;
  readonly clock: Clock;
  readonly clusterId: string;
  /** All stores at vendors that are there now and not going. */
  readonly stores: () => readonly Store[];
  /** @throws StoreFailure, KeywardError */
  readonly session: (store: Store, signal: AbortSignal) => Promise<OpenedStore>;
  /** Tells the owner of the store, once for each note. */
  readonly alarm: (store: Store, note: string) => void;
  readonly metrics: OrphanMetrics;
  readonly log: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
};

type Swept = OpenedStore & { readonly storeUid: string };

type Kept = { dueMs: number; isBusy: boolean; seen: ReadonlyMap<string, Sighting>; alarm: string };

/** See the file comment. */
export class OrphanSweeper<Store extends SweptStore> {
  readonly #options: SweeperOptions<Store>;
  readonly #kept = new Map<string, Kept>();

  constructor(options: SweeperOptions<Store>) {
    this.#options = options;
  }

  /** Sweeps until `stop`. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      void this.tick(stop);
      // One tick after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await sleep(this.#options.clock, TICK_MS, stop).catch(() => undefined);
    }
  }

  /** Begins the sweeps that are due; each store by itself. */
  tick(stop: AbortSignal): readonly Promise<void>[] {
    const { clock, stores, metrics } = this.#options;
    const now = stores();
    const uids = new Set(now.map(({ uid }) => uid));
    for (const uid of this.#kept.keys()) {
      if (uids.has(uid)) continue;
      this.#kept.delete(uid);
      metrics.gone(uid);
    }
    return now.flatMap((store) => {
      const kept = this.#keptOf(store);
      if (kept.isBusy || kept.dueMs > clock.monotonicMs()) return [];
      kept.dueMs = clock.monotonicMs() + SWEEP_EVERY_MS;
      return [this.#sweepSafely(store, kept, stop)];
    });
  }

  #keptOf({ uid }: Store): Kept {
    const known = this.#kept.get(uid);
    if (known !== undefined) return known;
    const { clock, random } = this.#options;
    const dueMs = clock.monotonicMs() + Math.floor(random() * SPREAD_MS);
    const kept: Kept = { dueMs, isBusy: false, seen: new Map(), alarm: '' };
    this.#kept.set(uid, kept);
    return kept;
  }

  async #sweepSafely(store: Store, kept: Kept, stop: AbortSignal): Promise<void> {
    kept.isBusy = true;
    try {
      const opened = await this.#options.session(store, stop);
      await this.#sweep(store, kept, opened, stop);
    } catch (error) {
      if (stop.aborted) return;
      const { reason } = classify(error);
      this.#options.log.warn('A sweep of a store failed', { store: store.text, reason });
    } finally {
      kept.isBusy = false;
    }
  }

  async #sweep(store: Store, kept: Kept, opened: OpenedStore, stop: AbortSignal): Promise<void> {
    const { handle, remote } = opened;
    const { class: driverClass, suspend } = handle.capabilities;
    if (driverClass !== 'M' && driverClass !== 'O') {
      if (driverClass === 'D') await this.#countUnclaimed(store, opened, stop);
      return;
    }
    const { clock, metrics } = this.#options;
    const swept = { ...opened, storeUid: store.uid };
    const listings = await remote.list(stop);
    const orphans = await this.#orphansAmong(listings, swept);
    const nowMs = clock.nowMs();
    kept.seen = sightings(kept.seen, orphans, nowMs);
    metrics.found(store.uid, store.type, orphans.length);
    const total = listings.length;
    const plan = planSweep({ orphans, seen: kept.seen, total, canSuspend: suspend, nowMs });
    if (plan.verdict === 'Stopped') metrics.done(store.type, 'Stopped');
    if (plan.held.length > 0) metrics.done(store.type, 'Held');
    // First: a vendor that fails below keeps nobody from hearing of it.
    this.#alarm(store, kept, noteOf(plan, total));
    const done = await this.#carryOut(store, plan, swept, stop);
    metrics.found(store.uid, store.type, orphans.length - done);
  }

  /** The ledger is asked after the vendor: it knows a token before the vendor does. */
  async #orphansAmong(
    listings: readonly RemoteListing[],
    { storeUid }: Pick<Swept, 'storeUid'>,
  ): Promise<readonly Orphan[]> {
    const { ledger, clusterId } = this.#options;
    const cluster = clusterMark(clusterId);
    const tokens = listings.flatMap(({ mark }) => (mark?.cluster === cluster ? [mark.token] : []));
    const holders = await ledger.findTokens([...new Set(tokens)]);
    const orphans = findOrphans(listings, holders, cluster);
    // A description may look like a mark because somebody wrote it into a spec.
    const ids = orphans.map(({ id }) => id);
    const claimed = new Set(await ledger.claimedIds(storeUid, ids));
    return orphans.filter(({ id }) => !claimed.has(id));
  }

  /** How many were deleted. */
  async #carryOut(
    store: Store,
    { quarantine, remove }: SweepPlan,
    swept: Swept,
    stop: AbortSignal,
  ): Promise<number> {
    const { metrics, log } = this.#options;
    const tell = (what: 'Quarantined' | 'Deleted', { id }: Orphan): void => {
      metrics.done(store.type, what);
      log.warn('An orphan was dealt with', { action: what, store: store.text, remoteId: id });
    };
    for (const orphan of quarantine) {
      // In turn: there are few, and a vendor is not to be hurried.
      // oxlint-disable-next-line no-await-in-loop
      if (await this.#switchOff(orphan, swept, stop)) tell('Quarantined', orphan);
    }
    let deleted = 0;
    for (const orphan of remove) {
      // oxlint-disable-next-line no-await-in-loop
      if ((await this.#lookAgain(orphan, swept, stop)) === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop
      await swept.remote.delete(orphan.id, stop);
      tell('Deleted', orphan);
      deleted += 1;
    }
    return deleted;
  }

  async #switchOff(orphan: Orphan, swept: Swept, stop: AbortSignal): Promise<boolean> {
    const seen = await this.#lookAgain(orphan, swept, stop);
    if (seen === undefined) return false;
    // Name and description stay as they are: the mark may be in them.
    const { name = '', description = '' } = seen;
    await swept.remote.update(orphan.id, { enabled: false, name, description }, stop);
    return true;
  }

  /** As it is now, when it still bears the mark and the ledger still does not have it. */
  async #lookAgain({ id, token }: Orphan, swept: Swept, stop: AbortSignal) {
    const seen = await swept.remote.read(id, stop);
    if (seen === undefined) return undefined;
    if (seen.accountId !== undefined && seen.accountId !== swept.account.id) return undefined;
    const [orphan] = await this.#orphansAmong([seen], swept);
    return orphan?.token === token ? seen : undefined;
  }

  /** Without marks nothing can be said to be ours, so it is only counted. */
  async #countUnclaimed(store: Store, { remote }: OpenedStore, stop: AbortSignal): Promise<void> {
    const { ledger, clock, metrics } = this.#options;
    const sinceMs = clock.nowMs() - DAY_MS;
    const isYoung = ({ createdMs }: RemoteListing): boolean => (createdMs ?? 0) >= sinceMs;
    const young = (await remote.list(stop)).filter(isYoung).map(({ id }) => id);
    const claimed = await ledger.claimedIds(store.uid, young);
    metrics.unclaimed(store.uid, store.type, young.length - claimed.length);
  }

  #alarm(store: Store, kept: Kept, note: string): void {
    if (kept.alarm === note) return;
    kept.alarm = note;
    if (note === '') return;
    const { log, alarm } = this.#options;
    log.error('Orphans at a vendor need a person', { store: store.text, note });
    alarm(store, note);
  }
}

/** What a person must know; empty: nothing. */
function noteOf({ spared, held }: SweepPlan, total: number): string {
  const sentences = [
    ...(spared.length === 0 ? [] : [sparedNote(spared, total)]),
    ...(held.length === 0 ? [] : [heldNote(held)]),
  ];
  return sentences.join('. ');
}

function sparedNote(spared: readonly Orphan[], total: number): string {
  return `${spared.length} of ${total} credentials in the account bear the mark of this cluster and belong to no key; that is too many to be an accident, so none is touched: look at the vendor, and whether this database is the right one (${names(spared)})`;
}

function heldNote(held: readonly Orphan[]): string {
  return `${held.length} credentials bear the mark of this cluster, but the database has never known them, as after a restore from a backup; they are left as they are, and those that are switched on go on working: look at the vendor, and delete them there if nothing needs them (${names(held)})`;
}

/** The first ids; in their own order, or the next list would make another note of the same ones. */
function names(orphans: readonly Orphan[]): string {
  const ids = orphans.map(({ id }) => id).toSorted();
  const more = ids.length > NAMED_MAX ? ', …' : '';
  return `${ids.slice(0, NAMED_MAX).join(', ')}${more}`;
}
