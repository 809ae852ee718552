/**
 * Pure; decisions as Envoy's CheckResponse, in its frame. What does not change from call to call is
 * written once: the answers of a key, and each no.
 */
import type { StoreProfile } from '../../ledger/documents.ts';
import { REFUSALS, type Refusal } from '../../terms/refusals.ts';
import type { Decision } from '../decision.ts';
import { frame, PREFIX_BYTES } from './framing.ts';
import { GRPC_STATUS } from './statuses.ts';
import { delimited } from './wirereader.ts';
import { messageField, numberField, textField, varintSize, writeVarint } from './wirewriter.ts';

/** Field numbers of the messages, from Envoy's proto files. */
const RESPONSE = { status: 1, denied: 2, ok: 3 };
const STATUS = { code: 1 };
const DENIED = { status: 1, headers: 2, body: 3 };
const OK = { headers: 2, headersToRemove: 5, queryParametersToRemove: 8 };
const OPTION = { header: 1, append: 2 };
const HEADER = { key: 1, value: 2 };

/** The body of a no. */
type ErrorBody = {
  readonly contentType: string;
  readonly body: string;
  readonly status: number;
};
/** Writes it in the way of a store; the same object for the same profile and refusal where it can. */
export type WriteError = (
  profile: StoreProfile,
  refusal: Refusal,
  target: string | undefined,
) => ErrorBody;

/** What is removed from a call that is let in, so that no key gets to the service. */
type Removals = {
  /** Lower case. */
  readonly headers: readonly string[];
  readonly queryParameter: string | undefined;
};

/** Answers decisions. */
export type CheckResponses = {
  /**
   * The answer in its frame; not to be changed, because it may be sent again.
   *
   * @param target of the call, which some stores repeat in errors
   */
  answer(decision: Decision, target: string | undefined): Buffer;
};

/** What is answered where the gate itself failed. */
export const FAILED: Decision = {
  type: 'Refused',
  refusal: REFUSALS.StateUnknown,
  profile: 'Keyward',
};

type Allowed = Extract<Decision, { readonly type: 'Allowed' }>;
type Refused = Extract<Decision, { readonly type: 'Refused' }>;
/** Answers of one key. */
type KeyAnswer = { readonly options: Buffer; readonly withoutQuota: Buffer };

/** Prepares answers. */
export function createCheckResponses(removals: Removals, writeError: WriteError): CheckResponses {
  const removed = removalFields(removals);
  // By the headers of the key: whoever decides keeps them as long as he knows the key.
  const ofKeys = new WeakMap<readonly string[], KeyAnswer>();
  const ofErrors = new WeakMap<ErrorBody, Buffer>();
  return {
    answer(decision, target) {
      if (decision.type === 'Refused') return errorAnswer(decision, target);
      const answer = keyAnswer(decision.headers);
      const { quotaRemaining } = decision;
      return quotaRemaining === undefined
        ? answer.withoutQuota
        : withQuota(answer.options, quotaRemaining, removed);
    },
  };

  function keyAnswer(headers: Allowed['headers']): KeyAnswer {
    const known = ofKeys.get(headers);
    if (known !== undefined) return known;
    const options = headerOptions(OK.headers, headers);
    const made = { options, withoutQuota: allowed(options, removed) };
    ofKeys.set(headers, made);
    return made;
  }

  function errorAnswer(
    { refusal, profile, retryAfterSeconds }: Refused,
    target: string | undefined,
  ): Buffer {
    const error = writeError(profile, refusal, target);
    // Another answer each second.
    if (retryAfterSeconds !== undefined) return denied(refusal, error, retryAfterSeconds);
    const known = ofErrors.get(error);
    if (known !== undefined) return known;
    const made = denied(refusal, error);
    ofErrors.set(error, made);
    return made;
  }
}

const OK_STATUS = messageField(RESPONSE.status);

