import { expect, test } from 'vitest';
import { VanishedGuard } from '../../../../src/controllers/apikey/vanished.ts';
import { MINUTE_MS } from '../../../../src/kernel/time.ts';
import { FakeClock } from '../../../support/clock.ts';

const ref = (name: string) => ({ namespace: 'team', name });

test('nothing that vanished is ended before it was counted how many did', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  expect([guard.hasCounted, guard.permits(ref('a')), guard.admits()]).toEqual([
    false,
    false,
    false,
  ]);
  guard.found(200, 1_000);
  expect([guard.hasCounted, guard.permits(), guard.admits()]).toEqual([true, false, false]);
});

test('what was asked about before the first count is given back with it, each name once', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  for (const gone of [ref('a'), undefined, ref('b'), ref('a')]) guard.permits(gone);
  expect(guard.found(2, 2)).toEqual([ref('a'), ref('b')]);
  expect([guard.permits(ref('a')), guard.found(2, 2)]).toEqual([true, []]);
});

test('of Worlds that were all read before one was ended no more than 20 end something', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  guard.found(0, 10_000);
  const worlds = Array.from({ length: 64 }, () => guard.permits());
  expect(worlds.every(Boolean)).toBe(true);
  expect(worlds.filter(() => guard.admits())).toHaveLength(20);
});

test('what was found and then is ended counts once', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  guard.found(20, 400);
  expect(Array.from({ length: 25 }, () => guard.admits()).filter(Boolean)).toHaveLength(20);
});

test('a small installation may end three within ten minutes, and three more after them', () => {
  const clock = new FakeClock();
  const guard = new VanishedGuard(clock, 'Few');
  guard.found(3, 5);
  const admitted = () => Array.from({ length: 5 }, () => guard.admits()).filter(Boolean).length;
  expect(admitted()).toBe(3);
  clock.advance(10 * MINUTE_MS + 1);
  expect(admitted()).toBe(3);
});

test('where a person has looked, everything may end at once', () => {
  const guard = new VanishedGuard(new FakeClock(), 'All');
  expect([guard.permits(ref('a')), guard.admits()]).toEqual([true, true]);
  guard.found(500, 500);
  expect([guard.permits(), guard.admits()]).toEqual([true, true]);
});
