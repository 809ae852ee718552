/** The steps a plan can name, and what its rules share. Pure. */
import type { ApiKeyApplicationSpec } from '../../api/generated/apikeyapplication.ts';
import type { Person } from '../../ledger/document.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { WantedRound } from './wish.ts';
import type { World } from './world.ts';

/** One step. Each is safe to repeat after a crash. */
export type Action =
  | { readonly type: 'StampFinalizer' }
  | { readonly type: 'ReleaseFinalizer' }
  /** One live read: the object of this record is gone. */
  | { readonly type: 'ProveGone'; readonly record: FormRecord }
  /** The object goes or is gone, and with it whatever was granted. */
  | { readonly type: 'End'; readonly record: FormRecord; readonly because: 'Deleted' | 'Vanished' }
  | { readonly type: 'Open'; readonly applicant: Person; readonly editors: readonly string[] }
  | { readonly type: 'NoteEdit'; readonly editors: readonly string[]; readonly isProven: boolean }
  | { readonly type: 'TakeBack'; readonly because: 'Withdrawn' | 'Draft' | 'Edited' }
  | { readonly type: 'Lapse' }
  /** New values are asked for no more, after a reviewer wanted the request corrected. */
  | { readonly type: 'DropReissue' }
  | { readonly type: 'ActivateNext' }
  /** The date of an approved revocation has come, or the client is gone. */
  | { readonly type: 'EndGrant'; readonly cause: 'Revoked' | 'ClientDeleted' }
  /** Reviewed: people decide. Free: it is approved with the same commit. */
  | {
      readonly type: 'OpenRound';
      readonly wanted: WantedRound;
      readonly decision: 'Reviewed' | 'Free';
    }
  | { readonly type: 'NoteExpiring'; readonly days: number; readonly endMs: number }
  | { readonly type: 'CreateKey'; readonly name: string }
  | {
      readonly type: 'PassSecret';
      readonly uid: string;
      readonly secret: ApiKeyApplicationSpec['secret'];
    };

/** The actions of these types. */
export type ActionOf<T extends Action['type']> = Extract<Action, { type: T }>;

/** Ends the search: none of the rules below applies. */
type Nothing = { readonly type: 'Nothing' };
/** The one value of Nothing. */
export const NOTHING: Nothing = { type: 'Nothing' };

/** What a rule says; undefined: ask the next one. */
export type Answer = Action | Nothing | undefined;
/** One named reason to act. */
export type Rule = (world: World) => Answer;
