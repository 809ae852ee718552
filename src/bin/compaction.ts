/**
 * Keeps memory small in a burst, and gives it back afterwards. V8 keeps the pages of a start or a mass
 * issue for later, which for an operator that then waits for hours is most of what it holds.
 */
import { setFlagsFromString } from 'node:v8';
import type { Clock } from '../kernel/clock.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';

/** How often it is looked at; a second without work is rest. */
const LOOK_MS = SECOND_MS;
/** Reconciles that leave enough garbage to be worth a collection soon. */
const BURST = 500;
/** A collection takes 0.1 s at 10 000 keys: at most a fiftieth of the time while bursts follow bursts, */
const BURST_PAUSE_MS = 10 * SECOND_MS;
/** and next to nothing while keys come one by one. */
const PAUSE_MS = 5 * MINUTE_MS;

/** V8's collector, as `--expose-gc` shows it; the installed program is started with that flag. */
type Collector = (options: { type: 'major'; flavor: 'last-resort' }) => void;

/**
 * Has V8 collect in one piece, of some 30 ms at 10 000 keys. In steps between the turns of the event loop it
 * comes late while those pause (runtime/coalescing.ts), and the heap grows by half as much again. Not for a
 * gate, whose callers wait.
 */
export function collectInOnePiece(): void {
  setFlagsFromString('--no-incremental-marking');
}

/** An eighth of what Node takes by itself. */
const SLAB_BYTES = 8 * 1_024;

/**
 * Has Node cut small buffers from small slabs. A slab stays as long as any piece of it, and then until V8 collects its
 * old generation: of slabs of 64 KiB there were up to two hundred at once at five lives of keys a second, and malloc's
 * heap grew with the highest number there ever was. For the thread that calls it.
 */
export function cutSmallSlabs(): void {
  Buffer.poolSize = SLAB_BYTES;
}

/**
 * Collects once when work has come to rest after a burst; returns what ends the looking.
 *
 * @param worked a count that grows with each reconcile; unchanged between two looks: at rest
 */
export function compactWhenIdle(
  clock: Clock,
  collect: Collector | undefined,
  worked: () => number,
): () => void {
  if (collect === undefined) return () => undefined;
  let seen = worked();
  let compactedAt = seen;
  let compactedMs = Number.NEGATIVE_INFINITY;
  let cancel: () => void;
  const look = (): void => {
    const now = worked();
    const isAtRest = now === seen;
    const pauseMs = now - compactedAt >= BURST ? BURST_PAUSE_MS : PAUSE_MS;
    const isDue = now !== compactedAt && clock.monotonicMs() - compactedMs >= pauseMs;
    seen = now;
    if (isAtRest && isDue) {
      collect({ type: 'major', flavor: 'last-resort' });
      compactedAt = now;
      compactedMs = clock.monotonicMs();
    }
    cancel = clock.after(LOOK_MS, look);
  };
  cancel = clock.after(LOOK_MS, look);
  return () => cancel();
}
