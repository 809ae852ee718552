import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../../src/gate/decision.ts';
import { REFUSALS } from '../../../../src/terms/refusals.ts';
import { Registry } from 'prom-client';
import { ALLOWED, nginxRequest, request, sendRaw, startGate, type RawAnswer } from './rawgate.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';
const REFUSED: Decision = { type: 'Refused', refusal: REFUSALS.UnknownKey, profile: 'Keyward' };

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the gate closes. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

describe('requests in a row on one connection', () => {
  test('each get their own answer, in order, also when decisions come late and crosswise (G9)', async () => {
    await using gate = await startGate();
    const waiting: ((decision: Decision) => void)[] = [];
    gate.decider.decideNow = () => {
      const { promise, resolve } = Promise.withResolvers<Decision>();
      waiting.push(resolve);
      // The last one is decided first.
      if (waiting.length === 3) {
        waiting[2]?.(ALLOWED);
        waiting[1]?.(REFUSED);
        waiting[0]?.(REFUSED);
      }
      return promise;
    };
    const bytes = [1, 2, 3].map((n) => nginxRequest(`X-API-Key: ${KEY}${n}`)).join('');
    const { statuses } = await sendRaw(gate.port, bytes, 3);
    expect(statuses).toEqual([401, 401, 204]);
  });

  test('end with the first that makes no sense; no yes comes behind it', async () => {
    await using gate = await startGate();
    const bytes = `${nginxRequest(`X-API-Key: ${KEY}`)}nonsense\r\n\r\n${nginxRequest(`X-API-Key: ${KEY}`)}`;
    const { statuses, closed } = await sendRaw(gate.port, bytes, 9);
    expect({ statuses, closed }).toEqual({ statuses: [204, 400], closed: true });
    expect(gate.decider.calls).toHaveLength(1);
  });

  test('that make no sense while a decision is on its way end the connection without a yes', async () => {
    await using gate = await startGate();
    const { promise, resolve } = Promise.withResolvers<Decision>();
    gate.decider.decideNow = () => promise;
    const { statuses } = await sendRaw(
      gate.port,
      `${nginxRequest(`X-API-Key: ${KEY}`)}nonsense\r\n\r\n`,
    );
    resolve(ALLOWED);
    await promise;
    expect(statuses).toEqual([400]);
  });
});

describe('a body on the path of a gateway', () => {
  test('is not taken for another request', async () => {
    await using gate = await startGate();
    const inner = nginxRequest(`X-API-Key: ${KEY}`);
    const bytes = request(
      ['GET /auth/nginx HTTP/1.1', 'Host: a', `Content-Length: ${inner.length}`],
      inner,
    );
    const { statuses, closed } = await sendRaw(gate.port, bytes);
    expect({ statuses, closed }).toEqual({ statuses: [401], closed: false });
    expect(gate.decider.calls).toMatchObject([{ credential: { type: 'None' } }]);
  });

  test('that is long, or without declared end, costs the connection', async () => {
    await using gate = await startGate();
    for (const header of ['Content-Length: 65537', 'Transfer-Encoding: chunked']) {
      const bytes = request(['POST /auth/nginx HTTP/1.1', 'Host: a', header]);
      const { statuses, closed } = await sendRaw(gate.port, bytes);
      expect({ statuses, closed }).toEqual({ statuses: [401], closed: true });
    }
  });

  test('is not asked for, whoever waits for a go', async () => {
    await using gate = await startGate();
    const { statuses, closed } = await sendRaw(
      gate.port,
      request([
        'POST /auth/nginx HTTP/1.1',
        'Host: a',
        'Expect: 100-continue',
        'Content-Length: 5',
      ]),
    );
    expect({ statuses, closed }).toEqual({ statuses: [401], closed: true });
  });
});

