import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../../../src/kernel/time.ts';
import type { ValiditySpec } from '../../../../src/terms/terms.ts';
import { aStore } from '../../../support/world.ts';
import { Desk } from './desk.ts';

/** A desk of a store with a limit, and the instant that is so many days ahead. */
function limited(): { readonly at: Desk; readonly dayMs: (days: number) => number } {
  const at = new Desk();
  at.store = aStore({ kind: 'KeyStore', maxDurationDays: 30 });
  const startMs = at.clock.nowMs();
  return { at, dayMs: (days) => startMs + days * DAY_MS };
}

const time = (ms: number): string => new Date(ms).toISOString();

describe('The days of a key', () => {
  test('count from its start where it is issued at its start, however long before it was written', async () => {
    const { at, dayMs } = limited();
    at.putPlain({ terms: { validity: { notBeforeTime: time(dayMs(20)), durationDays: 30 } } });
    expect(await at.pass()).toEqual([]);
    expect(at.ready?.reason).toBe('NotYetValid');
    at.clock.step(20 * DAY_MS);
    await at.pass();
    expect(at.record?.terms.endMs).toBe(dayMs(50));
  });

  test.each<[string, (dayMs: (days: number) => number) => ValiditySpec]>([
    ['a later end', (dayMs) => ({ expirationTime: time(dayMs(40)) })],
    [
      'a later end, and now as its start',
      (dayMs) => ({ notBeforeTime: time(dayMs(25)), expirationTime: time(dayMs(55)) }),
    ],
    [
      'a start after its end, and as many days',
      (dayMs) => ({ notBeforeTime: time(dayMs(30)), durationDays: 30 }),
    ],
  ])('are not prolonged beyond the limit of its store by %s', async (_, changed) => {
    const { at, dayMs } = limited();
    at.putPlain({ terms: { validity: { durationDays: 30 } } });
    await at.pass();
    at.clock.step(25 * DAY_MS);
    at.putPlain({ terms: { validity: changed(dayMs) } });
    await at.pass();
    expect(at.ready?.reason).toBe('InvalidSpec');
    expect(at.record?.terms.endMs).toBe(dayMs(30));
  });

  test('are not given anew by a later start', async () => {
    const { at, dayMs } = limited();
    at.putPlain();
    await at.pass();
    at.clock.step(25 * DAY_MS);
    at.putPlain({ terms: { validity: { notBeforeTime: time(dayMs(24)) } } });
    await at.pass();
    expect(at.record?.terms.endMs).toBe(dayMs(30));
    expect(at.admits(at.value)).toBe(true);
  });
});
