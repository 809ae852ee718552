/**
 * Pure; a floor under values that somebody else made up: it catches words, repetitions and short
 * values, and proves nothing about the rest, because a text does not show how it was drawn.
 */

/** Characters that a value should have. */
export const STRONG_LENGTH = 20;
/** Bits that it should have by the estimate below. */
export const STRONG_BITS = 48;

/** A letter that follows from what stands before it adds nothing. */
const KNOWN_RUN = 3;

/**
 * Why the value may be guessed, as the end of a sentence that shows nothing of it; undefined: it is
 * not known to be weak.
 */
export function weaknessOf(value: string): string | undefined {
  if (value.length < STRONG_LENGTH) return `it has fewer than ${STRONG_LENGTH} characters`;
  if (estimateBits(value) >= STRONG_BITS) return undefined;
  return 'its characters repeat or follow one another, so it is easily guessed';
}

/**
 * Bits at most, as if each letter had been drawn from those that occur, as often as they do; letters
 * that repeat an earlier run of three, or go on counting up or down, are worth nothing.
 */
export function estimateBits(value: string): number {
  const counts = new Map<string, number>();
  for (const letter of value) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let perLetter = 0;
  for (const count of counts.values()) {
    const share = count / value.length;
    perLetter -= share * Math.log2(share);
  }
  return perLetter * surprises(value);
}

function surprises(value: string): number {
  const seen = new Set<string>();
  let count = 0;
  for (let i = 0; i < value.length; i += 1) {
    const run = value.slice(Math.max(0, i - KNOWN_RUN + 1), i + 1);
    const step = value.charCodeAt(i) - value.charCodeAt(i - 1);
    const isCounting = i > 1 && step === value.charCodeAt(i - 1) - value.charCodeAt(i - 2);
    if (!seen.has(run) && !(isCounting && Math.abs(step) <= 1)) count += 1;
    if (run.length === KNOWN_RUN) seen.add(run);
  }
  return count;
}
