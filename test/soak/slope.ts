/** A line through samples, with how sure it is. Pure. */

/** One sample. */
export type Point = { readonly seconds: number; readonly value: number };

/** Per hour: the slope, and the ends of its 95 % interval. */
export type Slope = { readonly perHour: number; readonly low: number; readonly high: number };

/** Of Student's distribution for many samples. */
const T_95 = 1.96;
const SECONDS_PER_HOUR = 3_600;

/** Least squares; NaN with fewer than three samples. The interval takes samples for independent. */
export function slopeOf(points: readonly Point[]): Slope {
  const count = points.length;
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / count;
  const meanSeconds = mean(({ seconds }) => seconds);
  const meanValue = mean(({ value }) => value);
  const spread = mean(({ seconds }) => (seconds - meanSeconds) ** 2) * count;
  const together = mean((p) => (p.seconds - meanSeconds) * (p.value - meanValue)) * count;
  const slope = together / spread;
  const left = mean((p) => (p.value - meanValue - slope * (p.seconds - meanSeconds)) ** 2) * count;
  const error = Math.sqrt(left / (count - 2) / spread);
  const at = (factor: number): number => (slope + factor * error) * SECONDS_PER_HOUR;
  return { perHour: at(0), low: at(-T_95), high: at(T_95) };
}
