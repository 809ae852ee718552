import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createAuthority, issue } from '../../../control-plane/certificates.ts';
import {
  StoreFailure,
  type VendorRequest,
  type VendorResponse,
} from '../../../src/stores/contract.ts';
import type { Resolve } from '../../../src/stores/dialing.ts';
import {
  createVendorHttp,
  type ClosableHttp,
  type VendorHttpOptions,
} from '../../../src/stores/http.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, answering, startVendor, type Script, type VendorServer } from './vendorserver.ts';

const SECRET = 'value-that-must-not-leak';
const GET: VendorRequest = { method: 'GET', path: '/keys?x=%20', headers: {} };
const POST: VendorRequest = { method: 'POST', path: '/keys', headers: {}, body: '{"a":"ü"}' };
const LOCAL: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];

const closing: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

type Setting = {
  readonly server: VendorServer;
  readonly http: ClosableHttp;
  readonly clock: FakeClock;
};

async function setUp(script: Script, more: Partial<VendorHttpOptions> = {}): Promise<Setting> {
  const server = await startVendor(script);
  const clock = new FakeClock();
  const http = createVendorHttp({
    destination: { origin: new URL(`http://localhost:${server.port}`), reach: 'Loopback' },
    clock,
    resolve: LOCAL,
    version: 'test',
    ...more,
  });
  closing.push(() => http.close(), server.close);
  return { server, http, clock };
}

function send(http: ClosableHttp, request: VendorRequest = GET): Promise<VendorResponse> {
  return http.send(request, new AbortController().signal);
}

async function failure(pending: Promise<unknown>): Promise<StoreFailure> {
  const thrown = await pending.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof StoreFailure)) throw new Error('no StoreFailure', { cause: thrown });
  expect(thrown.message).not.toContain(SECRET);
  expect(thrown.cause).toBeUndefined();
  return thrown;
}

