import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Settings } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createAuthority, issue } from '../../../../control-plane/certificates.ts';
import type { Decision } from '../../../../src/gate/decision.ts';
import { createRegistry } from '../../../../src/kernel/metrics.ts';
import { callPort, callWith, openClient, servePort, YES, type TestPort } from './port.ts';
import { CALL_HEADERS, frame, framed, headerBlock, KIND, Peer, PREFACE } from './peer.ts';
import { checkRequest, delimited, readAnswer } from './protobuf.ts';

const KEY = ['x-api-key', 'kw_something'] as const;
const CALL = checkRequest({ headers: [KEY] });
const MESSAGE_MAX = 128 * 1_024;
const END_STREAM = 1;
const END_HEADERS = 4;

const NOTHING = Buffer.alloc(0);

/** So many times the same window for calls. */
function settings(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => Buffer.from('000400010000', 'hex')));
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function serve(...args: Parameters<typeof servePort>): Promise<TestPort> {
  const port = await servePort(...args);
  ends.push(() => port.gate.close());
  return port;
}

function client(port: number, options: Settings = {}) {
  const session = openClient(port, options);
  ends.push(() => session.destroy());
  return session;
}

function peerOf(port: number): Peer {
  const peer = new Peer(port);
  ends.push(() => peer.end());
  return peer;
}

describe('Check', () => {
  test('answers a yes and a no, one after the other on one connection', async () => {
    const session = client((await serve()).port);
    const yes = await callWith(session, CALL);
    expect(yes).toMatchObject({ httpStatus: 200, grpcStatus: '0' });
    expect(readAnswer(yes.message ?? Buffer.alloc(0))).toMatchObject({ code: 0 });
    const no = await callWith(session, checkRequest({}));
    expect(readAnswer(no.message ?? Buffer.alloc(0))).toMatchObject({
      code: 16,
      status: 401,
      headers: { 'x-keyward-reason': 'InvalidKey', 'content-type': 'application/json' },
    });
  });

  test('answers a thousand calls at once on each of four connections', async () => {
    const { port } = await serve(async () => YES);
    const sessions = Array.from({ length: 4 }, () => client(port));
    const outcomes = await Promise.all(
      sessions.flatMap((session) => Array.from({ length: 1_000 }, () => callWith(session, CALL))),
    );
    expect(outcomes.filter(({ grpcStatus }) => grpcStatus === '0')).toHaveLength(4_000);
  });

  test('answers to its own call, however late and in whatever order', async () => {
    const waiting: ((decision: Decision) => void)[] = [];
    const { port } = await serve(() => {
      const { promise, resolve } = Promise.withResolvers<Decision>();
      waiting.push(resolve);
      if (waiting.length === 3) {
        waiting
          .toReversed()
          .forEach((answer, index) =>
            answer({ ...YES, headers: ['X-Keyward-Name', `call-${2 - index}`] } as Decision),
          );
      }
      return promise;
    });
    const session = client(port);
    const outcomes = await Promise.all([CALL, CALL, CALL].map((call) => callWith(session, call)));
    const names = outcomes.map(({ message }) => readAnswer(message!).headers['x-keyward-name']);
    expect(names).toEqual(['call-0', 'call-1', 'call-2']);
  });

  test('takes a message that comes byte by byte, and one of the largest size', async () => {
    const { port } = await serve();
    const large = Buffer.concat([CALL, delimited(99, Buffer.alloc(MESSAGE_MAX - CALL.length - 5))]);
    expect(await callWith(client(port), large)).toMatchObject({ grpcStatus: '0' });
    const peer = peerOf(port).begin();
    const bytes = Buffer.concat([
      frame(KIND.HEADERS, END_HEADERS, 1, headerBlock(CALL_HEADERS)),
      ...Array.from(framed(CALL), (byte) => frame(KIND.DATA, 0, 1, Buffer.of(byte))),
      frame(KIND.DATA, END_STREAM, 1, Buffer.alloc(0)),
    ]);
    for (const byte of bytes) peer.write(Buffer.of(byte));
    const answer = await peer.next(({ kind }) => kind === KIND.DATA);
    expect(readAnswer(answer!.content.subarray(5))).toMatchObject({ code: 0 });
  });

  test('says that the time is up when the decision takes longer than Envoy waits', async () => {
    const { port, clock } = await serve(() => Promise.withResolvers<Decision>().promise);
    const peer = peerOf(port).begin();
    const hurry = headerBlock({ ...CALL_HEADERS, 'grpc-timeout': '300m' });
    for (const [id, block] of [
      [1, hurry],
      [3, headerBlock(CALL_HEADERS)],
    ] as const) {
      peer.write(
        frame(KIND.HEADERS, END_HEADERS, id, block),
        frame(KIND.DATA, END_STREAM, id, framed(CALL)),
      );
    }
    await peer.settle();
    const isAnswer = ({ kind }: { kind: number }) => kind === KIND.HEADERS;
    clock.advance(300);
    const first = await peer.next(isAnswer);
    expect([first?.streamId, String(first?.content)]).toEqual([
      1,
      expect.stringContaining('grpc-status\x014'),
    ]);
    clock.advance(9_700);
    expect((await peer.next(isAnswer))?.streamId).toBe(3);
  });

  test('forgets a call that Envoy has given up, and goes on', async () => {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    let asked = 0;
    const { port } = await serve(() => (asked++ === 0 ? promise : YES));
    const peer = peerOf(port).begin();
    const call = (id: number) => [
      frame(KIND.HEADERS, END_HEADERS, id, headerBlock(CALL_HEADERS)),
      frame(KIND.DATA, END_STREAM, id, framed(CALL)),
    ];
    peer.write(...call(1), frame(KIND.RST_STREAM, 0, 1, Buffer.from([0, 0, 0, 8])));
    await peer.settle();
    resolve(YES);
    peer.write(...call(3));
    const answer = await peer.next(({ kind }) => kind === KIND.DATA);
    expect(answer?.streamId).toBe(3);
  });
});

