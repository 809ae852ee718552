import { expect, test } from 'vitest';
import { table } from '../../../src/cli/output.ts';

test('a table lines up its columns and leaves no blanks at the end of a line', () => {
  expect(
    table(
      ['NAME', 'KEY'],
      [
        ['a', '1'],
        ['longer', ''],
      ],
    ),
  ).toBe('NAME     KEY\na        1\nlonger\n');
});
