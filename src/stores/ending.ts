/**
 * How a credential at a vendor is ended, whoever does it: the controller while the key's object is
 * there, the debt worker afterwards. Off first, which can be undone; then gone; forgotten only when
 * it is proven to be gone. `endingStep` is pure, `callEnd` makes the calls.
 */
import type { Clock } from '../kernel/clock.ts';
import type { KeyRecord } from '../ledger/record.ts';
import type { RemoteCredentialRecord } from '../ledger/remote.ts';
import {
  StoreFailure,
  type Capabilities,
  type RemoteHandle,
  type RemoteStore,
} from './contract.ts';
import type { CreateSearch } from './searching.ts';

/** What the rules must know of the store. */
type EndingRules = Pick<RemoteHandle, 'deleteGraceMs'> & {
  readonly capabilities: Pick<Capabilities, 'class' | 'suspend'>;
};

/**
 * One step towards a vendor that has it no more. Search: whether it was ever made has to be found
 * out. Claim: the search found it. Leave: it may be one of these, and a person decides. Forget: there
 * is nothing.
 */
export type EndingStep =
  | { readonly how: 'Search' | 'Disable' | 'Delete' | 'Forget' }
  | { readonly how: 'Claim'; readonly id: string }
  | { readonly how: 'Leave'; readonly ids: readonly string[] };

/** One credential whose time is over. */
type Doomed = {
  readonly record: KeyRecord;
  readonly credential: RemoteCredentialRecord;
  readonly rules: EndingRules;
  /** The answer to the Search of this credential or of another one; absent: none was made. */
  readonly search: CreateSearch | undefined;
  readonly nowMs: number;
};

/** The next step; undefined: none can be taken now, or none without a person. */
export function endingStep(doomed: Doomed): EndingStep | undefined {
  const { record, credential, rules, nowMs } = doomed;
  const { remote } = credential;
  if (remote.id === undefined) return unknownStep(doomed);
  if (rules.capabilities.suspend && remote.enabled !== false) return { how: 'Disable' };
  // Without a look at the clock: it stood still since the pass began in which this was switched off.
  if (record.phase !== 'Live' || record.state === 'Revoked') return { how: 'Delete' };
  const offSinceMs = remote.disabledAtMs ?? remote.doomedAtMs ?? nowMs;
  return offSinceMs + rules.deleteGraceMs <= nowMs ? { how: 'Delete' } : undefined;
}

/** Whether a create call succeeded was never learned: it is looked for, so that nothing stays behind. */
function unknownStep({ credential, rules, search }: Doomed): EndingStep | undefined {
  const driverClass = rules.capabilities.class;
  if (driverClass === 'X' || driverClass === 'I') return undefined;
  // Several without a mark were found before the key ended: nobody but a person tells them apart.
  if (driverClass === 'D' && credential.remote.candidates !== undefined) return undefined;
  if (search?.token !== credential.token) return { how: 'Search' };
  const [id] = search.ids;
  if (id !== undefined && !search.isOurs) {
    // The wrong one might be deleted. Until all of them show, it may still be one of more.
    return search.isSettled ? { how: 'Leave', ids: search.ids } : undefined;
  }
  if (id !== undefined) return { how: 'Claim', id };
  return search.isSettled ? { how: 'Forget' } : undefined;
}

/** A credential that the vendor says not to know. */
type Absence = {
  readonly credential: Pick<RemoteCredentialRecord, 'remote'>;
  readonly handle: Pick<RemoteHandle, 'settleMs'>;
};

/**
 * What was made a moment ago may not show yet, so its absence is not believed before the settle time
 * is over. @throws StoreFailure Unavailable, to be asked again then
 */
export function demandSettled({ credential, handle }: Absence, nowMs: number): void {
  const settledAtMs = (credential.remote.createBegunAtMs ?? -Infinity) + handle.settleMs;
  if (settledAtMs <= nowMs) return;
  throw new StoreFailure('Unavailable', {
    message: 'the vendor does not show yet what it has just made',
    retryAfterMs: settledAtMs - nowMs,
  });
}

/** What is asked of a vendor to end a credential. */
type EndingSession = {
  readonly remote: Pick<RemoteStore, 'update' | 'delete' | 'read'>;
  /** Makes a login recent; what a vendor says not to know is believed only then. */
  prove(signal: AbortSignal): Promise<unknown>;
};

/** Where a credential is ended. */
type EndingPlace = {
  readonly session: EndingSession;
  readonly handle: Pick<RemoteHandle, 'settleMs'>;
  readonly clock: Pick<Clock, 'nowMs'>;
};

/**
 * Makes the call of a Disable or Delete step. Gone: the vendor has it no more, or after a proven
 * login twice did not know it. May be repeated. @throws StoreFailure
 */
export async function callEnd(
  { session, handle, clock }: EndingPlace,
  credential: RemoteCredentialRecord & { readonly remote: { readonly id: string } },
  how: 'Disable' | 'Delete',
  signal: AbortSignal,
): Promise<'Disabled' | 'Gone'> {
  const { remote } = session;
  const { id } = credential.remote;
  if (how === 'Disable') {
    if (await switchOff(remote, credential.remote, signal)) return 'Disabled';
  } else if ((await remote.delete(id, signal)) === 'Deleted') {
    return 'Gone';
  }
  await session.prove(signal);
  const isGone = (await remote.read(id, signal)) === undefined;
  if (isGone) demandSettled({ credential, handle }, clock.nowMs());
  if (isGone) return 'Gone';
  throw new StoreFailure('Garbled', { message: 'the vendor knows the credential and does not' });
}

/**
 * Deletes what a search by mark found beside `id`: all of it bears the mark of the one credential, and
 * all of it is to go. May be repeated. @throws StoreFailure
 */
export async function deleteOthers(
  { remote }: { readonly remote: Pick<RemoteStore, 'delete'> },
  search: CreateSearch | undefined,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  for (const other of search?.ids.filter((each) => each !== id) ?? []) {
    // oxlint-disable-next-line no-await-in-loop
    await remote.delete(other, signal);
  }
}

/**
 * Name and description stay as they are. What a search found was never looked at, and without a name
 * a vendor may refuse to switch it off. @returns false where the vendor does not know it
 */
async function switchOff(
  remote: EndingSession['remote'],
  known: RemoteCredentialRecord['remote'] & { readonly id: string },
  signal: AbortSignal,
): Promise<boolean> {
  const isUnseen = known.name === undefined && known.enabled === undefined;
  const named = isUnseen ? await remote.read(known.id, signal) : known;
  if (named === undefined) return false;
  const { name = '', description = '' } = named;
  const wish = { enabled: false, name, description };
  return (await remote.update(known.id, wish, signal)) !== undefined;
}
