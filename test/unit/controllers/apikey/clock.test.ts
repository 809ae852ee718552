/** The machine's clock is far from the API server's, and that is known. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../../src/kernel/time.ts';
import { countReview } from '../../../../src/ledger/formdecisions.ts';
import { REVIVAL_MS } from '../../../../src/controllers/apikey/wanted.ts';
import { aDecision, aSubmittedForm } from '../../../support/forms.ts';
import { aRotation } from '../../../support/world.ts';
import { Desk } from './desk.ts';

/** A desk whose API server has answered; `serverMs` goes on as time passes, whatever the machine shows. */
function deskByServer() {
  const at = new Desk();
  const leadMs = at.clock.nowMs() - at.clock.monotonicMs();
  const serverMs = (): number => leadMs + at.clock.monotonicMs();
  const answer = (): void => at.time.note(new Date(serverMs()).toUTCString(), 0);
  answer();
  return { at, serverMs, answer };
}

/** Whole seconds are all that the server says. */
function expectAbout(ms: number | undefined, wantedMs: number): void {
  expect(Math.abs((ms ?? NaN) - wantedMs)).toBeLessThanOrEqual(SECOND_MS);
}

describe('the machine’s clock', () => {
  test.each([
    ['a day ahead', DAY_MS],
    ['a year ahead', 365 * DAY_MS],
    ['a year behind', -365 * DAY_MS],
  ])(
    '%s and known to be: nothing wrong is written down, a retire time is the server’s, and all goes on when the clock is right',
    async (_why, ms) => {
      const { at, serverMs, answer } = deskByServer();
      at.clock.step(ms);
      const issuedMs = serverMs();
      const spec = { terms: { validity: { durationDays: 90 } } };
      at.putPlain(spec);
      await at.settle();
      const { record } = at;
      expectAbout(record?.credentials[0]?.createdAtMs, issuedMs);
      expectAbout(record?.terms.endMs, issuedMs + 90 * DAY_MS);

      const old = at.value;
      at.putPlain({ ...spec, rotation: aRotation({ requestId: 'r1', overlapSeconds: 3_600 }) });
      const rotatedMs = serverMs();
      await at.pass();
      expectAbout(at.record?.credentials[0]?.retireAtMs, rotatedMs + HOUR_MS);

      at.clock.advance(2 * HOUR_MS);
      answer();
      await at.pass();
      expect(at.record?.credentials).toHaveLength(2);
      expectAbout(at.lookAgainAtMs, serverMs() + MINUTE_MS);

      at.clock.step(-ms);
      await at.pass();
      expect(at.record?.credentials).toHaveLength(1);
      expect(at.admits(at.value)).toBe(true);
      expect(at.admits(old)).toBe(false);
    },
  );

  test('stepped a year ahead just now: nothing ends, though nobody has answered since', async () => {
    const { at } = deskByServer();
    at.putPlain({ terms: { validity: { durationDays: 90 } } });
    await at.settle();
    at.putPlain({ rotation: aRotation({ requestId: 'r1', overlapSeconds: 3_600 }) });
    await at.settle();
    const { record } = at;
    at.clock.step(365 * DAY_MS);
    expect(await at.pass()).toEqual([]);
    expect(at.record).toEqual(record);
  });

  test('not believed for days is no reason to look again and again at a key with a grant in force', async () => {
    const { at, serverMs, answer } = deskByServer();
    await at.client();
    await at.form(aSubmittedForm());
    const approval = aDecision('rob', { atMs: at.clock.nowMs() });
    await at.changeForm((form) => countReview(form, approval));
    at.putKey({ rotation: aRotation({ overlapSeconds: 3_600 }) });
    await at.settle();
    expect(at.value).not.toBe('');
    at.clock.step(-DAY_MS);
    at.clock.advance(HOUR_MS);
    answer();
    expect(await at.pass()).toEqual([]);
    expect(at.time.isTrusted).toBe(false);
    expect(at.lookAgainAtMs ?? Infinity).toBeGreaterThan(serverMs() + DAY_MS);
  });

  test('not believed is no reason to look again and again at a key that has expired', async () => {
    const { at, serverMs, answer } = deskByServer();
    at.putPlain({ terms: { validity: { durationDays: 1 } } });
    await at.settle();
    at.clock.advance(2 * DAY_MS);
    at.clock.step(-DAY_MS);
    answer();
    expect(await at.pass()).toEqual([]);
    expect(at.time.isTrusted).toBe(false);
    const endMs = at.record?.terms.endMs ?? NaN;
    expect(endMs).toBeLessThan(serverMs());
    expect(at.lookAgainAtMs).toBe(endMs + REVIVAL_MS);
    at.clock.advance(REVIVAL_MS);
    answer();
    await at.pass();
    expectAbout(at.lookAgainAtMs, serverMs() + MINUTE_MS);
    at.clock.step(DAY_MS);
    expect(await at.pass()).toContain('DropExpired');
  });
});
