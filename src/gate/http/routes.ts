/** What is asked where, and how the answer gets there: at once where the decision is at hand. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
import type { Call } from '../call.ts';
import type { Decider, Decision } from '../decision.ts';
import { NOTHING_GIVEN, readCall, type Given } from '../reading/readcall.ts';
import { compileReading, type Reading, type ReadingOptions } from '../reading/reading.ts';
import { ENVOY, FORWARD, NGINX } from '../reading/ways.ts';
import { answerFor, BAD_REQUEST, FAILURE, NOT_FOUND, type Answer, type Asker } from './answers.ts';
import { declaredLength, readBody } from './body.ts';
import type { HttpMeter } from './metrics.ts';
import { answerVerify } from './verify.ts';

/** How the call is read that a gateway asks about at one target. */
type Route = { readonly reading: Reading; readonly given: Given; readonly asker: Asker };
/** What a gateway wants to know, and which one asks. */
export type Question = { readonly call: Call; readonly asker: Asker };
/** What routes need. */
type RouteDeps = {
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
  readonly #nginx: Route;
  readonly #forward: Route;
  readonly #haproxy: Route;
  readonly #envoy: Route;

  /** Throws the errors of `compileReading`. */
  constructor(deps: RouteDeps) {
    this.#deps = deps;
    const given = NOTHING_GIVEN;
    const forward = compileReading(deps.reading, FORWARD);
    this.#nginx = { reading: compileReading(deps.reading, NGINX), given, asker: 'Nginx' };
    this.#forward = { reading: forward, given, asker: 'Proxy' };
    this.#haproxy = { reading: forward, given, asker: 'Haproxy' };
    this.#envoy = { reading: compileReading(deps.reading, ENVOY), given, asker: 'Proxy' };
  }

  /** Answers one request, now or later. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    const { url = '', method = '', rawHeaders } = req;
    const route = this.routeOf(method, url);
    if (route !== undefined) {
      const call = readCall(rawHeaders, route.reading, route.given);
      return this.#answerGateway({ call, asker: route.asker }, req, res);
    }
    if (url === '/v1/verify') return this.#answerJson(req, res);
    this.#deps.meter.bad(url.startsWith('/') ? 'UnknownPath' : 'Malformed');
    // A target in another form than a path was not meant for this server.
    return send(res, url.startsWith('/') ? NOT_FOUND : BAD_REQUEST);
  }

  /** Who asks at this target, and how; undefined: no gateway asks so. */
  routeOf(method: string, target: string): Route | undefined {
    switch (target) {
      case '/auth/nginx':
        return this.#nginx;
      case '/auth/forward':
        return this.#forward;
      case '/auth/haproxy':
        return this.#haproxy;
      default: {
        if (!target.startsWith(`${ENVOY_PREFIX}/`)) return this.#routeOfProduct(target);
        const given = { method, target: target.slice(ENVOY_PREFIX.length) };
        return { ...this.#envoy, given };
      }
    }
  }

  /** Where the route of a gateway says the product: in the path that it asks at, out of reach of clients. */
  #routeOfProduct(target: string): Route | undefined {
    const [, gateway, product] = ROUTE.exec(target) ?? [];
    switch (gateway) {
      case 'nginx':
        return { ...this.#nginx, given: { product } };
      case 'forward':
        return { ...this.#forward, given: { product } };
      case 'haproxy':
        return { ...this.#haproxy, given: { product } };
      default:
        return undefined;
    }
  }

  /** Deciders never throw; should one, that is a no. */
  ask(call: Call): Decision | Promise<Decision> {
    try {
      return this.#deps.decider.decide(call);
    } catch {
      return FAILURE;
    }
  }

  #answerJson(req: IncomingMessage, res: ServerResponse): void {
    answerVerify(req, res, this.#deps.decider).then(
      (answer) => (answer === 'Gone' ? undefined : send(res, answer)),
      () => res.destroy(),
    );
  }

  #answerGateway(question: Question, req: IncomingMessage, res: ServerResponse): void {
    const { call, asker } = question;
    const isEnvoys = req.url?.startsWith(`${ENVOY_PREFIX}/`) === true;
    if (!isEnvoys || !isBodyWanted(req, call)) return this.#decide(question, res);
    void readBody(req).then((body) => {
      if (body === 'Gone') return;
      if (body === 'TooLong') res.shouldKeepAlive = false;
      this.#decide({ call: body === 'TooLong' ? call : { ...call, body }, asker }, res);
    });
  }

  #decide(question: Question, res: ServerResponse): void {
    const decision = this.ask(question.call);
    if (!(decision instanceof Promise)) return this.#answer(decision, question, res);
    decision.then(
      (settled) => this.#answer(settled, question, res),
      () => this.#answer(FAILURE, question, res),
    );
  }

  #answer(decision: Decision, { call, asker }: Question, res: ServerResponse): void {
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
