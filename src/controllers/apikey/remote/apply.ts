/**
 * The steps at a vendor (docs/protocol.md). Each call that changes something stands between two
 * commits: before it the ledger says that it begins, after it how it ended. Decides nothing.
 */
import { classify, type KeywardError } from '../../../kernel/errors.ts';
import { parseTime } from '../../../kernel/time.ts';
import { StoreFailure } from '../../../stores/contract.ts';
import { subjectOf } from '../../../stores/subject.ts';
import type { RemoteStep, RemoteStepOf } from '../actions.ts';
import type { Deps } from '../deps.ts';
import type { RemoteTrouble, World } from '../world.ts';
import { adopt, burn, create, nothingMade, search, stop, unsettled } from './create.ts';
import { end } from './end.ts';
import { RETRY_MAX_MS, retryPauseMs } from './rules.ts';
import { checkSubscriptions, subscription } from './subscriptions.ts';
import { actOf, concerned, hasFailed, withTrouble, type SparedStep } from './trouble.ts';
import { readRemote, regenerateRemote, update } from './values.ts';

/** See the file comment. @throws KeywardError whose class says whether to try again */
export function applyRemote(
  deps: Deps,
  world: World,
  action: RemoteStep,
  signal: AbortSignal,
): Promise<World> {
  switch (action.type) {
    case 'Create':
      return create(deps, world, action, signal);
    case 'Search':
      return orTrouble(deps, world, action, () => search(deps, world, action, signal));
    case 'Adopt':
      return adopt(deps, world, action, signal);
    case 'Burn':
      return burn(deps, world, action, signal);
    case 'Stop':
      return stop(deps, world, action);
    case 'AwaitSettled':
      return Promise.reject(unsettled(deps, action.untilMs));
    case 'NothingMade':
      return nothingMade(deps, world, action);
    case 'Regenerate':
      return regenerateRemote(deps, world, action.sequence, signal);
    case 'Update':
      return tell(deps, world, action, signal);
    case 'Read':
      return compare(deps, world, action, signal);
    case 'Subscription':
      return orTrouble(deps, world, action, () => subscription(deps, world, action, signal));
    case 'End':
      return orTrouble(deps, world, action, () => end(deps, world, action, signal));
  }
}

/**
 * Vendors take all settings at once. One that refuses the names of the spec must not leave on what is
 * to be off: that is told again with the names it has.
 */
async function tell(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Update'>,
  signal: AbortSignal,
): Promise<World> {
  const told = await orTrouble(deps, world, action, () => update(deps, world, action, signal));
  const { wish } = action;
  const credential = concerned(told, action);
  if (wish.enabled || credential === undefined || !hasFailed(told, credential, 'Update')) {
    return told;
  }
  const { name = wish.name, description = wish.description } = credential.remote;
  if (name === wish.name && description === wish.description) return told;
  const off = { ...action, wish: { enabled: false, name, description } };
  return orTrouble(deps, told, off, () => update(deps, told, off, signal));
}

/**
 * Reads the credential, then asks for its subscriptions. Each fails for itself: what was read is
 * committed by then, and the rest of the pass repairs it whatever the vendor says of subscriptions.
 */
async function compare(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Read'>,
  signal: AbortSignal,
): Promise<World> {
  const { sequence } = action;
  const read = await orTrouble(deps, world, action, () =>
    readRemote(deps, world, sequence, signal),
  );
  // A vendor that just failed for the credential is not asked more about it.
  if (read.evidence.remoteTrouble !== world.evidence.remoteTrouble) return read;
  return orTrouble(deps, read, action, () => checkSubscriptions(deps, read, sequence, signal));
}

/** What must not hold up the rest of the pass becomes a fact of it. */
async function orTrouble(
  deps: Deps,
  world: World,
  action: SparedStep,
  work: () => Promise<World>,
): Promise<World> {
  try {
    return await work();
  } catch (thrown) {
    const failure = classify(thrown);
    const isOfVendor = failure instanceof StoreFailure || failure.reason.startsWith('Store');
    // An open create call is worth a failed pass: nothing else of the key can go on.
    if (!isOfVendor || (action.type === 'Search' && isIntent(world))) throw thrown;
    const next = troubleOf(deps, world, action, failure);
    const remoteTrouble = withTrouble(world.evidence.remoteTrouble, next);
    return { ...world, evidence: { ...world.evidence, remoteTrouble } };
  }
}

/** Remembers a credential that failed, where the failure may be its own: others come before it. */
function troubleOf(
  deps: Deps,
  world: World,
  action: SparedStep,
  failure: KeywardError,
): RemoteTrouble {
  const nowMs = deps.clock.nowMs();
  const { reason, message } = failure;
  const credential = concerned(world, action);
  // Asking the same again soon is no use when the answer was a clear no.
  const isFinal = failure.class === 'Terminal';
  // What was doomed or failed just now does not wait as long as what the vendor cannot end for a day.
  const troubledMs = troubleSinceMs(world) ?? nowMs;
  const sinceMs =
    credential === undefined
      ? Math.min(oldestDoom(world) ?? nowMs, troubledMs)
      : (credential.remote.doomedAtMs ?? troubledMs);
  const pauseMs = Math.max(
    failure.retryAfterMs ?? 0,
    isFinal ? RETRY_MAX_MS : retryPauseMs(sinceMs, nowMs),
  );
  const trouble = { reason, message, retryAtMs: nowMs + pauseMs };
  if (credential === undefined || subjectOf(failure) === 'Store') return trouble;
  const { token } = credential;
  deps.remoteChecks.failed(token);
  return { ...trouble, failed: [{ token, act: actOf(action) }] };
}

/** Since when the status says that the store does not do what it should. */
function troubleSinceMs({ key }: World): number | undefined {
  const synced = key?.status?.conditions?.find(({ type }) => type === 'StoreSynced');
  // That a publisher has not decided yet is no trouble of the store's.
  const isTrouble = synced?.status !== 'True' && synced?.reason.startsWith('Subscription') !== true;
  return synced === undefined || !isTrouble ? undefined : parseTime(synced.lastTransitionTime);
}

function isIntent({ record }: World): boolean {
  return record?.credentials.some(({ state }) => state === 'Intent') === true;
}

function oldestDoom({ record, predecessor }: World): number | undefined {
  const doomed = [...(record?.credentials ?? []), ...(predecessor?.credentials ?? [])].flatMap(
    ({ remote }) => (remote?.doomedAtMs === undefined ? [] : [remote.doomedAtMs]),
  );
  return doomed.length === 0 ? undefined : Math.min(...doomed);
}
