import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { failureOf, isAbsence, isSuccess } from '../../../../src/stores/solapi/errors.ts';

const NOW_MS = Date.UTC(2026, 0, 2);
const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const error = (errorCode: string): object => ({ errorCode, errorMessage: 'secret words' });

describe('a refusal of SOLAPI', () => {
  test.each([
    [403, 'InvalidAPIKey', 'Denied', 'No'],
    [403, 'SignatureDoesNotMatch', 'Denied', 'No'],
    [403, 'SomethingNew', 'Denied', 'No'],
    [401, 'Unauthorized', 'Denied', 'No'],
    [403, 'RequestTimeTooSkewed', 'ClockSkew', 'No'],
    [402, 'NotEnoughBalance', 'Exhausted', 'No'],
    [400, 'MissingRequiredParameter', 'Refused', 'No'],
    [413, 'TooLarge', 'Refused', 'No'],
    [429, 'TooManyRequests', 'Throttled', 'No'],
    [408, 'Timeout', 'Unavailable', 'Unknown'],
    [500, 'InternalError', 'Unavailable', 'Unknown'],
    [502, 'BadGateway', 'Unavailable', 'Unknown'],
    [503, 'Unavailable', 'Unavailable', 'Unknown'],
    [404, 'ResourceNotFound', 'Garbled', 'Unknown'],
    [404, 'NotFound', 'Garbled', 'Unknown'],
    [405, 'MethodNotAllowed', 'Garbled', 'Unknown'],
    [307, 'Elsewhere', 'Garbled', 'Unknown'],
    [204, 'Empty', 'Garbled', 'Unknown'],
  ])('with %i %s is %s, carried out: %s', (status, code, kind, executed) => {
    const failure = failureOf(answer(status, error(code)), NOW_MS);
    expect(failure).toMatchObject({ kind, executed });
    expect(failure.message).toContain(`HTTP ${status}`);
    expect(failure.message).toContain(code);
    expect(inspect(failure, { showHidden: true })).not.toContain('secret words');
  });

  test('as a duplicate may have been carried out: our salts do not repeat, so it arrived twice', () => {
    const failure = failureOf(answer(403, error('DuplicatedSignature')), NOW_MS);
    expect(failure).toMatchObject({ kind: 'Unavailable', executed: 'Unknown' });
  });

  test('with a code of another status is what the status says', () => {
    const failure = failureOf(answer(500, error('InvalidAPIKey')), NOW_MS);
    expect(failure.kind).toBe('Unavailable');
  });

  test('without a body, or with a page of a proxy, is what the status says', () => {
    expect(failureOf(answer(403, ''), NOW_MS).kind).toBe('Denied');
    expect(failureOf(answer(503, '<html>'), NOW_MS).kind).toBe('Unavailable');
  });

  test.each([400, 401, 402, 403, 413, 429])(
    'with %i and without a code of SOLAPI does not say that nothing was done',
    (status) => {
      const page = answer(status, '<html>Request Rejected</html>');
      expect(failureOf(page, NOW_MS).executed).toBe('Unknown');
      // It is looked for without anybody changing the object.
      expect(failureOf(page, NOW_MS).class).not.toBe('Terminal');
      expect(failureOf(answer(status, {}), NOW_MS).executed).toBe('Unknown');
    },
  );

  test('waits as long as it is told', () => {
    const failure = failureOf(answer(429, '', { 'retry-after': '7' }), NOW_MS);
    expect(failure.retryAfterMs).toBe(7_000);
  });

  test('shows no code that is more than a word', () => {
    const failure = failureOf(answer(500, error('UDWMZBDE UDWMZBDE')), NOW_MS);
    expect(failure.message).not.toContain('UDWMZBDE');
  });
});

describe('what is not there', () => {
  test.each([
    { why: 'R87: as resultCode', body: { apiKey: 'K', resultCode: 'ResourceNotFound' } },
    { why: 'R88: as errorCode', body: error('ResourceNotFound') },
  ])('$why with 404 is an answer', ({ body }) => {
    expect(isAbsence(answer(404, body))).toBe(true);
  });

  test.each([
    { why: '404 without the word', status: 404, body: '<html>not found</html>' },
    { why: '404 with another word', status: 404, body: error('NotFound') },
    { why: 'the word without 404', status: 400, body: error('ResourceNotFound') },
    { why: 'the word in a success', status: 200, body: { resultCode: 'ResourceNotFound' } },
    { why: 'the word in a failure', status: 503, body: error('ResourceNotFound') },
  ])('$why is none', ({ status, body }) => {
    expect(isAbsence(answer(status, body))).toBe(false);
  });

  test('is no success', () => {
    expect([200, 201].every((status) => isSuccess(answer(status, '')))).toBe(true);
    expect([204, 301, 404, 500].some((status) => isSuccess(answer(status, '')))).toBe(false);
  });
});
