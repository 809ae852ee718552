/** An API that is told from another by its host: no way of writing a host gets a key where it was not granted. */
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { expect, test } from 'vitest';
import { Books } from '../../support/gate.books.ts';
import { exchange } from '../../support/gate.call.ts';
import type { GatewayName } from '../../support/gate.site.ts';
import { describeBehind, type Chain } from '../../support/gate.suite.ts';

const INNER = 'inner.example';
const CLOSED = { hosts: [INNER], pathPrefix: '/v1', methods: [] };

/** Request line and host lines. */
const HOSTS: readonly (readonly [target: string, ...hosts: readonly string[]])[] = [
  ['/v1/x', INNER],
  ['/v1/x', 'INNER.Example'],
  ['/v1/x', `${INNER}:80`],
  ['/v1/x', `${INNER}:8443`],
  ['/v1/x', `${INNER}:0080`],
  ['/v1/x', `${INNER}:`],
  ['/v1/x', `${INNER}.`],
  ['/v1/x', `${INNER}..`],
  ['/v1/x', ` ${INNER}\t`],
  ['/v1/x', `api.example@${INNER}`],
  ['/v1/x', `${INNER}@api.example`],
  ['/v1/x', `api.example,${INNER}`],
  ['/v1/x', `${INNER}, api.example`],
  ['/v1/x', `${INNER}/v2`],
  ['/v1/x', `${INNER}#api.example`],
  ['/v1/x', `${INNER}\\api.example`],
  ['/v1/x', `%69nner.example`],
  ['/v1/x', `inner\u3002example`],
  ['/v1/x', `\uff49nner.example`],
  ['/v1/x', INNER, 'api.example'],
  ['/v1/x', 'api.example', INNER],
  ['/v1/x', 'api.example', `X-Forwarded-Host: ${INNER}`],
  [`http://${INNER}/v1/x`, 'api.example'],
  [`http://${INNER}:80/v1/x`, 'api.example'],
  [`http://INNER.example./v1/x`, 'api.example'],
  [`http://api.example@${INNER}/v1/x`, 'api.example'],
  [`http://api.example/v1/x`, INNER],
  [`//${INNER}/v1/x`, 'api.example'],
];

const BEHIND: readonly GatewayName[] = ['nginx', 'envoy', 'envoy-grpc', 'caddy', 'haproxy'];

for (const gateway of BEHIND) {
  describeBehind(gateway, 'hosts', (chain) => {
    test('no way of writing a host reaches an API that was not granted', async () => {
      const { site, key, front } = chain();
      await site.books.product('inner', 'ByGrant', [CLOSED]);
      const value = Books.valueOf(await key({ name: 'outer' }));
      for (const [target, ...hosts] of HOSTS) {
        const lines = hosts.map((host) => (host.startsWith('X-') ? host : `Host: ${host}`));
        const head = [`GET ${target} HTTP/1.1`, ...lines, `X-API-Key: ${value}`];
        await exchange(front.port, `${head.join('\r\n')}\r\nConnection: close\r\n\r\n`);
      }
      expect(innerOnes(chain())).toEqual([]);
      expect((await front.call({ headers: [`X-API-Key: ${value}`] })).status).toBe(200);
    });

    test('what some frameworks read instead of host and path reaches no API from a caller', async () => {
      const { site, key, show } = chain();
      const value = Books.valueOf(await key({ name: 'rewriter' }));
      site.api.forget();
      const headers = [
        `X-Forwarded-Host: ${INNER}`,
        `Forwarded: host=${INNER}`,
        `X-Original-URL: /inner`,
        `X-Rewrite-URL: /inner`,
      ];
      const { status } = await show(value, undefined, { headers });
      expect(status).toBe(200);
      const arrival = JSON.stringify(site.api.arrivals);
      expect(arrival.toLowerCase()).not.toContain('inner');
    });
  });
}

for (const gateway of ['envoy', 'envoy-grpc'] as const) {
  describeBehind(gateway, 'HTTP/2', (chain) => {
    test('authority, host and doubled headers are judged as the API will see them', async () => {
      const { site, key } = chain();
      await site.books.product('inner', 'ByGrant', [CLOSED]);
      const value = Books.valueOf(await key({ name: 'outer' }));
      const other = Books.valueOf(await key({ name: 'other' }));
      site.api.forget();
      const plain = { ':path': '/v1/x', ':authority': 'api.example', 'x-api-key': value };
      const odd: readonly OutgoingHttpHeaders[] = [
        { ...plain, ':authority': INNER },
        { ...plain, ':authority': `${INNER}:80` },
        { ...plain, ':authority': `${INNER}.` },
        { ...plain, ':authority': `api.example@${INNER}` },
        { ...plain, host: INNER },
        { ...plain, ':authority': INNER, host: 'api.example' },
        { ...plain, ':path': `http://${INNER}/v1/x` },
        { ...plain, ':path': `//${INNER}/v1/x` },
      ];
      for (const headers of odd) await askHttp2(chain(), headers);
      expect(innerOnes(chain())).toEqual([]);
      site.api.forget();
      const doubtful: readonly OutgoingHttpHeaders[] = [
        { ...plain, 'x-api-key': [value, value] },
        { ...plain, 'x-api-key': [value, other] },
        { ...plain, authorization: `Bearer ${value}` },
        { ...plain, x_api_key: value },
        { ...plain, 'x-keyward-client': 'root' },
      ];
      const statuses = [];
      for (const headers of doubtful) statuses.push(await askHttp2(chain(), headers));
      expect(statuses.filter((status) => status === 200)).toEqual([]);
      expect(site.api.arrivals).toEqual([]);
      expect(await askHttp2(chain(), plain)).toBe(200);
    });
  });
}

/** Calls that an API could take for calls of the inner host. */
function innerOnes({ site }: Chain): readonly unknown[] {
  return site.api.arrivals
    .map(({ target, headers }) => [headers['host'], target])
    .filter((seen) => JSON.stringify(seen).toLowerCase().includes('inner'));
}

/** Status, 0 where the stream ended without one. */
function askHttp2({ front }: Chain, headers: OutgoingHttpHeaders): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const session = connectHttp2(`http://127.0.0.1:${front.port}`);
  session.on('error', () => resolve(0));
  try {
    const stream = session.request(headers);
    stream.on('response', (answer) => resolve(Number(answer[':status'])));
    stream.on('error', () => resolve(0));
    stream.on('close', () => resolve(0));
    stream.resume().end();
  } catch {
    resolve(0);
  }
  return promise.finally(() => session.destroy());
}
