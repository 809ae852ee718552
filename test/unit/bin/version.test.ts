import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VERSION, versionText } from '../../../src/bin/version.ts';

test('the version of the program is that of package.json', () => {
  const file = join(import.meta.dirname, '../../../package.json');
  expect(JSON.parse(readFileSync(file, 'utf8')).version).toBe(VERSION);
});

test('a build that knows its commit tells it, one that does not says nothing about it', () => {
  expect(versionText('0123456789ab', '24.1.2')).toBe(
    `keyward ${VERSION}\ncommit 0123456789ab\nnode 24.1.2`,
  );
  expect(versionText(undefined, '24.1.2')).toBe(`keyward ${VERSION}\nnode 24.1.2`);
});
