/** What the sources log: constant messages, facts as fields, so that lines can be searched and counted. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '..', '..', '..', 'src');

/** First argument of each call of a logger, with its file. */
function messages(): readonly { readonly file: string; readonly argument: string }[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(SRC, file), 'utf8');
      const calls = text.matchAll(/\blog\b\.?(?:\[\w+\]|(?:debug|info|warn|error))\(\s*([^,)]+)/g);
      return [...calls].map(([, argument = '']) => ({ file, argument: argument.trim() }));
    });
}

test('every message is a constant text without a full stop', () => {
  const found = messages();
  expect(found.length).toBeGreaterThan(40);
  const odd = found.filter(({ argument }) => !/^(["'])[^`]*[^.]\1?$/.test(argument));
  expect(odd).toEqual([]);
});
