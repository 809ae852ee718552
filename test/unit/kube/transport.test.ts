import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TransportFailure } from '../../../src/kube/connection.ts';
import { type HttpRequest, Transport } from '../../../src/kube/transport.ts';
import { FakeClock } from '../../support/clock.ts';
import { ScriptedServer, until } from './scriptedserver.ts';

const GET: HttpRequest = { method: 'GET', path: '/a', accept: 'application/json' };
const POST: HttpRequest = {
  method: 'POST',
  path: '/a',
  accept: 'application/json',
  contentType: 'application/json',
  body: '{"text":"grüße"}',
};

let clock: FakeClock;
let server: ScriptedServer;
let transport: Transport;

beforeEach(async () => {
  clock = new FakeClock();
  server = await ScriptedServer.start((_seen, reply) => reply.json(200, { ok: true }));
  transport = new Transport({ access: server.access(), clock, version: '1.2.3' });
});

afterEach(async () => {
  transport.close();
  await server.stop();
});

async function failureOf(sending: Promise<unknown>): Promise<TransportFailure> {
  const thrown: unknown = await sending.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (thrown instanceof TransportFailure) return thrown;
  throw new Error('expected a TransportFailure');
}

describe('a request', () => {
  test('carries who we are and its exact length in bytes', async () => {
    await transport.send(POST);
    const [seen] = server.seen;
    expect(seen?.head).toContain('User-Agent: keyward/1.2.3');
    expect(seen?.head).toContain('Authorization: Bearer one');
    expect(seen?.head).toContain(`Host: 127.0.0.1:${server.port}`);
    expect(seen?.body).toBe(POST.body);
  });

  test('says in whose name it is made', async () => {
    const impersonation = {
      user: 'jin@example.com',
      uid: '7',
      groups: ['a', 'b'],
      extra: [['example.com/scopes', 'x']],
    } as const;
    const other = new Transport({
      access: { ...server.access(), impersonation },
      clock,
      version: '1.2.3',
    });
    await other.send(GET);
    other.close();
    const head = server.seen[0]?.head ?? '';
    expect(head.split('\r\n').filter((line) => line.startsWith('Impersonate-'))).toEqual([
      'Impersonate-User: jin@example.com',
      'Impersonate-Uid: 7',
      'Impersonate-Group: a',
      'Impersonate-Group: b',
      'Impersonate-Extra-example.com%2Fscopes: x',
    ]);
  });

  test('goes over a connection that is there already', async () => {
    for (let count = 0; count < 5; count += 1) await transport.send(POST);
    expect(server.connections).toBe(1);
  });

  test('never shares a connection with another that is under way', async () => {
    await Promise.all(Array.from({ length: 8 }, () => transport.send(GET)));
    expect(server.connections).toBe(8);
  });

  test.each([5, 30, 70])(
    'gets its own answer, though others come between its byte %i and the rest',
    async (split) => {
      const answer = (path: string): string => {
        const body = JSON.stringify({ path });
        return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Filler: ${'x'.repeat(20)}\r\n\r\n${body}`;
      };
      const rests: (() => void)[] = [];
      server.script = ({ path }, reply) => {
        reply.raw(answer(path).slice(0, split));
        rests.push(() => reply.raw(answer(path).slice(split)));
      };
      const paths = ['/a', '/bb', '/ccc'];
      const sent = paths.map((path) => transport.send({ ...GET, path }));
      await server.requests(paths.length);
      server.script = ({ path }, reply) => reply.json(200, { path });
      await transport.send({ ...GET, path: '/in-between' });
      for (const rest of rests) rest();
      const bodies = (await Promise.all(sent)).map(({ body }) => body.toString());
      expect(bodies).toEqual(paths.map((path) => JSON.stringify({ path })));
    },
  );

  test('opens a new connection after Connection: close', async () => {
    server.script = (_seen, reply) => reply.json(200, {}, 'Connection: close\r\n');
    await transport.send(GET);
    await transport.send(GET);
    expect(server.connections).toBe(2);
  });

  test('does not use a connection on which bytes came that nobody asked for', async () => {
    await transport.send(GET);
    for (const socket of server.sockets) socket.write('HTTP/1.1 408 Timeout\r\n\r\n');
    await until(() => transport.connections === 0);
    await transport.send(GET);
    expect(server.connections).toBe(2);
  });
});

describe('a kept connection that died', () => {
  test('costs a GET nothing: it is sent once more on a new one', async () => {
    await transport.send(GET);
    server.script = (seen, reply) =>
      seen.connection === 1 ? void reply.socket.destroy() : reply.json(200, {});
    const response = await transport.send(GET);
    expect(response.head.status).toBe(200);
    expect(server.seen).toHaveLength(3);
  });

  test('leaves the outcome of a write unknown, and the write is not repeated', async () => {
    await transport.send(GET);
    server.script = (_seen, reply) => void reply.socket.destroy();
    const failure = await failureOf(transport.send(POST));
    expect(failure).toMatchObject({ phase: 'NoAnswer', kind: 'Closed' });
    expect(server.seen).toHaveLength(2);
  });

  test('is not repeated more than once for a GET', async () => {
    await transport.send(GET);
    server.script = (_seen, reply) => void reply.socket.destroy();
    await failureOf(transport.send(GET));
    expect(server.seen).toHaveLength(3);
  });
});

describe('an answer that cannot be trusted fails and its connection is gone', () => {
  test.each([
    ['a torn body', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"half', 'Closed'],
    ['a torn chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{"half', 'Closed'],
    ['a torn head', 'HTTP/1.1 200 OK\r\nContent-Le', 'Closed'],
    ['a garbage status line', 'hello\r\n\r\n', 'Malformed'],
  ])('%s', async (_why, text, kind) => {
    server.script = (_seen, reply) => void reply.socket.end(text);
    const failure = await failureOf(transport.send(POST));
    expect(failure).toMatchObject({ phase: 'TornAnswer', kind });
    expect(transport.connections).toBe(0);
    expect(server.seen).toHaveLength(1);
  });
});

describe('deadlines', () => {
  test('a server that says nothing is given up after 15 s', async () => {
    server.script = () => undefined;
    const sending = failureOf(transport.send(POST));
    await server.requests(1);
    clock.advance(15_250);
    expect(await sending).toMatchObject({ phase: 'NoAnswer', kind: 'Deadline' });
  });

  test('a server that begins and does not end is given up after 30 s', async () => {
    const pieces: number[] = [];
    server.script = (_seen, reply) => reply.raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1');
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const onChunk = (chunk: Buffer): void => {
      pieces.push(chunk.length);
      resolve();
    };
    // A stream tells when the first bytes have arrived; the silence limit stands for the end.
    const sending = failureOf(transport.send({ ...GET, onChunk, silenceMs: 30_000 }));
    await begun;
    clock.advance(29_000);
    expect(transport.connections).toBe(1);
    clock.advance(1_250);
    expect(await sending).toMatchObject({ phase: 'TornAnswer', kind: 'Deadline' });
  });

  test('idle connections are dropped after 60 s, before the server would do it', async () => {
    await transport.send(GET);
    clock.advance(59_000);
    expect(transport.connections).toBe(1);
    clock.advance(1_500);
    expect(transport.connections).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a refused connection proves that nothing was sent', async () => {
    await server.stop();
    expect(await failureOf(transport.send(POST))).toMatchObject({ phase: 'NotSent' });
  });

  test('a call ends when its signal is aborted, before or after it was sent', async () => {
    server.script = () => undefined;
    expect(await failureOf(transport.send({ ...POST, signal: AbortSignal.abort() }))).toMatchObject(
      { phase: 'NotSent', kind: 'Aborted' },
    );
    const abort = new AbortController();
    const sending = failureOf(transport.send({ ...POST, signal: abort.signal }));
    await server.requests(1);
    abort.abort();
    expect(await sending).toMatchObject({ phase: 'NoAnswer', kind: 'Aborted' });
    expect(transport.connections).toBe(0);
  });
});

describe('credentials', () => {
  test('a new token is used from the next request on', async () => {
    let token = 'Bearer one';
    const rotating = new Transport({
      access: server.access(() => token),
      clock,
      version: '1',
    });
    await rotating.send(GET);
    token = 'Bearer two';
    await rotating.renewCredentials();
    await rotating.send(GET);
    rotating.close();
    expect(server.seen.map((seen) => /Bearer \w+/.exec(seen.head)?.[0])).toEqual([
      'Bearer one',
      'Bearer two',
    ]);
  });
});
