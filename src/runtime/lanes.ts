/** Refs that are ready to be worked on, in three lanes. Pure data structure. */

/**
 * How soon a ref should be looked at.
 *
 * - urgent: first issue, revocation, deletion: somebody waits, or somebody must be locked out.
 * - normal: any other change.
 * - bulk: paced status refreshes and resyncs, which nobody waits for.
 */
export type Lane = 'urgent' | 'normal' | 'bulk';

/** All lanes, most urgent first. */
export const LANES: readonly Lane[] = ['urgent', 'normal', 'bulk'];

/** One lap of this list decides whose turn it is; see `Lanes.take`. */
const LAP = 16;
const BULK_TURN = 15;
/** Every fourth turn but the bulk one, so 3 of 16. */
const NORMAL_TURNS: ReadonlySet<number> = new Set([3, 7, 11]);

/** The more urgent of two lanes; undefined counts as none. */
export function sooner(a: Lane | undefined, b: Lane): Lane {
  return a !== undefined && LANES.indexOf(a) <= LANES.indexOf(b) ? a : b;
}

type Waiting = { readonly lane: Lane; readonly sinceMs: number };

/** What `Lanes.take` hands out. */
export type Ready = Waiting & { readonly text: string };

/**
 * Three first-in first-out lanes with each text in at most one of them.
 *
 * Guarantees: urgent goes before normal before bulk, except that in every 16 turns three belong to
 * normal and one to bulk, so that a flood in one lane slows the lanes below it but never stops them
 * (at 10 000 urgent refs, bulk still gets 6 %).
 */
export class Lanes {
  readonly #waiting = new Map<string, Waiting>();
  readonly #lines: Readonly<Record<Lane, Line>> = {
    urgent: new Line(),
    normal: new Line(),
    bulk: new Line(),
  };
  #turn = 0;

  /** How many texts are ready. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Puts a text in line. One that is there already stays where it is, or moves up when `lane` is
   * more urgent; it keeps its waiting time. False when it was there already.
   */
  add(text: string, lane: Lane, nowMs: number): boolean {
    const known = this.#waiting.get(text);
    if (known && sooner(known.lane, lane) === known.lane) return false;
    this.#waiting.set(text, { lane, sinceMs: known?.sinceMs ?? nowMs });
    this.#lines[lane].push(text);
    return !known;
  }

  /** The text whose turn it is; undefined when none is ready. */
  take(): Ready | undefined {
    const turn = this.#turn;
    for (const lane of order(turn)) {
      const ready = this.#takeFrom(lane);
      if (!ready) continue;
      this.#turn = (turn + 1) % LAP;
      return ready;
    }
    return undefined;
  }

  /** Drops everything. */
  clear(): void {
    this.#waiting.clear();
  }

  /** A text that moved up is still in its old line, where it is skipped. */
  #takeFrom(lane: Lane): Ready | undefined {
    const line = this.#lines[lane];
    for (let text = line.shift(); text !== undefined; text = line.shift()) {
      const waiting = this.#waiting.get(text);
      if (waiting?.lane !== lane) continue;
      this.#waiting.delete(text);
      return { text, ...waiting };
    }
    return undefined;
  }
}

function order(turn: number): readonly Lane[] {
  if (turn === BULK_TURN) return ['bulk', 'urgent', 'normal'];
  return NORMAL_TURNS.has(turn) ? ['normal', 'urgent', 'bulk'] : LANES;
}

/** Cut the consumed front off only when it is both long and most of the array. */
const COMPACT_AT = 1_024;

/** First in, first out at constant cost; `Array.shift` moves the whole array instead. */
class Line {
  #texts: string[] = [];
  #head = 0;

  push(text: string): void {
    this.#texts.push(text);
  }

  shift(): string | undefined {
    const text = this.#texts[this.#head];
    if (text === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#texts.length) this.#cut();
    else if (this.#head >= COMPACT_AT && this.#head * 2 > this.#texts.length) this.#cut();
    return text;
  }

  #cut(): void {
    this.#texts = this.#texts.slice(this.#head);
    this.#head = 0;
  }
}
