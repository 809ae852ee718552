/** The faults of one plan, one after the other: which is next, and what happens when it falls. */
import { isKill, type Strike } from './plans.ts';

/** Where faults fall. */
export type Targets = {
  /** The nth mutating call to the API server from now on. */
  readonly atCall: (nth: number, position: Strike['position']) => void;
  /** The nth call to the vendor from now on; `onStrike` when it falls. */
  readonly atVendor: (nth: number, point: 'Before' | 'After', onStrike: () => void) => void;
  /** Ends the operator at once. */
  readonly kill: () => void;
};

/** See the file comment. */
export class Faults {
  readonly #targets: Targets;
  readonly #strikes: Strike[];
  #struck = 0;
  #struckAtMs = -Infinity;
  #commitArmed: Strike | undefined;

  constructor(strikes: readonly Strike[], targets: Targets) {
    this.#strikes = [...strikes];
    this.#targets = targets;
  }

  /** How many fell. */
  get struck(): number {
    return this.#struck;
  }

  /** When the newest fell; by performance.now(). */
  get struckAtMs(): number {
    return this.#struckAtMs;
  }

  /** Makes the next fault fall; one at a commit does so from the next start on. */
  arm(): void {
    const [strike] = this.#strikes;
    if (strike === undefined) return;
    const { place, nth, position } = strike;
    if (place === 'Call') this.#targets.atCall(nth, position);
    if (place !== 'Vendor') return;
    this.#targets.atVendor(nth, position === 'before' ? 'Before' : 'After', () => this.strike());
  }

  /** A fault at a call falls. */
  strike(): void {
    const strike = this.#strikes[0];
    if (strike === undefined) return;
    this.#fell();
    if (isKill(strike)) this.#targets.kill();
    this.arm();
  }

  /** A process was killed; a fault at a commit has fallen inside it. */
  onKilled(): void {
    if (this.#strikes[0]?.place !== 'Commit' || this.#commitArmed !== this.#strikes[0]) return;
    this.#fell();
    this.arm();
  }

  /** The commit at which a process that starts now ends itself; undefined: at none. */
  takeCommit(): Strike | undefined {
    const [strike] = this.#strikes;
    if (strike?.place !== 'Commit' || this.#commitArmed === strike) return undefined;
    this.#commitArmed = strike;
    return strike;
  }

  #fell(): void {
    this.#strikes.shift();
    this.#struck += 1;
    this.#struckAtMs = performance.now();
  }
}
