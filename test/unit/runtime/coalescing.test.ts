import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { coalesceTurns } from '../../../src/runtime/coalescing.ts';

function setUp(isBacklogged: boolean) {
  const line = { isBacklogged };
  const rests: number[] = [];
  const onHandOut = coalesceTurns(
    () => line.isBacklogged,
    (restMs) => rests.push(restMs),
  );
  // Ends what goes on by itself.
  onTestFinished(() => {
    line.isBacklogged = false;
  });
  return { line, rests, onHandOut };
}

test('with a short line nothing pauses', async () => {
  const { rests, onHandOut } = setUp(false);
  onHandOut();
  await setImmediate();
  expect(rests).toEqual([]);
});

test('where nothing is handed out nothing pauses, however much waits', async () => {
  const { rests } = setUp(true);
  await setImmediate();
  expect(rests).toEqual([]);
});

test('in a backlog a turn pauses once and shortly, at its end, however much it handed out', async () => {
  const { rests, onHandOut } = setUp(true);
  onHandOut();
  onHandOut();
  expect(rests).toEqual([]);
  await setImmediate();
  expect(rests).toEqual([8]);
});

test('turns pause until the line is short, and again when it is long again', async () => {
  const { line, rests, onHandOut } = setUp(true);
  onHandOut();
  await setImmediate();
  await setImmediate();
  expect(rests).toHaveLength(2);
  line.isBacklogged = false;
  await setImmediate();
  onHandOut();
  await setImmediate();
  expect(rests).toHaveLength(2);
  line.isBacklogged = true;
  onHandOut();
  await setImmediate();
  expect(rests).toHaveLength(3);
});

test('a turn that had work for many does not pause', async () => {
  const { rests, onHandOut } = setUp(true);
  for (let ref = 0; ref < 32; ref += 1) onHandOut();
  await setImmediate();
  expect(rests).toEqual([]);
  onHandOut();
  await setImmediate();
  expect(rests).toHaveLength(1);
});