describe('what is no call', () => {
  const empty = framed(Buffer.alloc(0));
  test.each([
    ['another method', empty, { ':path': '/envoy.service.auth.v3.Authorization/Other' }, '12'],
    ['another service', empty, { ':path': '/' }, '12'],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0]), {}, '12'],
    ['an announced compression', empty, { 'grpc-encoding': 'gzip' }, '12'],
    ['another frame', Buffer.from([7, 0, 0, 0, 0]), {}, '3'],
    ['no message', Buffer.alloc(0), {}, '3'],
    ['half a message', framed(CALL).subarray(0, 30), {}, '3'],
    ['two messages', Buffer.concat([empty, empty]), {}, '3'],
    ['a message that is none', framed(Buffer.from('ffff', 'hex')), {}, '3'],
    ['a timeout that is none', empty, { 'grpc-timeout': 'soon' }, '3'],
    ['too much', framed(Buffer.alloc(MESSAGE_MAX + 1)), {}, '8'],
  ] as const)(
    '%s gets a status and leaves the connection as it is',
    async (_, body, headers, status) => {
      const session = client((await serve()).port);
      expect(await callPort(session, body, headers)).toEqual({
        httpStatus: 200,
        grpcStatus: status,
      });
      expect(await callWith(session, CALL)).toMatchObject({ grpcStatus: '0' });
    },
  );

  test('by HTTP gets a status of HTTP', async () => {
    const session = client((await serve()).port);
    const get = { ':method': 'GET' };
    expect(await callPort(session, Buffer.alloc(0), get)).toMatchObject({ httpStatus: 405 });
    const json = { 'content-type': 'application/json' };
    expect(await callPort(session, Buffer.from('{}'), json)).toMatchObject({ httpStatus: 415 });
  });
});

test('a call that is longer or shorter than it said is reset', async () => {
  const { port } = await serve();
  const peer = peerOf(port).begin();
  for (const [id, more] of [
    [1, 1],
    [3, -1],
    [5, 0],
  ] as const) {
    const length = String(framed(CALL).length + more);
    const block = headerBlock({ ...CALL_HEADERS, 'content-length': length });
    peer.write(
      frame(KIND.HEADERS, END_HEADERS, id, block),
      frame(KIND.DATA, END_STREAM, id, framed(CALL)),
    );
  }
  expect([await peer.reset(1), await peer.reset(3)]).toEqual([1, 1]);
  expect((await peer.next(({ kind }) => kind === KIND.DATA))?.streamId).toBe(5);
});

