/** The known name that a wrong one was meant to be. Pure. */
import { editDistance } from '../kernel/editdistance.ts';

/** The nearest of `known`; undefined when none is near enough to be meant. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  const plain = simplified(wrong);
  const ranked = known
    .map((name) => ({ name, distance: farness(plain, simplified(name)) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  const near = Math.max(2, Math.floor(plain.length / 3));
  return best !== undefined && best.distance <= near ? best.name : undefined;
}

/** Ready to follow a sentence: `; did you mean X?`, or nothing. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const name = nearest(wrong, known);
  return name === undefined ? '' : `; did you mean ${name}?`;
}

/** The same name in another notation is no mistake in spelling. */
function simplified(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/g, '');
}

/** Words left out at the end, or added there, count as one mistake. */
function farness(wrong: string, known: string): number {
  const shorter = wrong.length < known.length ? wrong : known;
  const isBeginning = shorter.length > 5 && wrong.startsWith(shorter) && known.startsWith(shorter);
  return isBeginning ? Math.min(1, editDistance(wrong, known)) : editDistance(wrong, known);
}
