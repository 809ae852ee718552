/** The way to the vendor of a record, and what every step there relies on. */
import { API_KEYS } from '../../../api/names.ts';
import { refText } from '../../../api/meta.ts';
import { KeywardError } from '../../../kernel/errors.ts';
import { MINUTE_MS } from '../../../kernel/time.ts';
import type { KeyRecord } from '../../../ledger/record.ts';
import { isRemote, noteRemote, type RemoteCredentialRecord } from '../../../ledger/remote.ts';
import { objectGone } from '../../../runtime/behind.ts';
import {
  StoreFailure,
  type RemoteCredential,
  type RemoteHandle,
} from '../../../stores/contract.ts';
import { demandSettled } from '../../../stores/ending.ts';
import type { Turn } from '../../../stores/limits.ts';
import { change, mine, present } from '../commits.ts';
import type { Deps, VendorSession } from '../deps.ts';
import type { World } from '../world.ts';

/** Which credential a step is about, and when it has its turn; absent: in the order of coming. */
type Wanted = {
  readonly record: KeyRecord;
  readonly sequence: number;
  readonly turn?: Turn;
};

/** What a step about one credential works with. */
export type AtVendor = {
  readonly credential: RemoteCredentialRecord;
  readonly handle: RemoteHandle;
  readonly session: VendorSession;
  readonly signal: AbortSignal;
};

/** What a step at the vendor works with; its requests have their turn in the line of the account. */
export async function open(
  deps: Deps,
  { record, sequence, turn }: Wanted,
  signal: AbortSignal,
): Promise<Omit<AtVendor, 'signal'>> {
  const credential = record.credentials.filter(isRemote).find((each) => each.sequence === sequence);
  const { handle, session } = await openVendor(deps, record, signal, turn);
  if (credential === undefined) {
    throw new KeywardError('Bug', {
      reason: 'CredentialMissing',
      message: `ApiKey ${refText(record)}: a step was planned for a credential that does not exist`,
    });
  }
  const account = session.account.id;
  if (isUnbound(credential)) {
    return {
      credential: { ...credential, remote: { ...credential.remote, account } },
      handle,
      session,
    };
  }
  if (credential.remote.account !== account) {
    throw new KeywardError('Waiting', {
      reason: 'StoreUnavailable',
      message: `${record.store.kind} '${record.store.name}' now leads to another account than the one this key was made in; give it credentials of that account`,
      retryAfterMs: MINUTE_MS,
    });
  }
  return { credential, handle, session };
}

/**
 * Nothing of it can exist at a vendor: no call was begun, or those that were came to nothing. So it is
 * bound to no account.
 */
function isUnbound({ state, remote }: RemoteCredentialRecord): boolean {
  return state === 'Intent' && remote.id === undefined && remote.createBegunAtMs === undefined;
}

/** The vendor of a record's store, logged in to. */
export async function openVendor(
  deps: Deps,
  record: Pick<KeyRecord, 'namespace' | 'store'>,
  signal: AbortSignal,
  turn?: Turn,
): Promise<{ readonly handle: RemoteHandle; readonly session: VendorSession }> {
  const { handle } = vendorOf(deps, record);
  const store = { ...record.store, namespace: record.namespace };
  return { handle, session: await deps.vendors.session(store, handle, signal, turn) };
}

function vendorOf(
  deps: Deps,
  record: Pick<KeyRecord, 'namespace' | 'store'>,
): { readonly handle: RemoteHandle } {
  const { handle } = deps.stores.bound(record);
  if (handle?.type === 'Remote') return { handle };
  throw new KeywardError('Waiting', {
    reason: 'StoreUnavailable',
    message: `${record.store.kind} '${record.store.name}' is not there, or is another one than the key was made in`,
  });
}

/** False: the vendor says that it belongs to another account than the store's. */
export function isOurs(session: VendorSession, seen: Pick<RemoteCredential, 'accountId'>): boolean {
  return seen.accountId === undefined || seen.accountId === session.account.id;
}

/**
 * @throws KeywardError Waiting OwnershipMismatch: nothing of it is written anywhere. Credentials of the
 * store that are put right change no ApiKey, so the key is looked at again by itself.
 */
export function expectOurs(
  session: VendorSession,
  record: KeyRecord,
  seen: Pick<RemoteCredential, 'accountId'>,
): void {
  if (isOurs(session, seen)) return;
  throw new KeywardError('Waiting', {
    reason: 'OwnershipMismatch',
    message: `${record.store.kind} '${record.store.name}' shows a credential of another account; it is left alone; give the store credentials of its own account`,
    retryAfterMs: MINUTE_MS,
  });
}

/** Reads the object live: what cannot be undone is not done for one that is gone or going. */
export async function confirmLive(deps: Deps, world: World, signal: AbortSignal): Promise<void> {
  const { ref, uid } = present(world);
  const object = await deps.client.get(API_KEYS, ref, { signal });
  deps.metrics.liveReads.inc();
  if (object?.metadata.uid === uid && object.metadata.deletionTimestamp === undefined) return;
  throw objectGone(`ApiKey ${refText(ref)}`);
}

/** The vendor does not know a credential that should live. */
export async function missing(deps: Deps, world: World, at: AtVendor): Promise<World> {
  const { credential, session, signal } = at;
  await session.prove(signal);
  const isBack = (await session.remote.read(idOf(credential), signal)) !== undefined;
  if (isBack)
    throw new StoreFailure('Garbled', { message: 'the vendor knows the credential and does not' });
  demandSettled(at, deps.clock.nowMs());
  deps.remoteChecks.done(credential.token);
  const { sequence, remote } = credential;
  const checked: World = { ...world, evidence: { ...world.evidence, remoteChecked: true } };
  if (remote.missingSinceMs !== undefined) return checked;
  return change(
    deps,
    checked,
    noteRemote(mine(world), sequence, { missingSinceMs: deps.clock.nowMs() }),
    { action: 'RemoteMissed', facts: { sequence, remoteId: idOf(credential) } },
  );
}

/** The vendor's id of a credential that exists there. */
export function idOf({ remote, sequence }: RemoteCredentialRecord): string {
  if (remote.id !== undefined) return remote.id;
  throw new KeywardError('Bug', {
    reason: 'RemoteIdMissing',
    message: `credential ${sequence} is not known to exist at the vendor`,
  });
}

/** The world after something changed that searches had answered. */
export function withoutSearches(world: World): World {
  const { searches: _, ...evidence } = world.evidence;
  return { ...world, evidence };
}
