import { expect, test } from 'vitest';
import { SteadyTime } from '../../../src/gate/steadytime.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/kernel/time.ts';
import { FakeClock } from '../../support/clock.ts';
import { Bench } from './bench.ts';

function looking(): { readonly clock: FakeClock; readonly look: (forMs: number) => boolean } {
  const clock = new FakeClock();
  const time = new SteadyTime(clock);
  return {
    clock,
    look: (forMs) => {
      let isSteady = false;
      for (let passedMs = 0; passedMs < forMs; passedMs += MINUTE_MS) {
        clock.advance(MINUTE_MS);
        isSteady = time.isSteady();
      }
      return isSteady;
    },
  };
}

test('a clock is trusted some minutes after the start', () => {
  const { look } = looking();
  expect(look(9 * MINUTE_MS)).toBe(false);
  expect(look(MINUTE_MS)).toBe(true);
});

test.each([365 * DAY_MS, -365 * DAY_MS, HOUR_MS])(
  'a clock that was stepped by %d ms is not trusted for a day',
  (stepMs) => {
    const { clock, look } = looking();
    look(HOUR_MS);
    clock.step(stepMs);
    expect(look(DAY_MS)).toBe(false);
    // Put right again: that is a step as well.
    clock.step(-stepMs);
    expect(look(DAY_MS)).toBe(false);
    expect(look(MINUTE_MS)).toBe(true);
  },
);

test('a clock that is put right little by little is trusted all along', () => {
  const { clock, look } = looking();
  look(HOUR_MS);
  for (let i = 0; i < 100; i += 1) {
    clock.step(500);
    expect(look(MINUTE_MS)).toBe(true);
  }
});

test('a gate whose clock was stepped leaves counts and signatures to others for a day', async () => {
  const bench = await new Bench().start();
  const sweeps = () => bench.database.asked.get('sweepUses') ?? 0;
  await bench.pass(12 * MINUTE_MS);
  const before = sweeps();
  expect(before).toBeGreaterThan(0);
  bench.clock.step(400 * DAY_MS);
  await bench.pass(12 * MINUTE_MS);
  expect(sweeps()).toBe(before);
});
