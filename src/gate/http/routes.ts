/** What is asked where, and how the answer gets there: at once where the decision is at hand. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from '../call.ts';
import type { Decider, Decision } from '../decision.ts';
import { readCall } from '../reading/readcall.ts';
import { compileReading, type Reading, type ReadingOptions } from '../reading/reading.ts';
import { ENVOY, FORWARD, NGINX } from '../reading/ways.ts';
import { answerFor, BAD_REQUEST, FAILURE, NOT_FOUND, type Answer, type Asker } from './answers.ts';
import { declaredLength, readBody } from './body.ts';
import type { HttpMeter } from './metrics.ts';
import { answerVerify } from './verify.ts';

/** One request and its answer. */
export type Exchange = { readonly req: IncomingMessage; readonly res: ServerResponse };
/** Handles one request; never throws. */
export type Handler = (exchange: Exchange) => void;

const ENVOY_PREFIX = '/auth/envoy';

/** Handles the requests of all who ask. */
export function createRoutes(options: ReadingOptions, decider: Decider, meter: HttpMeter): Handler {
  const nginx = compileReading(options, NGINX);
  const forward = compileReading(options, FORWARD);
  const envoy = compileReading(options, ENVOY);
  return (exchange) => {
    const { req, res } = exchange;
    const url = req.url ?? '';
    switch (url) {
      case '/auth/nginx':
        return decide(decider, readCall(req.rawHeaders, nginx), { ...exchange, asker: 'Nginx' });
      case '/auth/forward':
      case '/auth/haproxy':
        return decide(decider, readCall(req.rawHeaders, forward), { ...exchange, asker: 'Proxy' });
      case '/v1/verify':
        return answerJson(decider, exchange);
      default:
        if (url.startsWith(`${ENVOY_PREFIX}/`)) return answerEnvoy(decider, envoy, exchange);
        meter.bad(url.startsWith('/') ? 'UnknownPath' : 'Malformed');
        // A target in another form than a path was not meant for this server.
        return send(res, url.startsWith('/') ? NOT_FOUND : BAD_REQUEST);
    }
  };
}

function answerJson(decider: Decider, { req, res }: Exchange): void {
  answerVerify(req, res, decider).then(
    (answer) => (answer === 'Gone' ? undefined : send(res, answer)),
    () => res.destroy(),
  );
}

function answerEnvoy(decider: Decider, reading: Reading, { req, res }: Exchange): void {
  const call = readCall(req.rawHeaders, reading, {
    method: req.method,
    target: req.url?.slice(ENVOY_PREFIX.length),
  });
  const exchange = { req, res, asker: 'Proxy' } as const;
  // Envoy sends no body where it was not told to, so an empty one proves nothing.
  const isBodyWanted =
    call.credential.type === 'BodySigned' &&
    declaredLength(req) !== 0 &&
    !isPartial(req.rawHeaders);
  if (!isBodyWanted) return decide(decider, call, exchange);
  void readBody(req).then((body) => {
    if (body === 'Gone') return;
    if (body === 'TooLong') res.shouldKeepAlive = false;
    decide(decider, body === 'TooLong' ? call : { ...call, body }, exchange);
  });
}

/** Whether Envoy says that it passed on the beginning of the body only. */
function isPartial(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some(
    (text, index) =>
      index % 2 === 0 &&
      text.toLowerCase() === 'x-envoy-auth-partial-body' &&
      rawHeaders[index + 1] !== 'false',
  );
}

type Asked = { readonly res: ServerResponse; readonly asker: Asker };

function decide(decider: Decider, call: Call, asked: Asked): void {
  const decision = ask(decider, call);
  if (!(decision instanceof Promise)) return sendDecision(decision, asked);
  decision.then(
    (settled) => sendDecision(settled, asked),
    () => sendDecision(FAILURE, asked),
  );
}

function sendDecision(decision: Decision, { res, asker }: Asked): void {
  try {
    send(res, answerFor(decision, asker));
  } catch {
    // A yes with a header that cannot be written, say: better no answer than half of one.
    res.destroy();
  }
}

/** Deciders never throw; should one, that is a no. */
function ask(decider: Decider, call: Call): Decision | Promise<Decision> {
  try {
    return decider.decide(call);
  } catch {
    return FAILURE;
  }
}

/** Writes an answer. A client that has left is passed over. */
export function send(res: ServerResponse, answer: Answer): void {
  if (res.destroyed) return;
  res.sendDate = false;
  res.writeHead(answer.status, answer.headers);
  res.end(answer.body);
}
