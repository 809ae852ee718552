import { expect, test } from 'vitest';
import { commandLineActor } from '../../../src/bin/actor.ts';

test('the audit chain names the user, or his number where he has no name', () => {
  expect(commandLineActor(() => ({ username: 'ann' }))).toBe('command line: ann');
  const nameless = (): never => {
    throw new Error('ENOENT: no such user');
  };
  expect(commandLineActor(nameless)).toMatch(/^command line: user (\d+|unknown)$/);
});
