/** Callers who try to be somebody else, or somewhere else, through real gateways as we ship them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Books, type BookedKey } from '../../support/gate.books.ts';
import { exchange } from '../../support/gate.call.ts';
import type { GatewayName } from '../../support/gate.site.ts';
import { describeBehind, type Chain } from '../../support/gate.suite.ts';

const HELLO = '/v1/hello';
const ADMIN = { hosts: [], pathPrefix: '/v1/admin', methods: [] };

/** Ways to write /v1/admin/users, or something that a backend could take for it. */
const GAMES: readonly string[] = [
  '/v1/admin/users',
  '/v1//admin/users',
  '//v1/admin/users',
  '/v1/./admin/users',
  '/v1/x/../admin/users',
  '/x/../v1/admin/users',
  '/v1/%61dmin/users',
  '/v1/%2e/admin/users',
  '/v1/x/%2e%2e/admin/users',
  '/v1/x/.%2E/admin/users',
  '/v1%2fadmin/users',
  '/v1%2Fadmin%2fusers',
  '/v1%5cadmin/users',
  '/v1\\admin/users',
  '/v1/admin;x=1/users',
  '/v1;/admin/users',
  '/v1/x/..;/admin/users',
  '/v1/%2561dmin/users',
  '/v1/x%2f..%2fadmin/users',
  '/v1/ADMIN/users',
  '/V1/admin/users',
  '/v1/admin./users',
  '/v1/admin%00/users',
  '/v1/%00admin/users',
  '/v1/admin%20/users',
  '/v1/hello/%2e%2e/admin/users',
  '/v1/admin/users?x=/v1/hello',
  '/v1/admin/users#/v1/hello',
  'http://api.example/v1/admin/users',
  'http://other.example/v1/admin/users',
  'HTTP://api.example//v1/admin/users',
  '/v1/h%65llo/../admin/users',
  '/%76%31/admin/users',
  '/v1/%E0%80%AFadmin/users',
  '/v1/%c0%ae%c0%ae/admin/users',
  '*',
  'v1/admin/users',
];

/** Header lines that only a gateway or the gate may write. */
const FORGED: readonly string[] = [
  'X-Original-URI: /v1/hello',
  'X-Original-Method: OPTIONS',
  'X-Original-Host: other.example',
  'X-Forwarded-Uri: /v1/hello',
  'X-Forwarded-Method: OPTIONS',
  'X-Forwarded-Host: other.example',
  'X-Envoy-Original-Path: /v1/hello',
  'X-HTTP-Method-Override: OPTIONS',
  'X-Rewrite-URL: /v1/hello',
  'X-Original-Content-Length: 0',
  'X-Envoy-Auth-Partial-Body: false',
];

const GATE_ONLY: readonly string[] = [
  'X-Keyward-Key-Id: root',
  'X-Keyward-Client: root',
  'X-Keyward-Application: root',
  'X-Keyward-Quota-Remaining: 9',
  'X-Keyward-Reason: none',
  'X-Keyward-Product: hello',
  'x-keyward-anything: root',
];

/** What a framework may take for a header of the gate. */
const SPELLED: readonly string[] = [
  'X_Keyward_Client: root',
  'x_keyward_name: root',
  'X-Keyward_Client: root',
  'X_KEYWARD-KEY_ID: root',
  'X.Keyward.Client: root',
  'X~Keyward~Id: root',
  'X-Keyward.Client: root',
];

/** Wishes to have the gate's headers dropped between gateway and API. */
const DROPPING: readonly string[] = [
  'Connection: close, X-Keyward-Name',
  'Connection: X-Keyward-Name',
  'Connection: keep-alive,x-keyward-name',
  'Connection: close\r\nConnection: X-Keyward-Name',
  'Connection: te, X-KEYWARD-NAME',
  'Proxy-Connection: X-Keyward-Name',
];

const BEHIND: readonly GatewayName[] = ['nginx', 'envoy', 'envoy-grpc', 'caddy', 'haproxy'];