test('calls without a decision and broken connections are counted', async () => {
  const registry = createRegistry();
  const { port } = await serve(undefined, { registry });
  const session = client(port);
  await callPort(session, Buffer.from([1, 0, 0, 0, 0]));
  await callPort(session, Buffer.alloc(0), { ':path': '/' });
  await callPort(session, Buffer.alloc(0), { ':method': 'GET' });
  const peer = peerOf(port).begin(Buffer.alloc(5));
  await peer.goAway();
  const text = await registry.metrics();
  expect(text).toContain('keyward_gate_grpc_failures_total{reason="Compressed"} 1');
  expect(text).toContain('keyward_gate_grpc_failures_total{reason="UnknownMethod"} 1');
  expect(text).toContain('keyward_gate_grpc_failures_total{reason="NoGrpc"} 1');
  expect(text).toContain('keyward_gate_grpc_broken_connections_total{error="FrameSize"} 1');
});

describe('health', () => {
  const ask = (port: number, service: string) =>
    callPort(client(port), framed(delimited(1, service)), {
      ':path': '/grpc.health.v1.Health/Check',
    });

  test('is told as the gate sees it', async () => {
    let failing: string | undefined;
    const { port } = await serve(undefined, { failing: () => failing });
    expect((await ask(port, '')).message?.toString('hex')).toBe('0801');
    failing = 'no database';
    const service = 'envoy.service.auth.v3.Authorization';
    expect((await ask(port, service)).message?.toString('hex')).toBe('0802');
    expect(await ask(port, 'other')).toMatchObject({ grpcStatus: '5' });
  });
});

