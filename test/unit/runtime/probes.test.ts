import { connect } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/runtime/listening.ts';
import { serveProbes, type Check, type Probes } from '../../../src/runtime/probes.ts';

const open: Probes[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((probes) => probes.close()));
});

async function setUp(checks: { live?: readonly Check[]; ready?: readonly Check[] } = {}) {
  const registry = new Registry();
  const probes = await serveProbes({
    address: '127.0.0.1:0',
    registry,
    live: checks.live ?? [],
    ready: checks.ready ?? [],
  });
  open.push(probes);
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://${probes.address}${path}`, init);
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  return { get, probes, registry };
}

const fine = (name: string): Check => ({ name, failing: () => undefined });
const failing = (name: string, why: string): Check => ({ name, failing: () => why });

describe('probes', () => {
  test('answer ok when all checks pass, and list them when asked to', async () => {
    const { get } = await setUp({ ready: [fine('caches'), fine('database')] });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect((await get('/readyz?verbose')).body).toBe(
      '[+]caches ok\n[+]database ok\nreadyz check passed\n',
    );
  });

  test('name the check that fails and why', async () => {
    const { get } = await setUp({
      ready: [fine('database'), failing('caches', 'waiting for caches: apikeys')],
    });
    const { status, body } = await get('/readyz');
    expect(status).toBe(503);
    expect(body).toContain('[-]caches failed: waiting for caches: apikeys\n');
    expect(body).toContain('readyz check failed');
  });

  test('tell alive from ready', async () => {
    const { get } = await setUp({ ready: [failing('caches', 'empty')] });
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
  });

  test('serve the metrics in the format of Prometheus', async () => {
    const { get, registry } = await setUp();
    new Gauge({ name: 'answer', help: 'the answer', registers: [registry] }).set(42);
    const { body, headers } = await get('/metrics');
    expect(body).toContain('answer 42');
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
  });

  test('go on when the metrics cannot be collected', async () => {
    const { get, registry } = await setUp();
    const collect = (): void => {
      throw new Error('broken collector');
    };
    const broken = new Gauge({ name: 'broken', help: 'broken', registers: [registry], collect });
    expect(broken).toBeDefined();
    expect((await get('/metrics')).status).toBe(500);
    expect((await get('/livez')).status).toBe(200);
  });

  test('answer GET only, and nothing else', async () => {
    const { get } = await setUp();
    const posted = await get('/livez', { method: 'POST', body: 'x' });
    expect(posted.status).toBe(405);
    expect(posted.headers.get('allow')).toBe('GET');
    expect((await get('/')).status).toBe(404);
    expect((await get('//livez')).status).toBe(404);
  });

  test('refuse oversized headers', async () => {
    const { get } = await setUp();
    expect((await get('/livez', { headers: { x: 'y'.repeat(9_000) } })).status).toBe(431);
  });

  test('close at once although a connection is open', async () => {
    const { probes } = await setUp();
    const socket = connect(Number(probes.address.split(':')[1]), '127.0.0.1');
    const connected = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    socket.once('connect', () => connected.resolve());
    socket.once('close', () => ended.resolve());
    // Being cut off may surface as a reset; the close that follows is what counts.
    socket.on('error', () => undefined);
    await connected.promise;
    socket.write('GET /livez HTTP/1.1\r\n');
    await probes.close();
    await ended.promise;
    await probes.close();
    expect(socket.destroyed).toBe(true);
  });

  test('say on which address they cannot listen', async () => {
    const { probes } = await setUp();
    const again = serveProbes({
      address: probes.address,
      registry: new Registry(),
      live: [],
      ready: [],
    });
    await expect(again).rejects.toMatchObject({
      class: 'Terminal',
      reason: 'AddressUnavailable',
      message: `cannot listen on '${probes.address}': another program listens there; --metrics-address takes another address`,
    });
  });
});

describe('addresses', () => {
  test.each([
    { text: '127.0.0.1:8080', host: '127.0.0.1', port: 8080 },
    { text: ':8080', host: undefined, port: 8080 },
    { text: '[::1]:0', host: '::1', port: 0 },
    { text: 'localhost:65535', host: 'localhost', port: 65_535 },
  ])('$text is understood', ({ text, host, port }) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });

  test.each(['', '8080', 'host', 'host:', 'host:65536', '::1:80', 'a b:80', 'host:-1'])(
    "'%s' is refused",
    (text) => {
      expect(() => parseAddress(text)).toThrow('is not HOST:PORT');
    },
  );
});