for (const gateway of BEHIND) {
  describeBehind(gateway, 'attacks', (chain) => {
    test('no way of writing a path gets a key where it was not granted', async () => {
      const { site, key, show } = chain();
      await site.books.product('admin', 'ByGrant', [ADMIN]);
      const value = Books.valueOf(await key({ name: 'plain' }));
      const through: string[] = [];
      for (const target of GAMES) {
        const { status } = await show(value, undefined, { target });
        if (status === 200) through.push(target);
      }
      // Whatever came through, the API must not have been asked for anything like it.
      const asked = site.api.arrivals.map(({ target }) => target);
      expect({ through, asked }).toEqual({ through: [], asked: [] });
      expect((await show(value, undefined, { target: HELLO })).status).toBe(200);
    });

    test('a granted key gets there, and by the same path that the gate judged', async () => {
      const { site, key, show } = chain();
      await site.books.product('admin', 'ByGrant', [ADMIN]);
      const wish = {
        name: 'granted',
        grant: { formUid: 'form-of-granted', round: 1 },
        terms: { productRefs: [{ name: 'admin' }] },
      };
      const value = Books.valueOf(await key(wish));
      expect((await show(value, undefined, { target: '/v1/admin/users?a=b' })).status).toBe(200);
      expect(site.api.arrivals.at(-1)?.target).toBe('/v1/admin/users?a=b');
    });

    test('headers that gateways write count for nothing when a caller writes them', async () => {
      const { site, key, show } = chain();
      await site.books.product('admin', 'ByGrant', [ADMIN]);
      const value = Books.valueOf(await key({ name: 'forger' }));
      for (const line of FORGED) {
        const more = { target: '/v1/admin/users', headers: [line] };
        expect([line, (await show(value, undefined, more)).status]).not.toContain(200);
      }
      expect(site.api.arrivals).toEqual([]);
    });

    test('a method that was not granted gets no call through, whichever one is claimed beside it', async () => {
      const { site, key, settle, show } = chain();
      const changing = { hosts: [], pathPrefix: '/v1/hello', methods: ['POST', 'DELETE'] };
      await site.books.product('changing', 'ByGrant', [changing]);
      const value = Books.valueOf(await key({ name: 'reader' }));
      const claims = [
        [],
        ['X-Original-Method: GET'],
        ['X-Forwarded-Method: GET'],
        ['X-HTTP-Method: GET'],
        ['X-Method-Override: GET'],
        ['Access-Control-Request-Method: GET'],
      ];
      const rows = [
        ...claims.flatMap((claim) => [['POST', ...claim] as const, ['DELETE', ...claim] as const]),
        ['post'] as const,
        ['Post'] as const,
      ];
      for (const [method, ...claim] of rows) {
        await show(value, undefined, { method, headers: [...claim, 'Content-Length: 0'] });
      }
      expect(site.api.arrivals.map(({ method }) => method)).toEqual([]);
      expect((await show(value)).status).toBe(200);
      // The tests behind this one post, too.
      await site.books.product('changing', 'ByGrant', []);
      await settle();
    });

    test('headers that only the gate may write get no call through', async () => {
      const { site, key, show } = chain();
      const value = Books.valueOf(await key({ name: 'spoofer' }));
      const statuses = [];
      for (const line of GATE_ONLY) {
        statuses.push((await show(value, undefined, { headers: [line] })).status);
      }
      const forged = site.api.arrivals.filter((each) => JSON.stringify(each).includes('root'));
      expect(forged).toEqual([]);
      // nginx writes this one itself, so a caller's is not even heard.
      const expected = GATE_ONLY.map((line) =>
        gateway === 'nginx' && line.includes('-Product') ? 200 : 403,
      );
      expect(statuses).toEqual(expected);
    });

    test("no spelling of the gate's headers reaches the API, and none of its own is dropped on the way", async () => {
      const { site, key, show } = chain();
      const value = Books.valueOf(await key({ name: 'speller' }));
      for (const line of SPELLED) await show(value, undefined, { headers: [line] });
      const forged = site.api.arrivals.filter((each) => JSON.stringify(each).includes('root'));
      expect(forged).toEqual([]);
      site.api.forget();
      for (const line of DROPPING) await show(value, undefined, { headers: [line] });
      const names = site.api.arrivals.map(({ headers }) => headers['x-keyward-name']);
      expect(names).toEqual(names.map(() => ['speller']));
      expect((await show(value)).status).toBe(200);
    });

    test('a key that is shown twice, in two places or under two names gets no call through', async () => {
      const { site, key, show, front } = chain();
      const value = Books.valueOf(await key({ name: 'twice' }));
      const other = Books.valueOf(await key({ name: 'another' }));
      site.api.forget();
      const lines = [
        [`X-API-Key: ${value}`],
        [`X-API-Key: ${other}`],
        [`X-API-Key:`],
        [`Authorization: Bearer ${value}`],
        [`Authorization: Bearer ${other}`],
        [`X-API-Key : ${value}`],
        [`X-API-Key: ${value}\r\n ${value}`],
      ];
      for (const headers of lines) {
        const { status } = await show(value, undefined, { headers });
        expect([headers.join(), status]).not.toContain(200);
      }
      const odd = [
        `X-API-Key: ${value}, ${value}`,
        `X-API-Key: ${value},${other}`,
        `X-API-Key: ${value}\u0000`,
        `X-API-Key: \u00ef\u00bb\u00bf${value}`,
        `X-API-Key: ${value}\u00a0`,
        `X_API_Key: ${value}`,
        `X-API_Key: ${value}`,
        `X-API-Key: "${value}"`,
        `X-API-Key: ${value}${'x'.repeat(100_000)}`,
        `Authorization: Bearer  ${value} ${value}`,
        `Authorization: Basic ${Buffer.from(`${value}:`).toString('base64')}`,
        `Cookie: X-API-Key=${value}`,
      ];
      for (const line of odd) {
        const { status } = await front.call({ headers: [line] });
        expect([line.slice(0, 120), status]).not.toContain(200);
      }
      const { status } = await front.call({ target: `${HELLO}?api_key=${value}` });
      expect(status).not.toBe(200);
      expect(site.api.arrivals).toEqual([]);
    });

    test('a Connection header that names the key takes nothing past the gate', async () => {
      const { site, key } = chain();
      const live = await key({ name: 'hop' });
      const off = await key({ name: 'hop-off', state: 'Suspended' });
      for (const hop of ['X-API-Key', 'X-Original-URI', 'X-Real-IP, X-API-Key', 'Authorization']) {
        const { status } = await hopping(chain(), off, hop);
        expect([hop, status]).not.toContain(200);
        await hopping(chain(), live, hop);
      }
      const told = site.api.arrivals.map(({ headers }) => headers['x-keyward-key-id']?.[0]);
      expect(told.every((keyId) => keyId === live.keyId)).toBe(true);
    });

    test('smuggled and pipelined requests are each judged, or nobody gets an answer', async () => {
      const { site, key, front } = chain();
      const value = Books.valueOf(await key({ name: 'smuggler' }));
      const inner = `GET /v1/inner HTTP/1.1\r\nHost: api.example\r\n\r\n`;
      const head = (more: string): string =>
        `POST ${HELLO} HTTP/1.1\r\nHost: api.example\r\nX-API-Key: ${value}\r\n${more}\r\n`;
      const length = `Content-Length: ${inner.length}\r\n`;
      for (const text of [
        head(`Transfer-Encoding: chunked\r\n${length}`) + `0\r\n\r\n${inner}`,
        head(`Content-Length: 0\r\n${length}`) + inner,
        head(`Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n`) + `0\r\n\r\n${inner}`,
        head(`Transfer-Encoding: xchunked\r\n${length}`) + inner,
        head(`Content-Length: 0\r\n`) + inner,
        head(`Transfer-Encoding : chunked\r\n${length}`) + `0\r\n\r\n${inner}`,
      ]) {
        await exchange(
          front.port,
          `${text}GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        );
      }
      expect(site.api.arrivals.filter(({ target }) => target === '/v1/inner')).toEqual([]);
    });

    test('the key is in no log of the gateway or the gate, and not with the API', async () => {
      const { site, key, show, front } = chain();
      const live = await key({ name: 'logged' });
      const off = await key({ name: 'logged-off', state: 'Suspended' });
      const secrets = [live, off].map((each) => Books.valueOf(each).slice(20, 60));
      for (const each of [live, off]) {
        await show(Books.valueOf(each));
        await front.call({ headers: [`Authorization: Bearer ${Books.valueOf(each)}`] });
      }
      expect(site.api.arrivals).toHaveLength(2);
      const texts = [JSON.stringify(site.api.arrivals), site.gate.said, ...(await logsOf(chain()))];
      for (const secret of secrets) {
        expect(texts.filter((text) => text.includes(secret))).toEqual([]);
      }
    });
  });
}

describeBehind(
  'nginx',
  'a key in the query',
  (chain) => {
    test('is taken where that is switched on, cut out of what goes on, and in no log', async () => {
      const { site, key, front } = chain();
      const live = await key({ name: 'asked-for' });
      const value = Books.valueOf(live);
      const targets = {
        [`${HELLO}?api_key=${value}`]: HELLO,
        [`${HELLO}?a=1&api_key=${value}`]: `${HELLO}?a=1`,
        [`${HELLO}?api_key=${value}&b=2`]: `${HELLO}?b=2`,
        [`${HELLO}?a=1&api_key=${value}&b=2`]: `${HELLO}?a=1&b=2`,
      };
      for (const [target, expected] of Object.entries(targets)) {
        expect([target, (await front.call({ target })).status]).toContain(200);
        expect(site.api.arrivals.at(-1)?.target).toBe(expected);
      }
      site.api.forget();
      const refused = [
        { target: `${HELLO}?api_key=${value}&api_key=${value}` },
        { target: `${HELLO}?api%5fkey=${value}` },
        { target: `${HELLO}?a=1;api_key=${value}` },
        { target: `${HELLO}?API_KEY=${value}` },
        { target: `${HELLO}?api_key=${value}`, headers: [`X-API-Key: ${value}`] },
      ];
      for (const each of refused) expect((await front.call(each)).status).toBe(401);
      expect(site.api.arrivals).toEqual([]);
      const texts = await logsOf(chain());
      expect(texts.filter((text) => text.includes(value.slice(20, 60)))).toEqual([]);
    });
  },
  { parts: ['query'], flags: ['--key-query=api_key'] },
);

async function hopping({ front }: Chain, key: BookedKey, hop: string) {
  const text = await exchange(
    front.port,
    [
      `GET ${HELLO} HTTP/1.1`,
      'Host: api.example',
      `Connection: close, ${hop}`,
      `X-API-Key: ${Books.valueOf(key)}`,
      '\r\n',
    ].join('\r\n'),
  );
  return { status: Number(text.slice(9, 12)) };
}

/** Every file that the gateway wrote, without its configuration. */
async function logsOf({ front }: Chain): Promise<readonly string[]> {
  const { folder } = front;
  if (folder === undefined) return [];
  const names = (await readdir(folder)).filter((name) => name.startsWith('log'));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}
