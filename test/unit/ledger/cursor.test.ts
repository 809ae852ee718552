import { describe, expect, it } from 'vitest';
import { hasReached, writeCursor } from '../../../src/ledger/cursor.ts';

const IDENTITY = { incarnation: 'life-1', commitCounter: 7 };

describe('a position in the change feed', () => {
  it.each([
    [6, false],
    [7, true],
    [8, true],
  ])('of commit %i has reached a database of seven commits: %s', (commit, expected) => {
    expect(hasReached(writeCursor('life-1', commit), IDENTITY)).toBe(expected);
  });

  it('says nothing about a database that was restored since', () => {
    expect(() => hasReached(writeCursor('life-0', 8), IDENTITY)).toThrow(/restored/);
  });
});
