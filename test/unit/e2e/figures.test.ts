import { expect, test } from 'vitest';
import { Figures } from '../../../e2e/figures.ts';

test('figures stand in two columns, in the order in which they were taken', () => {
  const figures = new Figures();
  figures.time('helm install', 19_449);
  figures.size('image', 131.8 * 1_048_576);
  figures.count('calls', 1_250);
  expect(figures.table()).toBe(
    ['helm install     19.4 s', 'image         131.8 MiB', 'calls              1250'].join('\n'),
  );
});

test('no figures are no lines', () => {
  expect(new Figures().table()).toBe('');
});