describe('a peer', () => {
  // Node's client holds us to HPACK: it takes no headers that do not begin with the new size.
  test.each([
    ['an answer', CALL_HEADERS[':path'], 'POST', '0'],
    ['a failure', '/', 'POST', '12'],
    ['a status', CALL_HEADERS[':path'], 'GET', ''],
  ] as const)(
    'that remembers no headers can read %s, from its first call on',
    async (_, path, method, grpcStatus) => {
      const session = client((await serve()).port, { headerTableSize: 0 });
      const headers = { ':path': path, ':method': method };
      for (let i = 0; i < 2; i += 1) {
        expect(await callPort(session, framed(CALL), headers)).toMatchObject({ grpcStatus });
      }
    },
  );

  test('that remembers less and less, and then more, can read all answers', async () => {
    const session = client((await serve()).port);
    for (const headerTableSize of [4_096, 100, 0, 65_536, 4_096, 0]) {
      const { promise, resolve } = Promise.withResolvers<void>();
      session.settings({ headerTableSize }, () => resolve());
      await promise;
      expect(await callWith(session, CALL)).toMatchObject({ grpcStatus: '0' });
    }
  });

  test('that does not want much at a time gets its answer in pieces', async () => {
    const { port } = await serve();
    // Windows of three bytes.
    const peer = peerOf(port).begin(Buffer.from([0, 4, 0, 0, 0, 3]));
    peer.write(
      frame(KIND.HEADERS, END_HEADERS, 1, headerBlock(CALL_HEADERS)),
      frame(KIND.DATA, END_STREAM, 1, framed(CALL)),
    );
    const pieces: Buffer[] = [];
    const isOfAnswer = ({ kind, streamId }: { kind: number; streamId: number }) =>
      streamId === 1 && (kind === KIND.DATA || kind === KIND.HEADERS);
    for (let at = await peer.next(isOfAnswer); at; at = await peer.next(isOfAnswer)) {
      if ((at.flags & END_STREAM) !== 0) break;
      if (at.kind !== KIND.DATA) continue;
      expect(at.content.length).toBeLessThanOrEqual(3);
      pieces.push(at.content);
      peer.write(frame(KIND.WINDOW_UPDATE, 0, 1, Buffer.from([0, 0, 0, 3])));
    }
    expect(readAnswer(Buffer.concat(pieces).subarray(5))).toMatchObject({ code: 0 });
  });

  test('that answers no ping is dropped, and one that does is kept', async () => {
    const { port, clock } = await serve();
    const silent = peerOf(port).begin();
    await silent.settle();
    const lively = client(port);
    await callWith(lively, CALL);
    clock.advance(20_000);
    await callWith(lively, CALL);
    clock.advance(20_000);
    await silent.closed();
    expect(await callWith(lively, CALL)).toMatchObject({ grpcStatus: '0' });
  });

  test('that never ends its call has it ended, and that of others not', async () => {
    const { port, clock } = await serve();
    const peer = peerOf(port).begin();
    peer.write(
      frame(KIND.HEADERS, END_HEADERS, 1, headerBlock(CALL_HEADERS)),
      frame(KIND.DATA, 0, 1, framed(CALL)),
    );
    await peer.settle();
    clock.advance(6_000);
    peer.write(frame(KIND.HEADERS, END_HEADERS, 3, headerBlock(CALL_HEADERS)));
    await peer.settle();
    clock.advance(5_000);
    expect(await peer.reset(1)).toBe(8);
    peer.write(frame(KIND.DATA, END_STREAM, 3, framed(CALL)));
    expect((await peer.next(({ kind }) => kind === KIND.DATA))?.streamId).toBe(3);
  });

  test('with more calls than allowed has the rest refused', async () => {
    const { port } = await serve(undefined, { limits: { calls: 2 } });
    const peer = peerOf(port).begin();
    for (const id of [1, 3, 5]) {
      peer.write(frame(KIND.HEADERS, END_HEADERS, id, headerBlock(CALL_HEADERS)));
    }
    expect(await peer.reset(5)).toBe(7);
  });

  const HEADERS = headerBlock(CALL_HEADERS);
  const begun = frame(KIND.HEADERS, END_HEADERS, 1, HEADERS);
  test.each([
    ['speaks HTTP/1', 'GET / HTTP/1.1\r\n\r\n', 1],
    ['begins with something else than settings', [frame(KIND.PING, 0, 0, Buffer.alloc(8))], 1],
    ['sends data on no stream', [frame(KIND.DATA, 0, 0, Buffer.alloc(1))], 1],
    ['sends data on a stream that never was', [frame(KIND.DATA, 0, 7, Buffer.alloc(1))], 1],
    ['opens a stream of the server', [frame(KIND.HEADERS, END_HEADERS, 2, HEADERS)], 1],
    ['announces a frame beyond the limit', [Buffer.from('ffffff000000000001', 'hex')], 6],
    ['sends padding beyond the frame', [begun, frame(KIND.DATA, 8, 1, Buffer.from([9, 0]))], 1],
    ['sends headers that mean nothing', [frame(KIND.HEADERS, END_HEADERS, 1, Buffer.of(0xff))], 9],
    ['goes on without having begun', [frame(KIND.CONTINUATION, END_HEADERS, 1, HEADERS)], 1],
    [
      'mixes frames into headers',
      [frame(KIND.HEADERS, 0, 1, HEADERS), frame(KIND.PING, 0, 0, Buffer.alloc(8))],
      1,
    ],
    [
      'sends headers without end',
      [
        frame(KIND.HEADERS, 0, 1, Buffer.alloc(0)),
        ...Array.from({ length: 20 }, () => frame(KIND.CONTINUATION, 0, 1, Buffer.alloc(0))),
      ],
      11,
    ],
    [
      'opens a window too far',
      [frame(KIND.WINDOW_UPDATE, 0, 0, Buffer.from('7fffffff', 'hex'))],
      3,
    ],
    ['sends settings that are cut', [frame(KIND.SETTINGS, 0, 0, Buffer.alloc(5))], 6],
    ['sends settings by the thousand', [frame(KIND.SETTINGS, 0, 0, settings(2_000))], 11],
  ] as const)('that %s is told so and dropped', async (_, sent, error) => {
    const { port } = await serve();
    const peer = peerOf(port);
    if (typeof sent === 'string') peer.write(Buffer.from(sent));
    else if (sent[0] !== undefined && sent[0][3] === KIND.PING) {
      peer.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), ...sent);
    } else peer.begin().write(...sent);
    expect(await peer.goAway()).toBe(error);
    await peer.closed();
    expect(await callWith(client(port), CALL)).toMatchObject({ grpcStatus: '0' });
  });

  test('that opens calls only to drop them is dropped', async () => {
    const { port } = await serve(() => Promise.withResolvers<Decision>().promise);
    const peer = peerOf(port).begin();
    for (let id = 1; id <= 2_100; id += 2) {
      peer.write(
        frame(KIND.HEADERS, END_HEADERS, id, HEADERS),
        frame(KIND.RST_STREAM, 0, id, Buffer.from([0, 0, 0, 8])),
      );
    }
    expect(await peer.goAway()).toBe(11);
  });

  // What was asked for them goes on, so that neither way leads around the number of open calls.
  test.each([
    ['that opens a window by nothing', [KIND.WINDOW_UPDATE, 0, Buffer.alloc(4)]],
    ['that opens a window too far', [KIND.WINDOW_UPDATE, 0, Buffer.from('7fffffff', 'hex')]],
    ['that sends on after the end', [KIND.DATA, 0, Buffer.alloc(1)]],
    ['that makes a call wait for itself', [KIND.PRIORITY, 0, 'ItselfFirst']],
  ] as const)('%s to have its calls dropped is dropped', async (_, [kind, flags, content]) => {
    let asked = 0;
    const { port } = await serve(() => {
      asked += 1;
      return Promise.withResolvers<Decision>().promise;
    });
    const peer = peerOf(port).begin();
    for (let id = 1; id <= 2_100; id += 2) {
      const itself = Buffer.from([0, 0, id >> 8, id & 255, 0]);
      peer.write(
        frame(KIND.HEADERS, END_HEADERS, id, HEADERS),
        frame(KIND.DATA, END_STREAM, id, framed(CALL)),
        frame(kind, flags, id, content === 'ItselfFirst' ? itself : content),
      );
    }
    expect(await peer.goAway()).toBe(11);
    expect(asked).toBeLessThanOrEqual(1_001);
  });

  test.each([
    ['that connect and say nothing', []],
    ['that say what all say first', [Buffer.from(PREFACE), frame(KIND.SETTINGS, 0, 0, NOTHING)]],
    [
      'that asked once and keep their connections',
      [
        Buffer.from(PREFACE),
        frame(KIND.SETTINGS, 0, 0, NOTHING),
        frame(KIND.HEADERS, END_HEADERS, 1, headerBlock(CALL_HEADERS)),
        frame(KIND.DATA, END_STREAM, 1, framed(CALL)),
      ],
    ],
  ] as const)('is not kept out by others %s', async (_, said) => {
    const { port } = await serve(undefined, { limits: { connections: 8 } });
    for (let i = 0; i < 8; i += 1) {
      const peer = peerOf(port).write(...said);
      if (said.length > 2) await peer.next(({ kind }) => kind === KIND.DATA);
      else await peer.next(({ kind }) => kind === KIND.SETTINGS);
    }
    expect(await callWith(client(port), CALL)).toMatchObject({ grpcStatus: '0' });
  });

  test('that pings without reading the answers does not fill the memory', async () => {
    const { port } = await serve();
    const peer = peerOf(port).begin();
    peer.pause();
    const pings = Buffer.concat(
      Array.from({ length: 4_096 }, () => frame(KIND.PING, 0, 0, Buffer.alloc(8))),
    );
    for (let sent = 0; sent < 20; sent += 1) peer.write(pings);
    expect(await callWith(client(port), CALL)).toMatchObject({ grpcStatus: '0' });
    peer.resume();
    await peer.settle();
  });
});

