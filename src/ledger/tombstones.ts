/** How long the ledger remembers what has ended. Pure. */
import { DAY_MS } from '../kernel/time.ts';

/** How long an Ended row stays; its credentials' tokens and keyIds stay for ever. */
export const TOMBSTONE_MS = 30 * DAY_MS;
/** How long the digests of a credential that ended stay, so that a gate knows its holder. */
export const DIGESTS_MS = TOMBSTONE_MS;
/** So many ended credentials of one key a gate is shown, the newest: nobody fills its memory with them. */
export const ENDED_MAX = 16;
/** Old tombstones are looked for once in this many commits, */
export const PURGE_EVERY = 1_000;
/** and this many leave at once. */
export const PURGE_MAX = 1_000;
/** So many digests leave at once: more than that many commits can end. */
export const DIGESTS_PURGE_MAX = 8 * PURGE_MAX;
