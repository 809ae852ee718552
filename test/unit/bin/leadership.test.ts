import { describe, expect, test } from 'vitest';
import {
  ANNOTATION_COMMITS,
  ANNOTATION_DATABASE,
  ANNOTATION_INCARNATION,
  ANNOTATION_INCARNATIONS,
} from '../../../src/api/names.ts';
import { checkDatabase, restamp, stampOf } from '../../../src/bin/leadership.ts';

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

describe('after keyward restore', () => {
  const original = { databaseId: 'db-1', incarnation: 'i-1', commitCounter: 40 };
  const restored = { ...original, incarnation: 'i-2', commitCounter: 31 };
  const before = stampOf(original, {});
  const after = stampOf(restored, before);
  const outdated = expect.objectContaining({ class: 'Terminal', reason: 'DatabaseOutdated' });

  test.each([30, 40, 99])(
    'a raw copy from before it is refused, because it would undo revocations since: %i commits',
    (commitCounter) => {
      const copy = { ...original, commitCounter };
      expect(() => checkDatabase(copy, after)).toThrow(outdated);
      expect(() => checkDatabase(copy, stampOf(restored, after))).toThrow(outdated);
    },
  );

  test('the database goes on under its new incarnation, until that falls behind too', () => {
    expect(checkDatabase(restored, before)).toBe('Restored');
    expect(checkDatabase(restored, after)).toBe('Known');
    expect(() => checkDatabase({ ...restored, commitCounter: 30 }, after)).toThrow(outdated);
  });

  test('a copy from before is accepted once it was restored itself', () => {
    const again = { ...original, incarnation: 'i-3' };
    expect(checkDatabase(again, after)).toBe('Restored');
    const later = stampOf(again, after);
    for (const earlier of [original, restored]) {
      expect(() => checkDatabase({ ...earlier, commitCounter: 99 }, later)).toThrow(outdated);
    }
  });

  test('a copy from before that a person accepted is the newest from then on', () => {
    const accepted = stampOf(original, after);
    expect(checkDatabase(original, accepted)).toBe('Known');
    expect(() => checkDatabase(restored, accepted)).toThrow(outdated);
  });

  test('what an older build noted, which knows no list, counts as seen', () => {
    const { [ANNOTATION_INCARNATIONS]: list, ...byOlderBuild } = before;
    expect(list).toBe('i-1');
    expect(() => checkDatabase(original, stampOf(restored, byOlderBuild))).toThrow(outdated);
    // It notes the newest and leaves the list alone.
    const mixed = { ...after, [ANNOTATION_INCARNATION]: 'i-3' };
    for (const earlier of [original, restored]) {
      expect(() => checkDatabase(earlier, mixed)).toThrow(outdated);
    }
    expect(checkDatabase({ ...original, incarnation: 'i-3' }, mixed)).toBe('Known');
  });

  test('the Lease notes the last 16 incarnations, and no more', () => {
    let note = before;
    for (let count = 2; count <= 20; count += 1) {
      note = stampOf({ ...original, incarnation: `i-${count}` }, note);
    }
    expect(note[ANNOTATION_INCARNATIONS]?.split(',')).toEqual(
      Array.from({ length: 16 }, (_, index) => `i-${index + 5}`),
    );
  });
});

test('the note never follows a database that was put back while it was open, so the next start refuses it', () => {
  const restored = { databaseId: 'db-1', incarnation: 'i-2', commitCounter: 40 };
  const stamp = stampOf(restored, { [ANNOTATION_INCARNATION]: 'i-1' });
  const older = [
    { ...restored, commitCounter: 39 },
    { ...restored, incarnation: 'i-1', commitCounter: 99 },
    { ...restored, databaseId: 'db-2', commitCounter: 99 },
  ];
  for (const identity of older) {
    const refused = expect.objectContaining({ class: 'Terminal' });
    expect(() => checkDatabase(identity, restamp(identity, stamp))).toThrow(refused);
  }
  const further = { ...restored, commitCounter: 41 };
  expect(restamp(further, stamp)).toEqual(stampOf(further, stamp));
});
