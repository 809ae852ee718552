import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PersonSite, personSite } from './person.site.ts';

const BIN = join(import.meta.dirname, '..', '..', '..', 'src', 'bin');
const KEYWARD = join(BIN, 'keyward.ts');
const KEYS = ['k1', 'k2', 'k3', 'k4', 'k5'];

let site: PersonSite;
beforeEach(async () => {
  site = await personSite(() => ({ spec: { state: 'Suspended' } }));
});
afterEach(() => site.stop());

/** Reads the first words from the stream, then reads neither; answers the exit code. */
async function leave(stream: 'stdout' | 'stderr', args: readonly string[]): Promise<unknown> {
  const env = { ...process.env, KUBECONFIG: site.kubeconfig };
  const child = spawn(process.execPath, [KEYWARD, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  await once(child[stream], 'data');
  child.stdout.destroy();
  child.stderr.destroy();
  const [code] = (await exit) as [unknown];
  return code;
}

describe('a command whose reader goes away', () => {
  test('changes all that it was told to change, and ends with 0', async () => {
    expect(await leave('stdout', ['suspend', ...KEYS])).toBe(0);
    expect(site.writes()).toEqual(KEYS.map((name) => `PATCH ${name}`));
  });

  test('ends with the code of its first failure, although nobody reads what failed', async () => {
    expect(await leave('stderr', ['suspend', 'no/1', 'no/2', ...KEYS, 'no/3'])).toBe(2);
    expect(site.writes()).toEqual(KEYS.map((name) => `PATCH ${name}`));
  });

  test('ends quietly where it only prints', async () => {
    expect(await leave('stdout', ['explain'])).toBe(0);
  });
});

/** A process whose output fails so many times; its message is how many listeners that has left behind. */
const FAILING = `
import { outliveReaders } from ${JSON.stringify(join(BIN, 'streams.ts'))};
outliveReaders();
const before = process.listenerCount('exit');
for (let times = 0; times < 50; times += 1) {
  process.stdout.emit('error', Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
}
process.send(process.listenerCount('exit') - before);
process.disconnect();
`;

describe('a process whose output cannot be written', () => {
  test('keeps no listener for each failed write, and ends as a failure', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', FAILING], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const exit = once(child, 'exit');
    const [left] = (await once(child, 'message')) as [unknown];
    expect(left).toBe(0);
    expect(await exit).toEqual([1, null]);
  });
});
