/** What is asked where, and how the answer gets there: at once where the decision is at hand. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
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
/** What routes need. */
export type RouteDeps = {
  readonly reading: ReadingOptions;
  readonly decider: Decider;
  readonly meter: HttpMeter;
  readonly clock: Pick<Clock, 'nowMs'>;
};

const ENVOY_PREFIX = '/auth/envoy';
/** A name of Kubernetes. */
const ROUTE = /^\/auth\/(nginx|forward|haproxy)\?product=([a-z0-9][a-z0-9.-]{0,252})$/;

/** Handles the requests of all who ask. Its methods never throw. */
export class Routes {
  readonly #deps: RouteDeps;
  readonly #nginx: Reading;
  readonly #forward: Reading;
  readonly #envoy: Reading;

  /** Throws the errors of `compileReading`. */
  constructor(deps: RouteDeps) {
    this.#deps = deps;
    this.#nginx = compileReading(deps.reading, NGINX);
    this.#forward = compileReading(deps.reading, FORWARD);
    this.#envoy = compileReading(deps.reading, ENVOY);
  }

  /** Answers one request, now or later. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    const url = req.url ?? '';
    switch (url) {
      case '/auth/nginx':
        return this.#decide(readCall(req.rawHeaders, this.#nginx), res, 'Nginx');
      case '/auth/forward':
        return this.#decide(readCall(req.rawHeaders, this.#forward), res, 'Proxy');
      case '/auth/haproxy':
        return this.#decide(readCall(req.rawHeaders, this.#forward), res, 'Haproxy');
      case '/v1/verify':
        return this.#answerJson(req, res);
      default:
        if (url.startsWith(`${ENVOY_PREFIX}/`)) return this.#answerEnvoy(req, res);
        return this.#answerRoute(url, req, res);
    }
  }

  /** Where the route of a gateway says the product: in the path that it asks at, out of reach of clients. */
  #answerRoute(url: string, req: IncomingMessage, res: ServerResponse): void {
    const [, gateway, product] = ROUTE.exec(url) ?? [];
    switch (gateway) {
      case 'nginx':
        return this.#decide(readCall(req.rawHeaders, this.#nginx, { product }), res, 'Nginx');
      case 'forward':
        return this.#decide(readCall(req.rawHeaders, this.#forward, { product }), res, 'Proxy');
      case 'haproxy':
        return this.#decide(readCall(req.rawHeaders, this.#forward, { product }), res, 'Haproxy');
      default:
        this.#deps.meter.bad(url.startsWith('/') ? 'UnknownPath' : 'Malformed');
        // A target in another form than a path was not meant for this server.
        return send(res, url.startsWith('/') ? NOT_FOUND : BAD_REQUEST);
    }
  }

  #answerJson(req: IncomingMessage, res: ServerResponse): void {
    answerVerify(req, res, this.#deps.decider).then(
      (answer) => (answer === 'Gone' ? undefined : send(res, answer)),
      () => res.destroy(),
    );
  }

  #answerEnvoy(req: IncomingMessage, res: ServerResponse): void {
    const call = readCall(req.rawHeaders, this.#envoy, {
      method: req.method,
      target: req.url?.slice(ENVOY_PREFIX.length),
    });
    if (!isBodyWanted(req, call)) return this.#decide(call, res, 'Proxy');
    void readBody(req).then((body) => {
      if (body === 'Gone') return;
      if (body === 'TooLong') res.shouldKeepAlive = false;
      this.#decide(body === 'TooLong' ? call : { ...call, body }, res, 'Proxy');
    });
  }

  #decide(call: Call, res: ServerResponse, asker: Asker): void {
    const decision = this.#ask(call);
    if (!(decision instanceof Promise)) return this.#answer(decision, { call, res, asker });
    decision.then(
      (settled) => this.#answer(settled, { call, res, asker }),
      () => this.#answer(FAILURE, { call, res, asker }),
    );
  }

  /** Deciders never throw; should one, that is a no. */
  #ask(call: Call): Decision | Promise<Decision> {
    try {
      return this.#deps.decider.decide(call);
    } catch {
      return FAILURE;
    }
  }

  #answer(
    decision: Decision,
    { call, res, asker }: { call: Call; res: ServerResponse; asker: Asker },
  ): void {
    try {
      const { clock } = this.#deps;
      send(res, answerFor(decision, { asker, target: call.target, clock }));
    } catch {
      // A yes with a header that cannot be written, say: better no answer than half of one.
      res.destroy();
    }
  }
}

/** Writes an answer. A client that has left is passed over. */
export function send(res: ServerResponse, answer: Answer): void {
  if (res.destroyed) return;
  res.sendDate = false;
  res.writeHead(answer.status, answer.headers);
  res.end(answer.body);
}

/** Envoy sends no body where it was not told to, so an empty one proves nothing. */
function isBodyWanted(req: IncomingMessage, call: Call): boolean {
  if (call.credential.type !== 'BodySigned') return false;
  return declaredLength(req) !== 0 && !isPartial(req.rawHeaders);
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
