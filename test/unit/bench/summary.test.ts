/** Which counts make the bench fail, and how its figures are condensed. */
import { expect, test } from 'vitest';
import { median, spread } from '../../../bench/figures.ts';
import { parseFlags } from '../../../bench/flags.ts';
import type { OperatorRun } from '../../../bench/runs.ts';
import { caution, table, violations, type Round } from '../../../bench/summary.ts';

type Counts = Pick<OperatorRun, 'ready' | 'writesPerKey' | 'liveReads'> & {
  readonly restart: Pick<OperatorRun['restart'], 'writes'>;
};

const right: Counts = { ready: 1_000, writesPerKey: 2, liveReads: 0, restart: { writes: 0 } };
// Only the counts are looked at.
const round = (operator: Counts): Round => ({ operator }) as unknown as Round;

test('rounds with two writes per key, no live read and no write after a restart pass', () => {
  expect(violations({ keys: 1_000, rounds: [round(right), round(right)] })).toEqual([]);
});

test('every count that is off is named with its size and round', () => {
  const wrong: Counts = { ready: 999, writesPerKey: 2.5, liveReads: 1, restart: { writes: 3 } };
  expect(violations({ keys: 1_000, rounds: [round(right), round(wrong)] })).toEqual([
    '1000 keys, round 2: 999 keys became Ready',
    '1000 keys, round 2: 2.5 API writes per key, not 2',
    '1000 keys, round 2: 1 live reads, not 0',
    '1000 keys, round 2: 3 writes after a restart, not 0',
  ]);
});

test('rounds whose bare rates lie far apart are called doubtful', () => {
  const at = (steadyRate: number): Round => ({ bare: { steadyRate } }) as unknown as Round;
  expect(caution({ keys: 1_000, rounds: [at(100), at(110)] })).toBeUndefined();
  expect(caution({ keys: 1_000, rounds: [at(100)] })).toBeUndefined();
  expect(caution({ keys: 1_000, rounds: [at(100), at(200)] })).toContain('differed by 67 %');
});

test('a median is the middle, and the spread is a share of it', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), spread([90, 100, 110])]).toEqual([2, 2.5, 0.2]);
});

test('the table is as wide as its widest entries', () => {
  expect(table([{ name: 'a', value: '1', goal: '2', floor: '' }])).toBe(
    '   measured  goal  floor\na         1     2       ',
  );
});

test('quick means a thousand keys and one round, unless more is said', () => {
  expect(parseFlags(['--quick', '--keys', '50,20'])).toMatchObject({ sizes: [20, 50], rounds: 1 });
  expect(() => parseFlags(['--rounds', '0'])).toThrow('--rounds takes whole numbers above 0');
});
