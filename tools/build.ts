/**
 * `npm run build`: the program as a few files in dist/, for the image and the npm package. Modules
 * that only some commands need stay in chunks of their own and are read when they are first used.
 * Beside it the kit for authors of drivers, one file that shares nothing with the program.
 */
import { execFileSync } from 'node:child_process';
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/**
 * Name in dist/ and source of each entry. A worker thread begins in a file of its own; all files lie
 * side by side, so that `./ledger-worker.js` is right from whichever chunk asks for it.
 */
const ENTRIES: Readonly<Record<string, string>> = {
  keyward: 'src/bin/keyward.ts',
  'ledger-worker': 'src/ledger/sqlite/worker.ts',
  'ledger-useworker': 'src/ledger/sqlite/useworker.ts',
};

/** Packages in CommonJS call `require` for Node's own modules, which an ES module does not have. */
const BANNER = [
  `import { createRequire as keywardCreateRequire } from 'node:module';`,
  `const require = keywardCreateRequire(import.meta.url);`,
].join('');

/**
 * How the installed program runs. Most of it keeps memory small, with 10 000 keys as the measure:
 * - One arena for malloc, because each thread's own keeps its holes (11 MiB), trimmed when its end is
 *   free.
 * - A young generation of half of V8's usual size, which is large enough for most of what a key needs
 *   to be gone when it is collected (a sixth less processor time per key than with 2 MiB; 16 gain
 *   little more), and an old one that is collected before it is three times what lives.
 * - The collector on the thread that makes the garbage: helpers are late on two busy cores (some 40
 *   MiB at the end of a burst) and cost more than they save.
 * - The collector in reach, so that src/bin/compaction.ts can give memory back after a burst.
 */
const SHEBANG = [
  '#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072',
  'node --expose-gc --max-semi-space-size=8 --single-threaded-gc --heap-growing-percent=100',
].join(' ');

const present = Object.entries(ENTRIES).filter(([, source]) => existsSync(join(ROOT, source)));
await rm(DIST, { recursive: true, force: true });
await build({
  absWorkingDir: ROOT,
  entryPoints: Object.fromEntries(present),
  outdir: DIST,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  banner: { js: BANNER },
  sourcemap: false,
  legalComments: 'linked',
  logLevel: 'warning',
});
await buildKit();
const program = join(DIST, 'keyward.js');
await writeFile(program, `${SHEBANG}\n${await readFile(program, 'utf8')}`);
await chmod(program, 0o755);
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
