/**
 * The neutral Go program in bare/: built into the cache once per version of its source, and run as a
 * process of its own, so that what it costs is not taken for the operator's.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../control-plane/binaries.ts';

const SOURCE = join(import.meta.dirname, 'bare');
const run = promisify(execFile);

/** Distribution of one kind of duration, in milliseconds. */
export type Spread = {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
};

/** Path of the program; builds it where the cache has none. @throws Error when Go is missing */
export async function buildBare(): Promise<string> {
  const digest = createHash('sha256');
  for (const name of globSync('{*.go,go.mod}', { cwd: SOURCE }).toSorted()) {
    digest.update(readFileSync(join(SOURCE, name)));
  }
  const folder = join(cacheFolder(process.env, homedir()), 'bench');
  const target = join(folder, `bare-${digest.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  await mkdir(folder, { recursive: true });
  const unfinished = `${target}.${process.pid}`;
  await run('go', ['build', '-trimpath', '-o', unfinished, '.'], {
    cwd: SOURCE,
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  await rename(unfinished, target);
  return target;
}

/** Flags by name; numbers and lists are written out. */
export type BareFlags = Readonly<Record<string, string | number | boolean>>;

/** Runs one command to its end and answers what it printed. @throws Error with its last words */
export async function runBare<Answer>(
  program: string,
  command: 'load' | 'pair' | 'arrive',
  flags: BareFlags,
): Promise<Answer> {
  const { stdout } = await run(program, [command, ...flagList(flags)]);
  // The program prints what bare/ says it does; nothing else ever reads it.
  return JSON.parse(stdout) as Answer;
}

/** What a watcher saw, times in milliseconds since the epoch; absent when no key became Ready. */
export type Seen = {
  readonly ready: number;
  readonly cpuSeconds: number;
  readonly firstMs?: number;
  readonly lastMs?: number;
};

/** A watcher that misses nothing from now on. */
export type Watching = {
  /** What it saw when all keys were Ready, or when it gave up. */
  readonly seen: Promise<Seen>;
  /** Makes it answer now. */
  giveUp(): void;
};

/** Starts the watcher; resolves as soon as it follows all keys. */
export async function startWatching(program: string, flags: BareFlags): Promise<Watching> {
  const child = spawn(program, ['watch', ...flagList(flags)], { stdio: 'pipe' });
  const seen = answerOf(child);
  const isWatching = Promise.withResolvers<void>();
  child.stderr.once('data', () => isWatching.resolve());
  await Promise.race([isWatching.promise, seen]);
  return { seen, giveUp: () => child.stdin.end() };
}

function answerOf(child: ChildProcess): Promise<Seen> {
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  const said: string[] = [];
  const printed: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  child.once('error', reject);
  child.once('close', (code) =>
    code === 0
      ? resolve(JSON.parse(printed.join('')) as Seen)
      : reject(new Error(`the watcher ended with ${code}: ${said.join('')}`)),
  );
  return promise;
}

function flagList(flags: BareFlags): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
