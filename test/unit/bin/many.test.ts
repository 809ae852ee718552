import { afterEach, beforeEach, expect, test } from 'vitest';
import { eachOf, endWith } from '../../../src/bin/many.ts';
import { EXIT } from '../../../src/cli/exit.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';

let before: typeof process.exitCode;
beforeEach(() => {
  before = process.exitCode;
  process.exitCode = EXIT.done;
});
afterEach(() => {
  process.exitCode = before;
});

test('the first outcome that is not done gives the exit code, thrown or waited for', async () => {
  const act = (name: string): Promise<void> => {
    if (name === 'gone') {
      return Promise.reject(new KeywardError('Terminal', { reason: 'NotFound', message: 'gone' }));
    }
    endWith(name === 'denied' ? EXIT.notPermitted : EXIT.done);
    return Promise.resolve();
  };
  await eachOf(['done', 'denied', 'gone', 'done'], act);
  expect(process.exitCode).toBe(EXIT.notPermitted);
  process.exitCode = EXIT.done;
  await eachOf(['gone', 'denied'], act);
  expect(process.exitCode).toBe(EXIT.notFound);
});
