/**
 * Who leads, and on which database: a Lease, or nobody else by assurance of the administrator.
 *
 * The Lease also notes which database the leader writes, how many commits it had and which incarnations
 * were seen. A database that is another one, has fewer commits, or is of an incarnation before the last,
 * is an old backup or a lost volume: keys that it does not know would be made anew and keys that were
 * revoked would come back, so a person decides.
 */
import {
  ANNOTATION_COMMITS,
  ANNOTATION_DATABASE,
  ANNOTATION_INCARNATION,
  ANNOTATION_INCARNATIONS,
} from '../api/names.ts';
import type { OperatorConfig } from '../config/operator.ts';
import { sleep, systemClock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { LeaderElector, leaseTimes } from '../kube/lease.ts';
import { WriteGate } from '../kube/writegate.ts';
import type { Ledger, LedgerIdentity } from '../ledger/port.ts';
import type { Leadership } from '../runtime/manager.ts';
import type { Cluster } from './cluster.ts';

/** Name of the Lease in the operator's namespace. */
export const LEASE_NAME = 'keyward-operator';
/** How often the commit counter is read for the Lease. */
const COUNTER_PAUSE_MS = 10 * SECOND_MS;
/**
 * How many incarnations the Lease notes. Beyond that the oldest are forgotten: a raw copy of a database from
 * before its last 16 restores would be taken for one that was just restored.
 */
const INCARNATIONS_MAX = 16;

/** How long the last writes may take before the Lease is left to run out instead. */
const WRITES_END_MS = 5 * SECOND_MS;

/** Leadership that also tells the epoch that commits carry. */
export type OperatorLeadership = Leadership & {
  /** 0 before leading: every commit is refused. */
  readonly epoch: number;
  /**
   * Whether nobody else can lead at this very moment: asked before each call that a database cannot
   * fence.
   */
  readonly isHeld: boolean;
  /** Every write to the API server passes through here, but for those of the Lease itself. */
  readonly gate: WriteGate;
  /**
   * Compares the database with what the Lease notes, then opens the epoch in it.
   * @throws KeywardError Terminal DatabaseReplaced or DatabaseOutdated
   */
  open(epoch: number, stop: AbortSignal): Promise<void>;
};

/** By Lease, or with `--leader-elect=false` by counting up the stored epoch. */
export function createLeadership(
  config: OperatorConfig,
  cluster: Cluster,
  ledger: Ledger,
): OperatorLeadership {
  let current = 0;
  let stamp: Readonly<Record<string, string>> = {};
  const lastEpoch = async (): Promise<number> => (await ledger.identity()).epoch;
  const elector = config.leaderElect
    ? new LeaderElector({
        client: cluster.urgent,
        clock: systemClock,
        log: cluster.log,
        lease: { namespace: config.namespace, name: LEASE_NAME },
        identity: config.identity,
        times: leaseTimes(config.leaseSeconds * SECOND_MS),
        lastEpoch,
        stamp: () => stamp,
        random: Math.random,
      })
    : undefined;
  const isHeld = (): boolean => elector?.isHeld ?? current > 0;
  const gate = new WriteGate(isHeld);
  return {
    gate,
    get epoch() {
      return current;
    },
    get isHeld() {
      return isHeld();
    },
    async open(epoch, stop) {
      const identity = await ledger.identity();
      const noted = elector?.foundAnnotations ?? {};
      if (!config.acceptDatabase && checkDatabase(identity, noted) === 'Restored') {
        cluster.log.warn(
          'The database was restored from a backup; what was issued or revoked since is not known to it',
          { commits: identity.commitCounter, notedCommits: noted[ANNOTATION_COMMITS] },
        );
      }
      await ledger.openEpoch(epoch, config.identity);
      current = epoch;
      stamp = stampOf(identity, noted);
      void followCounter(ledger, (now) => (stamp = restamp(now, stamp)), stop);
    },
    lead: async (onLost, signal) => elector?.lead(onLost, signal) ?? (await lastEpoch()) + 1,
    stop: async () => {
      // A successor that reads what a late write has not changed yet would do it once more.
      if (!(await gate.close(systemClock, WRITES_END_MS))) throw stillWriting();
      await elector?.stop();
    },
  };
}

function stillWriting(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'WritesRunning',
    message: 'a write to the API server has not ended',
  });
}

