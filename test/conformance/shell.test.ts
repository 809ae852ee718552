/** Shell scripts that people run: checked by shellcheck, and run against stand-ins for what they call. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { findDebianProgram } from '../../control-plane/debian.ts';
import { VERSION } from '../../src/bin/version.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPTS = ['.ci/run', 'deploy/kind/up.sh'];

const shellcheck = await findDebianProgram({
  program: 'shellcheck',
  installed: [],
  packages: ['shellcheck', 'libffi8', 'libgmp10'],
  folder: 'usr/bin',
});

test.skipIf(shellcheck === undefined).each(SCRIPTS)('%s is clean for shellcheck', (script) => {
  const { folder = '', libraries } = shellcheck ?? {};
  const env = { ...process.env, ...(libraries && { LD_LIBRARY_PATH: libraries }) };
  const found = spawnSync(join(folder, 'shellcheck'), [join(ROOT, script)], {
    env,
    encoding: 'utf8',
  });
  expect(found.stdout).toBe('');
  expect(found.status).toBe(0);
});

describe('deploy/kind/up.sh', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-kind-'));
  const log = join(folder, 'calls');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A stand-in writes down how it was called, and does what the script in it says. */
  function standIn(program: string, script = ''): void {
    const path = join(folder, program);
    writeFileSync(path, `#!/bin/sh\necho "${program} $*" >> ${log}\n${script}\n`);
    chmodSync(path, 0o755);
  }

  function up(...args: readonly string[]): { status: number | null; output: string } {
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
    const script = join(ROOT, 'deploy/kind/up.sh');
    const { status, stdout, stderr } = spawnSync(script, args, { env, encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  }

  function calls(): readonly string[] {
    return readFileSync(log, 'utf8').trim().split('\n');
  }

  beforeEach(() => {
    writeFileSync(log, '');
    standIn('docker', 'case "$*" in image*) echo sha256:abc ;; esac');
    standIn('kind');
    standIn('kubectl');
    standIn('helm');
  });

  test('makes the cluster, builds and loads the image, installs the chart, applies the samples', () => {
    expect(up('--set', 'workers=8').status).toBe(0);
    const words = calls().map((call) => call.split(' ').slice(0, 3).join(' '));
    expect(words.slice(1)).toEqual([
      'kind get clusters',
      'kind create cluster',
      expect.stringMatching(/^docker build /),
      'kind load docker-image',
      'docker image inspect',
      'helm upgrade --install',
      ...Array.from({ length: 4 }, () => 'kubectl --context kind-keyward'),
    ]);
    const helm = calls().find((call) => call.startsWith('helm')) ?? '';
    expect(helm).toContain('--namespace keyward-system --create-namespace');
    expect(helm).toContain('--set image.pullPolicy=Never');
    expect(helm).toContain('podAnnotations.image-id=sha256:abc');
    expect(helm).toMatch(/--set workers=8$/);
    expect(calls()).toContain(`kind load docker-image keyward:${VERSION} --name keyward`);
  });

  test('leaves a cluster that is there as it is', () => {
    standIn('kind', 'case "$*" in "get clusters") echo other; echo keyward ;; esac');
    expect(up().status).toBe(0);
    expect(calls().filter((call) => call.startsWith('kind create'))).toEqual([]);
  });

  test('stops at the first step that fails, and says which program is missing', () => {
    standIn('kind', 'case "$*" in load*) exit 3 ;; esac');
    expect(up().status).toBe(3);
    expect(calls().filter((call) => call.startsWith('helm'))).toEqual([]);
    standIn('docker', 'exit 1');
    expect(up().output).toContain('Docker does not answer');
  });

  test('speaks of the version that the chart has', () => {
    const chart = readFileSync(join(ROOT, 'charts/keyward/Chart.yaml'), 'utf8');
    expect(chart).toContain(`appVersion: ${VERSION}\n`);
    expect(execFileSync('bash', ['-n', join(ROOT, 'deploy/kind/up.sh')]).toString()).toBe('');
  });
});
