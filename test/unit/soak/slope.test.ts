import { describe, expect, it } from 'vitest';
import { slopeOf } from '../../soak/slope.ts';

const line = (perSecond: number, noise: (at: number) => number) =>
  Array.from({ length: 100 }, (_, at) => ({ seconds: at, value: 50 + perSecond * at + noise(at) }));

describe('the slope of samples', () => {
  it('is that of the line they lie on, with no doubt about it', () => {
    const { perHour, low, high } = slopeOf(line(0.01, () => 0));
    expect(perHour).toBeCloseTo(36, 6);
    expect(high - low).toBeCloseTo(0, 6);
  });

  it('is in doubt as far as the samples scatter, and the doubt holds the truth', () => {
    const { perHour, low, high } = slopeOf(line(0, (at) => (at % 2 === 0 ? 1 : -1)));
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
    expect(perHour - low).toBeCloseTo(high - perHour, 6);
  });
});
