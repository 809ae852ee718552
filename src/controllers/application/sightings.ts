/**
 * When forms were last seen without a newer edit, and which wait for a proof of the admission policies.
 *
 * The ledger notes each edit once; after a gap in the proof that note is too old to tell an edit made after
 * the gap from one made in it, so what is seen later is remembered here. Forgotten at a restart,
 * which errs on the side of not believing.
 */
import { refText, type Ref } from '../../api/meta.ts';

/** See the file comment. */
export class Sightings {
  readonly #seen = new Map<string, { readonly generation: number; readonly atMs: number }>();
  readonly #awaiting = new Map<string, Ref>();

  /** The form still has this generation. */
  note(uid: string, generation: number, atMs: number): void {
    this.#seen.set(uid, { generation, atMs });
  }

  /** When this generation was seen last; undefined: not since the restart. */
  lastMs(uid: string, generation: number): number | undefined {
    const seen = this.#seen.get(uid);
    return seen?.generation === generation ? seen.atMs : undefined;
  }

  /** Forgets a form that is gone. */
  forget(uid: string): void {
    this.#seen.delete(uid);
  }

  /** An edit of this form waits for a proof. */
  await(ref: Ref): void {
    this.#awaiting.set(refText(ref), ref);
  }

  /** The forms that wait, none of them any longer. */
  takeAwaiting(): readonly Ref[] {
    const refs = [...this.#awaiting.values()];
    this.#awaiting.clear();
    return refs;
  }
}
