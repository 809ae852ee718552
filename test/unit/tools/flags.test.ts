import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { amountOf, countOf, readOrExplain } from '../../../tools/flags.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

describe("the flags of the repository's own programs", () => {
  test('are given as they were read', () => {
    expect(readOrExplain('usage', () => ({ runs: countOf('--runs', '3') }))).toEqual({ runs: 3 });
    expect(amountOf('--minutes', '0.5')).toBe(0.5);
  });

  test.each(['0', '-1', '1.5', 'many', '', '1e99'])('take "%s" for no count', (text) => {
    expect(() => countOf('--runs', text)).toThrow(`--runs takes whole numbers above 0`);
  });

  test.each(['0', '-1', 'long', '', 'Infinity'])('take "%s" for no amount', (text) => {
    expect(() => amountOf('--minutes', text)).toThrow('--minutes takes a number above 0');
  });

  test.each([
    'bench/main.ts --nonsense',
    'bench/main.ts gate --rounds=many',
    'bench/inbox.ts --runs=0',
    'demo/main.ts nonsense',
    'e2e/main.ts --nonsense',
    'fakes/main.ts --nonsense',
    'control-plane/cli.ts --nonsense',
    'test/main.ts --nonsense',
    'test/crash/main.ts --side=nonsense',
    'test/explorer/main.ts --nonsense',
    'test/fuzz/main.ts --nonsense',
    'test/leaders/main.ts --runs=many',
    'test/soak/main.ts --minutes=long',
    'test/upgrade/main.ts --keys=none',
  ])('when wrong, end %s with a sentence, the usage and code 2', async (command) => {
    const failure = promisify(execFile)(process.execPath, command.split(' '), { cwd: ROOT });
    const { code, stdout, stderr } = await failure.then(
      () => ({ code: 0, stdout: '', stderr: '' }),
      (err: { code: number; stdout: string; stderr: string }) => err,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain('    at ');
    expect(stderr).toMatch(/npm (run|test) |node (control-plane|test)\//);
  });
});
