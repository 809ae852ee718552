/** One part of the story. */
import type { Stage } from './stage.ts';

/** A step either sees its evidence or throws `Unmet`. */
export type Step = {
  /** The sentence above it. */
  readonly title: string;
  /** A few words for the table at the end. */
  readonly short: string;
  readonly run: (stage: Stage) => Promise<void>;
};