describe("Envoy's copy of a body", () => {
  const SIGNED = `Authorization: DGRK abc.${'A'.repeat(43)}=`;
  const post = (body: string, ...headers: readonly string[]): string =>
    request(
      ['POST /auth/envoy/v1 HTTP/1.1', 'Host: a', `Content-Length: ${body.length}`, ...headers],
      body,
    );

  test('is read where the credential signs it', async () => {
    await using gate = await startGate();
    const { statuses, closed } = await sendRaw(gate.port, post('{"a":1}', SIGNED));
    expect({ statuses, closed }).toEqual({ statuses: [200], closed: false });
    expect(gate.decider.calls).toMatchObject([
      { credential: { type: 'BodySigned' }, profile: 'DigiRunner', body: Buffer.from('{"a":1}') },
    ]);
  });

  test.each<[string, string, readonly string[]]>([
    ['is not known where none came: Envoy may not have been told to send it', '', [SIGNED]],
    [
      'is not known where it is the beginning only',
      '{"a":1}',
      [SIGNED, 'X-Envoy-Auth-Partial-Body: true'],
    ],
    ['is not known where it is longer than 64 KiB', ' '.repeat(65_537), [SIGNED]],
    ['is not read where nothing signs it', '{"a":1}', [`X-API-Key: ${KEY}`]],
  ])('%s', async (_, body, headers) => {
    await using gate = await startGate();
    await sendRaw(gate.port, post(body, ...headers));
    expect(gate.decider.calls.map((call) => call.body)).toEqual([undefined]);
  });

  test('whose sender leaves before its end is not decided about', async () => {
    await using gate = await startGate();
    const socket = await open(gate.port);
    socket.write(
      request(['POST /auth/envoy/v1 HTTP/1.1', 'Host: a', 'Content-Length: 9', SIGNED], '{'),
    );
    socket.end();
    expect(await readAll(socket)).not.toContain('200 OK');
    expect(gate.decider.calls).toEqual([]);
  });
});

describe('a client that leaves', () => {
  test('while its call is decided hurts nobody', async () => {
    await using gate = await startGate();
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<Decision>();
    gate.decider.decideNow = () => {
      wasAsked();
      return promise;
    };
    const socket = await open(gate.port);
    socket.write(nginxRequest(`X-API-Key: ${KEY}`));
    await asked;
    socket.resetAndDestroy();
    await once(socket, 'close');
    resolve(ALLOWED);
    gate.decider.decideNow = () => REFUSED;
    expect((await sendRaw(gate.port, nginxRequest())).statuses).toEqual([401]);
  });
});

