/** What the questions of checks.ts and formchecks.ts ask and answer. Pure. */
import type { ReadyReason } from '../../api/conditions.ts';
import type { ApiKeyView, UsableStore, World } from './world.ts';

/** What is wrong, and what to do about it. */
export type Finding = { readonly reason: ReadyReason; readonly message: string };

/** One named question; undefined: nothing is wrong. */
export type Check = (world: World, key: ApiKeyView) => Finding | undefined;
/** One that can be asked only of a key whose store can be used. */
export type StoreCheck = (world: World, key: ApiKeyView, store: UsableStore) => Finding | undefined;
