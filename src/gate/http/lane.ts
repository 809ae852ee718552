/**
 * Connections of gateways, served without Node's HTTP, which costs twice what deciding does. Only plain
 * heads are read here (see head.ts), one at a time; with anything else the connection, and what it has
 * said, goes over to Node for good. So nothing is understood here in another way than there, and
 * nothing is refused here but what is too slow.
 */
import type { Server, Socket } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { Decision } from '../decision.ts';
import { answerFor, BAD_REQUEST, FAILURE } from './answers.ts';
import { isBegun, readFields, readLine } from './head.ts';
import { callOf, Found } from '../reading/readcall.ts';
import type { HttpLimits } from './limits.ts';
import type { Question, Routes } from './routes.ts';
import { answerText, endWith, yesText } from './wire.ts';

/** What lanes need. */
export type LaneDeps = {
  readonly routes: Pick<Routes, 'routeOf' | 'ask'>;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  /** Told of the first request of each connection. */
  readonly onAsked: (socket: Socket) => void;
  /** Told of each connection that took too long for a request, or ended in the middle of one. */
  readonly onBad: (kind: 'TooSlow' | 'Malformed') => void;
};

/** One connection. */
type Visit = {
  readonly socket: Socket;
  /** The beginning of a request. */
  begun: string;
  /** In which it came. */
  pieces: number;
  /** A decision is on its way. */
  isWaiting: boolean;
  hasAsked: boolean;
  /** Of the last request, or of the beginning; up to one look early. */
  sinceMs: number;
  readonly onData: (chunk: Buffer) => void;
  readonly onEnd: () => void;
};

const HEAD_END = '\r\n\r\n';
const LOOKS_PER_LIMIT = 4;
/** Each piece has the whole beginning read again, so whoever sends many is for Node. */
const PIECES_MAX = 8;
/** As `#keptOn`, where they are not. */
const CLOSED = 'Connection: close\r\n\r\n';
const CUT_OFF = answerText(BAD_REQUEST, '\r\n');
const TOO_SLOW = answerText({ ...BAD_REQUEST, status: 408 }, '\r\n');

/** See the file comment. */
export class Lane {
  readonly #deps: LaneDeps;
  readonly #toNode: (socket: Socket) => void;
  readonly #visits = new Map<Socket, Visit>();
  /** What Node says on connections that are kept, and the end of the head. */
  readonly #keptOn: string;
  readonly #lookMs: number;
  #nowMs: number;
  #isClosing = false;
  #cancel: () => void;

  /**
   * Takes the connections of the server over.
   *
   * @param event with which they come; under TLS `secureConnection`
   */
  constructor(server: Server, event: 'connection' | 'secureConnection', deps: LaneDeps) {
    this.#deps = deps;
    const { limits, clock } = deps;
    const shortest = Math.min(limits.headerTimeMs, limits.idleTimeMs);
    this.#lookMs = Math.min(SECOND_MS, Math.ceil(shortest / LOOKS_PER_LIMIT));
    const idleSeconds = Math.floor(limits.idleTimeMs / SECOND_MS);
    this.#keptOn = `Connection: keep-alive\r\nKeep-Alive: timeout=${idleSeconds}\r\n\r\n`;
    this.#nowMs = clock.monotonicMs();
    const before = server.listeners(event);
    server.removeAllListeners(event);
    server.on(event, (socket: Socket) => this.#enter(socket));
    this.#toNode = (socket) => {
      for (const listener of before) Reflect.apply(listener, server, [socket]);
    };
    this.#cancel = clock.after(this.#lookMs, () => this.#look());
  }

  /** Ends the connections that have had an answer and wait for nothing. */
  closeIdle(): void {
    for (const visit of this.#visits.values()) if (isIdle(visit)) visit.socket.destroy();
  }

  /** Begins to end: connections end with their next answer. */
  close(): void {
    this.#isClosing = true;
    this.#cancel();
  }

  /** Ends all connections now. */
  closeAll(): void {
    for (const socket of this.#visits.keys()) socket.destroy();
  }

  #enter(socket: Socket): void {
    const visit: Visit = {
      socket,
      begun: '',
      pieces: 0,
      isWaiting: false,
      hasAsked: false,
      sinceMs: this.#nowMs,
      onData: (chunk) => this.#take(visit, chunk),
      onEnd: () => this.#left(visit),
    };
    this.#visits.set(socket, visit);
    socket.on('data', visit.onData);
    socket.on('end', visit.onEnd);
    socket.on('error', destroyThis);
    socket.once('close', () => this.#visits.delete(socket));
  }

  #take(visit: Visit, chunk: Buffer): void {
    try {
      const text = visit.begun + chunk.toString('latin1');
      if (text.endsWith(HEAD_END)) this.#read(visit, text);
      else this.#wait(visit, text);
    } catch {
      // A yes with a header that cannot be written, say: better no answer than half of one.
      visit.socket.destroy();
    }
  }

  #wait(visit: Visit, text: string): void {
    visit.pieces += 1;
    const isLong = visit.pieces > PIECES_MAX || text.length > this.#deps.limits.headerBytes;
    if (isLong || !isBegun(text)) return this.#handOver(visit, text);
    if (visit.begun === '') visit.sinceMs = this.#nowMs;
    visit.begun = text;
  }

