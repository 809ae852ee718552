/**
 * Pure; decisions in the words of gateways. nginx takes every status but 2xx, 401 and 403 for a failure of
 * its own and answers 500, so for it only those leave the gate and the reason tells the rest.
 */
import { REFUSALS, type Refusal } from '../../terms/refusals.ts';
import type { Decision } from '../decision.ts';

/** One answer, ready to be written. */
export type Answer = {
  readonly status: number;
  /** Names and values in turn. Not frozen, because Node's types want it so; nobody changes it. */
  readonly headers: string[];
  /** Absent: none. */
  readonly body?: string;
};

/** Who asks. */
export type Asker = 'Nginx' | 'Proxy';

/** What is answered where the gate itself failed. */
export const FAILURE: Decision = {
  type: 'Refused',
  refusal: REFUSALS.StateUnknown,
  profile: 'Keyward',
};

/** No such path. */
export const NOT_FOUND: Answer = { status: 404, headers: ['Content-Length', '0'] };
/** Not a request that gateways make. The connection closes: what comes next cannot be trusted. */
export const BAD_REQUEST: Answer = {
  status: 400,
  headers: ['Connection', 'close', 'Content-Length', '0'],
};
/** More headers than anybody sends. */
export const TOO_MANY_HEADERS: Answer = { ...BAD_REQUEST, status: 431 };

/** The answer to a gateway. */
export function answerFor(decision: Decision, asker: Asker): Answer {
  if (decision.type === 'Refused') return refusalFor(decision.refusal, asker);
  const { headers, quotaRemaining } = decision;
  const quota =
    quotaRemaining === undefined ? [] : ['X-Keyward-Quota-Remaining', String(quotaRemaining)];
  return asker === 'Nginx'
    ? { status: 204, headers: headers.concat(quota) }
    : { status: 200, headers: headers.concat(quota, EMPTY) };
}

const EMPTY = ['Content-Length', '0'];
const CHALLENGE = ['WWW-Authenticate', 'Bearer realm="keyward"'];

/** Made once for each refusal, because there are few of them. */
const made: Readonly<Record<Asker, Map<Refusal, Answer>>> = { Nginx: new Map(), Proxy: new Map() };

function refusalFor(refusal: Refusal, asker: Asker): Answer {
  const known = made[asker].get(refusal);
  if (known !== undefined) return known;
  const status = asker === 'Nginx' && refusal.status !== 401 ? 403 : refusal.status;
  const answer = {
    status,
    headers: ['X-Keyward-Reason', refusal.reason, ...(status === 401 ? CHALLENGE : []), ...EMPTY],
  };
  made[asker].set(refusal, answer);
  return answer;
}
