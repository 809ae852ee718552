/** Nothing of the vendors' interfaces is forgotten: each requirement stands in the title of a test. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
/** What NAVER (R30 to R53) and SOLAPI (R54 to R94) ask of their drivers. */
const [FIRST, LAST] = [30, 94];
/** A title or a row of a table of titles: a text on one line. */
const TEXT = /(['"`])((?:(?!\1)[^\\\n]|\\.)*\bR\d+\b(?:(?!\1)[^\\\n]|\\.)*)\1/g;

test(`R${FIRST} to R${LAST} each stand in the title of a test`, () => {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('requirements.test.ts'))
    .map((name) => readFileSync(join(ROOT, name), 'utf8'));
  const texts = files.flatMap((text) => [...text.matchAll(TEXT)].map(([, , inner = '']) => inner));
  const named = new Set(
    texts.flatMap((text) => [...text.matchAll(/\bR(\d+)\b/g)].map(([, n]) => n)),
  );
  const all = Array.from({ length: LAST - FIRST + 1 }, (_, at) => FIRST + at);
  expect(all.filter((number) => !named.has(String(number)))).toEqual([]);
});
