/**
 * Which right a refused call lacks. An account whose sub account may not do one thing can do all others, so
 * only that call fails. Looking is what a login does: without that right the whole store is of no use.
 */
import type { RemoteStore } from '../contract.ts';
import { guarded, type Operation } from '../guard.ts';
import { RightMissing } from './errors.ts';

/** What the sub account may not do; absent: without it nothing works. */
const LACKING: Readonly<Partial<Record<Operation, string>>> = {
  create: 'create keys',
  read: 'look at this key',
  update: 'change, enable or disable this key',
  regenerate: 'regenerate this key',
  delete: 'delete this key',
  subscription: 'search the keys of this product',
  subscribe: 'subscribe this key to this product',
  unsubscribe: 'unsubscribe this key from this product',
};

/** The same store; a call that lacks a right of its own says which, and stops no other. */
export function namingRights(store: RemoteStore): RemoteStore {
  return guarded(store, async (operation, act) => {
    try {
      return await act(store);
    } catch (error) {
      const lacking = LACKING[operation];
      throw error instanceof RightMissing && lacking !== undefined ? error.to(lacking) : error;
    }
  });
}
