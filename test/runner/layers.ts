/** The layers of `npm test`, cheapest first. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run, runFile, type Ended } from './command.ts';
import { add, NOTHING, parseTally, type Tally } from './tally.ts';
import { runProjects } from './vitest.ts';

/** A part of the tests that can be run alone with `--only`. */
export type Layer = { readonly name: string; readonly run: () => Promise<Tally> };

/** All layers in the order in which they run. */
export const LAYERS: readonly Layer[] = [
  { name: 'static', run: runStatic },
  { name: 'architecture', run: () => runProjects(['architecture']) },
  { name: 'unit', run: () => runProjects(['unit']) },
  { name: 'conformance', run: () => runProjects(['conformance', 'conformance-crds', 'chart']) },
  { name: 'integration', run: () => runProjects(['integration', 'gateways']) },
  { name: 'crash', run: () => runOwn('test/crash/main.ts', ['--pruned']) },
  { name: 'leaders', run: () => runOwn('test/leaders/main.ts', ['--runs', '7']) },
];

/** Each tool is one test: formatting, lint, types, and generated files that leave no difference. */
async function runStatic(): Promise<Tally> {
  const tools = [
    () => run('oxfmt', ['--check', '.']),
    () => run('oxlint', ['--type-aware', '--deny-warnings', '.']),
    () => run('tsc', ['-p', '.']),
    ...optional('tools/generate/main.ts', '--check'),
  ];
  let total = NOTHING;
  for (const tool of tools) total = add(total, oneTest(await tool()));
  return total;
}

/** Programs that print their own counts; without them each is one test. */
async function runOwn(file: string, flags: readonly string[]): Promise<Tally> {
  let total = NOTHING;
  for (const program of optional(file, ...flags)) {
    const ended = await program();
    const counted = parseTally(ended.output);
    const isBroken = ended.code !== 0 && counted?.failed === 0;
    const tally = counted === undefined || isBroken ? oneTest(ended) : counted;
    total = add(total, tally.failed === 0 ? tally : { ...tally, output: ended.output });
  }
  return total;
}

function optional(file: string, ...flags: readonly string[]): (() => Promise<Ended>)[] {
  return existsSync(join(ROOT, file)) ? [() => runFile(file, flags)] : [];
}

function oneTest({ code, output }: Ended): Tally {
  return code === 0 ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1, output };
}
