import { expect, test } from 'vitest';
import { classify, KeywardError } from '../../../src/kernel/errors.ts';

test('an unknown failure is a Bug whose text does not reach users', () => {
  const error = classify(new TypeError('kw_secret in a parser message'));
  expect(error.class).toBe('Bug');
  expect(error.message).not.toContain('kw_secret');
  expect(error.cause).toBeInstanceOf(TypeError);
});

test('a classified failure stays what it is', () => {
  const error = new KeywardError('Waiting', { reason: 'X', message: 'm', retryAfterMs: 5 });
  expect(classify(error)).toBe(error);
});
