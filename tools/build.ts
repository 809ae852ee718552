/**
 * `npm run build`: the program as a few files in dist/, for the npm package, and beside it the kit for
 * authors of drivers, one file that shares nothing with the program. The image makes its own bundle.
 */
import { execFileSync } from 'node:child_process';
import { build } from 'esbuild';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { commitOf } from './source.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/** What other commands left in dist/. */
const OTHERS: ReadonlySet<string> = new Set(['image']);

const before = await readdir(DIST).catch((): string[] => []);
for (const name of before.filter((each) => !OTHERS.has(each))) {
  await rm(join(DIST, name), { recursive: true, force: true });
}
await bundle(DIST, commitOf(ROOT, process.env));
await buildKit();
await printSizes();

/** Readable, because a failed case is read; its types come from the compiler. */
async function buildKit(): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: { 'driver-kit': 'kit/entry.ts' },
    outdir: DIST,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
  });
  execFileSync('tsc', ['-p', 'kit'], { cwd: ROOT, stdio: 'inherit' });
}

async function printSizes(): Promise<void> {
  let totalBytes = 0;
  const entries = await readdir(DIST, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  for (const name of files.toSorted()) {
    const { size } = await stat(join(DIST, name));
    totalBytes += size;
    console.log(`${inKib(size)}  dist/${name}`);
  }
  console.log(`${inKib(totalBytes)}  in all`);
}

function inKib(bytes: number): string {
  return `${(bytes / 1_024).toFixed(1).padStart(9)} KiB`;
}
