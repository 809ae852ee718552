// The door to every npm script: node tools/enter.js FILE ARGS
//
// Plain JavaScript for any Node from 18. Installs the packages when they are absent or older than
// the lock file, then runs FILE (a path below the repository) under the pinned Node, with the same
// standard streams, signals and exit code.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lockFile = join(root, 'package-lock.json');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.keyward-stamp');
const claimFile = join(root, '.cache', 'install.lock');

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail('usage: node tools/enter.js FILE ARGS');
if (!isInstalled()) await installOnce();
run(pinnedNode() ?? ownNode(), [resolve(root, file), ...args]);

function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

function fail(sentence) {
  say(sentence);
  process.exit(1);
}

// ---- packages ----

function lockDigest() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex');
}

/**
 * Our stamp names the lock file that was installed. Without a stamp somebody ran npm himself; then
 * npm's own record must not be older than the lock file.
 */
function isInstalled() {
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === lockDigest();
  const record = join(modules, '.package-lock.json');
  return existsSync(record) && statSync(record).mtimeMs >= statSync(lockFile).mtimeMs;
}

/** npm empties node_modules before it fills it, so two of them must never run at once. */
async function installOnce() {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const mine = `${claimFile}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    let told = false;
    while (!take(mine)) {
      if (!told) say('waiting for another process that is installing the packages');
      told = true;
      await new Promise((done) => setTimeout(done, 500));
    }
    try {
      if (!isInstalled()) install();
    } finally {
      rmSync(claimFile, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Linking a finished file makes the claim appear together with its owner's id. */
function take(mine) {
  try {
    linkSync(mine, claimFile);
    return true;
  } catch (err) {
    if (err.code !== 'EEXIST') throw err;
    if (!ownerLives()) rmSync(claimFile, { force: true });
    return false;
  }
}

function ownerLives() {
  try {
    process.kill(Number(readFileSync(claimFile, 'utf8')), 0);
    return true;
  } catch (err) {
    return err.code === 'EPERM';
  }
}

function install() {
  say('installing the packages (npm ci); this is done once');
  const npm = process.env.npm_execpath;
  const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm's own output goes to standard error: the output of FILE must stay clean.
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const isScript = npm !== undefined && /\.c?js$/.test(npm);
  const done = isScript
    ? spawnSync(process.execPath, [npm, ...flags], options)
    : spawnSync('npm', flags, { ...options, shell: process.platform === 'win32' });
  if (done.error) fail(`npm cannot be run (${done.error.message}); install npm and try again`);
  if (done.status !== 0) {
    fail('npm ci failed; its messages above say why. Nothing else was done');
  }
  writeFileSync(stampFile, lockDigest());
}

// ---- Node ----

/** The Node that package-lock.json pins; undefined where no package exists for this machine. */
function pinnedNode() {
  const path = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(path)) return undefined;
  // A binary for another C library is there but does not run.
  return spawnSync(path, ['--version']).status === 0 ? path : undefined;
}

function ownNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node.replace('>=', '').split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return process.execPath;
  return fail(
    `this is Node ${process.versions.node} and Keyward needs ${engines.node}, for which no package exists for ${process.platform}-${process.arch}: install Node ${wanted.join('.')} or later`,
  );
}

function run(node, nodeArgs) {
  const path = [join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter);
  const child = spawn(node, nodeArgs, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  // A terminal sends Ctrl-C to the whole group, so the child has it already; a second one would
  // mean "at once".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.once('error', (err) => fail(`"${node}" cannot be run: ${err.message}`));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
