import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelText, writeGauges } from '../../../src/kernel/exposition.ts';

describe('metrics of single objects', () => {
  it('are written as Prometheus reads them', () => {
    const family = {
      name: 'a_b',
      help: 'What it is.',
      labels: ['x'],
      samples: () => [[labelText({ x: 'one', y: 'two' }), 1] as const, ['', 2.5] as const],
    };
    expect([...writeGauges([family])].join('')).toBe(
      '# HELP a_b What it is.\n# TYPE a_b gauge\na_b{x="one",y="two"} 1\na_b 2.5\n',
    );
  });

  it('leave out what is no number', () => {
    const samples = () => [Number.NaN, Infinity].map((value) => ['', value] as const);
    const text = [...writeGauges([{ name: 'a', help: 'h', labels: [], samples }])].join('');
    expect(text).toBe('# HELP a h\n# TYPE a gauge\n');
  });

  it('come in pieces of a bounded length, however many there are', () => {
    const samples = () => Array.from({ length: 20_000 }, (_, n) => [`{n="${n}"}`, n] as const);
    const pieces = [...writeGauges([{ name: 'many', help: 'h', labels: ['n'], samples }])];
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(20_000);
    expect(pieces.join('').split('\n')).toHaveLength(20_003);
  });

  it('stay one sample on one line, whatever a value holds, and never a long one', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('"', '\\', '\n', '\\n', '"} 1\nfaked{x="', '\u2028', '\ud800'),
      fc.constant('x'.repeat(100_000)),
    );
    fc.assert(
      fc.property(value, (text) => {
        const labels = labelText({ x: text });
        expect(labels.length).toBeLessThanOrEqual(2 * 256 + 6);
        expect(labels).not.toContain('\n');
        expect(labels).toMatch(/^\{x="(?:[^"\\]|\\["\\n])*"\}$/);
        expect(labels.isWellFormed()).toBe(true);
      }),
    );
  });
});
