/** Names on forms and reviews are believed only where the policies are proven to have been in force. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { settle } from '../../../support/clock.ts';
import { refusal, Stage, type Answer } from './cluster.ts';

const MINUTE_MS = 60_000;
let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

afterEach(() => stage.end());

const now = (): number => stage.clock.nowMs();
/** An object that comes into being and is seen at once. */
const isCoveredNow = async (): Promise<boolean> => {
  const atMs = now();
  stage.clock.advance(1);
  const answer = stage.prover.prove();
  await stage.clock.advanceSettled(250);
  await answer;
  return stage.prover.covers(atMs, atMs);
};

const transient = new KeywardError('Transient', { reason: 'ServerUnreachable', message: 'gone' });
const forbidden = new KeywardError('Terminal', { reason: 'Forbidden', message: 'no such right' });

describe('the proof', () => {
  test('holds once all forgeries were refused, and for what comes after', async () => {
    const beforeMs = now();
    expect(stage.prover.state).toMatchObject({ state: 'NotProven' });
    await stage.lead();
    expect(stage.prover.state).toEqual({ state: 'Proven' });
    expect(await isCoveredNow()).toBe(true);
    expect(stage.prover.covers(beforeMs, now())).toBe(false);
    expect(stage.states).toEqual(['NotProven', 'Proven']);
    expect(stage.metrics.at(-1)).toBe('Proven');
  });

  test('is made of dry runs in the namespace of the operator, and of nothing else', async () => {
    await stage.lead();
    expect(stage.sent.length).toBeGreaterThanOrEqual(3);
    for (const { draft, dryRun } of stage.sent) {
      expect(dryRun).toBe(true);
      expect(draft.metadata.namespace).toBe('keyward-system');
    }
    expect(new Set(stage.sent.map(({ draft }) => draft.kind))).toEqual(
      new Set(['ApiKeyReview', 'ApiKeyApplication']),
    );
  });

  test('is repeated every minute while it holds, and every five seconds while it does not', async () => {
    await stage.lead();
    stage.sent.length = 0;
    await stage.clock.advanceSettled(10 * MINUTE_MS);
    expect(stage.sent.length / 3).toBe(10);
    stage.answer = () => 'Accept';
    await stage.clock.advanceSettled(MINUTE_MS);
    stage.sent.length = 0;
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.sent.length / 3).toBe(12);
  });

  test('does not cover what was created while it was only just made', async () => {
    stage.start();
    await settle();
    expect(stage.reason).toContain('only just');
    const createdMs = now() + 1_000;
    await stage.clock.advanceSettled(10_000);
    expect(stage.prover.state).toEqual({ state: 'Proven' });
    await stage.prover.prove();
    expect(stage.prover.covers(createdMs, createdMs)).toBe(false);
  });

  test('once said, covers what is created from then on, however old its stamp makes it look', async () => {
    stage.start();
    for (let tenths = 0; stage.states.at(-1) !== 'Proven'; tenths += 1) {
      expect(tenths).toBeLessThan(200);
      // Until it is said.
      // oxlint-disable-next-line no-await-in-loop
      await stage.clock.advanceSettled(100);
    }
    const stampedMs = Math.floor(now() / 1_000) * 1_000 - 500;
    const answer = stage.prover.prove();
    await stage.clock.advanceSettled(300);
    await answer;
    expect(stage.prover.covers(stampedMs, stampedMs)).toBe(true);
  });

  test('does not cover what was seen after it', async () => {
    await stage.lead();
    await stage.clock.advanceSettled(1_000);
    const seenMs = now();
    expect(stage.prover.covers(seenMs - 500, seenMs)).toBe(false);
    await stage.prover.prove();
    expect(stage.prover.covers(seenMs - 500, seenMs)).toBe(true);
    expect(stage.prover.covers(seenMs, seenMs - 500)).toBe(false);
    expect(stage.prover.covers(Number.NaN, seenMs)).toBe(false);
  });
});

