/** How long the ledger remembers what has ended. Pure. */
import { DAY_MS } from '../kernel/time.ts';

/** How long an Ended row stays; its credentials' tokens and keyIds stay for ever. */
export const TOMBSTONE_MS = 30 * DAY_MS;
/** Old tombstones are looked for once in this many commits, */
export const PURGE_EVERY = 1_000;
/** and this many leave at once. */
export const PURGE_MAX = 1_000;
