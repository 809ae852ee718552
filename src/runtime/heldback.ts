/** What waits for a clock that is believed. Pure. */

/**
 * Whether something is to be done as soon as the clock is believed again, and nothing before: no change of an
 * object tells of that, so such a ref has to be looked at again by itself.
 *
 * @param nextAction the plan; undefined: nothing is to be done
 */
export function isHeldBack<W extends { readonly isClockTrusted: boolean }>(
  world: W,
  nextAction: (world: W) => object | undefined,
): boolean {
  if (world.isClockTrusted || nextAction(world) !== undefined) return false;
  return nextAction({ ...world, isClockTrusted: true }) !== undefined;
}
