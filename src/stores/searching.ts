/** Looking for what a create call of unknown outcome may have made. Changes nothing. */
import type { Clock } from '../kernel/clock.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { Ledger } from '../ledger/port.ts';
import type { RemoteCredentialRecord } from '../ledger/remote.ts';
import {
  REQUEST_MAX_MS,
  type RemoteHandle,
  type RemoteListing,
  type RemoteStore,
} from './contract.ts';
import { clusterMark, isSameGeneration, type Mark } from './mark.ts';

/**
 * What a vendor says about the time of a creation may differ by this much from ours: clocks that are
 * kept differ by seconds, and a call may wait for its turn and a login. More would let in what other
 * people make later in the same account; less would leave what is ours to a person more often.
 */
const CLOCK_TOLERANCE_MS = 5 * MINUTE_MS;

/** Ids at the vendor that may be what a create call of unknown outcome made, oldest first. */
export type CreateSearch = {
  readonly token: string;
  readonly ids: readonly string[];
  /**
   * The call made these. False, in class D alone: there are several, or may still be, or the only one was
   * not made at the time of the call. That proves neither that it is ours nor that nothing was made.
   */
  readonly isOurs: boolean;
  /** Looked for twice, after the settle time, with a proven login: what is not there is not there. */
  readonly isSettled: boolean;
};

/** Where to look, and for what. */
type SearchPlace = {
  readonly credential: RemoteCredentialRecord;
  /** Of the store that the key is bound to. */
  readonly storeUid: string;
  readonly handle: Pick<RemoteHandle, 'capabilities' | 'settleMs'>;
  readonly session: {
    readonly remote: Pick<RemoteStore, 'find' | 'list'>;
    prove(signal: AbortSignal): Promise<unknown>;
    /** One at a time at this vendor, creations of class D among them. */
    exclusively<T>(work: () => Promise<T>): Promise<T>;
  };
  readonly ledger: Pick<Ledger, 'claimedIds'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly clusterId: string;
};

/** See the file comment. Not from within `session.exclusively`. @throws StoreFailure */
export async function searchCreated(
  place: SearchPlace,
  signal: AbortSignal,
): Promise<CreateSearch> {
  const { credential, session, clock } = place;
  const isSettled = settledAtMs(place) <= clock.nowMs();
  await session.prove(signal);
  const look = async (): Promise<Found> => {
    const found = await candidates(place, signal);
    // Absence is believed when two looks agree; presence at once.
    return found.ids.length === 0 && isSettled ? candidates(place, signal) : found;
  };
  const first = await look();
  const isForPerson = isSettled && first.ids.length > 0 && !first.isOurs;
  // One of them may be another key's, to which the account has another name: made, and not committed
  // yet. While no creation is under way, each that was answered is claimed.
  const found = isForPerson ? await session.exclusively(look) : first;
  return { token: credential.token, ...found, isSettled };
}

/** The mark of a credential generation. */
export function markOf(clusterId: string, credential: RemoteCredentialRecord): Mark {
  const { token, attempt } = credential;
  return { cluster: clusterMark(clusterId), token, attempt };
}

/** Where a search found something, and what must not happen there meanwhile. */
type FoundPlace = Pick<SearchPlace, 'storeUid' | 'ledger'> & {
  readonly handle: Pick<RemoteHandle, 'capabilities'>;
  readonly session: Pick<SearchPlace['session'], 'exclusively'>;
};

/**
 * Takes what a search found into the ledger. Without a mark it may be what another key, to which the
 * account has another name, is making at this moment: then undefined, and the search is to be repeated.
 */
export async function takeFound<T>(
  { handle, session, ledger, storeUid }: FoundPlace,
  id: string,
  take: () => Promise<T>,
): Promise<T | undefined> {
  if (handle.capabilities.class !== 'D') return take();
  return session.exclusively(async () => {
    const claimed = await ledger.claimedIds(storeUid, [id]);
    return claimed.length === 0 ? take() : undefined;
  });
}

type Found = Pick<CreateSearch, 'ids' | 'isOurs'>;

async function candidates(place: SearchPlace, signal: AbortSignal): Promise<Found> {
  const { credential, handle, session, clusterId } = place;
  const listings =
    handle.capabilities.class === 'D'
      ? await session.remote.list(signal)
      : await session.remote.find(markOf(clusterId, credential), signal);
  return amongListed(place, listings);
}

/**
 * Ids that the create call of unknown outcome may have made. What another key has is never among
 * them, whatever somebody wrote into its description.
 */
export async function amongListed(
  place: Omit<SearchPlace, 'session'>,
  listings: readonly RemoteListing[],
): Promise<Found> {
  const { credential, storeUid, handle, ledger, clusterId } = place;
  const { idsBefore } = credential.remote;
  const isListed = handle.capabilities.class === 'D';
  const mark = markOf(clusterId, credential);
  // What was not there before is new, whatever the vendor's clock says.
  const possible = isListed
    ? listings.filter((each) => idsBefore !== undefined || whenMade(place, each) !== 'Before')
    : listings.filter((each) => isSameGeneration(each.mark, mark));
  const fresh = without(byAge(possible), idsBefore);
  const claimed = fresh.length === 0 ? [] : await ledger.claimedIds(storeUid, fresh);
  const ids = without(fresh, claimed);
  const found = listings.filter(({ id }) => ids.includes(id));
  return { ids, isOurs: !isListed || isProven(place, found) };
}

/** Without a mark: new for certain, of the time of the call, and alone when all of them show. */
function isProven(place: Timed, found: readonly RemoteListing[]): boolean {
  const [first, ...others] = found;
  if (first === undefined || others.length > 0) return false;
  if (place.credential.remote.idsBefore === undefined) return false;
  return settledAtMs(place) <= place.clock.nowMs() && whenMade(place, first) === 'During';
}

type Timed = Pick<SearchPlace, 'credential' | 'handle' | 'clock'>;

/** Seen from the create call, as the vendor dates it; what has no date is as old as our look. */
function whenMade(
  { credential, handle, clock }: Timed,
  { createdMs = clock.nowMs() }: RemoteListing,
): 'Before' | 'During' | 'After' {
  const begunAtMs = credential.remote.createBegunAtMs ?? 0;
  if (createdMs < begunAtMs - CLOCK_TOLERANCE_MS) return 'Before';
  const endMs = begunAtMs + REQUEST_MAX_MS + handle.settleMs;
  return createdMs > endMs + CLOCK_TOLERANCE_MS ? 'After' : 'During';
}

/** From when on lists show everything that the call made. */
function settledAtMs({ credential, handle }: Pick<SearchPlace, 'credential' | 'handle'>): number {
  return (credential.remote.createBegunAtMs ?? 0) + handle.settleMs;
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
