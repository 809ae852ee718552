import { connect } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/runtime/listening.ts';
import type { Exposition } from '../../../src/kernel/exposition.ts';
import { serveProbes, type Check, type Probes } from '../../../src/runtime/probes.ts';
import type { Admit } from '../../../src/runtime/scrapeauth.ts';

const open: Probes[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((probes) => probes.close()));
});

type Setting = {
  readonly live?: readonly Check[];
  readonly ready?: readonly Check[];
  readonly expositions?: readonly Exposition[];
  readonly admit?: Admit;
};

async function setUp(checks: Setting = {}) {
  const registry = new Registry();
  const probes = await serveProbes({
    address: '127.0.0.1:0',
    registry,
    live: checks.live ?? [],
    ready: checks.ready ?? [],
    ...(checks.expositions === undefined ? {} : { expositions: checks.expositions }),
    ...(checks.admit === undefined ? {} : { admit: checks.admit }),
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

  test('leave out the checks that the caller excludes, and no others', async () => {
    const { get } = await setUp({ ready: [fine('caches'), failing('database', 'frozen')] });
    expect((await get('/readyz?exclude=database')).status).toBe(200);
    expect((await get('/readyz?exclude=database&verbose')).body).toBe(
      '[+]caches ok\n[+]database excluded: ok\nreadyz check passed\n',
    );
    const other = await get('/readyz?exclude=nothing');
    expect(other.status).toBe(503);
    expect(other.body).toContain('there are none of that name');
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

  test('write what is scraped beside the registry in pieces, and skip empty ones', async () => {
    const expositions = [
      { families: [], pieces: () => ['a 1\n', '', 'b 2\n'] },
      { families: [], pieces: () => [`c{x="${'y'.repeat(200_000)}"} 3\n`] },
    ];
    const { get, registry } = await setUp({ expositions });
    new Gauge({ name: 'answer', help: 'the answer', registers: [registry] }).set(42);
    const { status, body } = await get('/metrics');
    expect(status).toBe(200);
    expect(body).toContain('answer 42\na 1\nb 2\nc{x="yyy');
    expect(body.endsWith('"} 3\n')).toBe(true);
  });

  test('cut a scrape off whose end cannot be collected, and answer the next one', async () => {
    let isBroken = true;
    const pieces = function* (): Iterable<string> {
      yield 'a 1\n';
      if (isBroken) throw new Error('broken collector');
    };
    const { get } = await setUp({ expositions: [{ families: [], pieces }] });
    await expect(get('/metrics')).rejects.toThrow('terminated');
    isBroken = false;
    expect((await get('/metrics')).status).toBe(200);
  });

  test.each([
    { admission: 'Unauthenticated', status: 401 },
    { admission: 'Forbidden', status: 403 },
    { admission: 'TooMany', status: 429 },
    { admission: 'Unavailable', status: 503 },
  ] as const)('answer a scrape that is $admission with $status and no metric', async (given) => {
    const asked: (string | undefined)[] = [];
    const admit: Admit = (authorization) => {
      asked.push(authorization);
      return Promise.resolve(given.admission);
    };
    const { get, registry } = await setUp({ admit, ready: [fine('caches')] });
    new Gauge({ name: 'answer', help: 'the answer', registers: [registry] }).set(42);
    const refused = await get('/metrics', { headers: { authorization: 'Bearer abc' } });
    expect(refused.status).toBe(given.status);
    expect(refused.body).not.toContain('answer');
    expect(refused.headers.get('www-authenticate')).toBe(
      given.status === 401 ? 'Bearer realm="metrics"' : null,
    );
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/livez')).status).toBe(200);
    expect(asked).toEqual(['Bearer abc']);
  });

  test('refuse more scrapes at the same time than anybody needs', async () => {
    const waiting = Promise.withResolvers<'Allowed'>();
    const { get } = await setUp({ admit: () => waiting.promise });
    const scrapes = Array.from({ length: 9 }, () => get('/metrics'));
    expect((await Promise.race(scrapes)).status).toBe(503);
    waiting.resolve('Allowed');
    const statuses = (await Promise.all(scrapes)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([
      200, 200, 200, 200, 200, 200, 200, 200, 503,
    ]);
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