describe('nothing is proven', () => {
  test.each<{ why: string; break: () => void; reason: string }>([
    {
      why: 'without the policy about reviews',
      break: () => stage.objects.delete('policy/keyward-reviews'),
      reason: 'ValidatingAdmissionPolicy keyward-reviews does not exist',
    },
    {
      why: 'without the binding of the one about forms',
      break: () => stage.objects.delete('binding/keyward-applications'),
      reason: 'ValidatingAdmissionPolicyBinding keyward-applications does not exist',
    },
    {
      why: 'when a forged review is accepted',
      break: () => (stage.answer = ({ kind }) => (kind === 'ApiKeyReview' ? 'Accept' : 'Refuse')),
      reason: 'accepted a review in the name of somebody else',
    },
    {
      why: 'when only the asserted review is accepted',
      break: () =>
        (stage.answer = (draft) =>
          JSON.stringify(draft).includes('attestedBy') ? 'Accept' : 'Refuse'),
      reason: 'accepted a review that somebody else answers for',
    },
    {
      why: 'when a forged form is accepted, healed or not',
      break: () => (stage.answer = ({ kind }) => (kind === 'ApiKeyReview' ? 'Refuse' : 'Accept')),
      reason: 'accepted an application in the name of somebody else',
    },
    {
      why: 'when a forgery fails only because its name is taken',
      break: () => (stage.answer = () => taken),
      reason: 'accepted',
    },
    {
      why: 'when something else refuses the forgeries',
      break: () => (stage.answer = () => forbidden),
      reason: 'no such right',
    },
    {
      why: 'when the other policy of ours refuses everything',
      break: () => (stage.answer = () => refusal('keyward-operator-spec')),
      reason: 'keyward-operator-spec',
    },
    {
      why: 'when the policies cannot be read',
      break: () => (stage.readFailure = forbidden),
      reason: 'no such right',
    },
    {
      why: 'when the API server is away',
      break: () => (stage.readFailure = transient),
      reason: 'gone',
    },
  ])('$why', async ({ break: breakIt, reason }) => {
    breakIt();
    await stage.lead();
    expect(stage.prover.state.state).toBe('NotProven');
    expect(stage.reason).toContain(reason);
    expect(await isCoveredNow()).toBe(false);
    expect(stage.metrics).not.toContain('Proven');
  });
});

const taken: Answer = new KeywardError('Conflict', { reason: 'AlreadyExists', message: 'taken' });

describe('a gap', () => {
  test('is found within one round, and what was in it or before is not covered later', async () => {
    await stage.lead();
    const earlyMs = now();
    stage.objects.delete('binding/keyward-reviews');
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.reason).toContain('keyward-reviews does not exist');
    const gapMs = now();
    stage.install('keyward-reviews', 'apikeyreviews');
    stage.touch('binding/keyward-reviews');
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.prover.state).toEqual({ state: 'Proven' });
    expect(stage.prover.covers(earlyMs, earlyMs)).toBe(false);
    expect(stage.prover.covers(gapMs, gapMs)).toBe(false);
    expect(await isCoveredNow()).toBe(true);
    expect(stage.states).toEqual(['NotProven', 'Proven', 'NotProven', 'Proven']);
  });

  test.each(['policy/keyward-reviews', 'binding/keyward-applications'])(
    'between two looks is seen by the change that it leaves on %s',
    async (at) => {
      await stage.lead();
      const gapMs = now() + 1_000;
      stage.touch(at);
      await stage.clock.advanceSettled(2 * MINUTE_MS);
      expect(stage.prover.state).toEqual({ state: 'Proven' });
      expect(stage.prover.covers(gapMs, gapMs)).toBe(false);
      expect(await isCoveredNow()).toBe(true);
    },
  );

  test('of an accepted forgery with unchanged policies ends the chain too', async () => {
    await stage.lead();
    const gapMs = now();
    stage.answer = () => 'Accept';
    await stage.clock.advanceSettled(MINUTE_MS);
    stage.answer = () => 'Refuse';
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.prover.state).toEqual({ state: 'Proven' });
    expect(stage.prover.covers(gapMs, gapMs)).toBe(false);
  });

  test('in which the API server is away is none; for minutes, nothing is called proven', async () => {
    await stage.lead();
    const awayMs = now();
    stage.readFailure = transient;
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.prover.state).toEqual({ state: 'Proven' });
    expect(stage.prover.covers(awayMs, now())).toBe(false);
    await stage.clock.advanceSettled(4 * MINUTE_MS);
    expect(stage.prover.state.state).toBe('NotProven');
    stage.readFailure = undefined;
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.prover.state).toEqual({ state: 'Proven' });
    expect(stage.prover.covers(awayMs, awayMs + 3 * MINUTE_MS)).toBe(true);
  });

  test('in which the right to look is missing is said at once, and is none either', async () => {
    await stage.lead();
    const withoutMs = now();
    stage.answer = () => forbidden;
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.reason).toContain('no such right');
    stage.answer = () => 'Refuse';
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.prover.covers(withoutMs, withoutMs)).toBe(true);
  });
});

