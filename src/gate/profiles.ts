/**
 * Pure; a no in the words of the system that a store stands in for, so that its clients understand it.
 * What the words tell apart is what the public reasons tell apart and no more: a key that does not exist
 * and a wrong signature read alike. docs/gate.md has the table.
 */
import type { StoreProfile } from '../ledger/documents.ts';
import { REFUSALS, type Refusal } from '../terms/refusals.ts';
import { readPath } from '../terms/target.ts';

/** What the caller gets; the gateway may allow only some statuses. */
type ErrorAnswer = {
  readonly status: number;
  readonly contentType: string;
  /** JSON in ASCII. */
  readonly body: string;
};

/**
 * The answer. The same object for the same profile and refusal, but for DigiRunner, whose errors say when
 * and where.
 *
 * @param target as the caller sent it; shown is its path, if that is in normal form, and no query,
 *   which may hold a key
 */
export function errorAnswer(
  profile: StoreProfile,
  refusal: Refusal,
  target: string | undefined,
  nowMs: number,
): ErrorAnswer {
  if (profile === 'DigiRunner') return digiRunnerAnswer(refusal, target, nowMs);
  return CONSTANT[profile].get(refusal) ?? WRITERS[profile](refusal);
}

type ConstantProfile = Exclude<StoreProfile, 'DigiRunner'>;

const WRITERS: Readonly<Record<ConstantProfile, (refusal: Refusal) => ErrorAnswer>> = {
  Keyward: (refusal) => answer(refusal.status, { reason: refusal.reason, message: refusal.text }),
  VisitSeoul: ({ status, text }) => answer(status, { result_code: status, result_message: text }),
  Naver: naverAnswer,
  Solapi: solapiAnswer,
};

const CONSTANT: Readonly<Record<ConstantProfile, ReadonlyMap<Refusal, ErrorAnswer>>> = {
  Keyward: writeAll(WRITERS.Keyward),
  VisitSeoul: writeAll(WRITERS.VisitSeoul),
  Naver: writeAll(WRITERS.Naver),
  Solapi: writeAll(WRITERS.Solapi),
};

function writeAll(write: (refusal: Refusal) => ErrorAnswer): ReadonlyMap<Refusal, ErrorAnswer> {
  return new Map(Object.values(REFUSALS).map((refusal: Refusal) => [refusal, write(refusal)]));
}

/** NAVER's API Gateway numbers its errors; `details` says ours. */
function naverAnswer({ status, reason, text }: Refusal): ErrorAnswer {
  const [errorCode, message] = naverCode(status, reason);
  return answer(status, { error: { errorCode, message, details: `${reason}: ${text}` } });
}

function naverCode(status: Refusal['status'], reason: string): readonly [string, string] {
  switch (status) {
    case 401:
      return reason === 'InvalidKey'
        ? ['200', 'Authentication Failed']
        : ['210', 'Permission Denied'];
    case 403:
      return ['230', 'Forbidden'];
    case 429:
      return reason === 'QuotaExceeded' ? ['400', 'Quota Exceeded'] : ['420', 'Rate Limited'];
    case 503:
      return ['500', 'Endpoint Error'];
  }
}

/**
 * SOLAPI has one status for all that is wrong with a key. A wrong signature is InvalidAPIKey like an
 * unknown key; SignatureDoesNotMatch is said of headers that cannot be understood, whoever sent them.
 */
function solapiAnswer({ cause, status, reason, text }: Refusal): ErrorAnswer {
  const isAboutKey = status === 401 || status === 403;
  return answer(isAboutKey ? 403 : status, {
    errorCode: solapiCode(cause, status, reason),
    errorMessage: text,
  });
}

function solapiCode(cause: string, status: Refusal['status'], reason: string): string {
  if (cause === REFUSALS.AmbiguousKey.cause) return 'SignatureDoesNotMatch';
  if (status === 401) return 'InvalidAPIKey';
  // RequestTimeTooSkewed and DuplicatedSignature are the vendor's own words already.
  return status === 503 ? 'InternalError' : reason;
}

const PHRASES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
};

/** digiRunner knows no 429: a key without uses left is not authorised. */
function digiRunnerAnswer(
  refusal: Refusal,
  target: string | undefined,
  nowMs: number,
): ErrorAnswer {
  const status = refusal.status === 429 ? 401 : refusal.status;
  return answer(status, {
    timestamp: new Date(nowMs).toISOString(),
    status,
    error: PHRASES[status],
    message: refusal.text,
    path: readPath(target ?? '') ?? '',
  });
}

function answer(status: number, content: object): ErrorAnswer {
  return { status, contentType: 'application/json', body: JSON.stringify(content) };
}
