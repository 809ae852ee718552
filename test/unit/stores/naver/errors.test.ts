/** Which refusal of the vendor is which failure. */
import { describe, expect, test } from 'vitest';
import type { VendorResponse } from '../../../../src/stores/contract.ts';
import { absenceIn, errorCodeOf, failureOf } from '../../../../src/stores/naver/errors.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

function answer(
  status: number,
  errorCode?: unknown,
  headers: Readonly<Record<string, string>> = {},
): VendorResponse {
  const body = JSON.stringify({ error: { errorCode, message: 'secret words', details: 'more' } });
  return { status, headers, body };
}

describe('a refusal of the vendor (R50)', () => {
  test.each([
    [400, '100', 'Refused', 'No'],
    [401, '200', 'Denied', 'No'],
    [401, '210', 'Denied', 'No'],
    [403, '230', 'Denied', 'No'],
    [404, '300', 'Garbled', 'Unknown'],
    [413, '430', 'Refused', 'No'],
    [429, '400', 'Exhausted', 'No'],
    [429, '410', 'Throttled', 'No'],
    [429, '420', 'Throttled', 'No'],
    [500, '900', 'Unavailable', 'Unknown'],
    [503, '500', 'Unavailable', 'Unknown'],
    [504, '510', 'Unavailable', 'Unknown'],
    [502, undefined, 'Unavailable', 'Unknown'],
    [408, undefined, 'Unavailable', 'Unknown'],
    [405, undefined, 'Refused', 'Unknown'],
    [307, undefined, 'Garbled', 'Unknown'],
    [206, undefined, 'Garbled', 'Unknown'],
  ])('with status %i and code %s is %s, carried out: %s', (status, code, kind, executed) => {
    expect(failureOf(answer(status, code), NOW_MS)).toMatchObject({ kind, executed });
    const numeric = code === undefined ? undefined : Number(code);
    expect(failureOf(answer(status, numeric), NOW_MS)).toMatchObject({ kind, executed });
  });

  test('is told with status and code and never in the words of the vendor (R49)', () => {
    const { message } = failureOf(answer(400, '100'), NOW_MS);
    expect(message).toContain('HTTP 400');
    expect(message).toContain('vendor code 100');
    expect(message).not.toContain('secret words');
  });

  test('shows no code that is more than a short word', () => {
    const { message } = failureOf(answer(400, 'the key 4fJ2mXq0ZpT7aBc9 is wrong'), NOW_MS);
    expect(message).toContain('unreadable');
    expect(message).not.toContain('4fJ2');
  });

  test.each([
    ['no JSON', '<html>'],
    ['an array', '[]'],
    ['null', 'null'],
    ['an error that is a text', '{"error":"constructor"}'],
    ['an error without code', '{"error":{}}'],
    ['a code that is an object', '{"error":{"errorCode":{}}}'],
    ['prototype names', '{"__proto__":{"error":{"errorCode":"300"}}}'],
  ])('with a body that has no code (%s) is still told by its status', (_, body) => {
    expect(errorCodeOf(body)).toBeUndefined();
    expect(failureOf({ status: 401, headers: {}, body }, NOW_MS).kind).toBe('Denied');
  });

  test.each([400, 401, 403, 413, 429])(
    'with status %i and without the code of the vendor does not say that nothing was done',
    (status) => {
      const page = { status, headers: {}, body: '<html>Request Rejected</html>' };
      expect(failureOf(page, NOW_MS).executed).toBe('Unknown');
      // It is looked for without anybody changing the object.
      expect(failureOf(page, NOW_MS).class).not.toBe('Terminal');
    },
  );

  test.each([
    ['seconds', '7', 7_000],
    ['a date', 'Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
  ])('waits as long as the vendor says in %s', (_, value, retryAfterMs) => {
    const failure = failureOf(answer(429, '410', { 'retry-after': value }), NOW_MS);
    expect(failure.retryAfterMs).toBe(retryAfterMs);
  });

  test.each(['soon', '-5'])('ignores a Retry-After of %j', (value) => {
    const failure = failureOf(answer(429, '410', { 'retry-after': value }), NOW_MS);
    expect(failure.retryAfterMs).toBeUndefined();
  });
});

describe('a 401', () => {
  test.each([
    ['ahead', NOW_MS + 300_000, 'ClockSkew'],
    ['behind', NOW_MS - 300_000, 'ClockSkew'],
    ['a little ahead', NOW_MS + 240_000, 'Denied'],
  ])('is about the clock when the vendor is five minutes %s', (_, vendorMs, kind) => {
    const headers = { date: new Date(vendorMs).toUTCString() };
    expect(failureOf(answer(401, '200', headers), NOW_MS)).toMatchObject({ kind, executed: 'No' });
  });
});

describe('an answer about one key', () => {
  test.each([
    [404, '300', 'Certain'],
    [404, 300, 'Certain'],
    [404, undefined, 'Doubt'],
    [404, '100', 'Doubt'],
    [400, '100', 'Doubt'],
    [401, '200', 'None'],
    [500, '900', 'None'],
  ])('with status %i and code %s says that it is missing: %s', (status, code, absence) => {
    expect(absenceIn(answer(status, code))).toBe(absence);
  });
});
