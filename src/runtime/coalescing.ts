/**
 * Lets what arrives gather while refs wait in line, as network cards do with interrupts. A turn of the
 * event loop costs the same whether it finds one answer or ten, and on a machine that is shared with
 * the API server most turns find one.
 */
import { setImmediate } from 'node:timers';

/**
 * Nothing beside what has a deadline here (the Lease, probes, calls: seconds), and little beside the
 * 0.2 s that a ref takes while 64 are under way.
 */
const PAUSE_MS = 8;

/** A turn that had work for so many had company enough: so no pause holds up an API server that is faster. */
const ENOUGH = 32;

/** Has the thread do nothing for so long. */
type Rest = (restMs: number) => void;

/**
 * What to call whenever a ref was handed out. From then on each turn of the event loop that had little to do
 * ends with a pause, until the line is short; so there is none where nobody takes what waits (a standby).
 *
 * @param isBacklogged whether the rate counts and the single ref's wait does not; see backlog.ts
 * @param rest absent: the thread sleeps
 */
export function coalesceTurns(isBacklogged: () => boolean, rest: Rest = sleepThread): () => void {
  let isResting = false;
  let handedOut = 0;
  const endTurn = (): void => {
    const wasBusy = handedOut >= ENOUGH;
    handedOut = 0;
    isResting = isBacklogged();
    if (!isResting) return;
    if (!wasBusy) rest(PAUSE_MS);
    setImmediate(endTurn);
  };
  return () => {
    handedOut += 1;
    if (isResting || !isBacklogged()) return;
    isResting = true;
    // What this turn has to send is sent by then.
    setImmediate(endTurn);
  };
}

const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

function sleepThread(restMs: number): void {
  Atomics.wait(never, 0, 0, restMs);
}
