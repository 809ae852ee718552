/**
 * Making a credential at a vendor, whatever becomes of the answer: begun in the ledger, called,
 * taken into the ledger; looked for when the answer was lost.
 */
import { SECOND_MS } from '../../../kernel/time.ts';
import { KeywardError } from '../../../kernel/errors.ts';
import { beginCreate, burnt, created, refuseCreate, stopCreate } from '../../../ledger/remote.ts';
import { StoreFailure, type RemoteCredential } from '../../../stores/contract.ts';
import { callEnd } from '../../../stores/ending.ts';
import { isSameGeneration } from '../../../stores/mark.ts';
import {
  amongListed,
  markOf,
  searchCreated,
  takeFound,
  type CreateSearch,
} from '../../../stores/searching.ts';
import type { RemoteStepOf } from '../actions.ts';
import { confirmGrant } from '../behalf.ts';
import { change, mine, present } from '../commits.ts';
import type { Deps } from '../deps.ts';
import type { World } from '../world.ts';
import { hasEveryValue, sealRemote, snapshot } from './material.ts';
import { namesOf } from './rules.ts';
import { confirmLive, expectOurs, isOurs, open, withoutSearches, type AtVendor } from './vendor.ts';

const SETTLE_PAUSE_MIN_MS = SECOND_MS;

/** Makes the credential of an intent, unless a search finds that it was made before. */
export async function create(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Create'>,
  signal: AbortSignal,
): Promise<World> {
  const { credential, handle, session } = await open(
    deps,
    { record: mine(world), sequence: action.sequence },
    signal,
  );
  await confirmLive(deps, world, signal);
  await confirmGrant(deps, world);
  const isOneByOne = handle.capabilities.class === 'D';
  const at = { credential, handle, session, signal };
  const make = () => createNow(deps, world, action, at);
  return isOneByOne ? session.exclusively(make) : make();
}

async function createNow(
  deps: Deps,
  world: World,
  { sequence, attempt }: RemoteStepOf<'Create'>,
  at: AtVendor,
): Promise<World> {
  const { credential, handle, session, signal } = at;
  const driverClass = handle.capabilities.class;
  const isListed = driverClass === 'D';
  const isMarked = driverClass === 'M' || driverClass === 'O';
  // Nothing is expected, but a restored database may have forgotten a call of this very token.
  const known = isListed
    ? await session.remote.list(signal)
    : isMarked
      ? await session.remote.find(markOf(deps.clusterId, credential), signal)
      : [];
  // What a first call made may have arrived since it was looked for.
  const isAgain = isListed && credential.remote.createBegunAtMs !== undefined;
  const { ledger, clock, clusterId } = deps;
  const storeUid = mine(world).store.uid;
  const place = { credential, storeUid, handle, ledger, clock, clusterId };
  const made = isMarked || isAgain ? await amongListed(place, known) : undefined;
  if (made !== undefined && made.ids.length > 0)
    return found(world, { token: credential.token, ...made, isSettled: false });
  const begun = await change(
    deps,
    world,
    beginCreate(mine(world), sequence, {
      account: credential.remote.account,
      attempt,
      atMs: deps.clock.nowMs(),
      ...(isListed ? { idsBefore: known.map(({ id }) => id) } : {}),
    }),
    {
      action: 'RemoteCreateBegun',
      facts: { sequence, attempt },
      ...(isListed ? { exclusiveAccount: credential.remote.account } : {}),
    },
  );
  return callCreate(deps, withoutSearches(begun), { ...at, attempt });
}

async function callCreate(
  deps: Deps,
  world: World,
  at: AtVendor & { readonly attempt: number },
): Promise<World> {
  const { credential, session, signal, attempt } = at;
  const { sequence } = credential;
  const wanted = {
    mark: { ...markOf(deps.clusterId, credential), attempt },
    format: mine(world).format,
    ...namesOf(present(world)),
  };
  // Only a refusal of this very call says that nothing was made; later ones are about other calls.
  const made = await session.remote.create(wanted, signal).catch(async (thrown: unknown) => {
    if (!(thrown instanceof StoreFailure) || thrown.executed !== 'No') throw thrown;
    await change(deps, world, refuseCreate(mine(world), sequence), {
      action: 'RemoteCreateRefused',
      facts: { sequence, reason: thrown.reason },
    });
    throw thrown;
  });
  if (!isOurs(session, made)) await takeBack(deps, world, at, made.id);
  return keep(deps, world, at, made);
}

/**
 * Deletes what our own call made in a stranger's account; the intent begins anew. What cannot be
 * deleted now is looked for at the next look, and taken back then if it bears our mark.
 */
async function takeBack(deps: Deps, world: World, at: AtVendor, id: string): Promise<void> {
  const { sequence, remote } = at.credential;
  const answer = await at.session.remote.delete(id, at.signal).catch((thrown: unknown) => {
    if (thrown instanceof StoreFailure) return thrown.reason;
    throw thrown;
  });
  const { namespace, name, store } = mine(world);
  deps.log.warn('The vendor made a credential in another account than that of the store', {
    namespace,
    name,
    store: `${store.kind} '${store.name}'`,
    account: remote.account,
    remoteId: id,
    deletion: answer,
  });
  // One that is just not found yet may still be there: the search finds out.
  if (answer !== 'Deleted') return;
  await change(deps, world, refuseCreate(mine(world), sequence), {
    action: 'RemoteTakenBack',
    facts: { sequence, remoteId: id },
  });
}

