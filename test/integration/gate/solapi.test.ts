/** Calls that are signed as SOLAPI's clients do it, through real gateways to a real gate. */
import { createHmac, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { BookedKey } from '../../support/gate.books.ts';
import type { Answer } from '../../support/gate.call.ts';
import { describeBehind, type Chain } from '../../support/gate.suite.ts';
import { callAsSolapi } from '../../support/solapi.ts';

const BALANCE = '/cash/v1/balance';

async function signerOf({ site, key }: Chain, name: string) {
  await site.books.product('cash', 'Open', [{ hosts: [], pathPrefix: '/cash', methods: [] }]);
  const booked = await key({ name, format: 'KeyPair', profile: 'Solapi' });
  const apiSecret = booked.values.apiSecret?.revealText() ?? '';
  return { booked, apiKey: booked.publicName, apiSecret };
}

type Signer = Awaited<ReturnType<typeof signerOf>>;

/** A header that is signed now, or so many minutes ago. */
function sign({ apiKey, apiSecret }: Signer, minutesAgo = 0, mark = 'Z'): string {
  const date = new Date(Date.now() - minutesAgo * 60_000).toISOString().replace('Z', mark);
  const salt = randomUUID().replaceAll('-', '');
  const signature = createHmac('sha256', apiSecret)
    .update(date + salt)
    .digest('hex');
  return `HMAC-SHA256 apiKey=${apiKey}, date=${date}, salt=${salt}, signature=${signature}`;
}

function reasonOf({ status, headers }: Answer): string {
  return `${status} ${headers['x-keyward-reason'] ?? ''}`.trim();
}

describeBehind('nginx', 'signed calls', (chain) => {
  const send = async (authorization: string, target = BALANCE): Promise<string> =>
    reasonOf(await chain().front.call({ target, headers: [`Authorization: ${authorization}`] }));

  test.each(['UTC', 'Asia/Seoul'] as const)(
    "the vendor's own client is let in, with dates of %s, and its secret goes no further",
    async (zone) => {
      const { site, front } = chain();
      const signer = await signerOf(chain(), `client-in-${zone.toLowerCase().replace('/', '-')}`);
      const outcome = await callAsSolapi(`http://127.0.0.1:${front.port}`, signer, zone);
      expect(outcome.answered).toEqual([200]);
      const [arrival] = site.api.arrivals;
      expect(arrival?.headers['x-keyward-key-id']).toEqual([signer.booked.keyId]);
      expect(Object.keys(arrival?.headers ?? {})).not.toContain('authorization');
    },
  );

  test('a signature is good for one call, whichever that is', async () => {
    const signer = await signerOf(chain(), 'once');
    const header = sign(signer);
    expect(await send(header)).toBe('200');
    expect(await send(header)).toBe('403 DuplicatedSignature');
    expect(await send(header, '/v1/hello')).toBe('403 DuplicatedSignature');
    expect(await send(header.replace('HMAC', 'hmac').replace('date', 'Date'))).toBe(
      '403 DuplicatedSignature',
    );
    expect(await send(header.replace('apiKey=kw_', 'apiKey=zz_'))).toBe('403 DuplicatedSignature');
    expect(chain().site.api.arrivals).toHaveLength(1);
  });

  test('a signature is good for one call, wherever the signed text is cut', async () => {
    const signer = await signerOf(chain(), 'cut');
    const header = sign(signer, -9 * 60, '+09:00');
    expect(await send(header)).toBe('200');
    const cut = header.replace('+09:00, salt=', ', salt=+09:00');
    expect(await send(cut)).toBe('403 DuplicatedSignature');
  });

  test('twenty calls with one signature at once are one call', async () => {
    const signer = await signerOf(chain(), 'at-once');
    const header = sign(signer);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(header)));
    expect(answers.filter((answer) => answer === '200')).toHaveLength(1);
    expect(answers.filter((answer) => answer === '403 DuplicatedSignature')).toHaveLength(19);
  });

  test('a signature of a quarter of an hour ago, or of the future, is too far from now', async () => {
    const signer = await signerOf(chain(), 'late');
    expect(await send(sign(signer, 14))).toBe('200');
    expect(await send(sign(signer, -14))).toBe('200');
    expect(await send(sign(signer, 16))).toBe('403 RequestTimeTooSkewed');
    expect(await send(sign(signer, -16))).toBe('403 RequestTimeTooSkewed');
    // The clock of Seoul labelled Z, as the vendor's client for PHP writes it.
    expect(await send(sign(signer, -9 * 60))).toBe('403 RequestTimeTooSkewed');
    // Without a zone it is taken for the time in Korea.
    expect(await send(sign(signer, -9 * 60, ''))).toBe('200');
  });

  test('wrong and unknown keys are told the same, and nothing of the time', async () => {
    const signer = await signerOf(chain(), 'wrong');
    const wrong = { ...signer, apiSecret: `${signer.apiSecret.slice(0, -1)}_` };
    const unknown = { ...signer, apiKey: `kw_${'0'.repeat(16)}` };
    for (const minutesAgo of [0, 60]) {
      expect(await send(sign(wrong, minutesAgo))).toBe('403 InvalidKey');
      expect(await send(sign(unknown, minutesAgo))).toBe('403 InvalidKey');
    }
  });

  test('a key of which the gate has only the digest signs nothing', async () => {
    const { key } = chain();
    const opaque: BookedKey = await key({ name: 'opaque' });
    const apiSecret = opaque.values.apiKey?.revealText() ?? '';
    const signer = { booked: opaque, apiKey: opaque.publicName, apiSecret };
    expect(await send(sign(signer))).toBe('403 InvalidKey');
  });
});

describeBehind(
  'nginx',
  'signed calls of PHP',
  (chain) => {
    test('are let in where the gate is told to read their dates, and still only once', async () => {
      const signer = await signerOf(chain(), 'php');
      const header = sign(signer, -9 * 60);
      const call = () =>
        chain().front.call({ target: BALANCE, headers: [`Authorization: ${header}`] });
      expect(reasonOf(await call())).toBe('200');
      expect(reasonOf(await call())).toBe('403 DuplicatedSignature');
    });
  },
  { flags: ['--php-dates'] },
);

describeBehind('envoy', 'signed calls', (chain) => {
  test("R84: an inactive key is told so in the words that the vendor's client understands", async () => {
    const { site, front, settle } = chain();
    const signer = await signerOf(chain(), 'inactive');
    const url = `http://127.0.0.1:${front.port}`;
    expect((await callAsSolapi(url, signer, 'UTC')).answered).toEqual([200]);
    await site.books.change(signer.booked, { state: 'Suspended' });
    await settle();
    const refused = { type: 'Rejected', status: 403, code: 'InvalidAPIKey' };
    expect(await callAsSolapi(url, signer, 'UTC')).toMatchObject(refused);
    await site.books.change(signer.booked, { state: 'Active' });
    await settle();
    expect((await callAsSolapi(url, signer, 'Asia/Seoul')).answered).toEqual([200]);
  });

  test('a wrong secret is InvalidAPIKey, too', async () => {
    const { front } = chain();
    const signer = { ...(await signerOf(chain(), 'other')), apiSecret: 'x'.repeat(49) };
    const url = `http://127.0.0.1:${front.port}`;
    const refused = { type: 'Rejected', status: 403, code: 'InvalidAPIKey' };
    expect(await callAsSolapi(url, signer, 'UTC')).toMatchObject(refused);
  });
});
