import { describe, expect, test } from 'vitest';
import { parseSource } from '../../support/sources.ts';

const parse = (text: string) => parseSource('src/keys/mint.ts', text);

describe('reading a source file', () => {
  test('tells imports that run something from imports of types', () => {
    const { imports } = parse(`
      import type { A } from '../api/a.ts';
      import { type B } from './b.ts';
      import { type C, d } from './d.ts';
      import './e.ts';
      export { f } from 'f';
      const g = import('./g.ts');
    `);
    expect(imports.map(({ target, isOurs, isTypeOnly }) => [target, isOurs, isTypeOnly])).toEqual([
      ['src/api/a.ts', true, true],
      ['src/keys/b.ts', true, true],
      ['src/keys/d.ts', true, false],
      ['src/keys/e.ts', true, false],
      ['f', false, false],
      ['src/keys/g.ts', true, false],
    ]);
  });

  test('sees which exports have a doc comment directly above', () => {
    const { exports } = parse(`/** Opens. */

/** Says. */
export const said = 1;
/** Too far. */

export function far(): void {}
// no doc comment
export type Bare = string;
/**
 * Long.
 */
export class Long {}
`);
    expect(exports.map(({ name, isDocumented }) => [name, isDocumented])).toEqual([
      ['said', true],
      ['far', false],
      ['Bare', false],
      ['Long', true],
    ]);
  });

  test.each([
    { why: 'a call', text: 'const at = Date.now();', uses: 'Date.now' },
    { why: 'a chain', text: 'const home = process.env.HOME;', uses: 'process.env' },
    { why: 'brackets', text: "const home = process['env'];", uses: 'process.env' },
    { why: 'now', text: 'const now = new Date();', uses: 'new Date' },
    { why: 'shorthand', text: 'const all = { fetch };', uses: 'fetch' },
    { why: 'an import', text: "import { systemClock } from './c.ts';", uses: 'systemClock' },
  ])('sees the use of $uses ($why)', ({ text, uses }) => {
    expect([...parse(text).uses]).toContain(uses);
  });

  test.each([
    { why: 'a given instant', text: 'const at = new Date(5);', uses: 'new Date' },
    { why: 'a comment', text: '/** never Date.now */', uses: 'Date.now' },
    { why: 'text', text: "const said = 'process.env';", uses: 'process.env' },
    { why: 'a type', text: 'let call: typeof fetch;', uses: 'fetch' },
    { why: 'a field', text: 'const of = task.process;', uses: 'process' },
    { why: 'a label', text: 'const task = { process: 1 };', uses: 'process' },
  ])('does not take $why for a use of $uses', ({ text, uses }) => {
    expect([...parse(text).uses]).not.toContain(uses);
  });

  test('notices a file that passes on the exports of another', () => {
    expect(parse("export { a } from './a.ts';").passesOn).toBe(true);
    expect(parse("export * from './a.ts';").passesOn).toBe(true);
    expect(parse("export { Counter } from 'prom-client';").passesOn).toBe(false);
  });
});
