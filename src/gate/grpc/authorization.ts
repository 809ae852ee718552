/** Pure; `envoy.service.auth.v3.Authorization/Check`: reads Envoy's description of a call and has it decided. */
import type { Call } from '../call.ts';
import type { Decider, Decision } from '../decision.ts';
import { readAuthorization } from '../reading/credential.ts';
import { findClientAddress } from '../reading/hops.ts';
import { readCall } from '../reading/readcall.ts';
import { compileReading, type Reading, type ReadingOptions } from '../reading/reading.ts';
import { TOLD } from '../reading/ways.ts';
import { readCheckRequest, type CheckRequest } from './checkrequest.ts';
import {
  createCheckResponses,
  FAILED,
  type CheckResponses,
  type WriteError,
} from './checkresponse.ts';
import type { Method } from './method.ts';
import { FAILURES } from './statuses.ts';
import { WireReader } from './wirereader.ts';

const AUTHORIZATION = 'authorization';
const FORWARDED_FOR = 'x-forwarded-for';
/** Envoy sets it beside the body that it passes on. */
const PARTIAL_BODY = 'x-envoy-auth-partial-body';
/** The route says so where Envoy passes on bodies: then no body means that there is none. */
const WHOLE = 'whole';
const NO_BODY = new Uint8Array(0);

/** The method, asking `decider`. Errors of `compileReading`. */
export function createAuthorization(
  options: ReadingOptions,
  decider: Decider,
  writeError: WriteError,
): Method {
  const reading = compileReading(options, TOLD);
  const headers = options.keyHeaders.map((name) => name.toLowerCase());
  const queryParameter = options.keyQuery;
  const responses = createCheckResponses({ headers, queryParameter }, writeError);
  // Authorization is removed only where it holds the key: services may want that of other schemes.
  const bare = createCheckResponses(
    { headers: [...headers, AUTHORIZATION], queryParameter },
    writeError,
  );
  const wire = new WireReader();
  return (message) => {
    const request = readCheckRequest(wire, message);
    if (request === undefined) return FAILURES.BadMessage;
    const call = readEnvoyCall(request, reading);
    const decision = ask(decider, call);
    const toSend = holdsKey(find(request.pairs, AUTHORIZATION)) ? bare : responses;
    return decision instanceof Promise
      ? answerLater(decision, toSend, call.target)
      : toSend.answer(decision, call.target);
  };
}

/** Deciders never throw; should one, that is a no. */
function ask(decider: Decider, call: Call): Decision | Promise<Decision> {
  try {
    return decider.decide(call);
  } catch {
    return FAILED;
  }
}

async function answerLater(
  decision: Promise<Decision>,
  responses: CheckResponses,
  target: string | undefined,
): Promise<Buffer> {
  return responses.answer(await decision.catch(() => FAILED), target);
}

function readEnvoyCall(request: CheckRequest, reading: Reading): Call {
  const call = readCall(request.pairs, reading, {
    method: request.method,
    host: request.host,
    target: request.path,
    address: addressOf(request, reading),
    product: request.product,
  });
  // Only these are about the body.
  return call.credential.type === 'BodySigned' ? { ...call, body: bodyOf(request) } : call;
}

/** Envoy's word, unless its peer is a proxy that is trusted: then the first hop that is not. */
function addressOf({ sourceAddress, pairs }: CheckRequest, reading: Reading): string | undefined {
  if (reading.trusted.length === 0) return sourceAddress;
  const hops = find(pairs, FORWARDED_FOR);
  return findClientAddress(
    hops === undefined ? sourceAddress : `${hops},${sourceAddress}`,
    reading.trusted,
  );
}

/** The whole body; undefined where it is not certain that this is all of it. */
function bodyOf({ body, bodySetting, pairs }: CheckRequest): Uint8Array | undefined {
  const partial = find(pairs, PARTIAL_BODY);
  if (body === undefined || body.length === 0) return bodySetting === WHOLE ? NO_BODY : undefined;
  return partial === 'false' ? body : undefined;
}

function holdsKey(authorization: string | undefined): boolean {
  return authorization !== undefined && readAuthorization(authorization).credential.type !== 'None';
}

/** The header's content, joined where it is there more than once. */
function find(pairs: readonly string[], name: string): string | undefined {
  let found: string | undefined;
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const text = pairs[i] ?? '';
    if (text.length !== name.length || text.toLowerCase() !== name) continue;
    found = found === undefined ? pairs[i + 1] : `${found},${pairs[i + 1]}`;
  }
  return found;
}
