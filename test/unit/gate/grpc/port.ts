/** The gRPC port with a decider of the test, and Node's own HTTP/2 as its client. */
import {
  connect,
  type ClientHttp2Session,
  type OutgoingHttpHeaders,
  type Settings,
} from 'node:http2';
import type { Call } from '../../../../src/gate/call.ts';
import type { Decision } from '../../../../src/gate/decision.ts';
import { serveGrpc, type GrpcOptions } from '../../../../src/gate/grpc/server.ts';
import type { GatePort } from '../../../../src/gate/port.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { createRegistry } from '../../../../src/kernel/metrics.ts';
import { REFUSALS } from '../../../../src/terms/refusals.ts';
import { FakeClock } from '../../../support/clock.ts';
import { CALL_HEADERS, framed } from './peer.ts';

/** A yes. */
export const YES: Decision = {
  type: 'Allowed',
  caller: { keyId: 'AbCd', namespace: 'team-a', name: 'places' },
  headers: ['X-Keyward-Key-Id', 'AbCd'],
};

/** Says yes to calls that show a key. */
export function decideByKey({ credential }: Call): Decision {
  return credential.type === 'Value'
    ? YES
    : { type: 'Refused', refusal: REFUSALS.NoKey, profile: 'Keyward' };
}

/** A port, and the clock it goes by. */
export type TestPort = {
  readonly gate: GatePort;
  readonly port: number;
  readonly clock: FakeClock;
};

/** Serves on a free port of loopback. */
export async function servePort(
  decide: (call: Call) => Decision | Promise<Decision> = decideByKey,
  options: Partial<GrpcOptions> = {},
): Promise<TestPort> {
  const clock = new FakeClock();
  const gate = await serveGrpc(
    {
      address: '127.0.0.1:0',
      reading: { keyHeaders: ['X-API-Key'], trustedProxies: [] },
      clock,
      log: silentLogger,
      registry: createRegistry(),
      ...options,
    },
    { decide },
  );
  return { gate, clock, port: Number(gate.address.split(':').at(-1)) };
}

/** What came back from one call. */
export type Outcome = {
  readonly httpStatus: number;
  readonly grpcStatus: string;
  /** Of the message, without its frame; absent: there was none. */
  readonly message?: Buffer;
};

/** Connects as Node's client does. */
export function openClient(port: number, settings: Settings = {}): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { settings });
  session.on('error', () => undefined);
  return session;
}

/** Makes one call; rejects when it is reset. */
export function callPort(
  session: ClientHttp2Session,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const { ':authority': _, ...fixed } = CALL_HEADERS;
  const stream = session.request({ ...fixed, ...headers }, { endStream: false });
  const pieces: Buffer[] = [];
  let httpStatus = 0;
  let grpcStatus = '';
  stream.on('response', (answer) => {
    httpStatus = Number(answer[':status']);
    grpcStatus = String(answer['grpc-status'] ?? '');
  });
  stream.on('trailers', (trailers) => {
    grpcStatus = String(trailers['grpc-status'] ?? '');
  });
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('error', reject);
  stream.on('close', () => {
    const bytes = Buffer.concat(pieces);
    const message = bytes.length === 0 ? {} : { message: bytes.subarray(5) };
    resolve({ httpStatus, grpcStatus, ...message });
  });
  stream.end(body);
  return promise;
}

/** Makes one call with this message. */
export function callWith(session: ClientHttp2Session, message: Uint8Array): Promise<Outcome> {
  return callPort(session, framed(message));
}
