/**
 * From changes in a cache to refs in a queue, and what is filtered out between. Pure.
 *
 * A controller states for each cache one Trigger; whoever connects them adds the wakes to the queue
 * (`connect`). A filter decides only whether a look is worthwhile, never what to do: what was
 * missed is found at the next look.
 */
import { refText, type ObjectMeta, type Ref } from '../api/meta.ts';
import type { Cache, Change } from '../kube/port.ts';
import { isLater } from '../kube/versions.ts';
import type { Lane } from './lanes.ts';

/** A ref to look at, and how soon. */
export type Wake = { readonly ref: Ref; readonly lane: Lane };

/** What a change wakes; empty: nothing. */
export type Trigger<R> = (change: Change<R>) => readonly Wake[];

/** Whether a change is worth a look. */
export type Predicate<R> = (change: Change<R>) => boolean;

/** What can be compared without looking inside. */
type Scalar = string | number | boolean | undefined;

/** Records that carry some of the metadata; each predicate names the fields that it needs. */
type With<Field extends keyof ObjectMeta> = Partial<Pick<ObjectMeta, Field>>;

/** The object appeared, vanished, or `pick` yields something else than before. */
export function whenChanged<R>(pick: (record: R) => Scalar): Predicate<R> {
  return ({ previous, current }) =>
    previous === undefined || current === undefined || pick(previous) !== pick(current);
}

/** The object appeared, vanished, or its spec was edited (the API server counts `generation` up). */
export const whenGenerationChanged: Predicate<With<'generation'>> = whenChanged(
  (record) => record.generation,
);

/** One of these annotations was set, edited or removed; they do not count as an edit of the spec. */
export function whenAnnotationsChanged(
  ...names: readonly string[]
): Predicate<With<'annotations'>> {
  return anyOf(
    ...names.map((name) =>
      whenChanged((record: With<'annotations'>) => record.annotations?.[name]),
    ),
  );
}

/** Somebody asked for the deletion just now, or the object is seen for the first time in that state. */
export const whenDeletionBegan: Predicate<With<'deletionTimestamp'>> = ({ previous, current }) =>
  current?.deletionTimestamp !== undefined && previous?.deletionTimestamp === undefined;

/** The finalizer was there and is not any more (also when somebody else took it away). */
export function whenFinalizerGone(finalizer: string): Predicate<With<'finalizers'>> {
  return ({ previous, current }) =>
    previous?.finalizers?.includes(finalizer) === true &&
    current?.finalizers?.includes(finalizer) !== true;
}

/** At least one of the predicates holds; without any: never. State the record type if they differ in theirs. */
export function anyOf<R>(...predicates: ReadonlyArray<Predicate<R>>): Predicate<R> {
  return (change) => predicates.some((holds) => holds(change));
}

/** Wakes the changed object itself. */
export function wakeItself<R>(when: Predicate<R>, lane: (change: Change<R>) => Lane): Trigger<R> {
  return (change) => (when(change) ? [{ ref: change.ref, lane: lane(change) }] : []);
}

/** Wakes other refs: owners, or all that name the changed object. */
export function wakeOthers<R>(
  when: Predicate<R>,
  refs: (change: Change<R>) => Iterable<Ref>,
  lane: Lane,
): Trigger<R> {
  return (change) => (when(change) ? Array.from(refs(change), (ref) => ({ ref, lane })) : []);
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

/** An echo comes within seconds; writes beyond this many ago may wake once for nothing. */
const WRITES_MAX = 10_000;

/**
 * The last write of our own per ref, to know its echo on the watch.
 *
 * Caveat: the echo may overtake the answer to the write and is not recognised then, so a filter on
 * `generation` should stand before this one wherever it is enough (status writes do not count it
 * up). Bounded; forgetting a write costs one look for nothing.
 */
export class OwnWrites {
  readonly #versions = new Map<string, string>();
  readonly #max: number;

  /** @param max how many refs are remembered; the oldest goes first */
  constructor(max: number = WRITES_MAX) {
    this.#max = max;
  }

  /** Remembers what the API server answered to our write. */
  note(ref: Ref, resourceVersion: string): void {
    const text = refText(ref);
    this.#versions.delete(text);
    this.#versions.set(text, resourceVersion);
    if (this.#versions.size <= this.#max) return;
    for (const oldest of this.#versions.keys()) {
      this.#versions.delete(oldest);
      return;
    }
  }

  /** The change is what we wrote ourselves and nothing else: our version, and the spec as before. */
  isEcho(change: Change<With<'resourceVersion' | 'generation'>>): boolean {
    const { previous, current } = change;
    if (!previous || !current) return false;
    const own = this.#versions.get(refText(change.ref));
    return own === current.resourceVersion && previous.generation === current.generation;
  }

  /** The cache does not show our last write yet, so a decision would rest on an old state. */
  isAheadOf(ref: Ref, cachedVersion: string): boolean {
    const own = this.#versions.get(refText(ref));
    return own !== undefined && isLater(own, cachedVersion);
  }

  /** Forgets a ref that is gone. */
  forget(ref: Ref): void {
    this.#versions.delete(refText(ref));
  }
}
