/**
 * Pure; decisions in the words of gateways. nginx takes every status but 2xx, 401 and 403 for a failure of
 * its own and answers 500, so for it only those leave the gate and the reason tells the rest. A body would
 * cost it the connection to the gate.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { StoreProfile } from '../../ledger/documents.ts';
import { REFUSALS, type Refusal } from '../../terms/refusals.ts';
import type { Decision } from '../decision.ts';
import { errorAnswer } from '../profiles.ts';

/** One answer, ready to be written. */
export type Answer = {
  readonly status: number;
  /** Names and values in turn. Not frozen, because Node's types want it so; nobody changes it. */
  readonly headers: string[];
  /** Absent: none. */
  readonly body?: string;
};

/**
 * Who asks. HAProxy's action makes an answer of its own out of status and reason, and nginx does, too;
 * other proxies pass on what they get.
 */
export type Asker = 'Nginx' | 'Haproxy' | 'Proxy';

/** What an answer depends on beside the decision. */
type AnswerContext = {
  readonly asker: Asker;
  /** Of the call; some error bodies repeat its path. */
  readonly target: string | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
};

type Refused = Extract<Decision, { readonly type: 'Refused' }>;

/** What is answered where the gate itself failed. */
export const FAILURE: Refused = {
  type: 'Refused',
  refusal: REFUSALS.StateUnknown,
  profile: 'Keyward',
};

const EMPTY = ['Content-Length', '0'];
const CHALLENGE = ['WWW-Authenticate', 'Bearer realm="keyward"'];

/** No such path. */
export const NOT_FOUND: Answer = { status: 404, headers: EMPTY };
/** Not a request that gateways make. The connection closes: what comes next cannot be trusted. */
export const BAD_REQUEST: Answer = { status: 400, headers: ['Connection', 'close', ...EMPTY] };
/** More headers than anybody sends. */
export const TOO_MANY_HEADERS: Answer = { ...BAD_REQUEST, status: 431 };

/** The answer to a gateway. */
export function answerFor(decision: Decision, context: AnswerContext): Answer {
  if (decision.type === 'Refused') return refusalFor(decision, context);
  const { headers, quotaRemaining } = decision;
  const quota =
    quotaRemaining === undefined ? [] : ['X-Keyward-Quota-Remaining', String(quotaRemaining)];
  return context.asker === 'Nginx'
    ? { status: 204, headers: headers.concat(quota) }
    : { status: 200, headers: EMPTY.concat(headers, quota) };
}

type Made = Map<Refusal, Partial<Record<StoreProfile, Answer>>>;

/** Made once each, because there are few of them. */
const made: Readonly<Record<Asker, Made>> = {
  Nginx: new Map(),
  Haproxy: new Map(),
  Proxy: new Map(),
};

function refusalFor(refused: Refused, context: AnswerContext): Answer {
  const answer = lastingRefusal(refused, context);
  const { retryAfterSeconds } = refused;
  if (retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: [...answer.headers, 'Retry-After', String(retryAfterSeconds)] };
}

function lastingRefusal({ refusal, profile }: Refused, context: AnswerContext): Answer {
  const { asker } = context;
  const known = made[asker].get(refusal)?.[profile];
  if (known !== undefined) return known;
  const answer = writeRefusal({ refusal, profile }, context);
  // These say when and where.
  if (asker === 'Proxy' && profile === 'DigiRunner') return answer;
  made[asker].set(refusal, { ...made[asker].get(refusal), [profile]: answer });
  return answer;
}

function writeRefusal(
  { refusal, profile }: Pick<Refused, 'refusal' | 'profile'>,
  { asker, target, clock }: AnswerContext,
): Answer {
  const error = errorAnswer(profile, refusal, target, clock.nowMs());
  const status = asker === 'Nginx' && error.status !== 401 ? 403 : error.status;
  const headers = ['X-Keyward-Reason', refusal.reason, ...(status === 401 ? CHALLENGE : [])];
  if (asker !== 'Proxy') return { status, headers: [...headers, ...EMPTY] };
  const { body, contentType } = error;
  const length = String(Buffer.byteLength(body));
  return {
    status,
    headers: [...headers, 'Content-Type', contentType, 'Content-Length', length],
    body,
  };
}
