/** Events about ApiKeys: what happened, once. The happy path of a key without a form reports none. */
import type { EventReason } from '../../api/conditions.ts';
import { EVENT_REASONS } from '../../api/conditions.ts';
import { API_VERSION } from '../../api/names.ts';
import type { KeyState } from '../../ledger/record.ts';
import { imposed } from './standing.ts';
import type { RolloutTrouble, World } from './world.ts';

/** The object an event is about. */
type Regarding = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
};

/** Where events go; never throws, drops what exceeds its limits. */
interface EventSink {
  record(event: {
    readonly regarding: Regarding;
    readonly reason: string;
    readonly type: 'Normal' | 'Warning';
    readonly action: string;
    readonly note: string;
  }): void;
}

/** One method per happening. */
export type Reporter = {
  /** Ended: the old values are dead. Ending: a vendor is about to be told. */
  rotated(world: World, trigger: string, oldValues: 'Overlap' | 'Ended' | 'Ending'): void;
  retired(world: World): void;
  /** The overlap is over, and somebody uses the value before the last. */
  stillUsed(world: World): void;
  stateChanged(world: World, from: KeyState, to: KeyState): void;
  remoteChanged(world: World, what: 'values' | 'settings'): void;
  /** The object goes; `what` lives on at the vendor, unknown to the ledger. */
  remoteNotEnded(world: World, what: { readonly remoteId: string; readonly store: string }): void;
  secretTrouble(world: World, reason: 'SecretLost' | 'SecretTampered'): void;
  /** A workload was restarted; told at the workload itself. */
  restarted(world: World, workload: Omit<Regarding, 'apiVersion'>): void;
  /** Workloads were to be restarted: which were, and what is left. */
  rolledOut(world: World, restarted: readonly string[], left: readonly RolloutTrouble[]): void;
  /** Nothing is left of the quota. */
  quotaUsedUp(world: World): void;
};

const OLD_VALUES = {
  Overlap: 'old values overlap',
  Ended: 'old values are dead',
  Ending: 'old values are ended at the vendor first',
} as const;

/** Who decided that, where it was not the key's own spec. */
function causeOf(world: World): string {
  const by = imposed(world);
  return by === undefined ? '' : `: ${by.message}`;
}

/** A reporter that writes events of the closed list. */
export function createReporter(sink: EventSink): Reporter {
  const emit: Emit = (world, reason, action, note) => {
    const { key } = world;
    if (key === undefined) return;
    const { namespace, name } = key.ref;
    sink.record({
      regarding: { apiVersion: API_VERSION, kind: 'ApiKey', namespace, name, uid: key.uid },
      reason,
      type: EVENT_REASONS[reason].type,
      action,
      note,
    });
  };
  return {
    rotated(world, trigger, oldValues) {
      if (trigger === 'Retire') return;
      emit(world, 'KeyRotated', 'Rotate', `New values made (${trigger}); ${OLD_VALUES[oldValues]}`);
    },
    ...previousReporter(emit),
    stateChanged(world, from, to) {
      const why = causeOf(world);
      if (to === 'Suspended')
        emit(world, 'KeySuspended', 'Suspend', `The key was switched off${why}`);
      if (to === 'Revoked') emit(world, 'KeyRevoked', 'Revoke', `The key was ended for good${why}`);
      if (to === 'Active' && from === 'Suspended') {
        emit(world, 'KeyResumed', 'Resume', 'The key was switched on again');
      }
    },
    remoteChanged(world, what) {
      // Two reasons, because a repeated reason is only counted: the second note would be lost.
      if (what === 'values') {
        const note = 'Somebody replaced values at the vendor; they are taken over into the Secret';
        emit(world, 'RemoteValuesChanged', 'CheckRemote', note);
      } else {
        const note = 'Somebody changed the credential at the vendor; it is set back';
        emit(world, 'RemoteChanged', 'CheckRemote', note);
      }
    },
    remoteNotEnded(world, { remoteId, store }) {
      const note = `The database does not know this key, so its credential ${remoteId} in ${store} was not ended; delete it at the vendor`;
      emit(world, 'RemoteNotEnded', 'Delete', note);
    },
    ...restartReporter(sink, emit),
    quotaUsedUp(world) {
      const { requests, period } = world.record?.terms.quota ?? {};
      const note = `All ${requests} calls are used up (${period}); the gate refuses further ones`;
      emit(world, 'QuotaUsedUp', 'Count', note);
    },
    secretTrouble(world, reason) {
      const what = reason === 'SecretLost' ? 'is gone' : 'was edited';
      emit(
        world,
        reason,
        'WatchSecret',
        `The Secret ${what}; spec.secret.onLoss says what follows`,
      );
    },
  };
}

type Emit = (world: World, reason: EventReason, action: string, note: string) => void;

function previousReporter(emit: Emit): Pick<Reporter, 'retired' | 'stillUsed'> {
  const stillUsed =
    'The overlap is over, but the previous value was used in the last half hour; it works on until it is not, 30 days at most';
  return {
    retired: (world) =>
      emit(
        world,
        'PreviousKeyRetired',
        'Retire',
        'Its time is over, or nobody uses it: old values end',
      ),
    stillUsed: (world) => emit(world, 'PreviousKeyStillUsed', 'Retire', stillUsed),
  };
}

function restartReporter(sink: EventSink, emit: Emit): Pick<Reporter, 'restarted' | 'rolledOut'> {
  return {
    restarted({ ref }, workload) {
      sink.record({
        regarding: { apiVersion: 'apps/v1', ...workload },
        reason: 'RolloutTriggered',
        type: EVENT_REASONS.RolloutTriggered.type,
        action: 'Restart',
        note: `Restarted for new values of ApiKey ${ref.name}`,
      });
    },
    rolledOut(world, restarted, left) {
      if (restarted.length > 0) {
        const note = `Restarted ${restarted.join(', ')} for new values`;
        emit(world, 'RolloutTriggered', 'Restart', note);
      }
      const failed = left.filter(({ reason }) => reason !== 'RestartLimited');
      if (failed.length === 0) return;
      emit(world, 'RolloutFailed', 'Restart', failed.map(({ message }) => message).join('; '));
    },
  };
}
