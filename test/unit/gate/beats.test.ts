import { expect, it } from 'vitest';
import { Beats } from '../../../src/gate/beats.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { FakeClock } from '../../support/clock.ts';

it('beats never overlap, outlive their failures, and end when they are told to', async () => {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const log = { ...silentLogger, error: (_: string, fields: unknown) => void errors.push(fields) };
  let times = 0;
  let resolve: () => void = () => undefined;
  const beats = new Beats({ clock, log }, [
    {
      everyMs: 100,
      act: async () => {
        times += 1;
        if (times === 1) throw new TypeError('broken');
        if (times === 2) await new Promise<void>((done) => (resolve = done));
      },
    },
  ]);
  beats.start();
  await clock.advanceSettled(100);
  expect(errors).toMatchObject([{ reason: 'InternalError' }]);
  await clock.advanceSettled(1_000);
  expect(times).toBe(2);
  resolve();
  await clock.advanceSettled(100);
  expect(times).toBe(3);
  beats.stop();
  await clock.advanceSettled(1_000);
  expect(times).toBe(3);
  expect(clock.pendingTimers).toBe(0);
});
