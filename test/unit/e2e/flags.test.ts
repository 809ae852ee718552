import { describe, expect, test } from 'vitest';
import { readFlags } from '../../../e2e/flags.ts';

describe('the command line of the end-to-end test', () => {
  test('needs nothing', () => {
    expect(readFlags([])).toEqual({
      keep: false,
      database: 'sqlite',
      image: undefined,
      chart: undefined,
      help: false,
    });
  });

  test('takes an image and a chart of the user', () => {
    expect(readFlags(['--image', 'a.tar', '--chart', 'c', '--keep'])).toMatchObject({
      image: 'a.tar',
      chart: 'c',
      keep: true,
    });
  });

  test.each([['--kepe'], ['keep'], ['--image'], ['--database=mysql']])('refuses %s', (word) => {
    expect(() => readFlags([word])).toThrow(TypeError);
  });
});