describe('the way out to a vendor', () => {
  test('sends the path as given, the length of the body in bytes, and no header it was not told', async () => {
    const { server, http } = await setUp(answering(answer(201, '{}')));
    const headers = { 'content-type': 'application/json', Host: 'other', 'Accept-Encoding': 'br' };
    await send(http, { ...POST, headers });
    expect(server.received[0]?.split('\r\n')).toEqual([
      'POST /keys HTTP/1.1',
      'content-type: application/json',
      `host: localhost:${server.port}`,
      'accept-encoding: identity',
      'user-agent: keyward/test',
      'content-length: 10',
      'Connection: keep-alive',
      '',
      '{"a":"ü"}',
    ]);
  });

  test.each([200, 201, 400, 401, 404, 429, 500, 503])(
    'answers status %i as it is',
    async (status) => {
      const { http } = await setUp(
        answering(answer(status, '{"é":1}', 'X-A: 1', 'Retry-After: 7')),
      );
      const response = await send(http);
      expect(response).toMatchObject({ status, body: '{"é":1}' });
      expect(response.headers).toMatchObject({ 'x-a': '1', 'retry-after': '7' });
    },
  );

  test('reads a body that ends with its connection', async () => {
    const { http } = await setUp((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n{}'));
    expect(await send(http)).toMatchObject({ status: 200, body: '{}' });
  });

  test('keeps a connection for the next request', async () => {
    const { server, http } = await setUp(answering(answer(200, '{}')));
    await send(http);
    await settle();
    await send(http);
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.match(/GET /g)).toHaveLength(2);
  });

  test.each([301, 302, 303, 307, 308, 304])('follows no redirect: %i', async (status) => {
    const target = await startVendor(answering(answer(200, SECRET)));
    closing.push(target.close);
    const location = `Location: http://127.0.0.1:${target.port}/?${SECRET}`;
    const { http } = await setUp(answering(answer(status, SECRET, location)));
    const { kind, executed, message } = await failure(send(http));
    expect([kind, executed]).toEqual(['Garbled', 'Unknown']);
    expect(message).toContain(`${status}`);
    expect(target.received).toEqual([]);
  });

  test.each(['gzip', 'br', 'x-other'])('refuses an answer encoded as %s', async (encoding) => {
    const body = gzipSync(SECRET);
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${body.length}`;
    const { http } = await setUp(answering(`${head}\r\n\r\n`, body));
    expect(await failure(send(http))).toMatchObject({ kind: 'Garbled', executed: 'Unknown' });
  });

  test.each([
    ['a body shorter than announced', `HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${SECRET}`],
    [
      'chunks without an end',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n`,
    ],
    ['no HTTP', `220 ${SECRET}\r\n\r\n`],
    ['two lengths', `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a head of 20 kB', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`],
  ])('calls %s garbled, and never says that nothing happened', async (_, bytes) => {
    const { http } = await setUp((socket, received) => {
      if (received.includes('\r\n\r\n')) socket.end(bytes);
    });
    expect(await failure(send(http, POST))).toMatchObject({ kind: 'Garbled', executed: 'Unknown' });
  });

  test('refuses what is not UTF-8', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
    const { http } = await setUp(answering(head, Buffer.from([0xc3, 0x28])));
    expect(await failure(send(http))).toMatchObject({ kind: 'Garbled' });
  });

  test('stops at the limit of a body that is announced as 50 MB without reading it', async () => {
    const { http } = await setUp(answering('HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n'));
    const { message } = await failure(send(http));
    expect(message).toContain('larger than 1048576 bytes');
  });

  test('stops at the limit of a body of 50 MB that announces nothing', async () => {
    let sent = 0;
    const piece = Buffer.alloc(65_536, 'x');
    const { http } = await setUp((socket, received) => {
      if (!received.includes('\r\n\r\n')) return;
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const pour = (): void => {
        for (; sent < 52_428_800 && !socket.destroyed; sent += piece.length) {
          socket.write('10000\r\n');
          socket.write(piece);
          if (!socket.write('\r\n')) return;
        }
      };
      socket.on('drain', pour);
      pour();
    });
    expect(await failure(send(http))).toMatchObject({ kind: 'Garbled', executed: 'Unknown' });
    expect(sent).toBeLessThan(52_428_800);
  });

  test('reads a list of more than 1 MiB where the request says so, and never more than 16 MiB', async () => {
    const { http } = await setUp(answering(answer(200, 'x'.repeat(2_000_000))));
    const { body } = await send(http, { ...GET, responseMaxBytes: 3_000_000 });
    expect(body).toHaveLength(2_000_000);
    const { http: other } = await setUp(
      answering('HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n'),
    );
    const { message } = await failure(send(other, { ...GET, responseMaxBytes: 1e9 }));
    expect(message).toContain('larger than 16777216 bytes');
  });

  test('gives up a vendor that says nothing', async () => {
    const { server, http, clock } = await setUp(() => undefined);
    const pending = failure(send(http, POST));
    await eventually(() => expect(server.received[0]).toContain('"ü"'));
    await clock.advanceSettled(10_000);
    expect(await pending).toMatchObject({ kind: 'Unavailable', executed: 'Unknown' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('gives up a vendor that drips for ever', async () => {
    let vendor: { write(text: string): unknown } | undefined;
    const { http, clock } = await setUp((socket) => {
      vendor = socket;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n');
    });
    const pending = failure(send(http));
    await eventually(() => expect(vendor).toBeDefined());
    for (let drop = 0; drop < 4; drop += 1) {
      vendor?.write('x');
      // oxlint-disable-next-line no-await-in-loop
      await clock.advanceSettled(4_000);
    }
    expect(await pending).toMatchObject({ kind: 'Unavailable', executed: 'Unknown' });
  });

  test('a connection that breaks before an answer leaves the outcome unknown', async () => {
    const { http } = await setUp((socket) => socket.destroy());
    expect(await failure(send(http, POST))).toMatchObject({
      kind: 'Unavailable',
      executed: 'Unknown',
    });
  });

  test('a request that is given up before it is sent was not carried out', async () => {
    const { http, server } = await setUp(answering(answer(200, '{}')));
    const gone = AbortSignal.abort();
    expect(await failure(http.send(POST, gone))).toMatchObject({ executed: 'No' });
    const control = new AbortController();
    const pending = failure(http.send(POST, control.signal));
    control.abort();
    expect(await pending).toMatchObject({ kind: 'Unavailable', executed: 'No' });
    expect(server.received.join('')).toBe('');
  });

  test('a request that is given up while it waits may have been carried out', async () => {
    const { http, server, clock } = await setUp(() => undefined);
    const control = new AbortController();
    const pending = failure(http.send(POST, control.signal));
    await eventually(() => expect(server.received[0]).toContain('"ü"'));
    control.abort();
    expect(await pending).toMatchObject({ kind: 'Unavailable', executed: 'Unknown' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('refuses characters that would break out of a header, without quoting them (L2)', async () => {
    const { http, server } = await setUp(answering(answer(200, '{}')));
    const headers = { 'x-key': `${SECRET}\r\nX-Other: 1` };
    expect(await failure(send(http, { ...GET, headers }))).toMatchObject({
      kind: 'Refused',
      executed: 'No',
    });
    const path = `/a b\r\n${SECRET}`;
    expect(await failure(send(http, { ...GET, path }))).toMatchObject({ kind: 'Refused' });
    expect(server.received).toEqual([]);
  });
});

describe('connecting', () => {
  test('to a closed port says that nothing was sent', async () => {
    const { server, http } = await setUp(() => undefined);
    await server.close();
    const { kind, executed, message } = await failure(send(http, POST));
    expect([kind, executed]).toEqual(['Unavailable', 'No']);
    expect(message).toContain('ECONNREFUSED');
  });

  test('to a name that is unknown says that nothing was sent', async () => {
    const resolve: Resolve = () => Promise.reject(new Error(SECRET));
    const { http } = await setUp(() => undefined, { resolve });
    expect(await failure(send(http, POST))).toMatchObject({ kind: 'Unavailable', executed: 'No' });
  });

  test('ends in time when DNS does not answer', async () => {
    const resolve: Resolve = () => Promise.withResolvers<never>().promise;
    const { http, clock } = await setUp(() => undefined, { resolve });
    const pending = failure(send(http, POST));
    await clock.advanceSettled(5_000);
    expect(await pending).toMatchObject({ kind: 'Unavailable', executed: 'No' });
  });

  test.each([
    ['the metadata service', '169.254.169.254'],
    ['the metadata service by IPv6', 'fd00:ec2::254'],
    ['this machine', '127.0.0.1'],
    ['this machine by IPv6', '::1'],
    ['this machine in disguise', '::ffff:127.0.0.1'],
    ['a private network', '10.0.0.1'],
    ['no address at all', 'file'],
  ])('to a vendor whose name leads to %s is refused (R13)', async (_, address) => {
    const { http, server } = await reaching(async () => [
      { address: '198.51.99.7', family: 4 },
      { address, family: address.includes(':') ? 6 : 4 },
    ]);
    const { kind, executed, message } = await failure(send(http, POST));
    expect([kind, executed]).toEqual(['Unavailable', 'No']);
    expect(message).toContain('public address');
    expect(message).not.toContain(address);
    expect(server.received).toEqual([]);
  });

  test.each(['https://127.0.0.1', 'https://2130706433', 'https://[::ffff:7f00:1]', 'https://0/'])(
    'to %s is refused whatever DNS would say (R13)',
    async (url) => {
      const { http, server } = await reaching(
        async () => [{ address: '198.51.99.7', family: 4 }],
        url,
      );
      expect(await failure(send(http, POST))).toMatchObject({ executed: 'No' });
      expect(server.received).toEqual([]);
    },
  );

  test('to a listed loopback host whose name leads away is refused', async () => {
    const resolve: Resolve = async () => [{ address: '198.51.99.7', family: 4 }];
    const { http } = await setUp(() => undefined, { resolve });
    const { message } = await failure(send(http, POST));
    expect(message).toContain('loopback');
  });

  test('asks DNS once for each connection, so a name that changes its mind gains nothing (R13)', async () => {
    let asked = 0;
    const resolve: Resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
    };
    const { http, server } = await setUp(answering(answer(200, '{}')), { resolve });
    expect(await send(http)).toMatchObject({ status: 200 });
    expect(asked).toBe(1);
    expect(server.received).toHaveLength(1);
  });

  test('needs a certificate that is trusted and names the host; else not a byte is sent', async () => {
    const { server, trustedPem } = await tlsVendor('localhost');
    const origin = new URL(`https://localhost:${server.port}`);
    const http = tlsHttp(origin);
    const { kind, executed, message } = await failure(send(http, POST));
    expect([kind, executed]).toEqual(['Unavailable', 'No']);
    expect(message).toMatch(/\(UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/);
    const named = tlsHttp(new URL(`https://other.localhost:${server.port}`), trustedPem);
    const misnamed = await failure(send(named, POST));
    expect(misnamed.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(server.received.join('')).toBe('');
    expect(await send(tlsHttp(origin, trustedPem), POST)).toMatchObject({ status: 200 });
  });
});

async function reaching(resolve: Resolve, url?: string): Promise<Setting> {
  const server = await startVendor(answering(answer(200, '{}')));
  const clock = new FakeClock();
  const origin = new URL(url ?? `https://vendor.example`);
  origin.port = `${server.port}`;
  const destination = { origin, reach: 'Public' } as const;
  const http = createVendorHttp({ destination, clock, resolve, version: 'test' });
  closing.push(() => http.close(), server.close);
  return { server, http, clock };
}

async function tlsVendor(name: string) {
  const nowMs = Date.now();
  const authority = createAuthority('test', nowMs);
  const issued = issue(authority, { commonName: name, usage: 'server', dnsNames: [name] }, nowMs);
  const server = await startVendor(answering(answer(200, '{}')), issued);
  closing.push(server.close);
  return { server, trustedPem: authority.certificatePem };
}

function tlsHttp(origin: URL, trustedPem?: string): ClosableHttp {
  const http = createVendorHttp({
    destination: { origin, reach: 'Loopback' },
    clock: new FakeClock(),
    resolve: LOCAL,
    version: 'test',
    ...(trustedPem === undefined ? {} : { trustedPem }),
  });
  closing.push(() => http.close());
  return http;
}
