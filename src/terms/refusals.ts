/**
 * Pure; every no that the gate can say, in one table: what is answered, and for the log why. Public
 * reasons tell no more than the caller has proven to know: before the credential itself is proven
 * everything is InvalidKey.
 */

/** A no as it is answered. The constants of the table are the verdicts: nothing is allocated. */
export type Refusal = {
  readonly type: 'Refused';
  /** For logs and metrics only; tells apart what the public must not. */
  readonly cause: string;
  /** For the answer; CamelCase. */
  readonly reason: string;
  readonly status: 401 | 403 | 429 | 503;
  /** For people; the same for all causes of a reason. */
  readonly text: string;
};

const INVALID_KEY = {
  reason: 'InvalidKey',
  status: 401,
  text: 'the API key is not valid',
} as const;
const API_NOT_ALLOWED = {
  reason: 'ApiNotAllowed',
  status: 403,
  text: 'the API key may not be used for this API',
} as const;
const UNAVAILABLE = {
  reason: 'Unavailable',
  status: 503,
  text: 'the API key cannot be checked now',
} as const;

/** All of them, by cause. */
export const REFUSALS = {
  NoKey: refusal('NoKey', INVALID_KEY),
  /** Two credentials in one call, or one header twice: nobody knows which was meant. */
  AmbiguousKey: refusal('AmbiguousKey', INVALID_KEY),
  MalformedKey: refusal('MalformedKey', INVALID_KEY),
  UnknownKey: refusal('UnknownKey', INVALID_KEY),
  WrongSecret: refusal('WrongSecret', INVALID_KEY),
  WrongSignature: refusal('WrongSignature', INVALID_KEY),
  KeyRevoked: refusal('KeyRevoked', {
    reason: 'KeyRevoked',
    status: 401,
    text: 'the API key was revoked',
  }),
  /** A value that rotation has replaced. */
  ValueReplaced: refusal('ValueReplaced', {
    reason: 'KeyRevoked',
    status: 401,
    text: 'the API key was revoked',
  }),
  KeySuspended: refusal('KeySuspended', {
    reason: 'KeyDisabled',
    status: 401,
    text: 'the API key is disabled',
  }),
  ClientSuspended: refusal('ClientSuspended', {
    reason: 'KeyDisabled',
    status: 401,
    text: 'the API key is disabled',
  }),
  NotYetEffective: refusal('NotYetEffective', {
    reason: 'KeyNotYetEffective',
    status: 401,
    text: 'the API key is not effective yet',
  }),
  Expired: refusal('Expired', {
    reason: 'KeyExpired',
    status: 401,
    text: 'the API key has expired',
  }),
  OriginMissing: refusal('OriginMissing', {
    reason: 'OriginMissing',
    status: 403,
    text: 'the request does not say its origin, which this API key requires',
  }),
  OriginNotAllowed: refusal('OriginNotAllowed', {
    reason: 'OriginNotAllowed',
    status: 403,
    text: 'the API key may not be used from this origin',
  }),
  AddressNotAllowed: refusal('AddressNotAllowed', {
    reason: 'IPNotAllowed',
    status: 403,
    text: 'the API key may not be used from this address',
  }),
  ProductNotAllowed: refusal('ProductNotAllowed', API_NOT_ALLOWED),
  ProductRetired: refusal('ProductRetired', API_NOT_ALLOWED),
  /** The call belongs to no product, and the gate lets only listed calls in. */
  Unlisted: refusal('Unlisted', API_NOT_ALLOWED),
  /** Host, path or method is one that gate and backend could read in two ways. */
  TargetDoubtful: refusal('TargetDoubtful', API_NOT_ALLOWED),
  /** The call carries a header that only the gate may set. */
  HeaderNotAllowed: refusal('HeaderNotAllowed', {
    reason: 'HeaderNotAllowed',
    status: 403,
    text: 'the request carries a header that only the gateway may set',
  }),
  TimeTooSkewed: refusal('TimeTooSkewed', {
    reason: 'RequestTimeTooSkewed',
    status: 403,
    text: 'the time of the signature is too far from now',
  }),
  SignatureReplayed: refusal('SignatureReplayed', {
    reason: 'DuplicatedSignature',
    status: 403,
    text: 'the signature was used before',
  }),
  QuotaUsedUp: refusal('QuotaUsedUp', {
    reason: 'QuotaExceeded',
    status: 429,
    text: 'the quota of the API key is used up',
  }),
  RateLimited: refusal('RateLimited', {
    reason: 'RateLimited',
    status: 429,
    text: 'too many requests with this API key',
  }),
  /** Nobody knows what is left: no lease, no database. */
  QuotaUnknown: refusal('QuotaUnknown', UNAVAILABLE),
  /** Nobody can say whether the signature was used before. */
  ReplayUnknown: refusal('ReplayUnknown', UNAVAILABLE),
  /** The gate has no snapshot, or one that is older than its limit. */
  StateUnknown: refusal('StateUnknown', UNAVAILABLE),
} as const;

/** Why the gate said no; a label of metrics. */
export type RefusalCause = keyof typeof REFUSALS;

function refusal(cause: string, answer: Pick<Refusal, 'reason' | 'status' | 'text'>): Refusal {
  return { type: 'Refused', cause, ...answer };
}
