import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ENTER = join(import.meta.dirname, '..', '..', '..', 'tools', 'enter.js');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyward-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function enter(program: string, args: readonly string[] = []) {
  const file = join(folder, 'program.ts');
  await writeFile(file, program);
  return spawn(process.execPath, [ENTER, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('the door to the npm scripts', () => {
  test('runs TypeScript under the pinned Node with the same arguments and exit code', async () => {
    const program = `
      const told: string[] = [process.version, ...process.argv.slice(2)];
      console.log(JSON.stringify(told));
      process.exitCode = 7;`;
    const child = await enter(program, ['--flag', 'two words']);
    const [[said], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')]);
    expect(JSON.parse(String(said))).toEqual([process.version, '--flag', 'two words']);
    expect(code).toBe(7);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'hands on %s and lets the program finish',
    async (signal) => {
      const program = `
      process.on('${signal}', () => process.exit(3));
      setInterval(() => undefined, 60_000);
      console.log('ready');`;
      const child = await enter(program);
      await once(child.stdout, 'data');
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([3, null]);
    },
  );

  test('ends by the signal by which the program ended', async () => {
    const child = await enter(
      "process.kill(process.pid, 'SIGTERM');\nsetInterval(() => 1, 60_000);",
    );
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });
});