describe('limits', () => {
  test('end a connection that says nothing or stops in the middle of its headers (G17)', async () => {
    await using gate = await startGate({ limits: { headerTimeMs: 40 } });
    const silent = await open(gate.port);
    const slow = await open(gate.port);
    slow.write('GET /auth/nginx HTTP/1.1\r\nX-Slow: ');
    const texts = await Promise.all([readAll(silent), readAll(slow)]);
    for (const text of texts) expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('end a request whose body does not come', async () => {
    await using gate = await startGate({ limits: { headerTimeMs: 30, requestTimeMs: 40 } });
    const socket = await open(gate.port);
    socket.write(
      request([
        'POST /v1/verify HTTP/1.1',
        'Host: a',
        'Content-Type: application/json',
        'Content-Length: 9',
      ]),
    );
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 408 /);
    expect(gate.decider.calls).toEqual([]);
  });

  test('end a connection that was idle too long', async () => {
    await using gate = await startGate({ limits: { idleTimeMs: 20 } });
    const socket = await open(gate.port);
    socket.write(nginxRequest(`X-API-Key: ${KEY}`));
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 204 /);
  });

  test('of connections cost the oldest that has not asked anything (G17)', async () => {
    await using gate = await startGate({ limits: { connections: 2 } });
    const silent = [await open(gate.port), await open(gate.port)];
    const ended = once(silent[0]!, 'close');
    expect((await sendRaw(gate.port, nginxRequest(`X-API-Key: ${KEY}`))).statuses).toEqual([204]);
    await ended;
    expect(silent[1]?.destroyed).toBe(false);
    silent[1]?.destroy();
  });

  test('of connections cost those that are idle where all have asked', async () => {
    await using gate = await startGate({ limits: { connections: 2 } });
    const idle = [await open(gate.port), await open(gate.port)];
    for (const socket of idle) {
      socket.write(nginxRequest(`X-API-Key: ${KEY}`));
      await once(socket, 'data');
    }
    const ended = Promise.all(idle.map((socket) => once(socket, 'close')));
    expect((await sendRaw(gate.port, nginxRequest(`X-API-Key: ${KEY}`))).statuses).toEqual([204]);
    await ended;
  });

  test('of connections turn away the new one where all wait for their answers', async () => {
    const registry = new Registry();
    await using gate = await startGate({ limits: { connections: 2 }, registry });
    const { promise, resolve } = Promise.withResolvers<Decision>();
    gate.decider.decideNow = () => promise;
    // One more than that may come in while nobody can tell who is idle.
    const waiting: Promise<RawAnswer>[] = [];
    for (const number of [1, 2, 3]) {
      waiting.push(sendRaw(gate.port, nginxRequest(`X-API-Key: ${KEY}`)));
      await expect.poll(() => gate.decider.calls.length).toBe(number);
    }
    expect((await sendRaw(gate.port, nginxRequest(`X-API-Key: ${KEY}`))).statuses).toEqual([]);
    resolve(ALLOWED);
    for (const { statuses } of await Promise.all(waiting)) expect(statuses).toEqual([204]);
    const text = await registry.metrics();
    expect(text).toContain('keyward_gate_http_bad_requests_total{kind="TooMany"} 1');
  });

  test('of headers are counted in bytes and in number', async () => {
    await using gate = await startGate({ limits: { headerBytes: 1_024, headers: 8 } });
    const long = nginxRequest(`X-Long: ${'a'.repeat(1_100)}`);
    const many = nginxRequest(...Array.from({ length: 8 }, (_, i) => `A-${i}: 1`));
    expect((await sendRaw(gate.port, long)).statuses).toEqual([431]);
    expect((await sendRaw(gate.port, many)).statuses).toEqual([431]);
  });

  test('are told apart in the metrics', async () => {
    const registry = new Registry();
    await using gate = await startGate({ registry });
    await sendRaw(gate.port, 'nonsense\r\n\r\n');
    await sendRaw(gate.port, nginxRequest(`X-Long: ${'a'.repeat(40_000)}`));
    await sendRaw(gate.port, request(['GET /nowhere HTTP/1.1', 'Host: a']));
    const text = await registry.metrics();
    expect(text).toContain('keyward_gate_http_bad_requests_total{kind="Malformed"} 1');
    expect(text).toContain('keyward_gate_http_bad_requests_total{kind="TooLarge"} 1');
    expect(text).toContain('keyward_gate_http_bad_requests_total{kind="UnknownPath"} 1');
  });
});

describe('closing', () => {
  test('lets an answer that is on its way arrive, and takes no new connection', async () => {
    const gate = await startGate({ limits: { drainTimeMs: 5_000 } });
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<Decision>();
    gate.decider.decideNow = () => {
      wasAsked();
      return promise;
    };
    const socket = await open(gate.port);
    socket.write(nginxRequest(`X-API-Key: ${KEY}`));
    await asked;
    const closing = gate.close();
    expect((await sendRaw(gate.port, nginxRequest())).statuses).toEqual([]);
    resolve(ALLOWED);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 204 /);
    await closing;
    await gate.close();
  });

  test('does not wait for a decision that never comes', async () => {
    const gate = await startGate({ limits: { drainTimeMs: 60 } });
    gate.decider.decideNow = () => new Promise(() => undefined);
    const answer = sendRaw(gate.port, nginxRequest(`X-API-Key: ${KEY}`));
    await expect.poll(() => gate.decider.calls.length).toBe(1);
    await gate.close();
    expect((await answer).statuses).toEqual([]);
  });
});
