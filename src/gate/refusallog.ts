/** Some lines about refusals, never one for each: floods of wrong keys must not fill disks. */
import { TokenBucket } from '../kernel/bucket.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';

const LIMITS = { burst: 10, perSecond: 5 };
/** Kinds of failures that are told once each; there are fewer. */
const REASONS_MAX = 100;

/** See the file comment. */
export class RefusalLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #told = new Set<string>();
  #skipped = 0;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#bucket = new TokenBucket(LIMITS, clock.monotonicMs());
  }

  /** @param keyId of a credential whose holder was proven; undefined: nobody proved anything */
  refused(cause: string, profile: string, keyId: string | undefined): void {
    if (!this.#bucket.take(this.#clock.monotonicMs())) {
      this.#skipped += 1;
      return;
    }
    const skipped = this.#skipped;
    this.#skipped = 0;
    this.#log.info('call refused', {
      cause,
      profile,
      ...(keyId === undefined ? {} : { keyId }),
      ...(skipped === 0 ? {} : { refusalsNotLogged: skipped }),
    });
  }

  /** Something broke while a call was decided: told once for each reason, and counted in metrics. */
  failed(reason: string, cause: unknown): void {
    if (this.#told.has(reason) || this.#told.size >= REASONS_MAX) return;
    this.#told.add(reason);
    this.#log.error('a call could not be decided', {
      reason,
      ...(cause instanceof Error ? { stack: cause.stack } : {}),
    });
  }
}
