/** Events about forms: what happened, once. */
import { EVENT_REASONS, type EventReason } from '../../api/conditions.ts';
import { API_KEY_APPLICATIONS, API_VERSION } from '../../api/names.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { World } from './world.ts';

/** Says about the form of this world what happened to it; a form that is gone is told nothing. */
export type Reporter = (world: World, reason: EventReason, note: string) => void;

/** A reporter that writes events of the closed list. */
export function createReporter(events: EventRecorder): Reporter {
  return ({ form }, reason, note) => {
    if (form === undefined) return;
    const { ref, uid } = form;
    events.record({
      regarding: { apiVersion: API_VERSION, kind: API_KEY_APPLICATIONS.kind, ref, uid },
      type: EVENT_REASONS[reason].type,
      reason,
      action: 'Review',
      note,
    });
  };
}
