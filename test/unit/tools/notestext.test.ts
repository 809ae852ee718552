import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { notesText, type ReleaseFacts } from '../../../tools/notestext.ts';

const FACTS: ReleaseFacts = {
  schemas: { SQLite: 6, PostgreSQL: 7 },
  kubernetes: 'v1.37.2',
  kinds: 7,
};
const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- not yet

## [1.2.0] - 2027-01-02

### Added

- new thing,
  on two lines

### Removed

- old thing

### Fixed

## [1.1.0] - 2026-12-01

### Added

- earlier
`;

test('the notes are the section of that version, what breaks something first', () => {
  const notes = notesText(CHANGELOG, '1.2.0', FACTS) ?? '';
  expect(notes).toContain('# Keyward 1.2.0 - 2027-01-02\n');
  expect(notes).toContain('## Added\n\n- new thing,\n  on two lines\n');
  expect(notes.indexOf('## Removed')).toBeLessThan(notes.indexOf('## Added'));
  expect(notes).not.toMatch(/not yet|earlier|## Fixed/);
});

test('they say which schemas the databases will have', () => {
  expect(notesText(CHANGELOG, '1.1.0', FACTS)).toContain('SQLite 6, PostgreSQL 7');
});

test('a version that the changelog does not have has no notes', () => {
  expect(notesText(CHANGELOG, '9.9.9', FACTS)).toBeUndefined();
});

test("the project's own changelog has what is needed", () => {
  const own = readFileSync(join(import.meta.dirname, '../../../CHANGELOG.md'), 'utf8');
  expect(notesText(own, 'Unreleased', FACTS)).toContain('## Added');
});
