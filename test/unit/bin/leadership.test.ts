import { expect, test } from 'vitest';
import {
  ANNOTATION_COMMITS,
  ANNOTATION_DATABASE,
  ANNOTATION_INCARNATION,
} from '../../../src/api/names.ts';
import { checkDatabase } from '../../../src/bin/leadership.ts';

const noted = { [ANNOTATION_DATABASE]: 'db-1', [ANNOTATION_COMMITS]: '40' };

test('the database that was last used is accepted, also with more commits than were noted', () => {
  expect(() =>
    checkDatabase({ databaseId: 'db-1', incarnation: 'i-1', commitCounter: 41 }, noted),
  ).not.toThrow();
});

test('a Lease without a note accepts any database: it is the first start', () => {
  expect(() =>
    checkDatabase({ databaseId: 'db-9', incarnation: 'i-1', commitCounter: 0 }, {}),
  ).not.toThrow();
});

test('an old backup of the database is refused, because it would revive and remake keys', () => {
  expect(() =>
    checkDatabase({ databaseId: 'db-1', incarnation: 'i-1', commitCounter: 39 }, noted),
  ).toThrow('old copy');
});

test('another database is refused, because every key would be made anew', () => {
  expect(() =>
    checkDatabase({ databaseId: 'db-2', incarnation: 'i-1', commitCounter: 99 }, noted),
  ).toThrow('not the database that was last used');
});

test('an old backup is accepted once keyward restore gave it a new incarnation, and only then', () => {
  const published = { ...noted, [ANNOTATION_INCARNATION]: 'i-1' };
  const backup = { databaseId: 'db-1', incarnation: 'i-1', commitCounter: 39 };
  expect(() => checkDatabase(backup, published)).toThrow('keyward restore');
  expect(checkDatabase({ ...backup, incarnation: 'i-2' }, published)).toBe('Restored');
  expect(() =>
    checkDatabase({ ...backup, databaseId: 'db-2', incarnation: 'i-2' }, published),
  ).toThrow('not the database');
});
