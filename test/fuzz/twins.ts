/**
 * Two listeners that differ in one thing: one serves plain requests of gateways by its lane, the other leaves all
 * to Node's HTTP. The same bytes must make both ask the same and answer the same.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { Call } from '../../src/gate/call.ts';
import { serveHttp } from '../../src/gate/http/server.ts';
import type { GatePort } from '../../src/gate/port.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { lenient, READING, RecordingDecider } from '../unit/gate/http/rawgate.ts';
import { LIMITS, type Sent } from './wire.ts';

/** What one listener made of it. */
export type Outcome = {
  readonly calls: readonly Call[];
  /** Everything that came back. */
  readonly text: string;
  /** Before we said that nothing more would come. */
  readonly isOpen: boolean;
};

/** What both made of it. */
export type Outcomes = { readonly fast: Outcome; readonly node: Outcome };

/** Both, until `close`. */
export type Twins = {
  /** One after the other. */
  send(sent: Sent): Promise<Outcomes>;
  /** Counts of bad requests, as text. */
  counted(): Promise<{ readonly fast: string; readonly node: string }>;
  close(): Promise<void>;
};

type Twin = {
  readonly gate: GatePort;
  readonly decider: RecordingDecider;
  readonly registry: Registry;
};

/** Starts both. */
export async function startTwins(): Promise<Twins> {
  const fast = await startTwin('Fast');
  const node = await startTwin('Node');
  return {
    async send(sent) {
      // Where they seem to differ, one may only have been slower.
      for (const patience of [8, 64]) {
        const outcomes = {
          fast: await ask(fast, sent, patience),
          node: await ask(node, sent, patience),
        };
        if (isSame(outcomes) || patience === 64) return outcomes;
      }
      throw new Error('not reached');
    },
    counted: async () => ({ fast: await countsOf(fast), node: await countsOf(node) }),
    async close() {
      await fast.gate.close();
      await node.gate.close();
    },
  };
}

/**
 * Whether both understood the same, and a gateway could not tell them apart. Node refuses half a head as soon as
 * that much of it makes no sense; the lane may wait for the other half.
 */
export function isSame({ fast, node }: Outcomes): boolean {
  const isLater =
    fast.isOpen && !node.isOpen && /^HTTP\/1\.1 4\d\d .*\r\nConnection: close\r\n/m.test(node.text);
  const isSameFate = fast.isOpen === node.isOpen || isLater;
  return isSameFate && fast.text === node.text && shownCalls(fast) === shownCalls(node);
}

function shownCalls({ calls }: Outcome): string {
  return JSON.stringify(calls);
}

async function startTwin(parser: 'Fast' | 'Node'): Promise<Twin> {
  const decider = new RecordingDecider();
  decider.decideNow = lenient;
  const registry = new Registry();
  const gate = await serveHttp(
    {
      address: '127.0.0.1:0',
      reading: READING,
      parser,
      // Some answers say when.
      clock: { ...systemClock, nowMs: () => 0 },
      log: silentLogger,
      registry,
      limits: { ...LIMITS, drainTimeMs: 50 },
    },
    decider,
  );
  return { gate, decider, registry };
}

/** @param patience turns without a word after which nothing more is expected */
async function ask(
  { gate, decider }: Twin,
  { text, cuts }: Sent,
  patience: number,
): Promise<Outcome> {
  decider.calls.length = 0;
  const port = Number(gate.address.split(':').at(-1));
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const closed = once(socket, 'close').catch(() => undefined);
  await once(socket, 'connect');
  const heard = listen(socket);
  await sendPieces(socket, text, cuts);
  await quiet(heard, patience);
  const isOpen = !heard.isEnded;
  if (!socket.destroyed) socket.end();
  await closed;
  return { calls: [...decider.calls], text: heard.text, isOpen };
}

type Heard = { text: string; isEnded: boolean };

function listen(socket: Socket): Heard {
  const heard: Heard = { text: '', isEnded: false };
  const end = (): void => {
    heard.isEnded = true;
  };
  socket.on('data', (chunk: Buffer) => {
    heard.text += chunk.toString('latin1');
  });
  socket.on('end', end);
  socket.on('error', end);
  socket.on('close', end);
  return heard;
}

async function sendPieces(socket: Socket, text: string, cuts: readonly number[]): Promise<void> {
  let from = 0;
  for (const to of [...cuts, text.length]) {
    if (to === from) continue;
    if (socket.destroyed) return;
    socket.write(text.slice(from, to), 'latin1');
    from = to;
    // The listener is in this process: it gets what was written before the next piece is.
    await turn();
    await turn();
  }
}

async function quiet(heard: Heard, patience: number): Promise<void> {
  let last = -1;
  for (let silent = 0; silent < patience && !heard.isEnded; silent += 1) {
    if (heard.text.length !== last) silent = 0;
    last = heard.text.length;
    await turn();
  }
}

async function countsOf({ registry }: Twin): Promise<string> {
  const text = await registry.metrics();
  return text
    .split('\n')
    .filter((line) => line.startsWith('keyward_gate_http_bad_requests_total{'))
    .toSorted((a, b) => a.localeCompare(b))
    .join('\n');
}
