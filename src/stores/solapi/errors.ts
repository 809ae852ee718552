/**
 * Pure; SOLAPI's refusals as StoreFailures. The vendor's code decides, the status where there is
 * none; texts of the vendor are never passed on.
 */
import { StoreFailure, type FailureKind, type VendorResponse } from '../contract.ts';
import { retryAfterMs } from '../retryafter.ts';
import { codeOf } from './wire.ts';

type Meaning = {
  readonly kind: FailureKind;
  readonly says: string;
  readonly executed?: 'No' | 'Unknown';
};

const DENIED: Meaning = {
  kind: 'Denied',
  says: 'SOLAPI does not accept the credentials of the store, or they lack a right',
};
const REFUSED: Meaning = { kind: 'Refused', says: 'SOLAPI does not accept the request' };
const UNAVAILABLE: Meaning = { kind: 'Unavailable', says: 'SOLAPI could not carry out the call' };
const GARBLED: Meaning = {
  kind: 'Garbled',
  says: 'what answered is not the interface of SOLAPI that the driver speaks',
};

const BY_CODE: ReadonlyMap<string, Meaning> = new Map([
  ['403 InvalidAPIKey', DENIED],
  ['403 SignatureDoesNotMatch', DENIED],
  [
    '403 RequestTimeTooSkewed',
    {
      kind: 'ClockSkew',
      says: "SOLAPI's clock and ours differ by more than fifteen minutes",
      executed: 'No',
    },
  ],
  [
    // Salts of 190 fresh bits do not meet by chance: the request arrived twice, and this answers the
    // second copy. The first was very likely carried out.
    '403 DuplicatedSignature',
    {
      kind: 'Unavailable',
      says: 'the request reached SOLAPI twice and this is the answer to the second',
      executed: 'Unknown',
    },
  ],
]);

const BY_STATUS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [400, REFUSED],
  [401, DENIED],
  [
    402,
    {
      kind: 'Exhausted',
      says: 'the balance of the account at SOLAPI does not suffice',
      executed: 'No',
    },
  ],
  [403, DENIED],
  [408, UNAVAILABLE],
  [413, REFUSED],
  [415, REFUSED],
  [422, REFUSED],
  [425, UNAVAILABLE],
  [429, { kind: 'Throttled', says: 'SOLAPI wants fewer calls' }],
]);

/** Whether the call was carried out. */
export function isSuccess({ status }: VendorResponse): boolean {
  return status === 200 || status === 201;
}

/**
 * Whether there is no such credential: only with the vendor's own word for it, since a proxy or a
 * wrong address answers 404 as well.
 */
export function isAbsence({ status, body }: VendorResponse): boolean {
  return status === 404 && codeOf(body) === 'ResourceNotFound';
}

/** The failure that an answer without success stands for. */
export function failureOf(response: VendorResponse, nowMs: number): StoreFailure {
  const code = codeOf(response.body);
  const { kind, says, executed: meant } = meaningOf(response.status, code);
  // A page of something on the way says nothing about the call. Not with 429 either, which the vendor
  // does not document.
  const executed = code === undefined ? 'Unknown' : meant;
  const pauseMs = retryAfterMs(response.headers, nowMs);
  return new StoreFailure(kind, {
    message: `${says}: HTTP ${response.status}`,
    ...(executed === undefined ? {} : { executed }),
    ...(pauseMs === undefined ? {} : { retryAfterMs: pauseMs }),
    ...(code === undefined ? {} : { code }),
  });
}

function meaningOf(status: number, code: string | undefined): Meaning {
  const known = BY_CODE.get(`${status} ${code}`) ?? BY_STATUS.get(status);
  if (known !== undefined) return known;
  return status >= 500 ? UNAVAILABLE : GARBLED;
}
