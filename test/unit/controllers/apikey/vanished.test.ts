import { expect, test } from 'vitest';
import type { UidRef } from '../../../../src/api/meta.ts';
import { HeldAlarm, VanishedGuard } from '../../../../src/controllers/apikey/vanished.ts';
import { MINUTE_MS } from '../../../../src/kernel/time.ts';
import { FakeClock } from '../../../support/clock.ts';

const ref = (name: string) => ({ namespace: 'team', name });
const gone = (name: string): UidRef => ({ ...ref(name), uid: `uid-${name}` });
/** Keys `0`, `1`, ... */
const many = (count: number) => Array.from({ length: count }, (_, i) => gone(`${i}`));
const found = (missing: readonly UidRef[]) =>
  new Map(missing.map(({ uid, namespace, name }) => [uid, { namespace, name }]));

test('nothing that vanished is ended before it was counted how many did', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  expect([guard.hasCounted, guard.permits(gone('a')), guard.admits(gone('a'))]).toEqual([
    false,
    false,
    false,
  ]);
  guard.found(found(many(200)), 1_000);
  expect([guard.hasCounted, guard.permits(), guard.admits(gone('0'))]).toEqual([
    true,
    false,
    false,
  ]);
});

test('what was asked about before the first count is given back with it, each once', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  for (const asked of [gone('a'), undefined, gone('b'), gone('a')]) guard.permits(asked);
  expect(guard.found(found([gone('a')]), 2)).toEqual([ref('a'), ref('b')]);
  expect([guard.admits(gone('a')), guard.found(new Map(), 2)]).toEqual([true, []]);
});

test('of Worlds that were all read before one was ended no more than 20 end something', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  guard.found(new Map(), 10_000);
  const worlds = many(64);
  expect(worlds.every((world) => guard.permits(world))).toBe(true);
  expect(worlds.filter((world) => guard.admits(world))).toHaveLength(20);
});

test('what was found and then is ended counts once', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  guard.found(found(many(20)), 400);
  expect(many(25).filter((key) => guard.admits(key))).toHaveLength(20);
});

test('a small installation may end three within ten minutes, and three more after them', () => {
  const clock = new FakeClock();
  const guard = new VanishedGuard(clock, 'Few');
  guard.found(found(many(3)), 5);
  const admitted = (keys: readonly UidRef[]) => keys.filter((key) => guard.admits(key));
  expect(admitted(many(5))).toHaveLength(3);
  clock.advance(10 * MINUTE_MS + 1);
  expect(admitted(many(7).slice(3))).toHaveLength(3);
});

test('where a person has looked, everything may end at once', () => {
  const guard = new VanishedGuard(new FakeClock(), 'All');
  expect([guard.permits(gone('a')), guard.admits(gone('a'))]).toEqual([true, true]);
  guard.found(found(many(500)), 500);
  expect([guard.permits(), guard.admits(gone('0')), guard.heldBack]).toEqual([
    true,
    true,
    undefined,
  ]);
});

test('what was refused is given back by each count until it is ended or no longer missing', () => {
  const clock = new FakeClock();
  const guard = new VanishedGuard(clock, 'Few');
  guard.found(new Map(), 40);
  const held = many(6).filter((key) => !guard.admits(key));
  expect(held).toEqual(many(6).slice(3));
  expect(guard.heldBack).toEqual({ vanished: 3, examples: ['team/3', 'team/4', 'team/5'] });
  expect(guard.found(found(held), 37)).toEqual([ref('3'), ref('4'), ref('5')]);
  clock.advance(10 * MINUTE_MS + 1);
  expect([guard.isCountDue, guard.heldBack, guard.admits(gone('3'))]).toEqual([
    true,
    undefined,
    true,
  ]);
  expect(guard.found(found([gone('4')]), 36)).toEqual([ref('4'), ref('5')]);
  expect(guard.found(found([gone('4')]), 36)).toEqual([ref('4')]);
});

test('what stays too many is not ended in small portions either, however often it is asked about', () => {
  const clock = new FakeClock();
  const guard = new VanishedGuard(clock, 'Few');
  guard.found(new Map(), 1_000);
  const ended = () => many(100).filter((key) => guard.admits(key)).length;
  expect(ended()).toBe(20);
  for (let window = 0; window < 5; window += 1) {
    clock.advance(10 * MINUTE_MS + 1);
    expect(ended()).toBe(0);
  }
});

test('no more than a thousand are remembered, and nothing is permitted because of that', () => {
  const guard = new VanishedGuard(new FakeClock(), 'Few');
  guard.found(new Map(), 30);
  expect(many(2_000).filter((key) => guard.admits(key))).toHaveLength(3);
  expect(guard.heldBack?.vanished).toBe(1_000);
});

test('the alarm about what is held back is raised once for each change', () => {
  const guard: { heldBack: VanishedGuard['heldBack'] } = { heldBack: undefined };
  const lines: unknown[] = [];
  const alarm = new HeldAlarm(guard, (held) => void lines.push(held));
  const one = { vanished: 4, examples: ['team/a'] };
  for (const held of [undefined, one, { ...one }, { ...one, vanished: 5 }, undefined, one]) {
    guard.heldBack = held;
    alarm.tell();
  }
  expect(lines).toEqual([one, { ...one, vanished: 5 }, one]);
});