/** Takes what the vendor made into the ledger, values sealed. */
async function keep(
  deps: Deps,
  world: World,
  at: AtVendor,
  answered: RemoteCredential,
): Promise<World> {
  const { credential, session, signal } = at;
  const { sequence } = credential;
  expectOurs(session, mine(world), answered);
  // Some answers show no values; where they can be read later, they are.
  const isWhole = hasEveryValue(mine(world).format, answered);
  const made = isWhole ? answered : await session.remote.read(answered.id, signal);
  if (made === undefined || !hasEveryValue(mine(world).format, made)) {
    throw new StoreFailure('Garbled', { message: 'the vendor did not show the values it made' });
  }
  const slots = sealRemote(deps, { ...at, format: mine(world).format }, made);
  const next = await change(
    deps,
    world,
    created(mine(world), sequence, { remote: snapshot(made), slots, hint: made.hint }),
    { action: 'RemoteCreated', facts: { sequence, remoteId: made.id } },
  );
  return withoutSearches(next);
}

/** Looks for what a create call of unknown outcome may have made. */
export async function search(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Search'>,
  signal: AbortSignal,
): Promise<World> {
  const opened = await open(deps, action, signal);
  const { ledger, clock, clusterId } = deps;
  const storeUid = action.record.store.uid;
  const place = { ...opened, storeUid, ledger, clock, clusterId };
  return found(world, await searchCreated(place, signal));
}

/** Takes over what a search found; its values are read. */
export async function adopt(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Adopt'>,
  signal: AbortSignal,
): Promise<World> {
  const { sequence, id } = action;
  const opened = await open(deps, { record: mine(world), sequence }, signal);
  const place = { ...opened, ledger: deps.ledger, storeUid: mine(world).store.uid };
  const take = () => adoptNow(deps, world, id, { ...opened, signal });
  return (await takeFound(place, id, take)) ?? withoutSearches(world);
}

async function adoptNow(deps: Deps, world: World, id: string, at: AtVendor): Promise<World> {
  const made = await at.session.remote.read(id, at.signal);
  // Seen in the list and not to be read: the search decides again.
  if (made === undefined) return withoutSearches(world);
  // Without a mark nobody knows that it is not the stranger's own.
  const isMarked = isSameGeneration(made.mark, markOf(deps.clusterId, at.credential));
  if (isMarked && !isOurs(at.session, made)) await takeBack(deps, world, at, made.id);
  return keep(deps, world, at, made);
}

/** Deletes what a search found, because its values can never be read; to be made anew. */
export async function burn(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Burn'>,
  signal: AbortSignal,
): Promise<World> {
  const { sequence, id } = action;
  const { credential, handle, session } = await open(
    deps,
    { record: mine(world), sequence },
    signal,
  );
  // One that the vendor denies to know, although it has just listed it, may still be there.
  const found = { ...credential, remote: { ...credential.remote, id } };
  await callEnd({ session, handle, clock: deps.clock }, found, 'Delete', signal);
  const next = await change(deps, world, burnt(mine(world), sequence, id), {
    action: 'RemoteBurnt',
    facts: { sequence, remoteId: id },
  });
  return withoutSearches(next);
}

/** Leaves it to a person. */
export async function stop(deps: Deps, world: World, action: RemoteStepOf<'Stop'>): Promise<World> {
  const { sequence, state, candidates: ids } = action;
  return change(
    deps,
    world,
    stopCreate(mine(world), sequence, {
      state,
      ...(ids === undefined ? {} : { candidates: ids }),
    }),
    { action: 'RemoteCreateStopped', facts: { sequence, state, candidates: ids?.length ?? 0 } },
  );
}

/** The creation is no longer begun, so that no other one waits for it; it begins again when it may. */
export async function nothingMade(
  deps: Deps,
  world: World,
  { sequence }: RemoteStepOf<'NothingMade'>,
): Promise<World> {
  const next = await change(deps, world, refuseCreate(mine(world), sequence), {
    action: 'RemoteNothingMade',
    facts: { sequence },
  });
  return withoutSearches(next);
}

/** It is too early to believe that nothing was made. */
export function unsettled(deps: Deps, untilMs: number): KeywardError {
  return new KeywardError('Waiting', {
    reason: 'StoreUnavailable',
    message:
      'the answer to the creation was lost; the vendor is asked again once its lists have settled',
    retryAfterMs: Math.max(SETTLE_PAUSE_MIN_MS, untilMs - deps.clock.nowMs()),
  });
}

function found(world: World, result: CreateSearch): World {
  const { searches = [], ...evidence } = world.evidence;
  const others = searches.filter(({ token }) => token !== result.token);
  return { ...world, evidence: { ...evidence, searches: [...others, result] } };
}
