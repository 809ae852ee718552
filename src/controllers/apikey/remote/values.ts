/** The vendor's copy of a living credential: told what we want, compared, its values replaced. */
import { equalDigests } from '../../../keys/digest.ts';
import {
  beginRegenerate,
  forgetSettings,
  foundAgain,
  noteRemote,
  takeValues,
} from '../../../ledger/remote.ts';
import type { SlotRecord } from '../../../ledger/record.ts';
import { StoreFailure, type RemoteCredential } from '../../../stores/contract.ts';
import type { ActionOf, RemoteStepOf } from '../actions.ts';
import { change, mine } from '../commits.ts';
import type { Deps } from '../deps.ts';
import type { World } from '../world.ts';
import { digestRemote, replaceSlots, snapshot } from './material.ts';
import { confirmLive, expectOurs, idOf, missing, open, type AtVendor } from './vendor.ts';

/** Says in the ledger that values are about to be replaced; `regenerateRemote` goes on. */
export async function beginRegeneration(
  deps: Deps,
  world: World,
  action: ActionOf<'Regenerate'>,
  sequence: number,
): Promise<World> {
  const { slot, also = [], trigger, becomesActive, urgency, requestId } = action;
  const regeneration = {
    slots: [slot, ...also],
    trigger,
    ...(becomesActive ? { role: 'Next' as const } : {}),
    begunAtMs: deps.clock.nowMs(),
  };
  const request = requestId === undefined ? {} : { requestId };
  deps.metrics.rotations.inc({ trigger });
  const next = await change(
    deps,
    world,
    beginRegenerate(mine(world), sequence, {
      regeneration,
      others: urgency === 'Emergency' ? 'EndAtOnce' : 'Stay',
      ...request,
    }),
    {
      action: 'RemoteRegenerationBegun',
      facts: { sequence, slot, trigger },
      ...(requestId === undefined ? {} : { spendRequestId: requestId }),
    },
  );
  return requestId === undefined ? next : { ...next, rotationRequest: undefined };
}

/**
 * Replaces the first value that is still to be replaced. Where values can be read, the vendor is
 * asked first: a value that differs from ours was replaced by a call whose answer was lost.
 */
export async function regenerateRemote(
  deps: Deps,
  world: World,
  sequence: number,
  signal: AbortSignal,
): Promise<World> {
  const record = mine(world);
  // A value that takes over does not hurry; one that replaces a value that is not to work any more does.
  const isPlanned = record.credentials.some(
    (each) => each.sequence === sequence && each.remote?.regenerating?.role === 'Next',
  );
  const turn = isPlanned ? 'InOrder' : 'First';
  const opened = await open(deps, { record, sequence, turn }, signal);
  const at = { ...opened, signal };
  const { credential, handle, session } = at;
  const { regenerating } = credential.remote;
  const slot = credential.slots.find(({ name }) => name === regenerating?.slots[0]);
  if (slot === undefined) return world;
  const id = idOf(credential);
  // Of one that is known to be going the plan finishes what has begun; see unfinished.
  if (world.key?.isDeleting !== true) await confirmLive(deps, world, signal);
  const isReadable = handle.capabilities.class === 'M' || handle.capabilities.class === 'D';
  const before = isReadable ? await session.remote.read(id, signal) : undefined;
  if (isReadable && before === undefined) return missing(deps, world, at);
  const isDone = before !== undefined && isChanged(deps, at, slot, before);
  const after = isDone ? before : await session.remote.regenerate(id, slot.name, signal);
  if (after === undefined) return missing(deps, world, at);
  expectOurs(session, mine(world), after);
  if (!isDone) expectReplaced(deps, at, slot, after);
  return takeRegenerated(deps, world, at, { slot, after, call: isDone ? 'Earlier' : 'Now' });
}

/**
 * The old value must not pass for a new one: it still works, or the new one is yet to be shown. The
 * next pass finds out which. @throws StoreFailure Garbled
 */
function expectReplaced(deps: Deps, at: AtVendor, slot: SlotRecord, after: RemoteCredential): void {
  if (after.values[slot.name] === undefined || isChanged(deps, at, slot, after)) return;
  throw new StoreFailure('Garbled', {
    message: `the vendor was told to replace the value '${slot.name}' of credential ${idOf(at.credential)} and answered with the old one; it is asked again`,
  });
}