/** See the file comment. Absent notes: the first start, or a Lease that was deleted. */
export function checkDatabase(
  identity: Pick<LedgerIdentity, 'databaseId' | 'incarnation' | 'commitCounter'>,
  noted: Readonly<Record<string, string>>,
): 'Known' | 'Restored' {
  const databaseId = noted[ANNOTATION_DATABASE];
  if (databaseId === undefined) return 'Known';
  if (databaseId !== identity.databaseId) {
    throw new KeywardError('Terminal', {
      reason: 'DatabaseReplaced',
      message:
        'this is not the database that was last used here; mount the right one, or start once with --accept-database: keys it does not know then wait until somebody asks for new values',
    });
  }
  const seen = incarnationsIn(noted);
  const newest = seen.at(-1);
  if (newest !== undefined && newest !== identity.incarnation) {
    // Only `keyward restore` makes a new one: a person knows what this database is.
    if (!seen.includes(identity.incarnation)) return 'Restored';
    throw outdated('of an incarnation from before a keyward restore');
  }
  const commits = Number(noted[ANNOTATION_COMMITS] ?? 0);
  if (identity.commitCounter >= commits) return 'Known';
  throw outdated(`${identity.commitCounter} commits where ${commits} were seen`);
}

function outdated(because: string): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'DatabaseOutdated',
    message: `the database is an old copy: ${because}; restore a newer one, or run once: keyward restore --database URL; keys issued since then wait until somebody asks for new values, and revocations since hold only where the objects say so`,
  });
}

/** What the Lease shall say of the database that is written now; `noted` is what it said before. */
export function stampOf(
  identity: Pick<LedgerIdentity, 'databaseId' | 'incarnation' | 'commitCounter'>,
  noted: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { databaseId, incarnation, commitCounter } = identity;
  return {
    [ANNOTATION_DATABASE]: databaseId,
    [ANNOTATION_INCARNATION]: incarnation,
    [ANNOTATION_INCARNATIONS]: withNewest(incarnationsIn(noted), incarnation).join(','),
    [ANNOTATION_COMMITS]: String(commitCounter),
  };
}

/**
 * The same after a later look. A database that was put back or exchanged under us is left out: the next commit
 * ends this process, and the start after that must find what was seen before.
 */
export function restamp(
  identity: Parameters<typeof stampOf>[0],
  stamp: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const isContinued =
    stamp[ANNOTATION_DATABASE] === identity.databaseId &&
    stamp[ANNOTATION_INCARNATION] === identity.incarnation &&
    Number(stamp[ANNOTATION_COMMITS]) <= identity.commitCounter;
  return isContinued ? stampOf(identity, stamp) : stamp;
}

/** Oldest first. Builds that knew no list note only the newest, and leave the list as it was. */
function incarnationsIn(noted: Readonly<Record<string, string>>): readonly string[] {
  const listed = (noted[ANNOTATION_INCARNATIONS] ?? '').split(',').filter((each) => each !== '');
  const newest = noted[ANNOTATION_INCARNATION];
  return newest === undefined ? listed : withNewest(listed, newest);
}

function withNewest(seen: readonly string[], newest: string): readonly string[] {
  return [...seen.filter((each) => each !== newest), newest].slice(-INCARNATIONS_MAX);
}

/** Keeps the note current; a note that is behind only makes the check milder. */
async function followCounter(
  ledger: Ledger,
  note: (identity: LedgerIdentity) => void,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    // One look after the other is what this loop is for.
    // oxlint-disable-next-line no-await-in-loop
    await sleep(systemClock, COUNTER_PAUSE_MS, stop).catch(() => undefined);
    // oxlint-disable-next-line no-await-in-loop
    const identity = await ledger.identity().catch(() => undefined);
    if (identity !== undefined) note(identity);
  }
}
