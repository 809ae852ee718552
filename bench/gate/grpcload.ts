/** Load for the gRPC port: Check calls as Envoy sends them, over connections that are kept. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { ORIGIN, PATH } from './database.ts';

const CONNECTIONS = 4;
const STREAMS = 16;
const CALL = '/envoy.service.auth.v3.Authorization/Check';

/** Presents the values in turn for some seconds; requests that were answered, and those not let in. */
export async function runGrpc(
  port: number,
  values: readonly string[],
  seconds: number,
): Promise<{ readonly requests: number; readonly refused: number }> {
  const messages = values.filter((value) => value !== '').map(checkRequest);
  const sessions = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port)));
  const endMs = performance.now() + seconds * 1_000;
  const count = { requests: 0, refused: 0 };
  const caller = async (session: ClientHttp2Session, from: number): Promise<void> => {
    for (let at = from; performance.now() < endMs; at += 1) {
      const message = messages[at % messages.length] ?? Buffer.alloc(0);
      const isLetIn = await check(session, message);
      count.requests += 1;
      if (!isLetIn) count.refused += 1;
    }
  };
  const callers = sessions.flatMap((session, number) =>
    Array.from({ length: STREAMS }, (_, stream) =>
      caller(session, (number * STREAMS + stream) * 97),
    ),
  );
  await Promise.all(callers);
  for (const session of sessions) session.close();
  return count;
}

async function open(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  // What fails later is told by each stream.
  session.on('error', () => undefined);
  return session;
}

function check(session: ClientHttp2Session, message: Buffer): Promise<boolean> {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: CALL,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let first: Buffer | undefined;
  stream.on('data', (chunk: Buffer) => {
    first ??= chunk;
  });
  stream.on('error', reject);
  // Status OK is left out of a message: a refusal begins with field 1, which holds a code.
  stream.on('end', () => resolve(first !== undefined && !saysNo(first)));
  stream.end(message);
  return promise;
}

/** CheckResponse.status, a google.rpc.Status with a code that is not 0. */
function saysNo(frame: Buffer): boolean {
  const message = frame.subarray(5);
  return message[0] === 0x0a && message[1] !== 0 && message[2] === 0x08 && message[3] !== 0;
}

/** envoy.service.auth.v3.CheckRequest with what Envoy says of a plain GET, in its gRPC frame. */
function checkRequest(value: string): Buffer {
  const headers = Object.entries({
    ':authority': 'api.example',
    ':method': 'GET',
    ':path': PATH,
    ':scheme': 'http',
    accept: '*/*',
    origin: ORIGIN,
    'user-agent': 'bench/1',
    'x-api-key': value,
    'x-forwarded-proto': 'http',
    'x-request-id': '7f9c24e8-3b12-4a4f-9d5e-1c2d3e4f5a6b',
  }).map(([name, text]) => field(3, Buffer.concat([field(1, name), field(2, text)])));
  const http = Buffer.concat([
    field(1, '1234567890'),
    field(2, 'GET'),
    ...headers,
    field(4, PATH),
    field(5, 'api.example'),
    field(6, 'http'),
    field(10, 'HTTP/1.1'),
  ]);
  const socketAddress = Buffer.concat([field(2, '203.0.113.9'), Buffer.from([0x18, 0xb9, 0x60])]);
  const source = field(1, field(1, socketAddress));
  const attributes = Buffer.concat([field(1, source), field(4, field(2, http))]);
  const message = field(1, attributes);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A length-delimited field. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