describe('TLS', () => {
  const nowMs = Date.now();
  const authority = createAuthority('tests', nowMs);
  const server = { commonName: 'gate', usage: 'server', addresses: ['127.0.0.1'] } as const;
  const visitor = { commonName: 'envoy', usage: 'client' } as const;

  async function secure(): Promise<{
    readonly port: TestPort;
    readonly renew: () => Promise<string>;
  }> {
    const folder = await mkdtemp(join(tmpdir(), 'keyward-grpc-'));
    ends.push(() => rm(folder, { recursive: true }));
    const files = {
      certFile: join(folder, 'cert'),
      keyFile: join(folder, 'key'),
      clientCaFile: join(folder, 'ca'),
    };
    await writeFile(files.clientCaFile, authority.certificatePem);
    const renew = async (): Promise<string> => {
      const { certificatePem, privateKeyPem } = issue(authority, server, nowMs);
      await writeFile(files.certFile, certificatePem);
      await writeFile(files.keyFile, privateKeyPem);
      return new X509Certificate(certificatePem).serialNumber;
    };
    await renew();
    return { port: await serve(undefined, { tls: files }), renew };
  }

  function tlsClient({ port }: TestPort, client = issue(authority, visitor, nowMs)) {
    const session = connect(`https://127.0.0.1:${port}`, {
      ca: authority.certificatePem,
      cert: client.certificatePem,
      key: client.privateKeyPem,
    });
    session.on('error', () => undefined);
    ends.push(() => session.destroy());
    return session;
  }

  test('carries calls of those whose certificates are known, and of nobody else', async () => {
    const { port } = await secure();
    expect(await callWith(tlsClient(port), CALL)).toMatchObject({ grpcStatus: '0' });
    const stranger = issue(createAuthority('others', nowMs), visitor, nowMs);
    for (const session of [tlsClient(port, stranger), openClient(port.port)]) {
      const outcome = await callWith(session, CALL).catch(() => ({ httpStatus: 0 }));
      expect(outcome.httpStatus).toBe(0);
    }
  });

  test('goes on with a new certificate when its files change', async () => {
    const { port, renew } = await secure();
    const serial = await renew();
    await port.gate.reloadTls();
    const session = tlsClient(port);
    await callWith(session, CALL);
    const { socket } = session;
    if (!(socket instanceof TLSSocket)) throw new Error('no TLS');
    expect(socket.getPeerX509Certificate()?.serialNumber).toBe(serial);
  });
});

