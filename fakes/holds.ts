/** Calls that a test wants to stop in the middle, to kill or to change something meanwhile. */

/** Where a call is stopped: before the vendor carries it out, or between that and the answer. */
export type HoldPoint = 'Before' | 'After';

/** How a held call goes on: as if nothing had been, or with its connection cut. */
export type HoldEnd = 'Go' | 'Cut';

/** One call that will be, is or was held. */
export class Hold {
  readonly operation: string;
  readonly point: HoldPoint;
  /** Resolves when the call stands still. */
  readonly arrived: Promise<void>;
  state: 'Waiting' | 'Held' | 'Released' = 'Waiting';
  readonly #arrive: () => void;
  readonly #end = Promise.withResolvers<HoldEnd>();

  constructor(operation: string, point: HoldPoint) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.operation = operation;
    this.point = point;
    this.arrived = promise;
    this.#arrive = resolve;
  }

  /** Called by the server; stands still only at its own point, and only once. */
  async arrive(point: HoldPoint): Promise<HoldEnd> {
    if (point !== this.point || this.state !== 'Waiting') return 'Go';
    this.state = 'Held';
    this.#arrive();
    return await this.#end.promise;
  }

  /** Lets it go on; before it arrived: it will not be held. May be repeated. */
  release(end: HoldEnd = 'Go'): void {
    this.state = 'Released';
    this.#end.resolve(end);
  }
}

/** All holds of one fake. */
export class Holds {
  readonly all: Hold[] = [];
  readonly #open: { readonly hold: Hold; left: number }[] = [];

  /** Holds the nth call of the operation from now on; `*` is any. */
  add(operation: string, point: HoldPoint = 'Before', nth = 1): Hold {
    const hold = new Hold(operation, point);
    this.all.push(hold);
    this.#open.push({ hold, left: nth });
    return hold;
  }

  /** Called by the server once per call. */
  take(operation: string): Hold | undefined {
    for (const entry of this.#open) {
      if (entry.hold.operation !== '*' && entry.hold.operation !== operation) continue;
      entry.left -= 1;
      if (entry.left > 0) continue;
      this.#open.splice(this.#open.indexOf(entry), 1);
      return entry.hold;
    }
    return undefined;
  }

  releaseAll(): void {
    for (const hold of this.all) hold.release();
    this.all.length = 0;
    this.#open.length = 0;
  }
}
