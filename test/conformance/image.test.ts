/** The real image, made twice, and its program run from its own files. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isExecutable } from '../../control-plane/debian.ts';
import { VERSION } from '../../src/bin/version.ts';
import { ownArchitecture } from '../../tools/image/debian.ts';
import { makeImage, type Image } from '../../tools/image/image.ts';
import { layOut, type Rooted } from '../../tools/image/rooted.ts';

const COMMIT = '0123456789ab';
/** Some 5 s, and more on a busy machine or when Debian's packages have to be fetched. */
const MAKING_MS = 120_000;

const architecture = ownArchitecture();
const isDebian = await isExecutable('/usr/bin/apt-get');
const isPossible = process.platform === 'linux' && architecture !== undefined && isDebian;

/** Debian keeps a pinned version as long as it has no newer one; then what it has will do. */
async function make(): Promise<Image> {
  const options = { architecture: architecture ?? 'amd64' } as const;
  return makeImage({ ...options, libraries: 'pinned' }).catch(() =>
    makeImage({ ...options, libraries: 'newest' }),
  );
}

describe.skipIf(!isPossible)('the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-image-test-'));
  let image: Image;
  let rooted: Rooted;

  beforeAll(async () => {
    // Somebody may commit while we are at it.
    vi.stubEnv('KEYWARD_COMMIT', COMMIT);
    vi.stubEnv('SOURCE_DATE_EPOCH', '1700000000');
    // The user of the image looks into it.
    chmodSync(folder, 0o755);
    image = await make();
    rooted = await layOut(image, folder);
  }, MAKING_MS);
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(args: readonly string[]): string {
    const [file, ...rest] = rooted.command(args);
    const env = { ...rooted.environment, PATH: process.env['PATH'] };
    return execFileSync(file, rest, { env, encoding: 'utf8' });
  }

  test('is the same byte for byte when it is made again', async () => {
    const again = await make();
    expect(again.id).toBe(image.id);
    expect(again.pieces.map(({ length }) => length)).toEqual(
      image.pieces.map(({ length }) => length),
    );
    expect(again.layers.map(({ sha256 }) => sha256)).toEqual(
      image.layers.map(({ sha256 }) => sha256),
    );
  });

  test('runs its program with nothing but what is in it', () => {
    expect(run(['version'])).toContain(`keyward ${VERSION}\ncommit ${COMMIT}\n`);
  });

  test('writes where a volume is mounted, although all else is read-only', async () => {
    chmodSync(rooted.data, 0o777);
    run(['master-key', 'create', rooted.inData('master-key')]);
    expect(statSync(join(rooted.data, 'master-key')).mode & 0o777).toBe(0o600);
  });

  test('has no shell, no package manager and nothing that changes the user', () => {
    expect(existsSync(join(rooted.root, 'bin'))).toBe(false);
    expect(readdirSync(join(rooted.root, 'usr/bin')).toSorted()).toEqual(['keyward', 'node']);
    const modes = image.layers.flatMap(({ entries }) =>
      entries.flatMap((entry) => (entry.kind === 'File' ? [entry.mode & 0o7022] : [])),
    );
    expect(new Set(modes)).toEqual(new Set([0]));
  });
});