/** Takes the value of one slot into the ledger, and says so with the last of them. */
async function takeRegenerated(
  deps: Deps,
  world: World,
  at: AtVendor,
  made: {
    readonly slot: SlotRecord;
    readonly after: RemoteCredential;
    readonly call: 'Earlier' | 'Now';
  },
): Promise<World> {
  const { slot, after, call } = made;
  const { sequence, remote } = at.credential;
  const { regenerating } = remote;
  const role = regenerating?.role;
  const record = takeValues(mine(world), sequence, {
    slots: replaceSlots(deps, at, after, {
      names: [slot.name],
      ...(role === undefined ? {} : { role }),
    }),
    hint: after.hint,
    remote: snapshot(after),
    done: slot.name,
  });
  const next = await change(deps, world, record, {
    action: 'RemoteRegenerated',
    facts: { sequence, slot: slot.name, call },
  });
  if (regenerating?.slots.length === 1) {
    deps.reporter.rotated(world, regenerating.trigger, role === 'Next' ? 'Overlap' : 'Ended');
  }
  // A look that comes right behind and lags would take the dead value for one that was changed there.
  deps.remoteChecks.done(at.credential.token);
  return { ...next, evidence: { ...next.evidence, remoteChecked: true } };
}

/** Compares the vendor's copy with ours and takes over what differs; what we want is told later. */
export async function readRemote(
  deps: Deps,
  world: World,
  sequence: number,
  signal: AbortSignal,
): Promise<World> {
  const opened = await open(deps, { record: mine(world), sequence }, signal);
  const at = { ...opened, signal };
  const seen = await at.session.remote.read(idOf(at.credential), signal);
  if (seen === undefined) return missing(deps, world, at);
  expectOurs(at.session, mine(world), seen);
  deps.remoteChecks.done(at.credential.token);
  const checked: World = { ...world, evidence: { ...world.evidence, remoteChecked: true } };
  if (at.credential.remote.missingSinceMs !== undefined) {
    return change(deps, world, foundAgain(mine(world), sequence), {
      action: 'RemoteFoundAgain',
      facts: { sequence },
    });
  }
  const names = at.credential.slots
    .filter((slot) => isChanged(deps, at, slot, seen))
    .map(({ name }) => name);
  if (names.length > 0) {
    const record = takeValues(mine(world), sequence, {
      slots: replaceSlots(deps, at, seen, { names }),
      hint: seen.hint,
      remote: snapshot(seen),
    });
    deps.reporter.remoteChanged(world, 'values');
    return change(deps, checked, record, {
      action: 'RemoteValuesChanged',
      facts: { sequence, slots: names.join(',') },
    });
  }
  const { enabled, name, description } = at.credential.remote;
  const isSame =
    seen.enabled === enabled &&
    (seen.name ?? name) === name &&
    (seen.description ?? description) === description;
  if (isSame) return checked;
  deps.reporter.remoteChanged(world, 'settings');
  return change(deps, checked, noteRemote(mine(world), sequence, snapshot(seen)), {
    action: 'RemoteDrifted',
    facts: { sequence },
  });
}

/**
 * Tells the vendor what a credential is to be called and whether it is to work. Until its answer is
 * known the ledger does not say what the vendor has: were the answer lost and the wish taken back
 * meanwhile, the old note would look as if nothing had to be done.
 */
export async function update(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Update'>,
  signal: AbortSignal,
): Promise<World> {
  const turn = action.wish.enabled ? 'InOrder' : 'First';
  const asked = { record: mine(world), sequence: action.sequence, turn } as const;
  const opened = await open(deps, asked, signal);
  const at = { ...opened, signal };
  const { credential, session } = at;
  // A step of its own: when the call fails, the pass goes on from this commit.
  if (credential.remote.enabled !== undefined) return beginUpdate(deps, world, action.sequence);
  const seen = await session.remote.update(idOf(credential), action.wish, signal);
  if (seen === undefined) return missing(deps, world, at);
  expectOurs(session, mine(world), seen);
  const { enabled, name, description } = action.wish;
  const patch = {
    ...snapshot(seen),
    // Some vendors answer with nothing but a yes.
    facts: { ...credential.remote.facts, ...seen.facts },
    enabled,
    ...(seen.name === undefined ? {} : { name, description }),
  };
  return change(deps, world, noteRemote(mine(world), action.sequence, patch), {
    action: 'RemoteUpdated',
    facts: { sequence: action.sequence, remoteId: idOf(credential), enabled },
  });
}

function beginUpdate(deps: Deps, world: World, sequence: number): Promise<World> {
  return change(deps, world, forgetSettings(mine(world), sequence), {
    action: 'RemoteUpdateBegun',
    facts: { sequence },
  });
}

/** The vendor shows another value than the ledger knows. */
function isChanged(
  deps: Deps,
  { credential }: AtVendor,
  slot: SlotRecord,
  seen: RemoteCredential,
): boolean {
  const value = seen.values[slot.name];
  if (value === undefined) return false;
  const digest = digestRemote(deps, { credential, slot }, value);
  return !equalDigests(digest, slot.digest);
}
