/**
 * The steps a plan can name, and what its rules share. Pure.
 */
import type { ApiKeyRestartTarget } from '../../api/generated/apikey.ts';
import type { KeyFormat } from '../../keys/format.ts';
import type { SlotName } from '../../keys/mint.ts';
import type { KeyRecord, KeyState } from '../../ledger/record.ts';
import type { Belonging } from '../../ledger/transitions.ts';
import type { KeyTerms } from '../../terms/terms.ts';
import type { RemoteWish } from '../../stores/contract.ts';
import { secretLayout, type SecretLayout } from './secret.ts';
import { overlapMs, wantedTerms } from './wanted.ts';
import type { ApiKeyView, UsableStore, World } from './world.ts';

/** Why new values are made; in the audit chain. */
export type RotationTrigger =
  | 'Request'
  | 'Age'
  | 'SecretLost'
  | 'SecretTampered'
  | 'RemoteLost'
  | 'Revival';

/** One step. Each is safe to repeat after a crash. */
export type Action =
  | { readonly type: 'StampFinalizer' }
  | { readonly type: 'Issue'; readonly format: KeyFormat; readonly terms: KeyTerms }
  | {
      readonly type: 'Rotate';
      readonly trigger: RotationTrigger;
      readonly oldValuesEnd: 'AtConfirm' | 'AtOnce';
      /** Values: the Secret is there, but not with our values. Secret: it is gone. */
      readonly lost: 'Nothing' | 'Values' | 'Secret';
      readonly requestId?: string;
    }
  | {
      readonly type: 'Regenerate';
      readonly slot: SlotName;
      /** Further slots to follow at once: an emergency at a vendor. */
      readonly also?: readonly SlotName[];
      readonly trigger: RotationTrigger | 'Retire';
      readonly becomesActive: boolean;
      /** Present in an emergency: no value from before goes on, in no credential of the key. */
      readonly urgency?: 'Emergency';
      readonly requestId?: string;
    }
  | { readonly type: 'SetState'; readonly state: KeyState }
  | ({ readonly type: 'SetTerms'; readonly terms: KeyTerms } & Belonging)
  /** Unused: keyIds of values that end before the last instant they may live to. */
  | { readonly type: 'RetireDue'; readonly unused: readonly string[] }
  | { readonly type: 'DropExpired' }
  | { readonly type: 'WriteSecret'; readonly layout: SecretLayout }
  | {
      readonly type: 'Confirm';
      readonly overlapMs: number;
      /** When the values before it end. */
      readonly previous: 'AfterOverlap' | 'WhenUnused';
    }
  | { readonly type: 'InspectSecret'; readonly layout: SecretLayout }
  | { readonly type: 'NoteSecret'; readonly health: 'Intact' | 'Tampered' }
  | { readonly type: 'NoteMissing' }
  | { readonly type: 'ProveLoss' }
  | { readonly type: 'ForgetSecret' }
  | { readonly type: 'ProveGone'; readonly record: KeyRecord }
  | { readonly type: 'End'; readonly record: KeyRecord; readonly because: 'Deleted' | 'Vanished' }
  | { readonly type: 'Retain' }
  | { readonly type: 'DeleteSecret'; readonly record: KeyRecord }
  | { readonly type: 'ReleaseFinalizer' }
  | { readonly type: 'Close'; readonly record: KeyRecord }
  /** Workloads get the values in use. */
  | {
      readonly type: 'RollOut';
      readonly values: string;
      readonly targets: readonly ApiKeyRestartTarget[];
    }
  /** Undefined: no workloads are restarted any more. */
  | { readonly type: 'NoteTargets'; readonly told: string | undefined }
  | { readonly type: 'Remote'; readonly step: RemoteStep };

/** A step at a vendor, about one credential generation. */
export type RemoteStep =
  /** Looks whether it is there after all, says in the ledger that it begins, and calls. */
  | { readonly type: 'Create'; readonly sequence: number; readonly attempt: number }
  | { readonly type: 'Search'; readonly sequence: number; readonly record: KeyRecord }
  | { readonly type: 'Adopt'; readonly sequence: number; readonly id: string }
  /** Its values can never be read: it is ended, and made anew. */
  | { readonly type: 'Burn'; readonly sequence: number; readonly id: string }
  | {
      readonly type: 'Stop';
      readonly sequence: number;
      readonly state: 'Unknown' | 'Ambiguous' | 'Blocked';
      readonly candidates?: readonly string[];
    }
  | { readonly type: 'AwaitSettled'; readonly untilMs: number }
  /** A settled search found nothing, and nothing may be made now: others in the account go on. */
  | { readonly type: 'NothingMade'; readonly sequence: number }
  | { readonly type: 'Regenerate'; readonly sequence: number }
  | { readonly type: 'Update'; readonly sequence: number; readonly wish: RemoteWish }
  | { readonly type: 'Read'; readonly sequence: number }
  /** Note: says in the ledger that it is about to be asked for. */
  | {
      readonly type: 'Subscription';
      readonly sequence: number;
      readonly product: string;
      readonly productId: string;
      readonly how: 'Note' | 'Request' | 'Withdraw';
    }
  | {
      readonly type: 'End';
      readonly sequence: number;
      readonly record: KeyRecord;
      readonly how: 'Disable' | 'Delete' | 'Forget' | 'Claim' | 'Leave';
      /** Claim: the id that a search found. */
      readonly id?: string;
      /** Leave: all that it found. */
      readonly ids?: readonly string[];
    };

/** The actions of these types. */
export type ActionOf<T extends Action['type']> = Extract<Action, { type: T }>;
/** The same among steps at a vendor. */
export type RemoteStepOf<T extends RemoteStep['type']> = Extract<RemoteStep, { type: T }>;

/** Ends the search: none of the rules below applies. */
type Nothing = { readonly type: 'Nothing' };
/** The one value of Nothing. */
export const NOTHING: Nothing = { type: 'Nothing' };

/** What a rule says; undefined: ask the next one. */
export type Answer = Action | Nothing | undefined;
/** One named reason to act. */
export type Rule = (world: World) => Answer;

/** The facts that every rule below the checks needs. */
export type Facts = {
  readonly world: World;
  readonly key: ApiKeyView;
  readonly store: UsableStore;
  readonly terms: KeyTerms;
};

/** Asks `act` when store and terms are known. */
export function withTerms(world: World, act: (facts: Facts) => Answer): Answer {
  const { key, store } = world;
  if (key === undefined || store.type !== 'Usable') return undefined;
  const resolution = wantedTerms(world, key, store);
  if (resolution.type !== 'Resolved') return undefined;
  return act({ world, key, store, terms: resolution.terms });
}

/** Asks `act` when the Secret should exist. */
export function withLayout(world: World, act: (layout: SecretLayout) => Answer): Answer {
  const layout = wantedLayout(world);
  return layout === undefined ? undefined : act(layout);
}

/** The layout the Secret should have now; undefined where there should be none. */
export function wantedLayout(world: World): SecretLayout | undefined {
  const { key, store, record, nowMs } = world;
  if (key === undefined || record === undefined || store.type !== 'Usable') return undefined;
  return secretLayout({
    key,
    record,
    provider: store.provider,
    overlapMs: overlapMs(key, store),
    nowMs,
  });
}