describe('asking', () => {
  test('does not take a look that began before for an answer', async () => {
    await stage.lead();
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.gate = promise;
    const early = stage.prover.prove();
    await stage.clock.advanceSettled(300);
    const seenMs = now();
    let isAnswered = false;
    const late = stage.prover.prove().then(() => (isAnswered = true));
    resolve();
    await early;
    expect(stage.prover.covers(seenMs, seenMs)).toBe(false);
    expect(isAnswered).toBe(false);
    await stage.clock.advanceSettled(300);
    await late;
    expect(stage.prover.covers(seenMs, seenMs)).toBe(true);
  });

  test('at the same time is one look', async () => {
    await stage.lead();
    stage.sent.length = 0;
    const answers = Array.from({ length: 200 }, () => stage.prover.prove());
    await stage.clock.advanceSettled(300);
    await Promise.all(answers);
    expect(stage.sent).toHaveLength(3);
  });

  test('is answered by the look it asked for, not by what an earlier one proved', async () => {
    await stage.lead();
    stage.readFailure = transient;
    const answer = stage.prover.prove();
    await stage.clock.advanceSettled(300);
    expect(await answer).toEqual({ state: 'NotProven', reason: 'gone' });
    expect(stage.prover.state).toEqual({ state: 'Proven' });
  });

  test('and being told no is told again when there is a yes, once', async () => {
    await stage.lead();
    stage.readFailure = transient;
    const answer = stage.prover.prove();
    await stage.clock.advanceSettled(300);
    await answer;
    stage.states.length = 0;
    stage.readFailure = undefined;
    await stage.clock.advanceSettled(5 * MINUTE_MS);
    expect(stage.states).toEqual(['Proven']);
  });

  test.each<{ why: string; before: () => void; fromMs: () => number; type: string }>([
    { why: 'what just came', before: () => undefined, fromMs: now, type: 'Covered' },
    {
      why: 'what seems to come from the future',
      before: () => undefined,
      fromMs: () => now() + 1_000,
      type: 'Covered',
    },
    {
      why: 'what may be older than the chain',
      before: () => undefined,
      fromMs: () => now() - MINUTE_MS,
      type: 'Gap',
    },
    {
      why: 'what comes after the policies were replaced',
      before: () => stage.touch('policy/keyward-reviews'),
      fromMs: now,
      type: 'NotProven',
    },
    {
      why: 'what comes while nobody answers',
      before: () => (stage.readFailure = transient),
      fromMs: now,
      type: 'NotProven',
    },
    {
      why: 'what comes while forgeries are accepted',
      before: () => (stage.answer = () => 'Accept'),
      fromMs: now,
      type: 'NotProven',
    },
  ])('about $why answers $type', async ({ before, fromMs, type }) => {
    await stage.lead();
    await stage.clock.advanceSettled(1_000);
    before();
    const answer = stage.prover.vouch(fromMs());
    await stage.clock.advanceSettled(300);
    expect(await answer).toMatchObject({ type });
  });

  test('while the clock goes back is to be asked again, and never a gap', async () => {
    await stage.lead();
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.gate = promise;
    const early = stage.prover.prove();
    await settle();
    const answer = stage.prover.vouch(now());
    stage.clock.step(-10 * MINUTE_MS);
    resolve();
    await early;
    await stage.clock.advanceSettled(300);
    expect(await answer).toMatchObject({ type: 'NotProven' });
  });

  test('before leading, or after, answers that nothing is proven, and asks nobody', async () => {
    expect((await stage.prover.prove()).state).toBe('NotProven');
    expect(stage.sent).toEqual([]);
  });
});