function removalFields({ headers, queryParameter }: Removals): Buffer {
  return Buffer.concat([
    ...headers.map((name) => textField(OK.headersToRemove, name)),
    ...(queryParameter === undefined
      ? []
      : [textField(OK.queryParametersToRemove, queryParameter)]),
  ]);
}

function allowed(options: Buffer, removed: Buffer): Buffer {
  return frame(OK_STATUS, messageField(RESPONSE.ok, options, removed));
}

/** `append: false`, said expressly: left out, newer Envoys append to what the caller has sent. */
const NO_APPEND = messageField(OPTION.append);
const QUOTA_HEADER = 'x-keyward-quota-remaining';
/** Digits of the largest quota. */
const DIGITS_MAX = 16;
/** The header's option for each number of digits: all that stands before them. */
const QUOTA_HEADS = Array.from({ length: DIGITS_MAX + 1 }, (_, digits) => quotaHead(digits));

function quotaHead(digits: number): Buffer {
  const whole = headerOption(OK.headers, QUOTA_HEADER, '0'.repeat(digits));
  return whole.subarray(0, whole.length - NO_APPEND.length - digits);
}

/** As `allowed`, written in one go: this is done for each call. */
function withQuota(options: Buffer, quotaRemaining: number, removed: Buffer): Buffer {
  const digits = String(quotaRemaining);
  const head = QUOTA_HEADS[digits.length] ?? quotaHead(digits.length);
  const quotaBytes = head.length + digits.length + NO_APPEND.length;
  const okBytes = options.length + quotaBytes + removed.length;
  const messageBytes = OK_STATUS.length + 1 + varintSize(okBytes) + okBytes;
  const answer = Buffer.allocUnsafe(PREFIX_BYTES + messageBytes);
  answer[0] = 0;
  answer.writeUInt32BE(messageBytes, 1);
  let at = PREFIX_BYTES;
  at += OK_STATUS.copy(answer, at);
  answer[at] = delimited(RESPONSE.ok);
  at = writeVarint(answer, okBytes, at + 1);
  at += options.copy(answer, at);
  at += head.copy(answer, at);
  at += answer.write(digits, at, 'latin1');
  at += NO_APPEND.copy(answer, at);
  removed.copy(answer, at);
  return answer;
}

function denied(
  refusal: Refusal,
  { status, contentType, body }: ErrorBody,
  retryAfterSeconds?: number,
): Buffer {
  const headers = ['x-keyward-reason', refusal.reason, 'content-type', contentType];
  if (status === 401) headers.push('www-authenticate', 'Bearer realm="keyward"');
  if (retryAfterSeconds !== undefined) headers.push('retry-after', String(retryAfterSeconds));
  return frame(
    messageField(RESPONSE.status, numberField(STATUS.code, codeOf(refusal))),
    messageField(
      RESPONSE.denied,
      messageField(DENIED.status, numberField(1, status)),
      headerOptions(DENIED.headers, headers),
      textField(DENIED.body, body),
    ),
  );
}

/** For logs of Envoy; the status for its caller stands in the answer. Anything but Ok is a no. */
function codeOf({ status }: Refusal): number {
  switch (status) {
    case 401:
      return GRPC_STATUS.Unauthenticated;
    case 403:
      return GRPC_STATUS.PermissionDenied;
    case 429:
      return GRPC_STATUS.ResourceExhausted;
    case 503:
      return GRPC_STATUS.Unavailable;
  }
}

function headerOptions(field: number, headers: readonly string[]): Buffer {
  const options: Buffer[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    options.push(headerOption(field, (headers[i] ?? '').toLowerCase(), headers[i + 1] ?? ''));
  }
  return Buffer.concat(options);
}

function headerOption(field: number, name: string, value: string): Buffer {
  const header = messageField(
    OPTION.header,
    textField(HEADER.key, name),
    textField(HEADER.value, value),
  );
  return messageField(field, header, NO_APPEND);
}
