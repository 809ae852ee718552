import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHarmless, visible, visibleJson } from '../../../src/cli/visible.ts';

const ESC = '\u001b';

describe('texts of other people', () => {
  test.each([
    ['colours and cursor moves', `a${ESC}[2J${ESC}[31mb`, 'a\\x1b[2J\\x1b[31mb'],
    ['the one-byte form of the same', 'a\u009b31mb', 'a\\x9b31mb'],
    ['titles of windows and links', `${ESC}]0;x\u0007`, '\\x1b]0;x\\x07'],
    ['a line that looks like ours', 'fine\nshop   approve me', 'fine\\nshop   approve me'],
    ['a carriage return over what was written', 'bad\rgood', 'bad\\rgood'],
    ['line ends that are none in ASCII', 'a\u2028b\u0085c', 'a\\u2028b\\x85c'],
    ['writing in the other direction', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
    ['letters that cannot be seen', 'a\u200bb\ufeffc\u{e0041}', 'a\\u200bb\\ufeffc\\u{e0041}'],
    ['half of a pair', 'a\ud800b', 'a\\ud800b'],
  ])('show %s instead of acting on the terminal', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('keep scripts and emoji as they are', () => {
    const text = '결제 서비스 👩‍💻 می‌خواهم Ünïcödé';
    expect(visible(text)).toBe(text);
  });

  test('whatever they are, are one line of characters that do nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = visible(text);
        expect(shown).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
        expect(isHarmless(shown)).toBe(true);
        expect(visible(shown)).toBe(shown);
      }),
    );
  });
});

describe('JSON', () => {
  test('says the same and holds nothing a terminal would act on', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (value) => {
        const text = visibleJson(value);
        expect(isHarmless(text)).toBe(true);
        expect(JSON.parse(text)).toEqual(value);
      }),
    );
  });
});
