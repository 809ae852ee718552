/** The drill of docs/backup.md, with the commands a person types. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { runKeyward } from '../../support/operator.ts';
import { Site } from '../../support/operator.site.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'bin', 'keyward.ts');

let site: Site;

describe('a backup that was put back', () => {
  beforeAll(async () => {
    site = await Site.open({ access: sharedControlPlane() });
    await site.start();
  }, 120_000);
  afterAll(() => site.close());

  test('brings back what it knew, revives nothing that objects say is off, and names keys made since', async () => {
    await site.issue('kept');
    await site.issue('rotated');
    await site.issue('suspended');
    const { apiKey: kept = '' } = await site.values('kept');
    const { apiKey: suspended = '' } = await site.values('suspended');
    const file = join(site.folder, 'backup.db');
    expect(await streamBackup(file)).toBe(0);
    await site.issue('since');
    await site.edit('suspended', { state: 'Suspended' });
    await site.until('suspended', 'Suspended');
    await site.operator.terminate();

    const refusedWhileThere = await runKeyward(['database', 'backup', file, ...place()]);
    expect(refusedWhileThere.stderr).toContain('never written over');
    const restored = await runKeyward(['restore', '--from', file, ...place()]);
    expect(restored).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/what was there is kept as .*keyward\.db\.before-/),
    });

    await site.start();
    await site.until('since', 'KeyNotInLedger');
    await site.until('suspended', 'Suspended');
    await site.until('kept', 'Active');
    expect(await site.verdict(kept)).toBe('Allowed');
    expect(await site.verdict(suspended)).toBe('KeySuspended');
    await site.edit('since', { rotation: { requestId: 'after-restore' } });
    await site.untilRotated('since', 'after-restore');
    const { apiKey: anew = '' } = await site.values('since');
    expect(await site.verdict(anew)).toBe('Allowed');
  });

  test('is refused as long as the operator runs, and when it is no backup', async () => {
    const { code, stderr } = await runKeyward(['restore', '--from', '-', ...place()], 'nonsense');
    expect(code).not.toBe(0);
    expect(stderr).toContain('in use');
    await site.operator.terminate();
    const before = await readFile(join(site.folder, 'keyward.db'));
    const broken = await runKeyward(['restore', '--from', '-', ...place()], 'nonsense');
    expect(broken.code).not.toBe(0);
    expect((await readFile(join(site.folder, 'keyward.db'))).equals(before)).toBe(true);
  });

  function place(): readonly string[] {
    return ['--database', site.database];
  }

  /** `keyward database backup - > FILE` */
  async function streamBackup(file: string): Promise<number | null> {
    const child = spawn(process.execPath, [MAIN, 'database', 'backup', '-', ...place()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    if (child.stdout === null) throw new Error('no output');
    await pipeline(child.stdout, createWriteStream(file));
    await ended;
    return child.exitCode;
  }
});
