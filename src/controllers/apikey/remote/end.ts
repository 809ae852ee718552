/** Ending a credential at a vendor: off, gone, and only then forgotten. */
import type { KeyRecord } from '../../../ledger/record.ts';
import { forget, noteRemote } from '../../../ledger/remote.ts';
import { StoreFailure } from '../../../stores/contract.ts';
import type { RemoteStepOf } from '../actions.ts';
import { audit, commit } from '../commits.ts';
import type { Deps } from '../deps.ts';
import type { World } from '../world.ts';
import { idOf, open, withoutSearch, type AtVendor } from './vendor.ts';

/** One step towards a vendor that has it no more; see endNext. */
export async function end(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'End'>,
  signal: AbortSignal,
): Promise<World> {
  const { record, sequence, how } = action;
  if (how === 'Claim' && action.id !== undefined) {
    const claimed = noteRemote(record, sequence, { id: action.id });
    return commitEnding(deps, world, claimed, { action: 'RemoteClaimed', sequence });
  }
  if (how === 'Forget') return forgetRemote(deps, world, action);
  const opened = await open(deps, record, sequence, signal);
  const { credential, session } = opened;
  const at = { ...opened, action, signal };
  const id = idOf(credential);
  if (how === 'Disable') {
    const { name = '', description = '' } = credential.remote;
    const seen = await session.remote.update(id, { enabled: false, name, description }, signal);
    if (seen === undefined) return endMissing(deps, world, at);
    const disabledAtMs = deps.clock.nowMs();
    const disabled = noteRemote(record, sequence, { enabled: false, disabledAtMs });
    return commitEnding(deps, world, disabled, { action: 'RemoteDisabled', sequence });
  }
  const outcome = await session.remote.delete(id, signal);
  if (outcome === 'NotFound') return endMissing(deps, world, at);
  return forgetRemote(deps, world, action);
}

/** Not known to the vendor: gone, once the login is proven and a second look agrees. */
async function endMissing(
  deps: Deps,
  world: World,
  at: AtVendor & { readonly action: RemoteStepOf<'End'> },
): Promise<World> {
  const { action, session, credential, signal } = at;
  await session.prove(signal);
  if ((await session.remote.read(idOf(credential), signal)) !== undefined) {
    throw new StoreFailure('Garbled', { message: 'the vendor knows the credential and does not' });
  }
  return forgetRemote(deps, world, action);
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
  const next = withoutSearch(world);
  return next.predecessor?.uid === committed.uid
    ? { ...next, predecessor: committed }
    : { ...next, record: committed };
}
