import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../../src/gate/decision.ts';
import { Registry } from 'prom-client';
import { ALLOWED, nginxRequest, request, sendRaw, startGate } from './rawgate.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';
const ASKED = nginxRequest(`X-API-Key: ${KEY}`);
const VERIFY = request(
  ['POST /v1/verify HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Length: 2'],
  '{}',
);

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function statusOf(socket: Socket, text: string): Promise<string> {
  socket.write(text, 'latin1');
  const [chunk] = await once(socket, 'data');
  return String(chunk).slice(0, 12);
}

describe('a connection of a gateway', () => {
  test('answers plain requests, others, and plain ones again, each in its turn', async () => {
    await using gate = await startGate();
    const socket = await open(gate.port);
    const yes = 'HTTP/1.1 204';
    expect(await statusOf(socket, ASKED)).toBe(yes);
    expect(await statusOf(socket, ASKED)).toBe(yes);
    expect(await statusOf(socket, VERIFY)).toBe('HTTP/1.1 400');
    expect(await statusOf(socket, ASKED)).toBe(yes);
    expect(await statusOf(socket, ASKED + ASKED)).toBe(yes);
    socket.destroy();
  });

  test('understands requests that come in pieces, cut anywhere', async () => {
    await using gate = await startGate();
    const cuts = [1, 10, 25, 26, 60, ASKED.length - 3, ASKED.length - 1];
    for (const cut of cuts) {
      const socket = await open(gate.port);
      socket.setNoDelay(true);
      socket.write(ASKED.slice(0, cut));
      // Another connection's answer comes behind the piece.
      await sendRaw(gate.port, ASKED);
      expect(await statusOf(socket, ASKED.slice(cut))).toBe('HTTP/1.1 204');
      socket.destroy();
    }
  });

  test('says the same as a connection of Node', async () => {
    await using gate = await startGate();
    const plain = await sendRaw(gate.port, ASKED);
    // Two at once are no plain request.
    const { text } = await sendRaw(gate.port, ASKED + ASKED, 2);
    expect(text).toBe(plain.text + plain.text);
  });

  test('that asks on while its call is decided is answered in order', async () => {
    await using gate = await startGate();
    const { promise, resolve } = Promise.withResolvers<Decision>();
    gate.decider.decideNow = () => promise;
    const socket = await open(gate.port);
    socket.write(ASKED);
    await expect.poll(() => gate.decider.calls.length).toBe(1);
    socket.write(ASKED);
    socket.write(VERIFY);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    resolve(ALLOWED);
    await expect.poll(() => text.match(/HTTP\/1.1 \d+/g)).toHaveLength(3);
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 204', 'HTTP/1.1 204', 'HTTP/1.1 400']);
    socket.destroy();
  });

  test('gets no answer at all where a yes holds what cannot be written', async () => {
    await using gate = await startGate();
    for (const odd of ['a\r\nX-Other: b', 'a\nb', 'a\0', '\u00e9', '\u{1f511}']) {
      gate.decider.decideNow = () => ({ ...ALLOWED, headers: ['X-Keyward-Name', odd] });
      expect(await sendRaw(gate.port, ASKED)).toMatchObject({ statuses: [], closed: true });
    }
  });

  test('that sends its request in crumbs is served all the same', async () => {
    await using gate = await startGate();
    const socket = await open(gate.port);
    socket.setNoDelay(true);
    for (const [index, crumb] of [...ASKED].entries()) {
      socket.write(crumb);
      // Another connection's answer comes behind the crumb.
      if (index % 8 === 0) await sendRaw(gate.port, ASKED);
    }
    expect(await statusOf(socket, '')).toBe('HTTP/1.1 204');
    socket.destroy();
  });

  test('that asks and asks and fetches no answer is not heard any more, until it does', async () => {
    await using gate = await startGate();
    const headers = ['X-Keyward-Name', 'a'.repeat(60_000)];
    gate.decider.decideNow = () => ({ ...ALLOWED, headers });
    const socket = await open(gate.port);
    socket.setNoDelay(true);
    const { calls } = gate.decider;
    const isHeard = async (): Promise<boolean> => {
      const before = calls.length;
      socket.write(ASKED);
      for (let turn = 0; turn < 50 && calls.length === before; turn += 1) {
        // Other connections get their turn.
        await sendRaw(gate.port, request(['GET /nowhere HTTP/1.1', 'Host: a']));
      }
      return calls.length > before;
    };
    while (await isHeard()) expect(calls.length).toBeLessThan(1_000);
    const heard = calls.length;
    socket.resume();
    await expect.poll(() => calls.length).toBe(heard + 1);
    socket.destroy();
  });

  test('that sends its head in 1 000 pieces is served, and those beside it meanwhile', async () => {
    await using gate = await startGate();
    const socket = await open(gate.port);
    socket.setNoDelay(true);
    const head = nginxRequest(`X-API-Key: ${KEY}`, `X-Long: ${'a'.repeat(30_000)}`);
    const size = Math.ceil(head.length / 1_000);
    for (let at = 0; at < head.length; at += size) {
      socket.write(head.slice(at, at + size));
      // Another connection's answer comes behind some of the pieces.
      if (at % (50 * size) === 0) await sendRaw(gate.port, ASKED);
    }
    expect(await statusOf(socket, '')).toBe('HTTP/1.1 204');
    socket.destroy();
  });

  test('that closes its sending side while its call is decided is over, as with Node', async () => {
    for (const parser of ['Fast', 'Node'] as const) {
      await using gate = await startGate({ parser });
      const { promise, resolve } = Promise.withResolvers<Decision>();
      gate.decider.decideNow = () => promise;
      const socket = await open(gate.port);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      const closed = once(socket, 'close');
      socket.end(ASKED);
      await expect.poll(() => gate.decider.calls.length).toBe(1);
      await closed;
      resolve(ALLOWED);
      gate.decider.decideNow = () => ALLOWED;
      expect((await sendRaw(gate.port, ASKED)).statuses).toEqual([204]);
      expect(text).toBe('');
    }
  });

  test('that closes its sending side in the middle of a head is told 400, and nobody is asked', async () => {
    await using gate = await startGate();
    const socket = await open(gate.port);
    socket.end(ASKED.slice(0, -1));
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 400 /);
    await once(socket, 'close');
    expect(gate.decider.calls).toEqual([]);
  });

  test('that is reset while its call is decided leaves nothing behind', async () => {
    const registry = new Registry();
    await using gate = await startGate({ registry });
    const { promise, resolve } = Promise.withResolvers<Decision>();
    gate.decider.decideNow = () => promise;
    const socket = await open(gate.port);
    socket.write(ASKED);
    await expect.poll(() => gate.decider.calls.length).toBe(1);
    socket.resetAndDestroy();
    resolve(ALLOWED);
    const connections = /^keyward_gate_http_connections 0$/m;
    await expect.poll(async () => connections.test(await registry.metrics())).toBe(true);
  });

  test('ends when the gateway ends it', async () => {
    await using gate = await startGate();
    const socket = await open(gate.port);
    expect(await statusOf(socket, ASKED)).toBe('HTTP/1.1 204');
    socket.end();
    await once(socket, 'close');
  });
});
