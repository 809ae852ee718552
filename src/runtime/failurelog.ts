/** What a controller logs about its reconciles: changes, not repetitions. */
import { refText, type Ref } from '../api/meta.ts';
import type { ErrorClass, KeywardError } from '../kernel/errors.ts';
import { causeFields, type Logger, type LogFields } from '../kernel/log.ts';
import { STOPPING, type Outcome } from './pipeline.ts';

/** How loud the first line of a failure is; repetitions of the same reason are debug. */
const LEVELS: Readonly<Record<ErrorClass, 'debug' | 'info' | 'warn' | 'error'>> = {
  Bug: 'error',
  Transient: 'warn',
  Terminal: 'warn',
  Waiting: 'info',
  Conflict: 'debug',
};

/**
 * Logs each failing ref once per reason, its recovery once, and every reconcile that changed
 * something; the rest is debug. Remembers only refs that fail now.
 */
export class FailureLog {
  readonly #log: Logger;
  readonly #reasons = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param facts further fields of the line, such as the number of the reconcile */
  note(ref: Ref, outcome: Outcome, facts: LogFields): void {
    const { namespace, name } = ref;
    const object = refText(ref);
    const fields = {
      ...(namespace === '' ? {} : { namespace }),
      name,
      ...facts,
      actions: outcome.actions,
    };
    const { result } = outcome;
    if (result.kind === 'done' || result.kind === 'again') this.#noteSuccess(object, fields);
    else this.#noteFailure(object, result.failure, fields);
  }

  #noteSuccess(object: string, fields: LogFields & { readonly actions: number }): void {
    const failedWith = this.#reasons.get(object);
    this.#reasons.delete(object);
    if (failedWith !== undefined) this.#log.info('reconcile recovered', { ...fields, failedWith });
    else if (fields.actions > 0) this.#log.debug('object brought to its desired state', fields);
    else this.#log.debug('nothing to change', fields);
  }

  #noteFailure(object: string, failure: KeywardError, fields: LogFields): void {
    const { class: errorClass, reason, message } = failure;
    const isKnown = this.#reasons.get(object) === reason;
    // A conflict is no state of the object, so it does not count as a change of reason.
    if (errorClass !== 'Conflict') this.#reasons.set(object, reason);
    const level = isKnown || reason === STOPPING ? 'debug' : LEVELS[errorClass];
    this.#log[level]('reconcile failed', {
      ...fields,
      class: errorClass,
      reason,
      message,
      ...causeFields(failure.cause),
    });
  }
}
