/** digiRunner's signature over the body, through real gateways as we ship them, with what they show. */
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { BookedKey } from '../../support/gate.books.ts';
import { describeBehind } from '../../support/gate.suite.ts';

const BODY = '{ "city": "Seoul",\n  "days": 3 }';
const MINIFIED = '{"city":"Seoul","days":3}';
const WISH = { name: 'signing', format: 'KeyPair', profile: 'DigiRunner' } as const;

// Over HTTP nothing tells an empty body from one that Envoy was not told to pass on.
for (const [gateway, empty] of [
  ['envoy', 401],
  ['envoy-grpc', 200],
] as const) {
  describeBehind(
    gateway,
    'signed bodies',
    (chain) => {
      test('a call is let in with the body that was signed and with no other', async () => {
        const { key, front, site } = chain();
        const signer = await key(WISH);
        const send = async (body: string, signed: string): Promise<number> => {
          const headers = [signature(signer, signed), `Content-Length: ${Buffer.byteLength(body)}`];
          return (await front.call({ method: 'POST', headers, body })).status;
        };
        expect(await send(BODY, MINIFIED)).toBe(200);
        expect(await send('', '')).toBe(empty);
        site.api.forget();
        const others = [
          await send(BODY.replace('3', '4'), MINIFIED),
          await send(BODY, ''),
          await send('', MINIFIED),
          await send(`${BODY} x`, MINIFIED),
        ];
        expect(others.filter((status) => status === 200)).toEqual([]);
        expect(site.api.arrivals).toEqual([]);
      });
    },
    { parts: ['body'] },
  );
}

describeBehind('nginx', 'signed bodies', (chain) => {
  test('only a call that surely has no body can be verified', async () => {
    const { key, front, site } = chain();
    const signer = await key(WISH);
    const empty = signature(signer, '');
    expect((await front.call({ headers: [empty] })).status).toBe(200);
    const length = ['Content-Length: 0'];
    const posted = { method: 'POST', headers: [empty, ...length], body: '' };
    expect((await front.call(posted)).status).toBe(200);
    site.api.forget();
    const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
    const others = [
      { headers: [empty, `Content-Length: ${BODY.length}`], body: BODY },
      { headers: [signature(signer, MINIFIED), `Content-Length: ${BODY.length}`], body: BODY },
      { headers: [empty, 'Transfer-Encoding: chunked'], body: chunked },
      { headers: [empty, 'Transfer-Encoding: chunked', ...length], body: chunked },
      {
        headers: [empty, `Content-Length: ${BODY.length}`, 'X-Original-Content-Length: 0'],
        body: BODY,
      },
    ];
    for (const other of others) {
      expect((await front.call({ method: 'POST', ...other })).status).not.toBe(200);
    }
    expect(site.api.arrivals).toEqual([]);
  });
});

function signature(key: BookedKey, payload: string): string {
  const secret = key.values.apiSecret?.revealText() ?? '';
  const text = payload + key.publicName + secret;
  const digest = createHmac('sha256', secret).update(text).digest('base64');
  return `Authorization: DGRK ${key.publicName}.${digest}`;
}
