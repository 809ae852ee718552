import { describe, expect, it } from 'vitest';
import type { Look } from '../../soak/looks.ts';
import { table, violations, type Findings } from '../../soak/verdict.ts';

function aLook(
  change: { heapBytes?: number; handles?: number; databaseBytes?: number } = {},
): Look {
  const { heapBytes = 10_000_000, handles = 50, databaseBytes = 1_000_000 } = change;
  const rest = { heapBytes, handles, rssMiB: 90 };
  return {
    rests: [
      { name: 'operator', ...rest },
      { name: 'gate', ...rest },
    ],
    databaseBytes,
  };
}

const MEMORY = [0, 5, 10, 15].map((seconds) => ({ seconds, value: 90 + seconds / 100 }));

function findings(change: Partial<Findings> = {}): Findings {
  return {
    warm: aLook(),
    loaded: aLook({ databaseBytes: 2_000_000 }),
    ended: aLook({ databaseBytes: 2_000_000 }),
    memory: { operator: MEMORY, gate: MEMORY },
    lives: 100,
    asked: 1_000,
    failedLives: [],
    wrongAnswers: [],
    idleWrites: [],
    ...change,
  };
}

describe('a soak', () => {
  it('is well when nothing was kept, and the database grew with the work only', () => {
    expect(violations(findings())).toEqual([]);
    expect(violations(findings({ ended: aLook({ handles: 20, heapBytes: 8_000_000 }) }))).toEqual(
      [],
    );
  });

  it.each([
    [{ loaded: aLook({ heapBytes: 10_600_000 }) }, /heap of the operator after the load/],
    [{ ended: aLook({ handles: 56 }) }, /56 handles at the end/],
    [{ ended: aLook({ databaseBytes: 2_000_001 }) }, /grew at rest/],
    [{ failedLives: ['a: late'] }, /1 lives of keys failed, such as a: late/],
    [{ wrongAnswers: ['a good value: 401'] }, /wrong, such as a good value: 401/],
    [{ idleWrites: ['update apikeys/status a/b'] }, /writes at rest/],
  ])('is not when it found %j', (change: Partial<Findings>, words) => {
    expect(violations(findings(change)).join('\n')).toMatch(words);
  });

  it('says how much each life of a key leaves in the database', () => {
    expect(table(findings())).toContain('9.77 KiB for each life of a key');
  });
});
