/**
 * The program of the folder gitops/: Argo CD's and Flux's own code, asked one question a line. It is
 * built into the cache like the control plane's programs, under a folder named after its sources.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, reportToStderr, type LookupOptions } from './binaries.ts';
import { buildSource } from './build.ts';
import { withLock } from './lock.ts';

const FOLDER = join(import.meta.dirname, 'gitops');
const SOURCE = { name: 'gitops', module: 'gitops', package: '.', linkerFlags: '-s -w' };

/** One question; gitops/main.go says which fields an operation needs. */
export type Question = { readonly op: string; readonly [field: string]: unknown };

/** What came of one question. The shape of the result is that of the operation. */
export type Answer =
  | { readonly result: unknown; readonly error?: never }
  | { readonly error: string };

/** The program's path; builds it where it is missing, which takes minutes on a new machine. */
export async function ensureGitops(options: LookupOptions = {}): Promise<string> {
  const { env = process.env, home = homedir(), report = reportToStderr } = options;
  const folder = join(cacheFolder(env, home), 'control-plane', `gitops-${await sourceHash()}`);
  const target = join(folder, 'gitops');
  if (existsSync(target)) return target;
  await mkdir(folder, { recursive: true });
  const make = async (): Promise<void> => {
    // Whoever held the lock before may have built it meanwhile.
    if (!existsSync(target)) await buildSource(SOURCE, target, { env, report });
  };
  await withLock(join(folder, 'build.lock'), make, (pid) =>
    report(`waiting for process ${pid}, which is building gitops`),
  );
  return target;
}

/**
 * Asks all questions, in order, in one run of the program.
 *
 * @param options.kubeconfig file for the operations that talk to an API server
 * @throws when the program cannot be built or run; what a question came to is in its answer
 */
export async function askGitops(
  questions: readonly Question[],
  options: LookupOptions & { readonly kubeconfig?: string } = {},
): Promise<readonly Answer[]> {
  const program = await ensureGitops(options);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const access = options.kubeconfig === undefined ? {} : { KUBECONFIG: options.kubeconfig };
  const child = spawn(program, [], { env: { HOME: homedir(), ...access } });
  const said: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => said.push(part));
  child.stderr.on('data', (part: Buffer) => complaints.push(part));
  child.stdin.on('error', () => undefined);
  child.once('error', reject);
  child.once('close', (code) =>
    code === 0
      ? resolve(Buffer.concat(said).toString())
      : reject(new Error(`gitops ended with code ${code}: ${Buffer.concat(complaints)}`)),
  );
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  // Parser: one answer a line, as the program writes them.
  return (await promise)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Answer);
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(FOLDER)).toSorted()) {
    // One after the other: the order is part of the hash.
    // oxlint-disable-next-line no-await-in-loop
    hash.update(file).update(await readFile(join(FOLDER, file)));
  }
  return hash.digest('hex').slice(0, 12);
}
