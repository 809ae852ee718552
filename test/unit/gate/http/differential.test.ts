import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSame, startTwins, type Twins } from '../../../fuzz/twins.ts';
import { PLAIN, SOUND } from '../../../fuzz/wire.ts';
import { fuzzWire } from '../../../fuzz/wirefuzz.ts';

let twins: Twins;
beforeAll(async () => {
  twins = await startTwins();
});
afterAll(() => twins.close());

describe('a listener with its lane and one of Node alone', () => {
  test('ask and answer the same for random bytes, sound, nearly so and spoilt', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}; npm run fuzz -- --subject wire --cases 1500 --seed ${seed}`);
    const { difference, counted, calls, yeses } = await fuzzWire(1_500, seed);
    expect(difference).toBeUndefined();
    expect(counted.fast).toBe(counted.node);
    // Otherwise nothing was tried.
    expect(calls).toBeGreaterThan(500);
    expect(yeses).toBeGreaterThan(150);
  });

  test('ask and answer the same wherever a request is cut', async () => {
    for (let cut = 1; cut < PLAIN.length; cut += 1) {
      const outcomes = await twins.send({ text: PLAIN, cuts: [cut] });
      expect(outcomes.fast).toEqual(outcomes.node);
      expect(outcomes.fast.calls).toHaveLength(1);
    }
  });

  test('ask and answer the same for two requests in a row, wherever the second begins to come', async () => {
    for (const first of SOUND) {
      for (const second of SOUND) {
        for (const cuts of [[], [first.length], [first.length - 1], [first.length + 1]]) {
          const outcomes = await twins.send({ text: first + second, cuts });
          expect({ ...outcomes, isSame: isSame(outcomes) }).toMatchObject({ isSame: true });
        }
      }
    }
  });
});
