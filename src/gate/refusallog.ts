/** Some lines about refusals, never one for each: floods of wrong keys must not fill disks. */
import { TokenBucket } from '../kernel/bucket.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';

const LIMITS = { burst: 10, perSecond: 5 };
/** Causes that are mostly a matter of setting up, and what to look at; told with the first of each. */
const HINTS: Readonly<Record<string, string>> = {
  NoKey:
    'no key was shown: look at --key-headers, and at what the gateway sends; other schemes than Bearer count as none',
  Unlisted:
    'no ApiProduct claims this host, path and method: apply one, or start the gate with --unlisted allow',
  TargetDoubtful:
    "the gateway did not say method or path, or two servers could read them differently: docs/gate.md, 'Which product a call belongs to'",
  HeaderNotAllowed:
    'the call came with a header X-Keyward-…: the gateway must not send any but that of --product-header',
};
/** Kinds of failures that are told once each; there are fewer. */
const REASONS_MAX = 100;

/** See the file comment. */
export class RefusalLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #told = new Set<string>();
  readonly #hinted = new Set<string>();
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
    const hint = this.#hinted.has(cause) ? undefined : HINTS[cause];
    this.#hinted.add(cause);
    this.#log.info('call refused', {
      cause,
      profile,
      ...(keyId === undefined ? {} : { keyId }),
      ...(skipped === 0 ? {} : { refusalsNotLogged: skipped }),
      ...(hint === undefined ? {} : { hint }),
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
