/** What became of what somebody did: whether to wait on, and how the command ends. Pure. */
import { EXIT, type ExitCode } from './exit.ts';
import {
  conditionOf,
  isObserved,
  type Client,
  type Form,
  type Key,
  type Review,
} from './objects.ts';
import type { Switch } from './switches.ts';
import { visible } from './visible.ts';

/** Undefined: nothing is known yet. */
export type Outcome = { readonly text: string; readonly code: ExitCode } | undefined;

/** Whether a review counted. */
export function outcomeOfReview(review: Review): Outcome {
  const accepted = conditionOf(review.status, 'Accepted');
  if (accepted === undefined || accepted.status === 'Unknown') return undefined;
  const { reason } = accepted;
  const message = visible(accepted.message);
  if (accepted.status === 'True') {
    return { text: `counted (${reason}): ${message}\n`, code: EXIT.done };
  }
  return { text: `does not count (${reason}): ${message}\n`, code: codeOfRefusal(reason) };
}

function codeOfRefusal(reason: string): ExitCode {
  if (reason === 'ReviewerNotAuthorized' || reason === 'SelfReviewNotAllowed')
    return EXIT.notPermitted;
  return reason.endsWith('NotFound') ? EXIT.notFound : EXIT.failed;
}

const BY_STATE: Readonly<Record<string, ExitCode>> = {
  Approved: EXIT.done,
  Draft: EXIT.done,
  Denied: EXIT.refused,
  Returned: EXIT.refused,
  Lapsed: EXIT.refused,
  Withdrawn: EXIT.refused,
  Incomplete: EXIT.failed,
};

/** What was decided about a form, or what keeps it from being reviewed. */
export function outcomeOfForm(form: Form): Outcome {
  if (!isObserved(form)) return undefined;
  const { status } = form;
  const code = BY_STATE[status?.state ?? ''];
  if (code === undefined) return undefined;
  const words = visible(conditionOf(status, 'Ready')?.message ?? '');
  return { text: `${status?.state ?? ''}: ${words}\n`, code };
}

/** Final for a key or a client: nothing that it is switched to is reached any more. */
const ENDED = new Set(['Revoked', 'GrantWithdrawn', 'GrantEnded', 'ClientRevoked']);

/** On by its own switch; what it still waits for is a date, or a reviewer who has yet to accept it. */
const ON_AND_WAITING = new Set(['NotYetValid', 'PendingReview']);

/**
 * Whether a key or a client became what it was switched to. Somebody else may have more to say: what a reviewer holds
 * stays off although its own spec wants it on, and that is a failure of this wish.
 */
export function outcomeOfSwitch(wanted: Switch): (object: Key | Client) => Outcome {
  return (object) => {
    if (!isObserved(object)) return undefined;
    const { status } = object;
    const ready = conditionOf(status, 'Ready');
    if (ready === undefined || ready.status === 'Unknown') return undefined;
    const text = `${ready.reason}: ${visible(ready.message)}\n`;
    const isOn = ready.status === 'True' || ON_AND_WAITING.has(ready.reason);
    const isReached = wanted === 'Resumed' ? isOn : ready.reason === wanted;
    if (isReached) return { text, code: EXIT.done };
    return isHopeless(status, wanted) ? { text, code: EXIT.failed } : undefined;
  };
}

/** Whether nothing will come of it by itself. */
function isHopeless(status: (Key | Client)['status'], wanted: Switch): boolean {
  const reason = conditionOf(status, 'Ready')?.reason ?? '';
  if (conditionOf(status, 'Stalled') !== undefined || ENDED.has(reason)) return true;
  const isHeld = wanted === 'Resumed' && reason === 'Suspended';
  return isHeld && conditionOf(status, 'Reconciling') === undefined;
}

/**
 * What became of a rotation that was asked for. An annotation is no new generation, so that only the
 * request id tells.
 */
export function outcomeOfRotation(requestId: string): (key: Key) => Outcome {
  return ({ status }) => {
    if (status?.lastHandledRotationRequestId === requestId) {
      return { text: `rotated; sequence ${status.sequence ?? 0}\n`, code: EXIT.done };
    }
    if (status?.handledRotationRequestIds?.includes(requestId) === true) {
      return { text: 'handled earlier; a request acts once\n', code: EXIT.done };
    }
    const refusal = (status?.conditions ?? []).find(
      ({ type, status: is, message }) =>
        (type === 'Ready' || type === 'Rotating') &&
        is === 'False' &&
        message.includes(`'${requestId}'`),
    );
    if (refusal === undefined) return undefined;
    return { text: `${refusal.reason}: ${visible(refusal.message)}\n`, code: EXIT.failed };
  };
}
