import { describe, expect, test } from 'vitest';
import { Lanes, sooner } from '../../../src/runtime/lanes.ts';

function takeAll(lanes: Lanes): string[] {
  const texts: string[] = [];
  for (let next = lanes.take(); next; next = lanes.take()) texts.push(next.text);
  return texts;
}

describe('lanes', () => {
  test('urgent goes before normal before bulk, first in first out within a lane', () => {
    const lanes = new Lanes();
    lanes.add('b1', 'bulk', 0);
    lanes.add('n1', 'normal', 0);
    lanes.add('u1', 'urgent', 0);
    lanes.add('u2', 'urgent', 0);
    expect(takeAll(lanes)).toEqual(['u1', 'u2', 'n1', 'b1']);
  });

  test('of 16 turns under a flood of urgent refs three are normal and one is bulk', () => {
    const lanes = new Lanes();
    for (let i = 0; i < 100; i += 1) {
      lanes.add(`u${i}`, 'urgent', 0);
      lanes.add(`n${i}`, 'normal', 0);
      lanes.add(`b${i}`, 'bulk', 0);
    }
    const firstLap = Array.from({ length: 16 }, () => lanes.take()?.lane);
    expect(firstLap.filter((lane) => lane === 'normal')).toHaveLength(3);
    expect(firstLap.filter((lane) => lane === 'bulk')).toHaveLength(1);
    expect(firstLap[0]).toBe('urgent');
  });

  test('a text is in line once, moves up but never down, and keeps its waiting time', () => {
    const lanes = new Lanes();
    expect(lanes.add('a', 'bulk', 1)).toBe(true);
    expect(lanes.add('a', 'urgent', 2)).toBe(false);
    expect(lanes.add('a', 'normal', 3)).toBe(false);
    lanes.add('b', 'normal', 4);
    expect(lanes.size).toBe(2);
    expect(lanes.take()).toEqual({ text: 'a', lane: 'urgent', sinceMs: 1 });
    expect(takeAll(lanes)).toEqual(['b']);
    expect(lanes.size).toBe(0);
  });

  test('a long line gives everything back in order', () => {
    const lanes = new Lanes();
    const texts = Array.from({ length: 5_000 }, (_, i) => `t${i}`);
    for (const text of texts) lanes.add(text, 'normal', 0);
    expect(takeAll(lanes)).toEqual(texts);
  });

  test('the sooner of two lanes is the more urgent one', () => {
    expect(sooner(undefined, 'bulk')).toBe('bulk');
    expect(sooner('bulk', 'urgent')).toBe('urgent');
    expect(sooner('urgent', 'normal')).toBe('urgent');
  });
});