describe('closing', () => {
  test('tells the peer, answers calls that are on their way, and then ends', async () => {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    let asked = 0;
    const { gate, port } = await serve(() => (asked++ === 0 ? promise : YES));
    const peer = peerOf(port).begin();
    const call = (id: number) => [
      frame(KIND.HEADERS, END_HEADERS, id, headerBlock(CALL_HEADERS)),
      frame(KIND.DATA, END_STREAM, id, framed(CALL)),
    ];
    peer.write(...call(1));
    await peer.settle();
    const closed = gate.close();
    const first = await peer.next(({ kind }) => kind === KIND.GOAWAY);
    expect(first?.content.readUInt32BE(0)).toBe(2 ** 31 - 1);
    // Sent before the peer knew.
    peer.write(...call(3));
    expect((await peer.next(({ kind }) => kind === KIND.DATA))?.streamId).toBe(3);
    const ping = await peer.next(({ kind }) => kind === KIND.PING);
    peer.write(frame(KIND.PING, 1, 0, ping!.content));
    const second = await peer.next(({ kind }) => kind === KIND.GOAWAY);
    expect(second?.content.readUInt32BE(0)).toBe(3);
    peer.write(...call(5));
    expect(await peer.reset(5)).toBe(7);
    resolve(YES);
    expect((await peer.next(({ kind }) => kind === KIND.DATA))?.streamId).toBe(1);
    await peer.closed();
    await closed;
  });

  test('does not wait for ever', async () => {
    const { gate, port, clock } = await serve();
    const peer = peerOf(port).begin();
    await peer.settle();
    const closed = gate.close();
    clock.advance(5_000);
    await closed;
    await peer.closed();
    expect(clock.pendingTimers).toBe(0);
  });

  test('leaves no timer behind', async () => {
    const { gate, port, clock } = await serve(async () => YES);
    const session = client(port);
    await callWith(session, CALL);
    await gate.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