  #read(visit: Visit, text: string): void {
    const { routes, onAsked } = this.#deps;
    const question = this.#questionOf(text);
    if (question === undefined) return this.#handOver(visit, text);
    if (!visit.hasAsked) onAsked(visit.socket);
    visit.hasAsked = true;
    visit.begun = '';
    visit.pieces = 0;
    const decision = routes.ask(question.call);
    if (decision instanceof Promise) this.#answerLater(visit, question, decision);
    else this.#answer(visit, question, decision);
  }

  /** Undefined: it is for Node. */
  #questionOf(text: string): Question | undefined {
    const { routes, limits } = this.#deps;
    const line = text.length > limits.headerBytes ? undefined : readLine(text);
    const route = line && routes.routeOf(line.method, line.target);
    if (line === undefined || route === undefined) return undefined;
    const found = new Found(route.reading);
    if (!readFields(text, line.fieldsAt, found, limits.headers)) return undefined;
    return { call: callOf(found, route.given), asker: route.asker };
  }

  #answerLater(visit: Visit, question: Question, decision: Promise<Decision>): void {
    visit.isWaiting = true;
    visit.socket.pause();
    const answer = (settled: Decision): void => {
      visit.isWaiting = false;
      this.#answer(visit, question, settled);
      if (!visit.socket.writableNeedDrain) visit.socket.resume();
    };
    decision.then(answer, () => answer(FAILURE)).catch(() => visit.socket.destroy());
  }

  #answer(visit: Visit, question: Question, decision: Decision): void {
    const { socket } = visit;
    visit.sinceMs = this.#nowMs;
    if (decision.type === 'Allowed' && !this.#isClosing) {
      return write(socket, yesText(decision, question.asker) + this.#keptOn);
    }
    const { asker, call } = question;
    const answer = answerFor(decision, { asker, target: call.target, clock: this.#deps.clock });
    if (this.#isClosing) this.#end(visit, answerText(answer, CLOSED));
    else write(socket, answerText(answer, this.#keptOn));
  }

  /** Gives the last answer; whatever else is said is not heard. */
  #end(visit: Visit, text: string): void {
    const { socket, onData } = visit;
    this.#visits.delete(socket);
    socket.off('data', onData);
    endWith(socket, text);
  }

  /** The other side has said its last word. */
  #left(visit: Visit): void {
    if (visit.begun === '') visit.socket.end();
    else this.#giveUp(visit, 'Malformed', CUT_OFF);
  }

  #giveUp(visit: Visit, kind: 'TooSlow' | 'Malformed', text: string): void {
    this.#deps.onBad(kind);
    this.#end(visit, text);
  }

  #handOver(visit: Visit, text: string): void {
    const { socket } = visit;
    this.#visits.delete(socket);
    socket.off('data', visit.onData);
    socket.off('end', visit.onEnd);
    socket.off('error', destroyThis);
    socket.pause();
    socket.unshift(Buffer.from(text, 'latin1'));
    this.#toNode(socket);
    socket.resume();
  }

  /** Looks for those who took too long. */
  #look(): void {
    const { limits, clock } = this.#deps;
    this.#nowMs = clock.monotonicMs();
    for (const visit of this.#visits.values()) {
      const { socket } = visit;
      const tookMs = this.#nowMs - visit.sinceMs - this.#lookMs;
      if (isIdle(visit) && tookMs >= limits.idleTimeMs) socket.destroy();
      if (visit.isWaiting || isIdle(visit) || tookMs < limits.headerTimeMs) continue;
      this.#giveUp(visit, 'TooSlow', TOO_SLOW);
    }
    this.#cancel = clock.after(this.#lookMs, () => this.#look());
  }
}

function isIdle({ hasAsked, isWaiting, begun }: Visit): boolean {
  return hasAsked && !isWaiting && begun === '';
}

/** Answers are ASCII. Whoever does not fetch them is not listened to until he does. */
function write(socket: Socket, text: string): void {
  if (socket.write(text, 'latin1')) return;
  socket.pause();
  socket.once('drain', () => socket.resume());
}

function destroyThis(this: Socket): void {
  this.destroy();
}
