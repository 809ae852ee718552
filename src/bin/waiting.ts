/** `--wait`: looks at an object until what was waited for has happened. */
import type { KubeObject, Ref, Resource } from '../api/meta.ts';
import { refText } from '../api/meta.ts';
import { usageError } from '../cli/exit.ts';
import type { Outcome } from '../cli/outcome.ts';
import type { Flags } from '../config/layers.ts';
import { sleep, systemClock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { Session } from './session.ts';

const POLL_MS = SECOND_MS / 2;
const WAIT_SECONDS_MAX = 86_400;

/** How long to wait; undefined: not at all. @throws KeywardError Terminal Usage */
export function waitSeconds(flags: Flags): number | undefined {
  const { wait } = flags;
  if (typeof wait !== 'string') return undefined;
  const seconds = Number(wait);
  if (/^\d{1,5}$/.test(wait) && seconds >= 1 && seconds <= WAIT_SECONDS_MAX) return seconds;
  throw usageError(`--wait=SECONDS takes 1 to ${WAIT_SECONDS_MAX}, not '${wait}'`);
}

/** What is looked at. */
export type Watched<O extends KubeObject> = {
  readonly resource: Resource;
  readonly ref: Ref;
  readonly outcomeOf: (object: O) => Outcome;
};

/**
 * Prints the outcome as progress and answers it.
 * @throws KeywardError Waiting TimedOut, or Terminal NotFound when the object went
 */
export async function waitFor<O extends KubeObject>(
  session: Session,
  watched: Watched<O>,
  seconds: number,
): Promise<NonNullable<Outcome>> {
  const { resource, ref, outcomeOf } = watched;
  const what = `${resource.kind} ${refText(ref)}`;
  const endMs = systemClock.monotonicMs() + seconds * SECOND_MS;
  session.output.note(`waiting for ${what}\n`);
  for (;;) {
    // One look after the other is what this loop is for.
    // oxlint-disable-next-line no-await-in-loop
    const object = await session.client.get(resource, ref);
    if (object === undefined) {
      throw new KeywardError('Terminal', {
        reason: 'NotFound',
        message: `${what} is gone, so nothing will become of it`,
      });
    }
    // Parser: the API server answers for the objects it sends.
    const outcome = outcomeOf(object as O);
    if (outcome !== undefined) {
      session.output.note(`${what}: ${outcome.text}`);
      return outcome;
    }
    if (systemClock.monotonicMs() >= endMs) {
      throw new KeywardError('Waiting', {
        reason: 'TimedOut',
        message: `nothing became of ${what} within ${seconds} s; it goes on without this command`,
      });
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(systemClock, POLL_MS);
  }
}
