import fc from 'fast-check';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { nginxRequest, request, sendRaw, startGate } from './rawgate.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';

/** Requests that make sense, to be spoilt. */
const SOUND = [
  nginxRequest(`X-API-Key: ${KEY}`),
  nginxRequest(`Authorization: Bearer ${KEY}`, 'Content-Length: 0'),
  request(
    ['POST /auth/envoy/v1?a=1 HTTP/1.1', 'Host: a', `X-API-Key: ${KEY}`, 'Content-Length: 7'],
    '{"a":1}',
  ),
  request(
    ['POST /auth/forward HTTP/1.1', 'Host: a', `X-API-Key: ${KEY}`, 'Transfer-Encoding: chunked'],
    '3\r\nabc\r\n0\r\n\r\n',
  ),
];

type Change = { readonly at: number; readonly removed: number; readonly put: string };

/** Pieces that parsers argue about, and any bytes. */
const piece = fc.oneof(
  fc.constantFrom('\r', '\n', '\r\n', '\0', ' ', '\t', ':', ',', '\r\n ', 'Content-Length: 5\r\n'),
  fc.constantFrom('\r\n\r\n', 'X-API-Key: x\r\n', '_', '\xff', 'Transfer-Encoding: chunked\r\n'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat(3),
  put: piece,
});
const bytes = fc
  .tuple(
    fc.array(fc.constantFrom(...SOUND), { minLength: 1, maxLength: 3 }),
    fc.array(change, { maxLength: 3 }),
  )
  .map(([sound, changes]) => changes.reduce(spoil, sound.join('')));

function spoil(text: string, { at, removed, put }: Change): string {
  const index = Math.floor(at * text.length);
  return text.slice(0, index) + put + text.slice(index + removed);
}

/** Sends everything and waits until the gate has said all it will. */
async function sendAll(port: number, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.once('close', () => resolve());
  socket.resume();
  // The end of our side makes the gate finish: answers to whole requests, 400 to half of one.
  socket.end(Buffer.from(text, 'latin1'));
  await promise;
}

test('whatever bytes come, the gate lives on, and a value was the whole content of a header that came', async () => {
  await using gate = await startGate({
    limits: { headerTimeMs: 200, requestTimeMs: 200, idleTimeMs: 50 },
  });
  let values = 0;
  await fc.assert(
    fc.asyncProperty(bytes, async (text) => {
      gate.decider.calls.length = 0;
      await sendAll(gate.port, text);
      for (const { credential } of gate.decider.calls) {
        if (credential.type !== 'Value') continue;
        values += 1;
        const { value } = credential;
        const isThere = text
          .split('\r\n')
          .some((line) => line.replace(/^[^:]*:[ \t]*(Bearer )?/i, '').trimEnd() === value);
        expect(isThere).toBe(true);
      }
    }),
    { numRuns: 1_500 },
  );
  // Otherwise nothing was tried.
  expect(values).toBeGreaterThan(500);
  expect((await sendRaw(gate.port, SOUND[0] ?? '')).statuses).toEqual([204]);
});
