import { expect, test } from 'vitest';
import {
  RestartPacer,
  TARGET_GAP_MS,
  TARGET_PER_HOUR,
  TOTAL_PER_MINUTE,
} from '../../../../src/controllers/apikey/pacing.ts';
import { HOUR_MS } from '../../../../src/kernel/time.ts';
import { FakeClock } from '../../../support/clock.ts';

function bench() {
  const clock = new FakeClock();
  const pacer = new RestartPacer(clock);
  const restart = (uid: string, annotations: Record<string, string>) => {
    const turn = pacer.ask(uid, annotations);
    if (turn.type === 'Go') pacer.restarted(uid, turn.annotations);
    return turn;
  };
  return { clock, restart };
}

test('a workload is left to itself for a minute after a restart', () => {
  const { clock, restart } = bench();
  expect(restart('a', { x: '1' })).toEqual({ type: 'Go', annotations: { x: '1' } });
  expect(restart('a', { x: '2' })).toEqual({
    type: 'Wait',
    untilMs: clock.nowMs() + TARGET_GAP_MS,
  });
  expect(restart('b', { x: '2' }).type).toBe('Go');
  clock.advance(TARGET_GAP_MS);
  expect(restart('a', { x: '2' }).type).toBe('Go');
});

test('keys that wait for one workload are served by one restart', () => {
  const { clock, restart } = bench();
  restart('a', { x: '1' });
  restart('a', { y: '1' });
  restart('a', { z: '1' });
  restart('a', { z: '2' });
  clock.advance(TARGET_GAP_MS);
  expect(restart('a', { y: '1' })).toEqual({
    type: 'Go',
    annotations: { y: '1', z: '2' },
  });
  clock.advance(TARGET_GAP_MS);
  expect(restart('a', { y: '2' })).toEqual({ type: 'Go', annotations: { y: '2' } });
});

test('however often keys rotate, a workload restarts six times an hour', () => {
  const { clock, restart } = bench();
  let restarts = 0;
  for (let second = 0; second < 4 * 3_600; second += 10) {
    if (restart('a', { x: String(second) }).type === 'Go') restarts += 1;
    clock.advance(10_000);
  }
  expect(restarts).toBe(4 * TARGET_PER_HOUR);
});

test('all workloads together restart thirty times a minute', () => {
  const { clock, restart } = bench();
  const turns = Array.from({ length: 100 }, (_, at) => restart(`w${at}`, { x: '1' }).type);
  expect(turns.filter((type) => type === 'Go')).toHaveLength(TOTAL_PER_MINUTE);
  clock.advance(HOUR_MS);
  expect(restart('w99', { x: '1' }).type).toBe('Go');
});

test('a clock that is set back holds up nothing', () => {
  const { clock, restart } = bench();
  restart('a', { x: '1' });
  clock.step(clock.nowMs() - 24 * HOUR_MS);
  clock.advance(TARGET_GAP_MS);
  expect(restart('a', { x: '2' }).type).toBe('Go');
});
