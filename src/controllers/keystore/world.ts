/** Pure; one moment of one store. */
import type { Ref } from '../../api/meta.ts';
import { MINUTE_MS } from '../../kernel/time.ts';
import type { StoreRecord } from '../../ledger/documents.ts';
import type { StoreCount } from '../../ledger/port.ts';
import type { StoreHandle } from '../../stores/contract.ts';
import type { StoreHealth } from '../../stores/health.ts';
import type { StoreSpec } from '../../stores/opening.ts';

/** A vendor that does not answer holds up the deletion of a store no longer than this. */
export const DEBTS_HOLD_MS = 10 * MINUTE_MS;

/** What the cache keeps of a store. */
export type StoreObject = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** When its deletion was asked for; absent while nobody did. */
  readonly deletedAtMs?: number;
  readonly finalizers: readonly string[];
  readonly spec: StoreSpec;
  readonly status: unknown;
};

/** What the last contact with the vendor showed. */
export type RemoteSight = { readonly health: StoreHealth; readonly account: string | undefined };

/** Everything the decisions about one store need. */
export type World = {
  readonly store: StoreObject;
  readonly handle: StoreHandle | { readonly problem: string };
  /** What gates know of the store, or of an earlier one of its name that nobody has ended yet. */
  readonly document: StoreRecord | undefined;
  readonly count: Pick<StoreCount, 'keys' | 'debts'>;
  /** Present exactly for stores at a vendor. */
  readonly remote: RemoteSight | undefined;
  readonly databaseId: string;
  /** The database is lost with the pod; of a setting of the operator, and so the same for every store. */
  readonly isEphemeral: boolean;
  /** How long a vendor may hold up the deletion of the store. */
  readonly debtsHoldMs: number;
  readonly nowMs: number;
};

/** One moment of a store that the cache does not have, and of which gates know something. */
export type GoneWorld = {
  readonly ref: Ref;
  readonly store: undefined;
  readonly document: StoreRecord;
  /** A live read showed that it is gone. */
  readonly isProvenGone: boolean;
  readonly nowMs: number;
};

/** When a store that is going stops waiting for its debts; undefined while it is not going. */
export function debtsGoAtMs({
  store: { deletedAtMs },
  debtsHoldMs,
}: Pick<World, 'store' | 'debtsHoldMs'>): number | undefined {
  return deletedAtMs === undefined ? undefined : deletedAtMs + debtsHoldMs;
}

/** Nothing in the store needs its object any more; debts are paid from the ledger in the end. */
export function mayGo(world: World): boolean {
  const { count, nowMs } = world;
  if (count.keys > 0) return false;
  return count.debts === 0 || nowMs >= (debtsGoAtMs(world) ?? Infinity);
}
