import { expect, test } from 'vitest';
import { Lanes } from '../../../src/kube/lanes.ts';
import { settle } from '../../support/clock.ts';

function enterAll(lanes: Lanes, names: readonly string[], entered: string[]): void {
  for (const name of names) {
    const urgency = name.startsWith('u') ? 'Urgent' : 'Ordinary';
    void lanes.enter(urgency).then(() => entered.push(name));
  }
}

test('ordinary calls wait in the order in which they came', async () => {
  const lanes = new Lanes({ inFlightMax: 1, urgentReserve: 0 });
  const entered: string[] = [];
  enterAll(lanes, ['a', 'b', 'c'], entered);
  await settle();
  expect(entered).toEqual(['a']);
  lanes.leave();
  lanes.leave();
  await settle();
  expect(entered).toEqual(['a', 'b', 'c']);
});

test('urgent calls go before ordinary ones that have waited longer', async () => {
  const lanes = new Lanes({ inFlightMax: 1, urgentReserve: 0 });
  const entered: string[] = [];
  enterAll(lanes, ['a', 'b', 'u1', 'u2'], entered);
  await settle();
  for (let count = 0; count < 3; count += 1) lanes.leave();
  await settle();
  expect(entered).toEqual(['a', 'u1', 'u2', 'b']);
});

test('urgent calls have places that a storm of ordinary ones cannot take', async () => {
  const lanes = new Lanes({ inFlightMax: 2, urgentReserve: 1 });
  const entered: string[] = [];
  enterAll(lanes, ['a', 'b', 'c', 'u1', 'u2'], entered);
  await settle();
  expect(entered).toEqual(['a', 'b', 'u1']);
  expect(lanes.inFlight).toBe(3);
});

test('who was aborted while waiting takes no place', async () => {
  const lanes = new Lanes({ inFlightMax: 1, urgentReserve: 0 });
  await lanes.enter('Ordinary');
  const abort = new AbortController();
  const waiting = lanes.enter('Ordinary', abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  lanes.leave();
  expect(lanes.inFlight).toBe(0);
});
