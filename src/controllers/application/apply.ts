/**
 * Carries out one action of the plan and returns the world as it is afterwards.
 *
 * Decides nothing. Each action may be cut off at any point and repeated: commits compare the
 * record's revision, API writes carry resourceVersion or UID.
 */
import type { Action } from './actions.ts';
import type { Deps } from './deps.ts';
import { createKey, passSecret, proveGone, setFinalizers } from './cluster.ts';
import { FINALIZER } from '../../api/names.ts';
import {
  activate,
  dropWaiting,
  end,
  endForGood,
  lapse,
  noteEdit,
  noteExpiring,
  open,
  openNext,
  takeBack,
} from './record.ts';
import type { World } from './world.ts';

/** See the file comment. @throws KeywardError whose class says whether to try again */
export function apply(
  deps: Deps,
  world: World,
  action: Action,
  signal: AbortSignal,
): Promise<World> {
  switch (action.type) {
    case 'StampFinalizer':
      return setFinalizers(deps, world, (others) => [...others, FINALIZER], signal);
    case 'ReleaseFinalizer':
      return setFinalizers(deps, world, (all) => all.filter((name) => name !== FINALIZER), signal);
    case 'ProveGone':
      return proveGone(deps, world, action.record, signal);
    case 'CreateKey':
      return createKey(deps, world, action.name, signal);
    case 'PassSecret':
      return passSecret(deps, world, action, signal);
    default:
      return applyToLedger(deps, world, action, signal);
  }
}

type LedgerAction = Exclude<
  Action,
  {
    type: 'StampFinalizer' | 'ReleaseFinalizer' | 'ProveGone' | 'CreateKey' | 'PassSecret';
  }
>;

/** The actions that are one commit about the form itself. */
function applyToLedger(
  deps: Deps,
  world: World,
  action: LedgerAction,
  signal: AbortSignal,
): Promise<World> {
  switch (action.type) {
    case 'End':
      return end(deps, world, action);
    case 'Open':
      return open(deps, world, action);
    case 'NoteEdit':
      return noteEdit(deps, world, action, signal);
    case 'TakeBack':
      return takeBack(deps, world, action);
    case 'Lapse':
      return lapse(deps, world);
    case 'DropReissue':
      return dropWaiting(deps, world);
    case 'ActivateNext':
      return activate(deps, world);
    case 'EndGrant':
      return endForGood(deps, world, action);
    case 'NoteExpiring':
      return noteExpiring(deps, world, action);
    case 'OpenRound':
      return openNext(deps, world, action);
  }
}
