/** Control planes of one's own: other versions, trouble on purpose, and no traces afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../../control-plane/lock.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';

const CLI = join(import.meta.dirname, '..', '..', '..', 'control-plane', 'cli.ts');

describe('a control plane of an older version without watch-list', () => {
  let controlPlane: ControlPlane;
  beforeAll(async () => {
    controlPlane = await startControlPlane({
      emulatedVersion: '1.35',
      featureGates: { WatchList: false },
      controllerManager: false,
      audit: true,
    });
  });
  afterAll(() => controlPlane.stop());

  test('serves no mutating policies', async () => {
    const list = ['get', '--raw', '/apis/admissionregistration.k8s.io/v1'];
    const kinds = await controlPlane.mustKubectl(list);
    expect(kinds).toContain('validatingadmissionpolicies');
    expect(kinds).not.toContain('mutatingadmissionpolicies');
  });

  test('refuses a watch that wants the initial list', async () => {
    const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const { code, stderr } = await controlPlane.kubectl([
      'get',
      '--raw',
      `/api/v1/namespaces/default/configmaps?${query}&timeoutSeconds=1`,
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('forbidden') });
  });

  test('writes each request into its audit log', async () => {
    await controlPlane.mustKubectl(['create', 'namespace', 'in-the-log']);
    const lines = (await readFile(controlPlane.auditLog ?? '', 'utf8')).trim().split('\n');
    const events = lines.map((line): unknown => JSON.parse(line));
    expect(events).toContainEqual(
      expect.objectContaining({
        verb: 'create',
        objectRef: expect.objectContaining({ resource: 'namespaces', name: 'in-the-log' }),
      }),
    );
  });

  test('keeps its objects and its port when the API server is killed or restarted', async () => {
    await controlPlane.mustKubectl(['create', 'namespace', 'survives']);
    const before = controlPlane.apiserver.pid;
    await controlPlane.apiserver.kill();
    expect((await controlPlane.kubectl(['get', 'namespaces'])).code).not.toBe(0);
    await controlPlane.apiserver.start();
    await controlPlane.apiserver.restart();
    expect(controlPlane.apiserver.pid).not.toBe(before);
    expect(await controlPlane.mustKubectl(['get', 'namespaces'])).toContain('survives');
  });

  test('answers nothing while it is frozen, and goes on afterwards', async () => {
    controlPlane.apiserver.freeze();
    const asked = ['get', 'namespace', 'default', '--request-timeout=500ms'];
    expect((await controlPlane.kubectl(asked)).code).not.toBe(0);
    controlPlane.apiserver.thaw();
    await controlPlane.mustKubectl(['get', 'namespace', 'default']);
  });

  test('leaves no process and no folder when it is stopped', async () => {
    const pids = controlPlane.pids();
    expect(pids).toHaveLength(2);
    await controlPlane.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(controlPlane.workDir)).toBe(false);
  });
});

test('a control plane ends with the process that started it, even when that is killed', async () => {
  const child = spawn(process.execPath, [CLI, 'up'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes('kubectl is')) break;
  }
  const workDir = dirname(/KUBECONFIG=(\S+)/.exec(said)?.[1] ?? '');
  expect(existsSync(workDir)).toBe(true);
  const gone = removalOf(workDir);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await gone;
});

/** Resolves when the folder is removed, which is the last thing the watchdog does. */
async function removalOf(folder: string): Promise<void> {
  const watching = watch(dirname(folder));
  for await (const _ of eventsOf(watching)) {
    if (!existsSync(folder)) break;
  }
  watching.close();
}

async function* eventsOf(watching: ReturnType<typeof watch>): AsyncGenerator<unknown> {
  for (;;) yield await once(watching, 'change');
}
