import { expect, test } from 'vitest';
import { Recovery } from '../../../src/runtime/recovery.ts';
import { FakeClock } from '../../support/clock.ts';

test('the first success after an outage hastens what waits, once', () => {
  let hastened = 0;
  const recovery = new Recovery(new FakeClock(), () => (hastened += 1));
  recovery.worked();
  expect(hastened).toBe(0);
  recovery.failed();
  recovery.worked();
  recovery.worked();
  expect(hastened).toBe(1);
});

test('a server that fails every other call hastens nothing again for ten seconds', () => {
  const clock = new FakeClock();
  let hastened = 0;
  const recovery = new Recovery(clock, () => (hastened += 1));
  for (let n = 0; n < 5; n += 1) {
    recovery.failed();
    recovery.worked();
  }
  expect(hastened).toBe(1);
  clock.advance(10_000);
  recovery.worked();
  expect(hastened).toBe(2);
});
