/** What is asked where, and how the answer gets there: at once where the decision is at hand. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from '../call.ts';
import type { Decider, Decision } from '../decision.ts';
import { readCall } from '../reading/readcall.ts';
import { compileReading, type Reading, type ReadingOptions } from '../reading/reading.ts';
import { ENVOY, FORWARD, NGINX } from '../reading/ways.ts';
import { answerFor, FAILURE, type Answer, type Asker } from './answers.ts';
import { declaredLength, readBody } from './body.ts';
import { BODY_BYTES_MAX } from './limits.ts';

/** Handles one request; never throws. */
export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

const ENVOY_PREFIX = '/auth/envoy';

/** Handles the requests of all gateways. */
export function createRoutes(options: ReadingOptions, decider: Decider): Handler {
  const nginx = compileReading(options, NGINX);
  const forward = compileReading(options, FORWARD);
  const envoy = compileReading(options, ENVOY);
  return (req, res) => {
    const url = req.url ?? '';
    switch (url) {
      case '/auth/nginx':
        return decide(decider, readCall(req.rawHeaders, nginx), { req, res, asker: 'Nginx' });
      case '/auth/forward':
      case '/auth/haproxy':
        return decide(decider, readCall(req.rawHeaders, forward), { req, res, asker: 'Proxy' });
      default:
        if (url.startsWith(`${ENVOY_PREFIX}/`)) return answerEnvoy(decider, envoy, { req, res });
        return send(req, res, url.startsWith('/') ? NOT_FOUND : BAD_REQUEST);
    }
  };
}

/** No such path. */
export const NOT_FOUND: Answer = { status: 404, headers: ['Content-Length', '0'] };
/** Not a request that gateways make. The connection closes: what comes next cannot be trusted. */
export const BAD_REQUEST: Answer = {
  status: 400,
  headers: ['Connection', 'close', 'Content-Length', '0'],
};

type Exchange = { readonly req: IncomingMessage; readonly res: ServerResponse };

function answerEnvoy(decider: Decider, reading: Reading, { req, res }: Exchange): void {
  const call = readCall(req.rawHeaders, reading, {
    method: req.method,
    target: req.url?.slice(ENVOY_PREFIX.length),
  });
  const exchange = { req, res, asker: 'Proxy' } as const;
  if (call.credential.type !== 'BodySigned') return decide(decider, call, exchange);
  const length = declaredLength(req.rawHeaders);
  // Envoy sends no body where it was not told to, so an empty one proves nothing.
  if (length === 0 || isPartial(req.rawHeaders)) return decide(decider, call, exchange);
  void readBody(req).then((body) => {
    if (body === 'Gone') return;
    decide(decider, typeof body === 'string' ? call : { ...call, body }, exchange);
  });
}

/** Whether Envoy says that it passed on the beginning of the body only. */
function isPartial(rawHeaders: readonly string[]): boolean {
  const at = rawHeaders.findIndex(
    (text, index) => index % 2 === 0 && text.toLowerCase() === 'x-envoy-auth-partial-body',
  );
  return at >= 0 && rawHeaders[at + 1] !== 'false';
}

function decide(
  decider: Decider,
  call: Call,
  exchange: Exchange & { readonly asker: Asker },
): void {
  const { req, res, asker } = exchange;
  const decision = ask(decider, call);
  if (!(decision instanceof Promise)) return send(req, res, answerFor(decision, asker));
  decision.then(
    (settled) => send(req, res, answerFor(settled, asker)),
    () => send(req, res, answerFor(FAILURE, asker)),
  );
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
export function send(req: IncomingMessage, res: ServerResponse, answer: Answer): void {
  if (res.destroyed) return;
  // A short body that nobody reads is skipped by Node; a long one is not worth the time.
  if (declaredLength(req.rawHeaders) > BODY_BYTES_MAX) res.shouldKeepAlive = false;
  res.sendDate = false;
  res.writeHead(answer.status, answer.headers);
  res.end(answer.body);
}
