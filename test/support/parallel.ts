/** Many things at once, and not too many. */

/** Acts on all items, so many at a time; results in their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      const item = items[index];
      // One after the other in this worker is what bounds the load.
      // oxlint-disable-next-line no-await-in-loop
      if (item !== undefined) results[index] = await act(item);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
