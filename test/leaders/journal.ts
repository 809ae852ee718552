/** Every write of both operators to the API server, and who led when, as their proxies saw it. */

/** One write. Times by performance.now(). */
export type Write = {
  /** Name of the process. */
  readonly sender: string;
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly arrivedMs: number;
  /** It was on its way when its sender froze. */
  wasHeld: boolean;
  answeredMs?: number;
  code?: number;
};

/** Somebody has the Lease from here on; '' gave it back. */
export type Term = { readonly holder: string; readonly epoch: number; readonly atMs: number };

const LEASE = /\/leases(\/|\?|$)/;

/** See the file comment. */
export class Journal {
  readonly writes: Write[] = [];
  readonly terms: Term[] = [];

  arrived(sender: string, method: string, url: string, body: Buffer): Write {
    const write = {
      sender,
      method,
      url,
      body: body.toString(),
      arrivedMs: performance.now(),
      wasHeld: false,
    };
    this.writes.push(write);
    return write;
  }

  answered(write: Write, code: number): void {
    write.answeredMs = performance.now();
    write.code = code;
    if (!isLease(write) || code > 299) return;
    const { holder, epoch } = leaseOf(write);
    const last = this.terms.at(-1);
    if (last?.holder === holder && last.epoch === epoch) return;
    this.terms.push({ holder, epoch, atMs: write.answeredMs });
  }

  /** Who leads now. */
  get leader(): string | undefined {
    const holder = this.terms.at(-1)?.holder;
    return holder === '' ? undefined : holder;
  }
}

/** A write of the Lease itself. */
export function isLease({ url }: Pick<Write, 'url'>): boolean {
  return LEASE.test(url);
}

/** What a write makes of the Lease. */
export function leaseOf({ body }: Pick<Write, 'body'>): {
  readonly holder: string;
  readonly epoch: number;
} {
  // Written by the operator; whatever is absent tells nobody.
  const { spec = {} } = JSON.parse(body) as {
    readonly spec?: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
  };
  return { holder: spec.holderIdentity ?? '', epoch: spec.leaseTransitions ?? 0 };
}

/** What became of writes whose senders led no more. */
export type Late = {
  /** Begun after another one led; none of them may land. */
  readonly begun: readonly Write[];
  /** On their way when their sender froze, and delivered after another one led. */
  readonly delivered: readonly Write[];
};

/** Writes from `since` on that reached the API server while their sender did not have the Lease. Pure. */
export function lateWrites({ writes, terms }: Journal, since: number): Late {
  const holderAt = (atMs: number): string | undefined =>
    terms.findLast((term) => term.atMs < atMs)?.holder;
  const foreign = writes.slice(since).filter((write) => !isLease(write));
  const isBegunLate = ({ sender, arrivedMs }: Write): boolean => holderAt(arrivedMs) !== sender;
  return {
    begun: foreign.filter(isBegunLate),
    delivered: foreign.filter(
      (write) =>
        !isBegunLate(write) &&
        write.answeredMs !== undefined &&
        holderAt(write.answeredMs) !== write.sender,
    ),
  };
}

/** Epochs that are not above the one before. Pure. */
export function brokenEpochs({ terms }: Journal): readonly string[] {
  const held = terms.filter(({ holder }) => holder !== '');
  return held.flatMap(({ epoch, holder }, at) => {
    const before = held[at - 1];
    if (before === undefined || epoch > before.epoch) return [];
    return [`epoch ${epoch} of ${holder} follows epoch ${before.epoch} of ${before.holder}`];
  });
}

/** Writes of a process that were not answered before it gave the Lease back. Pure. */
export function writesAfterRelease({ writes }: Journal, since: number): readonly string[] {
  return writes.slice(since).flatMap((release) => {
    if (!isLease(release) || leaseOf(release).holder !== '') return [];
    const late = writes.filter(
      (write) =>
        write.sender === release.sender &&
        !isLease(write) &&
        (write.answeredMs ?? Number.POSITIVE_INFINITY) > release.arrivedMs,
    );
    return late.map(
      ({ sender, method, url }) =>
        `${sender} gave the Lease back before ${method} ${url} had ended`,
    );
  });
}
