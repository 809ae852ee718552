/** Ending a credential at a vendor: off, gone, and only then forgotten. */
import type { KeyRecord } from '../../../ledger/record.ts';
import { forget, leave, noteRemote } from '../../../ledger/remote.ts';
import { callEnd, deleteOthers } from '../../../stores/ending.ts';
import { takeFound } from '../../../stores/searching.ts';
import type { RemoteStepOf } from '../actions.ts';
import { audit, commit } from '../commits.ts';
import type { Deps } from '../deps.ts';
import type { World } from '../world.ts';
import { idOf, open, withoutSearches } from './vendor.ts';

/** One step towards a vendor that has it no more; see endNext. */
export async function end(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'End'>,
  signal: AbortSignal,
): Promise<World> {
  const { record, sequence, how } = action;
  if (how === 'Claim' && action.id !== undefined) {
    const { credential, session } = await open(deps, { record, sequence }, signal);
    const search = world.evidence.searches?.find(({ token }) => token === credential.token);
    await deleteOthers(session, search, action.id, signal);
    return claim(deps, world, { record, sequence, id: action.id }, signal);
  }
  if (how === 'Leave') {
    const left = leave(record, sequence, action.ids ?? []);
    return commitEnding(deps, world, left, { action: 'RemoteLeft', sequence });
  }
  if (how !== 'Disable' && how !== 'Delete') return forgetRemote(deps, world, action);
  // What is off already locks nobody out by being deleted.
  const isOff = record.credentials.some(
    (each) => each.sequence === sequence && each.remote?.enabled === false,
  );
  const turn = isOff ? 'InOrder' : 'First';
  const { credential, handle, session } = await open(deps, { record, sequence, turn }, signal);
  const known = { ...credential, remote: { ...credential.remote, id: idOf(credential) } };
  if ((await callEnd({ session, handle, clock: deps.clock }, known, how, signal)) === 'Gone')
    return forgetRemote(deps, world, action);
  const disabledAtMs = deps.clock.nowMs();
  const disabled = noteRemote(record, sequence, { enabled: false, disabledAtMs });
  return commitEnding(deps, world, disabled, { action: 'RemoteDisabled', sequence });
}

async function claim(
  deps: Deps,
  world: World,
  found: { readonly record: KeyRecord; readonly sequence: number; readonly id: string },
  signal: AbortSignal,
): Promise<World> {
  const { record, sequence, id } = found;
  const opened = await open(deps, { record, sequence }, signal);
  const place = { ...opened, ledger: deps.ledger, storeUid: record.store.uid };
  const take = () => {
    const claimed = noteRemote(record, sequence, { id });
    return commitEnding(deps, world, claimed, { action: 'RemoteClaimed', sequence });
  };
  return (await takeFound(place, id, take)) ?? withoutSearches(world);
}

async function forgetRemote(
  deps: Deps,
  world: World,
  { record, sequence }: RemoteStepOf<'End'>,
): Promise<World> {
  const token = record.credentials.find((each) => each.sequence === sequence)?.token;
  if (token !== undefined) deps.remoteChecks.forget(token);
  return commitEnding(deps, world, forget(record, sequence), { action: 'RemoteEnded', sequence });
}

async function commitEnding(
  deps: Deps,
  world: World,
  record: KeyRecord,
  note: { readonly action: string; readonly sequence: number },
): Promise<World> {
  const committed = await commit(deps, {
    record,
    expectedRevision: record.revision,
    audit: audit(deps, { action: note.action, facts: { sequence: note.sequence } }),
  });
  const next = withoutSearches(world);
  return next.predecessor?.uid === committed.uid
    ? { ...next, predecessor: committed }
    : { ...next, record: committed };
}
