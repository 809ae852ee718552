/**
 * Pure; the vendor's refusals as StoreFailures, and which of them may mean that a key is not there.
 * The status decides, the vendor's own code tells apart what shares a status. Texts of the vendor
 * are never passed on.
 */
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import { StoreFailure, type FailureKind, type VendorResponse } from '../contract.ts';
import { retryAfterMs } from '../retryafter.ts';

/** The vendor's limit is five minutes; what lies just below may have been above it on arrival. */
const SKEW_MS = 5 * MINUTE_MS - 10 * SECOND_MS;
const NOT_FOUND_CODE = '300';
const QUOTA_CODE = '400';
/** The vendor knows the credentials, and they may not do this; by status. */
const RIGHT_CODES: Readonly<Record<number, string>> = { 401: '210', 403: '230' };
/** A right is given by a person; the call is tried again then, at most. */
const RIGHT_PAUSE_MS = 10 * MINUTE_MS;

const SENTENCES: Readonly<Record<FailureKind, string>> = {
  Unavailable: 'the vendor could not carry out the call',
  Garbled: 'the vendor answered something that is not of its interface',
  Throttled: 'the vendor wants fewer calls',
  Exhausted: 'the quota of the account at the vendor is used up',
  ClockSkew: "the vendor's clock and ours differ by five minutes or more",
  Denied: 'the vendor does not accept the credentials of the store, or they lack a right',
  Refused: 'the vendor does not accept the request',
};

/** The answer that the credentials are known and lack a right. */
export class RightMissing extends StoreFailure {
  readonly #answer: { readonly status: number; readonly code: string };

  constructor(answer: { readonly status: number; readonly code: string }) {
    super('Denied', {
      message: `${SENTENCES.Denied}: HTTP ${answer.status}`,
      code: answer.code,
    });
    this.#answer = answer;
  }

  /** The failure of one call alone. `what` completes "the sub account may not ...". */
  to(what: string): StoreFailure {
    const { status, code } = this.#answer;
    const advice = 'give it that right there, it is tried again within ten minutes';
    return new StoreFailure('Refused', {
      message: `the sub account of the store may not ${what} at the vendor; ${advice}: HTTP ${status}`,
      class: 'Waiting',
      retryAfterMs: RIGHT_PAUSE_MS,
      code,
    });
  }
}

/** Whether a call was carried out: only the statuses that the vendor documents. */
export function isSuccess({ status }: VendorResponse): boolean {
  return status === 200 || status === 201 || status === 202 || status === 204;
}

/**
 * Whether an answer about one key says that there is none. Doubt: it may say so, and may as well
 * mean something else, because newer interfaces of this vendor answer 400 for what is missing and a
 * proxy answers 404 for what it does not know; only a list can tell.
 */
export function absenceIn(response: VendorResponse): 'Certain' | 'Doubt' | 'None' {
  if (response.status === 400) return 'Doubt';
  if (response.status !== 404) return 'None';
  return errorCodeOf(response.body) === NOT_FOUND_CODE ? 'Certain' : 'Doubt';
}

/** The failure that an answer without success stands for; the time tells clock trouble apart. */
export function failureOf(response: VendorResponse, nowMs: number): StoreFailure {
  const code = errorCodeOf(response.body);
  const kind = kindOf(response, code, nowMs);
  if (kind === 'Denied' && code !== undefined && RIGHT_CODES[response.status] === code) {
    return new RightMissing({ status: response.status, code });
  }
  const waitMs = retryAfterMs(response.headers, nowMs);
  return new StoreFailure(kind, {
    message: `${SENTENCES[kind]}: HTTP ${response.status}`,
    ...executedOf(kind, code),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...(code === undefined ? {} : { code }),
  });
}

/** The vendor's own code, which it writes as a string or as a number; undefined: there is none. */
export function errorCodeOf(body: string): string | undefined {
  const error = memberOf(parse(body), 'error');
  const code = memberOf(error, 'errorCode');
  if (typeof code === 'number') return String(code);
  return typeof code === 'string' && code !== '' ? code : undefined;
}

/**
 * Refused before anything was looked at, or for want of right, room or quota. Without the vendor's code
 * it may be a page of something on the way, which says nothing about the call.
 */
function executedOf(
  kind: FailureKind,
  code: string | undefined,
): { readonly executed?: 'No' | 'Unknown' } {
  if (code === undefined) return { executed: 'Unknown' };
  return kind === 'ClockSkew' || kind === 'Exhausted' ? { executed: 'No' } : {};
}

function kindOf(response: VendorResponse, code: string | undefined, nowMs: number): FailureKind {
  const { status } = response;
  if (status === 401) return isSkewed(response, nowMs) ? 'ClockSkew' : 'Denied';
  if (status === 403) return 'Denied';
  if (status === 429) return code === QUOTA_CODE ? 'Exhausted' : 'Throttled';
  if (status === 408 || status === 425 || status >= 500) return 'Unavailable';
  // A missing collection means that something else answers at this address.
  if (status < 400 || status === 404) return 'Garbled';
  return 'Refused';
}

/** The vendor says 401 for a bad signature and for a bad time alike; its Date header tells. */
function isSkewed({ headers }: VendorResponse, nowMs: number): boolean {
  const vendorMs = Date.parse(headers['date'] ?? '');
  return !Number.isNaN(vendorMs) && Math.abs(vendorMs - nowMs) >= SKEW_MS;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Own members only: `constructor` of an empty object is none of the vendor's. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // An object with an own member of that name; what the member is, the caller checks.
  return (value as Readonly<Record<string, unknown>>)[name];
}
