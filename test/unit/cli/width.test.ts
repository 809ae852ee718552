import { describe, expect, test } from 'vitest';
import { clipTo, padTo, widthOf } from '../../../src/cli/width.ts';

describe('columns of a text', () => {
  test.each([
    ['letters take one', 'payments', 8],
    ['Korean takes two', '결제', 4],
    ['Korean in parts takes two', '결제'.normalize('NFD'), 4],
    ['an emoji of several characters takes two', '👩‍💻', 2],
    ['marks on letters take none', 'e\u0301', 1],
    ['nothing takes none', '', 0],
  ])('%s', (_, text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });

  test('are filled up and cut by what is seen', () => {
    expect(padTo('결제', 6)).toBe('결제  ');
    expect(clipTo('결제 서비스', 6)).toBe('결제…');
    expect(clipTo('결제', 4)).toBe('결제');
    expect(clipTo('a👩‍💻b', 3)).toBe('a…');
  });
});
