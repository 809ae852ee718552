/** What must be undone at the end, last things first. */

type Task = { readonly what: string; readonly act: () => Promise<void> };

/** A stack of things to undo. A failure does not keep the rest from being undone. */
export class Cleanup {
  readonly #tasks: Task[] = [];

  /** @param what for the message when it fails */
  add(what: string, act: () => Promise<void>): void {
    this.#tasks.push({ what, act });
  }

  /** Undoes everything, once. @returns what could not be undone, and why */
  async run(): Promise<readonly string[]> {
    const failures: string[] = [];
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task.act();
      } catch (err) {
        failures.push(`${task.what}: ${err instanceof Error ? err.message : String(err)}`);
      }
    }
    return failures;
  }
}
