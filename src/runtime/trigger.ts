/**
 * From changes in a cache to refs in a queue, and what is filtered out between. Pure.
 *
 * A controller states for each cache one Trigger; whoever connects them adds the wakes to the queue
 * (`connect`). A filter decides only whether a look is worthwhile, never what to do: what was
 * missed is found at the next look.
 */
import type { Ref } from '../api/meta.ts';
import type { Cache, Change } from '../kube/port.ts';
import type { Lane } from './lanes.ts';

/** A ref to look at, and how soon. */
export type Wake = { readonly ref: Ref; readonly lane: Lane };

/** What a change wakes; empty: nothing. */
export type Trigger<R> = (change: Change<R>) => readonly Wake[];

/** Whether a change is worth a look. */
type Predicate<R> = (change: Change<R>) => boolean;

/** What can be compared without looking inside. */
type Scalar = string | number | boolean | undefined;

/** The object appeared, vanished, or `pick` yields something else than before. */
export function whenChanged<R>(pick: (record: R) => Scalar): Predicate<R> {
  return ({ previous, current }) =>
    previous === undefined || current === undefined || pick(previous) !== pick(current);
}

/** At least one of the predicates holds; without any: never. State the record type if they differ in theirs. */
export function anyOf<R>(...predicates: ReadonlyArray<Predicate<R>>): Predicate<R> {
  return (change) => predicates.some((holds) => holds(change));
}

/** Wakes the changed object itself. */
export function wakeItself<R>(when: Predicate<R>, lane: (change: Change<R>) => Lane): Trigger<R> {
  return (change) => (when(change) ? [{ ref: change.ref, lane: lane(change) }] : []);
}

/** Lets the changes of a cache wake refs in a queue. */
export function connect<R>(
  cache: Pick<Cache<R>, 'onChange'>,
  trigger: Trigger<R>,
  queue: { add(ref: Ref, lane: Lane): void },
): void {
  cache.onChange((change) => {
    for (const { ref, lane } of trigger(change)) queue.add(ref, lane);
  });
}
