import { createServer, type IncomingMessage } from 'node:http';
import { createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { errorAnswer } from '../../../../src/gate/profiles.ts';
import { parseSigned, replayDigest, verifySigned } from '../../../../src/gate/schemes/signed.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import { SECOND_MS } from '../../../../src/kernel/time.ts';
import { buildPairSecret } from '../../../../src/keys/format.ts';
import { REFUSALS, type Refusal } from '../../../../src/terms/refusals.ts';
import { callAsSolapi } from '../../../support/solapi.ts';

const PARTS = { prefix: 'kw', keyId: 'A'.repeat(16), secret: 'B'.repeat(43) };
const SIGNER = { apiKey: `kw_${PARTS.keyId}`, apiSecret: buildPairSecret(PARTS) };
const SECRET = new Sensitive(SIGNER.apiSecret);

/** Serves while the work is done; what the handler answers is what the client gets. */
async function serving<T>(
  answer: (req: IncomingMessage) => { readonly status: number; readonly body: string },
  work: (url: string) => Promise<T>,
): Promise<T> {
  const server = createServer((req, res) => {
    const { status, body } = answer(req);
    res.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  try {
    // Listening on a port, so it has an address of this form.
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("the vendor's own client for Node.js", () => {
  it.each(['UTC', 'Asia/Seoul'] as const)('signs in %s as the gate verifies it', async (zone) => {
    const headers: string[] = [];
    const take = (req: IncomingMessage) => {
      headers.push(req.headers.authorization ?? '');
      return { status: 200, body: '{"balance":1,"point":2}' };
    };
    const outcome = await serving(take, (url) => callAsSolapi(url, SIGNER, zone));
    expect(outcome).toMatchObject({ type: 'Resolved', value: { balance: 1, point: 2 } });
    const read = parseSigned(headers[0] ?? '');
    if (read === undefined) throw new Error(`not understood: ${headers.join()}`);
    expect(read).toMatchObject({ algorithm: 'SHA256', apiKey: SIGNER.apiKey });
    const rules = { nowMs: Date.now() - SECOND_MS, phpDates: false };
    expect(verifySigned(read, SECRET, rules)).toBe('Ok');
    expect(verifySigned(read, new Sensitive('x'), rules)).toBe('WrongSignature');
  });

  it.each<[keyof typeof REFUSALS, object, number]>([
    ['UnknownKey', { status: 403, code: 'InvalidAPIKey' }, 1],
    ['TimeTooSkewed', { status: 403, code: 'RequestTimeTooSkewed' }, 1],
    ['SignatureReplayed', { status: 403, code: 'DuplicatedSignature' }, 1],
    ['ReplayUnknown', { code: 'RequestFailedAfterRetryError' }, 4],
  ])('understands %s as %o, and signs %d times anew', async (cause, told, times) => {
    const refusal: Refusal = REFUSALS[cause];
    const digests = new Set<string>();
    const refuse = (req: IncomingMessage) => {
      const read = parseSigned(req.headers.authorization ?? '');
      if (read !== undefined) digests.add(Buffer.from(replayDigest(read)).toString('hex'));
      return errorAnswer('Solapi', refusal, req.url, 0);
    };
    const outcome = await serving(refuse, (url) => callAsSolapi(url, SIGNER, 'UTC'));
    expect(outcome).toMatchObject({ type: 'Rejected', ...told });
    expect(digests.size).toBe(times);
  });
});

/** How clients in other languages write the header, given what Node.js says of one instant. */
const SHAPES: readonly {
  readonly name: string;
  readonly names: readonly [string, string];
  readonly date: string;
  readonly salt: string;
  readonly phpDates: boolean;
}[] = [
  {
    name: 'Python, with capitals and microseconds',
    names: ['ApiKey', 'Date'],
    date: '2026-01-02T12:04:05.123456+09:00',
    salt: '0c8a3b52e7a111f0b3b50242ac120002',
    phpDates: false,
  },
  {
    name: 'Go v1, local time',
    names: ['apiKey', 'date'],
    date: '2026-01-02T12:04:05+09:00',
    salt: 'c3a9f0d1e2b34a5c6d7e',
    phpDates: false,
  },
  {
    name: 'Go v2, UTC',
    names: ['apiKey', 'date'],
    date: '2026-01-02T03:04:05Z',
    salt: 'c3a9f0d1e2b34a5c6d7e8f901a2b3c4d',
    phpDates: false,
  },
  {
    name: 'PHP, the clock of Seoul labelled Z',
    names: ['apiKey', 'date'],
    date: '2026-01-02T12:04:05.32400Z',
    salt: '597fe0e36daeb',
    phpDates: true,
  },
];

describe('a header as clients in other languages write it', () => {
  const nowMs = Date.parse('2026-01-02T03:05:00Z');

  it.each(SHAPES)('is verified: $name', ({ names: [key, date], ...shape }) => {
    const text = `${shape.date}${shape.salt}`;
    const signature = createHmac('sha256', SIGNER.apiSecret).update(text).digest('hex');
    const header = `HMAC-SHA256 ${key}=${SIGNER.apiKey}, ${date}=${shape.date}, salt=${shape.salt}, signature=${signature}`;
    const read = parseSigned(header);
    if (read === undefined) throw new Error('the header was not understood');
    const { phpDates } = shape;
    expect(verifySigned(read, SECRET, { nowMs, phpDates: true })).toBe('Ok');
    expect(verifySigned(read, SECRET, { nowMs, phpDates: false })).toBe(
      phpDates ? 'TimeTooSkewed' : 'Ok',
    );
  });
});
