import { expect, test } from 'vitest';
import { coloured, table } from '../../../src/cli/output.ts';

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

test('a table lines up by what is seen, in any script', () => {
  expect(
    table(
      ['NAME', 'FOR'],
      [
        ['결제', 'x'],
        ['abcde', 'y'],
      ],
    ),
  ).toBe('NAME    FOR\n결제    x\nabcde   y\n');
});

test('a cell can neither begin a line nor a column of its own, nor act on the terminal', () => {
  const evil = 'harmless\nshop   payments\u001b[8m\u202e';
  expect(table(['ASKS'], [[evil]])).toBe('ASKS\nharmless\\nshop payments\\x1b[8m\\u202e\n');
});

test('colours stand around the cells that have a tone, and widths do not count them', () => {
  const rows = [
    [{ text: 'ok\u001b[31m', tone: 'Good' as const }, 'a'],
    ['longer than that', 'b'],
  ];
  expect(table(['S', 'N'], rows, coloured)).toBe(
    [
      'S                  N',
      '\u001b[32mok\\x1b[31m      \u001b[0m   a',
      'longer than that   b\n',
    ].join('\n'),
  );
});
