/** A real listener with a decider that writes down what it was asked, and raw bytes to it. */
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import type { Call } from '../../../../src/gate/call.ts';
import type { Decider, Decision } from '../../../../src/gate/decision.ts';
import { serveHttp, type HttpOptions } from '../../../../src/gate/http/server.ts';
import type { GatePort } from '../../../../src/gate/port.ts';
import type { ReadingOptions } from '../../../../src/gate/reading/reading.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { systemClock } from '../../../../src/kernel/clock.ts';
import { REFUSALS } from '../../../../src/terms/refusals.ts';

export const READING: ReadingOptions = { keyHeaders: ['X-API-Key'], trustedProxies: [] };

export const ALLOWED: Decision = {
  type: 'Allowed',
  caller: { keyId: '4fJ2mXq0ZpT7aBc9', namespace: 'shop', name: 'checkout' },
  headers: ['X-Keyward-Key-Id', '4fJ2mXq0ZpT7aBc9', 'X-Keyward-Namespace', 'shop'],
};

/** Lets in every call that shows exactly one value and nothing forbidden: the most a reader can do wrong. */
export function lenient(call: Call): Decision {
  if (call.isSpoofed) {
    return { type: 'Refused', refusal: REFUSALS.HeaderNotAllowed, profile: call.profile };
  }
  const { type } = call.credential;
  if (type !== 'None' && type !== 'Ambiguous') return ALLOWED;
  const refusal = type === 'None' ? REFUSALS.NoKey : REFUSALS.AmbiguousKey;
  return { type: 'Refused', refusal, profile: call.profile };
}

export class RecordingDecider implements Decider {
  readonly calls: Call[] = [];
  decideNow: (call: Call) => Decision | Promise<Decision> = lenient;

  decide(call: Call): Decision | Promise<Decision> {
    this.calls.push(call);
    return this.decideNow(call);
  }
}

/** Starts a listener; it is closed with `await using`. */
export async function startGate(
  options: Partial<HttpOptions> = {},
  decider = new RecordingDecider(),
): Promise<
  GatePort & { readonly decider: RecordingDecider; readonly port: number } & AsyncDisposable
> {
  const gate = await serveHttp(
    {
      address: '127.0.0.1:0',
      reading: READING,
      clock: systemClock,
      log: silentLogger,
      registry: new Registry(),
      ...options,
      limits: { drainTimeMs: 50, ...options.limits },
    },
    decider,
  );
  const port = Number(gate.address.split(':').at(-1));
  return { ...gate, decider, port, [Symbol.asyncDispose]: () => gate.close() };
}

/** What came back for raw bytes. */
export type RawAnswer = {
  readonly text: string;
  readonly statuses: readonly number[];
  readonly closed: boolean;
};

/**
 * Sends bytes and collects what comes back until the gate closes the connection, or until `expected` answers have
 * come and the gate has had a turn to close it.
 */
export function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  expected = 1,
): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const socket = connect(port, '127.0.0.1');
  let text = '';
  const statuses = (): number[] =>
    [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
  const settle = (closed: boolean): void => {
    resolve({ text, statuses: statuses(), closed });
    socket.destroy();
  };
  socket.on('connect', () => socket.write(bytes));
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    // A gate that wants to close says so in the answer.
    if (statuses().length >= expected && !/connection: close/i.test(text)) settle(false);
  });
  socket.on('end', () => settle(true));
  socket.on('error', () => settle(true));
  return promise;
}

/** A request as text: the lines, and an empty one. */
export function request(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A request of nginx for a call with these headers. */
export function nginxRequest(...headers: readonly string[]): string {
  return request([
    'GET /auth/nginx HTTP/1.1',
    'Host: api.example.com',
    'X-Original-Method: GET',
    'X-Original-URI: /v1/orders',
    ...headers,
  ]);
}
