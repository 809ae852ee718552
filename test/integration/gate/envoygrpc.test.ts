/** What a real Envoy and the gRPC port say to each other, on the configuration that we ship. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority, issue } from '../../../control-plane/certificates.ts';
import { findEnvoy, startEnvoy } from '../../../control-plane/envoy.ts';
import type { Proxy } from '../../../control-plane/proxy.ts';
import { freePort } from '../../../control-plane/ports.ts';
import { readShipped } from '../../../control-plane/shipped.ts';
import type { Call } from '../../../src/gate/call.ts';
import type { Decision } from '../../../src/gate/decision.ts';
import { serveGrpc } from '../../../src/gate/grpc/server.ts';
import type { GatePort } from '../../../src/gate/port.ts';
import type { TlsFiles } from '../../../src/gate/http/tls.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { createRegistry } from '../../../src/kernel/metrics.ts';
import type { StoreProfile } from '../../../src/ledger/documents.ts';
import { REFUSALS } from '../../../src/terms/refusals.ts';
import { startEchoApi, type EchoApi } from '../../support/gate.api.ts';
import { call, exchange, type Answer, type Outgoing } from '../../support/gate.call.ts';

const isThere = (await findEnvoy()) !== undefined;

const YES: Decision = {
  type: 'Allowed',
  caller: { keyId: 'AbCd', namespace: 'shop', name: 'one' },
  headers: ['X-Keyward-Key-Id', 'AbCd', 'X-Keyward-Namespace', 'shop', 'X-Keyward-Name', 'one'],
};
const KEY = 'X-API-Key: kw_one';
const SIGNED = `Authorization: DGRK kw_one.${'A'.repeat(43)}=`;

describe.skipIf(!isThere)('Envoy by gRPC', () => {
  let api: EchoApi;
  let gate: GatePort;
  let envoy: Proxy | undefined;
  let ports: { readonly gateway: number; readonly grpc: number };
  let decide: (call: Call) => Decision | Promise<Decision>;
  const calls: Call[] = [];

  beforeEach(async () => {
    api = await startEchoApi();
    ports = { gateway: await freePort(), grpc: await freePort() };
    decide = () => YES;
    calls.splice(0);
    gate = await startGate();
  });
  afterEach(async () => {
    await envoy?.stop();
    await gate.close();
    await api.close();
  });

  function startGate(tls?: TlsFiles): Promise<GatePort> {
    return serveGrpc(
      {
        tls,
        address: `127.0.0.1:${ports.grpc}`,
        reading: { keyHeaders: ['X-API-Key'], trustedProxies: [] },
        limits: { drainTimeMs: 200 },
        clock: systemClock,
        log: silentLogger,
        registry: createRegistry(),
      },
      {
        decide(asked) {
          calls.push(asked);
          return decide(asked);
        },
      },
    );
  }

  /** @param change makes of the shipped file what its comments offer */
  async function start(change: (text: string) => string = (text) => text): Promise<void> {
    const { gateway, grpc } = ports;
    const text = await readShipped('envoy/grpc.yaml', { gateway, gate: 1, grpc, api: api.port });
    envoy = await startEnvoy(change(text), gateway);
  }

  const send = (outgoing: Omit<Outgoing, 'port'> = {}): Promise<Answer> =>
    call({ port: ports.gateway, ...outgoing });

  const refuse = (cause: keyof typeof REFUSALS, profile: StoreProfile): void => {
    decide = () => ({ type: 'Refused', refusal: REFUSALS[cause], profile });
  };

  test('the gate sees the call as the API will, and the API the caller and no key', async () => {
    await start();
    const headers = [KEY, 'Origin: https://o.example', 'X-Forwarded-For: 198.51.100.1'];
    const answer = await send({ method: 'PUT', target: '/v1/./a//b%20c?d=e', headers });
    expect(answer.status).toBe(200);
    expect(calls).toEqual([
      expect.objectContaining({
        credential: { type: 'Value', value: 'kw_one' },
        method: 'PUT',
        target: '/v1/a/b%20c?d=e',
        host: 'api.example',
        origin: 'https://o.example',
        address: '127.0.0.1',
        isSpoofed: false,
      }),
    ]);
    const [arrival] = api.arrivals;
    expect(arrival).toMatchObject({ method: 'PUT', target: '/v1/a/b%20c?d=e' });
    expect(arrival?.headers).toMatchObject({
      'x-keyward-key-id': ['AbCd'],
      'x-keyward-namespace': ['shop'],
      'x-keyward-name': ['one'],
    });
    expect(arrival?.headers['x-api-key']).toBeUndefined();
  });

  test('Authorization reaches the API where it holds no key, and only then', async () => {
    await start();
    await send({ headers: [KEY, 'Authorization: Basic eDp5'] });
    await send({ headers: ['Authorization: Bearer kw_one'] });
    await send({ headers: [SIGNED] });
    const seen = api.arrivals.map(({ headers }) => headers['authorization']);
    expect(seen).toEqual([['Basic eDp5'], undefined, undefined]);
  });

  test('headers of the gate are seen by the gate, which refuses them', async () => {
    await start();
    await send({ headers: [KEY, 'X-Keyward-Name: somebody', 'x-KEYWARD-anything: else'] });
    expect(calls[0]?.isSpoofed).toBe(true);
  });

  test('were the gate to let them pass, its own words would replace them', async () => {
    await start();
    await send({ headers: [KEY, 'X-Keyward-Name: somebody', 'X-Keyward-Name: else'] });
    expect(api.arrivals[0]?.headers['x-keyward-name']).toEqual(['one']);
  });

  test.each([
    ['as they came', (text: string) => text],
    ['joined by Envoy', (text: string) => text.replace('encode_raw_headers: true', '')],
  ])('two keys in one call are doubtful, with headers %s', async (_, change) => {
    await start(change);
    await send({ headers: [KEY, 'X-API-Key: kw_two'] });
    await send({ headers: [KEY, 'Authorization: Bearer kw_two'] });
    await send({ headers: ['Authorization: Bearer kw_one', 'Authorization: Bearer kw_two'] });
    const types = calls.map(({ credential }) => credential.type);
    expect(types).toEqual(['Ambiguous', 'Ambiguous', 'Ambiguous']);
  });

  test('bytes beyond ASCII are seen as they came', async () => {
    await start();
    await send({ headers: ['X-API-Key: kw_\xe9'] });
    expect(calls[0]?.credential.type).toBe('Ambiguous');
  });

  test.each([
    ['UnknownKey', 'Keyward', 401, '{"reason":"InvalidKey","message":"the API key is not valid"}'],
    ['Unlisted', 'VisitSeoul', 403, '"result_code":403'],
    ['QuotaUsedUp', 'Naver', 429, '"errorCode":"400"'],
    ['QuotaUsedUp', 'Solapi', 429, '"errorCode":"QuotaExceeded"'],
    ['StateUnknown', 'Keyward', 503, '"reason":"Unavailable"'],
  ] as const)('%s of %s is %d with the body of the store', async (cause, profile, status, body) => {
    refuse(cause, profile);
    await start();
    const answer = await send({ headers: [KEY] });
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(body);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'x-keyward-reason': REFUSALS[cause].reason,
    });
    expect('www-authenticate' in answer.headers).toBe(status === 401);
    expect(api.arrivals).toEqual([]);
  });

  test('a gate that is not there is a 403, and one that comes back is asked again', async () => {
    await start();
    expect((await send({ headers: [KEY] })).status).toBe(200);
    await gate.close();
    expect((await send({ headers: [KEY] })).status).toBe(403);
    gate = await startGate();
    await expect.poll(async () => (await send({ headers: [KEY] })).status).toBe(200);
    expect(api.arrivals.length).toBeGreaterThan(1);
  });

  test('a gate that is slow is a 403', async () => {
    decide = () => Promise.withResolvers<Decision>().promise;
    await start((text) => text.replace('timeout: 2s', 'timeout: 0.2s'));
    expect((await send({ headers: [KEY] })).status).toBe(403);
    expect(calls).toHaveLength(1);
    expect(api.arrivals).toEqual([]);
  });

  test('calls that are on their way when the gate closes are answered', async () => {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    decide = () => promise;
    await start();
    const waiting = Array.from({ length: 20 }, () => send({ headers: [KEY] }));
    await expect.poll(() => calls.length).toBe(20);
    const closed = gate.close();
    resolve(YES);
    const statuses = (await Promise.all(waiting)).map(({ status }) => status);
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 200));
    await closed;
  });

  test('Envoy and gate prove to each other who they are, and without that nobody is let in', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keyward-envoy-tls-'));
    const nowMs = Date.now();
    const authority = createAuthority('tests', nowMs);
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const addresses = ['127.0.0.1'];
    const own = issue(authority, { commonName: 'gate', usage: 'server', addresses }, nowMs);
    const its = issue(authority, { commonName: 'envoy', usage: 'client' }, nowMs);
    const ca = await write('ca', authority.certificatePem);
    await gate.close();
    gate = await startGate({
      certFile: await write('cert', own.certificatePem),
      keyFile: await write('key', own.privateKeyPem),
      clientCaFile: ca,
    });
    const certificate = await write('envoy-cert', its.certificatePem);
    const key = await write('envoy-key', its.privateKeyPem);
    const transport = (shown: string): string => `transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          common_tls_context:
            ${shown}
            validation_context:
              trusted_ca: {filename: ${ca}}
              match_typed_subject_alt_names: [{san_type: IP_ADDRESS, matcher: {exact: 127.0.0.1}}]
      typed_extension_protocol_options:`;
    const chain = `{certificate_chain: {filename: ${certificate}}, private_key: {filename: ${key}}}`;
    for (const [shown, status] of [
      [`tls_certificates: [${chain}]`, 200],
      ['', 403],
    ] as const) {
      await envoy?.stop();
      await start((text) => text.replace('typed_extension_protocol_options:', transport(shown)));
      expect((await send({ headers: [KEY] })).status).toBe(status);
    }
    expect(api.arrivals).toHaveLength(1);
    await rm(folder, { recursive: true });
  });

  test('the product is the one of the route', async () => {
    await start((text) => text.replace('#product# ', ''));
    await send({ headers: [KEY] });
    expect(calls[0]?.product).toBe('places');
  });

  describe('bodies', () => {
    const post = async (body: string, more = ''): Promise<string> => {
      const length = Buffer.byteLength(body, 'latin1');
      const lines = ['POST /v1 HTTP/1.1', 'Host: a', 'Connection: close', SIGNED];
      const head = `${lines.join('\r\n')}\r\n${more}Content-Length: ${length}\r\n\r\n`;
      return exchange(ports.gateway, head + body);
    };
    const bodies = (): readonly (string | undefined)[] =>
      calls.map(({ body }) => body && Buffer.from(body).toString('latin1'));

    test('are not known unless Envoy is told to pass them on', async () => {
      await start();
      await post('{"a":1}');
      await post('');
      await post('', 'X-Envoy-Auth-Partial-Body: false\r\n');
      expect(bodies()).toEqual([undefined, undefined, undefined]);
    });

    test('are known byte by byte where it is, and empty ones too', async () => {
      await start((text) => text.replaceAll('#body# ', ''));
      await post('{"a":"\xff\x00"}');
      await post('');
      expect(bodies()).toEqual(['{"a":"\xff\x00"}', '']);
    });

    test('are not known when they are only a part, whatever the caller says', async () => {
      const allow = 'max_request_bytes: 4, allow_partial_message: true';
      await start((text) =>
        text.replaceAll('#body# ', '').replace('max_request_bytes: 65536', allow),
      );
      await post('{"a":1}', 'X-Envoy-Auth-Partial-Body: false\r\n');
      await post('{"a":1}');
      expect(bodies()).toEqual([undefined, undefined]);
    });
  });
});
