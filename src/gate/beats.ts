/** Things that a gate does every now and then, each never twice at once. */
import type { Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';

/** One of them; it deals with its failures itself. */
type Beat = { readonly everyMs: number; readonly act: () => Promise<void> };

/** See the file comment. */
export class Beats {
  readonly #deps: { readonly clock: Clock; readonly log: Logger };
  readonly #beats: readonly Beat[];
  readonly #cancels = new Set<() => void>();
  #isStopped = false;

  constructor(deps: { readonly clock: Clock; readonly log: Logger }, beats: readonly Beat[]) {
    this.#deps = deps;
    this.#beats = beats;
  }

  /** Begins; each acts for the first time after its time. */
  start(): void {
    for (const beat of this.#beats) this.#later(beat);
  }

  /** Ends; what is being done goes on to its end. */
  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
  }

  #later(beat: Beat): void {
    if (this.#isStopped) return;
    const cancel = this.#deps.clock.after(beat.everyMs, () => {
      this.#cancels.delete(cancel);
      void this.#act(beat);
    });
    this.#cancels.add(cancel);
  }

  async #act(beat: Beat): Promise<void> {
    try {
      await beat.act();
    } catch (thrown) {
      const { reason, cause } = classify(thrown);
      const stack = cause instanceof Error ? cause.stack : undefined;
      this.#deps.log.error('something the gate does every now and then failed', { reason, stack });
    }
    this.#later(beat);
  }
}
