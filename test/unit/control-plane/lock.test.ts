import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withLock } from '../../../control-plane/lock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyward-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lock between processes', () => {
  test('lets one piece of work run at a time and tells the other whom it waits for', async () => {
    const path = join(folder, 'lock');
    const order: string[] = [];
    const told = Promise.withResolvers<number>();
    const begun = Promise.withResolvers<void>();
    const first = withLock(
      path,
      async () => {
        order.push('first begins');
        begun.resolve();
        await told.promise;
        order.push('first ends');
      },
      () => undefined,
    );
    await begun.promise;
    const second = withLock(path, async () => void order.push('second'), told.resolve);
    await Promise.all([first, second]);
    expect(await told.promise).toBe(process.pid);
    expect(order).toEqual(['first begins', 'first ends', 'second']);
    expect(existsSync(path)).toBe(false);
  });

  test('takes over from an owner that is dead', async () => {
    const path = join(folder, 'lock');
    const { pid } = spawnSync(process.execPath, ['--version']);
    await writeFile(path, String(pid));
    expect(
      await withLock(
        path,
        async () => 'done',
        () => undefined,
      ),
    ).toBe('done');
  });

  test('is given back when the work fails', async () => {
    const path = join(folder, 'lock');
    const failing = withLock(
      path,
      () => Promise.reject(new Error('no')),
      () => undefined,
    );
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(path)).toBe(false);
  });
});
