import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PersonSite, personSite } from './person.site.ts';

const KEYWARD = join(import.meta.dirname, '..', '..', '..', 'src', 'bin', 'keyward.ts');
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
