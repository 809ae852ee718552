import { describe, expect, test } from 'vitest';
import { add, NOTHING, parseTally, tallyText } from '../../runner/tally.ts';

describe('the closing line', () => {
  test('names skipped tests only when there are some', () => {
    const tally = { ...NOTHING, passed: 3, failed: 1 };
    expect(tallyText(tally)).toBe('3 passed, 1 failed');
    expect(tallyText({ ...tally, skipped: ['a', 'b'] })).toBe('3 passed, 1 failed, 2 skipped');
  });

  test('is read back from the last line that has its form', () => {
    const output =
      'plan: 9 passed, 9 failed soon\n1 passed, 2 failed\nx\n4 passed, 5 failed, 1 skipped\n';
    expect(parseTally(output)).toMatchObject({ passed: 4, failed: 5, skipped: { length: 1 } });
    expect(parseTally('all well')).toBeUndefined();
  });

  test('adds layers up', () => {
    const both = add({ ...NOTHING, passed: 1, skipped: ['a'] }, { ...NOTHING, failed: 2 });
    expect(both).toEqual({ passed: 1, failed: 2, skipped: ['a'], output: '' });
  });
});