describe('another process', () => {
  test('goes on where the last one ended: the time between is covered', async () => {
    await stage.lead();
    const createdMs = now();
    stage.clock.freeze(30 * MINUTE_MS);
    await stage.restart();
    expect(stage.prover.state).toEqual({ state: 'Proven' });
    expect(stage.prover.covers(createdMs, now() - 1)).toBe(true);
  });

  test('begins anew where the policies were replaced meanwhile', async () => {
    await stage.lead();
    const createdMs = now();
    stage.touch('policy/keyward-reviews');
    stage.clock.freeze(MINUTE_MS);
    await stage.restart();
    expect(stage.reason).toContain('only just');
    await stage.clock.advanceSettled(5_000);
    expect(stage.prover.covers(createdMs, createdMs)).toBe(false);
  });

  test('covers by its own clock, which may be another one', async () => {
    await stage.lead();
    const createdMs = now();
    stage.clock.freeze(MINUTE_MS);
    stage.clock.step(-10 * MINUTE_MS);
    stage.client.clockSkewMs = 10 * MINUTE_MS;
    await stage.restart();
    const { prover } = stage;
    expect(prover.atOurClock(createdMs)).toBe(createdMs - 10 * MINUTE_MS);
    expect(prover.covers(prover.atOurClock(createdMs), now())).toBe(true);
    expect(prover.covers(prover.atOurClock(createdMs - 5_000), now())).toBe(false);
  });

  test('knows of a chain that was broken', async () => {
    await stage.lead();
    stage.answer = () => 'Accept';
    await stage.clock.advanceSettled(MINUTE_MS);
    expect(stage.saves.at(-1)).toBeUndefined();
    stage.answer = () => 'Refuse';
    await stage.restart();
    expect(stage.reason).toContain('only just');
  });
});

describe('the ledger', () => {
  test('is written when the chain begins and when it ends, not every minute', async () => {
    await stage.lead();
    await stage.clock.advanceSettled(60 * MINUTE_MS);
    expect(stage.saves).toHaveLength(1);
  });

  test('that fails is written later; one that cannot be read proves nothing', async () => {
    stage.storeFailure = transient;
    await stage.lead();
    expect(stage.reason).toContain('cannot be read');
    stage.storeFailure = undefined;
    await stage.clock.advanceSettled(10_000);
    expect(stage.saves).toHaveLength(1);
    stage.storeFailure = transient;
    stage.touch('policy/keyward-reviews');
    await stage.clock.advanceSettled(2 * MINUTE_MS);
    stage.storeFailure = undefined;
    await stage.clock.advanceSettled(2 * MINUTE_MS);
    expect(stage.saves).toHaveLength(2);
  });
});

test('a clock that was stepped makes every answer a no until the next look', async () => {
  await stage.lead();
  const fromMs = now();
  await stage.clock.advanceSettled(1_000);
  await stage.prover.prove();
  stage.clock.step(-5 * MINUTE_MS);
  expect(stage.prover.covers(fromMs, fromMs)).toBe(false);
});
