/**
 * The next single step of a client. Pure.
 *
 * A client has no finalizer: it is a name, and nothing outside has to be ended before it may go. What was
 * granted on its behalf ends with its record, for good, and another client of its name is another one,
 * for which only holds what reviewers imposed on that name.
 */
import { clientState } from '../../ledger/clients.ts';
import type { ClientRecord } from '../../ledger/documents.ts';
import { isKept } from '../../ledger/keptclients.ts';

import type { World } from './world.ts';

/** One step. Each is safe to repeat after a crash. */
export type Action =
  /** One live read: the object of this record is gone. */
  | { readonly type: 'ProveGone'; readonly record: ClientRecord }
  | { readonly type: 'End'; readonly record: ClientRecord }
  /** Takes over what was kept of an earlier object, if there is something. */
  | { readonly type: 'Open'; readonly kept: ClientRecord | undefined }
  /** The state in force follows the spec as far as reviewers let it. */
  | {
      readonly type: 'Follow';
      readonly record: ClientRecord;
      readonly state: ClientRecord['state'];
    };

/** The next step, or undefined when nothing is to be done now. */
export function nextAction(world: World): Action | undefined {
  const { client, record, predecessor } = world;
  const kept = predecessor !== undefined && isKept(predecessor) ? predecessor : undefined;
  if (predecessor !== undefined && kept === undefined) return { type: 'End', record: predecessor };
  if (client === undefined) return endOf(world);
  if (record === undefined) return { type: 'Open', kept };
  // An ended record of a living object comes from a restored backup; what was ended stays so.
  if (record.phase === 'Ended') return undefined;
  const state = clientState(client.spec.state, record.held);
  return state === record.state ? undefined : { type: 'Follow', record, state };
}

function endOf({ record, isProvenGone }: World): Action | undefined {
  if (record === undefined || record.phase === 'Ended' || isKept(record)) return undefined;
  return { type: isProvenGone ? 'End' : 'ProveGone', record };
}
