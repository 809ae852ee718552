import { expect, it } from 'vitest';
import { createRegistry, PlainHistogram } from '../../../src/kernel/metrics.ts';

it('a plain histogram reads as every other, with buckets that hold what lies on their bound', async () => {
  const registry = createRegistry();
  const about = { name: 'took_seconds', help: 'Seconds that it took' };
  const histogram = new PlainHistogram(about, [0.1, 1], registry);
  for (const value of [0, 0.1, 0.5, 1, 3]) histogram.count(value);
  const text = await registry.metrics();
  expect(text.slice(text.indexOf('# HELP took_seconds'))).toBe(
    [
      '# HELP took_seconds Seconds that it took',
      '# TYPE took_seconds histogram',
      'took_seconds_bucket{le="0.1"} 2',
      'took_seconds_bucket{le="1"} 4',
      'took_seconds_bucket{le="+Inf"} 5',
      'took_seconds_sum 4.6',
      'took_seconds_count 5',
      '',
    ].join('\n'),
  );
  expect(await histogram.get()).toMatchObject({ name: 'took_seconds' });
});
