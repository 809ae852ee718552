import { expect, test } from 'vitest';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { StoreFailure } from '../../../src/stores/contract.ts';
import { LineFull } from '../../../src/stores/limits.ts';
import { subjectOf } from '../../../src/stores/subject.ts';

const message = 'no';

test.each([
  ['a 5xx', new StoreFailure('Unavailable', { message }), 'Either'],
  ['an answer without sense', new StoreFailure('Garbled', { message }), 'Either'],
  ['a missing right', new StoreFailure('Refused', { message, class: 'Waiting' }), 'Either'],
  ['a refused request', new StoreFailure('Refused', { message }), 'Credential'],
  ['a lost race', new KeywardError('Conflict', { reason: 'Moved', message }), 'Credential'],
  [
    'a request that never left',
    new StoreFailure('Unavailable', { message, executed: 'No' }),
    'Store',
  ],
  ['too many requests', new StoreFailure('Throttled', { message }), 'Store'],
  ['a full line', new LineFull(10, 1_000), 'Store'],
  ['wrong credentials', new StoreFailure('Denied', { message }), 'Store'],
  ['a wrong clock', new StoreFailure('ClockSkew', { message }), 'Store'],
  ['a used up balance', new StoreFailure('Exhausted', { message }), 'Store'],
] as const)('what %s is about', (_, failure, subject) => {
  expect(subjectOf(failure)).toBe(subject);
});
