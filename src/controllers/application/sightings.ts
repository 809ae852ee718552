/**
 * When forms were last seen without a newer edit. The ledger notes each edit once; after a gap in
 * the proof of the policies that note is too old to tell an edit made after the gap from one made
 * in it, so what is seen later is remembered here. Forgotten at a restart, which errs on the side
 * of not believing.
 */
export class Sightings {
  readonly #seen = new Map<string, { readonly generation: number; readonly atMs: number }>();

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
}
