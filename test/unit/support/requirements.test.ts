/** Nothing that the four systems do is forgotten: each requirement stands in the title of a test. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
/** What Visit Seoul (R1 to R29), NAVER (R30 to R53), SOLAPI (R54 to R94) and digiRunner ask for. */
const LAST = 124;
/** A title or a row of a table of titles: a text on one line. */
const TEXT = /(['"`])((?:(?!\1)[^\\\n]|\\.)*\bR\d+\b(?:(?!\1)[^\\\n]|\\.)*)\1/g;

test(`R1 to R${LAST} each stand in the title of a test`, () => {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('requirements.test.ts'))
    .map((name) => readFileSync(join(ROOT, name), 'utf8'));
  const texts = files.flatMap((text) => [...text.matchAll(TEXT)].map(([, , inner = '']) => inner));
  const named = new Set(
    texts.flatMap((text) => [...text.matchAll(/\bR(\d+)\b/g)].map(([, n]) => n)),
  );
  const all = Array.from({ length: LAST }, (_, at) => at + 1);
  const missing = all.filter((number) => !named.has(String(number)));
  expect(missing).toEqual([]);
});
