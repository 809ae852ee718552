/**
 * The program as a few files: a bundle that needs Node and nothing else. Modules that only some
 * commands need stay in chunks of their own and are read when they are first used. The bytes depend on
 * the sources and the packages only, not on where they lie. Called by build.ts and by the image.
 */
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shebang } from './program.ts';

const ROOT = join(import.meta.dirname, '..');

/**
 * Name and source of each entry. A worker thread begins in a file of its own; all files lie side by
 * side, so that `./ledger-worker.js` is right from whichever chunk asks for it.
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

/** What went into a bundle. */
export type Bundle = {
  /** The npm packages with code in it: their keys in package-lock.json, sorted. */
  readonly packages: readonly string[];
};

/**
 * Writes the bundle into the folder, which need not exist; other files there stay.
 *
 * @param commit what `keyward version` shows; undefined: nothing
 */
export async function bundle(folder: string, commit: string | undefined): Promise<Bundle> {
  const present = Object.entries(ENTRIES).filter(([, source]) => existsSync(join(ROOT, source)));
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(present),
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    banner: { js: BANNER },
    define: commit === undefined ? {} : { KEYWARD_COMMIT: JSON.stringify(commit) },
    sourcemap: false,
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
  });
  const program = join(folder, 'keyward.js');
  await writeFile(program, `${shebang()}\n${await readFile(program, 'utf8')}`);
  await chmod(program, 0o755);
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const modules = used.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  return { packages: [...new Set(modules.flatMap(packageOf))].toSorted() };
}

/** Of packages inside packages the innermost counts. Modules of our own belong to none. */
function packageOf(module: string): string[] {
  return /^.*\bnode_modules\/(@[^/]+\/)?[^/]+/.exec(module)?.slice(0, 1) ?? [];
}
