/** Looking for what a create call of unknown outcome may have made. Changes nothing. */
import type { Clock } from '../kernel/clock.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { Ledger } from '../ledger/port.ts';
import type { RemoteCredentialRecord } from '../ledger/remote.ts';
import type { RemoteHandle, RemoteListing, RemoteStore } from './contract.ts';
import { clusterMark, isSameGeneration, type Mark } from './mark.ts';

/** A vendor's clock may be behind ours by this much when it says when a credential was made. */
const CLOCK_TOLERANCE_MS = 5 * MINUTE_MS;

/** Ids at the vendor that may be what a create call of unknown outcome made, oldest first. */
export type CreateSearch = {
  readonly token: string;
  readonly ids: readonly string[];
  /** Looked for twice, after the settle time, with a proven login: what is not there is not there. */
  readonly isSettled: boolean;
};

/** Where to look, and for what. */
export type SearchPlace = {
  readonly credential: RemoteCredentialRecord;
  readonly handle: Pick<RemoteHandle, 'capabilities' | 'settleMs'>;
  readonly session: {
    readonly remote: Pick<RemoteStore, 'find' | 'list'>;
    prove(signal: AbortSignal): Promise<unknown>;
  };
  readonly ledger: Pick<Ledger, 'claimedIds'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly clusterId: string;
};

/** See the file comment. @throws StoreFailure */
export async function searchCreated(
  place: SearchPlace,
  signal: AbortSignal,
): Promise<CreateSearch> {
  const { credential, handle, session, clock } = place;
  const begunAtMs = credential.remote.createBegunAtMs ?? 0;
  const isSettled = begunAtMs + handle.settleMs <= clock.nowMs();
  await session.prove(signal);
  let ids = await candidates(place, signal);
  // Absence is believed when two looks agree; presence at once.
  if (ids.length === 0 && isSettled) ids = await candidates(place, signal);
  return { token: credential.token, ids, isSettled };
}

/** The mark of a credential generation. */
export function markOf(clusterId: string, credential: RemoteCredentialRecord): Mark {
  const { token, attempt } = credential;
  return { cluster: clusterMark(clusterId), token, attempt };
}

async function candidates(place: SearchPlace, signal: AbortSignal): Promise<readonly string[]> {
  const { credential, handle, session, clusterId } = place;
  const listings =
    handle.capabilities.class === 'D'
      ? await session.remote.list(signal)
      : await session.remote.find(markOf(clusterId, credential), signal);
  return amongListed(place, listings);
}

/**
 * Ids that the create call of unknown outcome may have made, oldest first. What another key has is
 * never among them, whatever somebody wrote into its description.
 */
export async function amongListed(
  { credential, handle, ledger, clusterId }: Omit<SearchPlace, 'session' | 'clock'>,
  listings: readonly RemoteListing[],
): Promise<readonly string[]> {
  const { account, createBegunAtMs = 0, idsBefore } = credential.remote;
  const sinceMs = createBegunAtMs - CLOCK_TOLERANCE_MS;
  const mark = markOf(clusterId, credential);
  const possible = listings.filter((each) =>
    handle.capabilities.class === 'D'
      ? (each.createdMs ?? sinceMs) >= sinceMs
      : isSameGeneration(each.mark, mark),
  );
  const fresh = without(byAge(possible), idsBefore);
  return fresh.length === 0 ? [] : without(fresh, await ledger.claimedIds(account, fresh));
}

function byAge(
  listings: readonly { readonly id: string; readonly createdMs?: number }[],
): readonly string[] {
  return listings.toSorted((a, b) => (a.createdMs ?? 0) - (b.createdMs ?? 0)).map(({ id }) => id);
}

/** The ids that are not among the known ones, in their order. */
function without(ids: readonly string[], known: readonly string[] = []): readonly string[] {
  const left = new Set(known);
  return ids.filter((id) => !left.has(id));
}
