import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commitOf, sourceTimeMs } from '../../../tools/source.ts';

const root = mkdtempSync(join(tmpdir(), 'keyward-source-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const WHEN = { GIT_AUTHOR_DATE: '1700000000 +0000', GIT_COMMITTER_DATE: '1700000000 +0000' };
const WHO = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];

function git(...args: readonly string[]): void {
  const env = { ...process.env, ...WHEN };
  execFileSync('git', [...WHO, ...args], { cwd: root, env, stdio: 'ignore' });
}

test('commit and time are those of the checkout, and a changed file is told', () => {
  git('init', '-q');
  writeFileSync(join(root, 'file'), 'one');
  git('add', 'file');
  git('commit', '-qm', 'first');
  expect(commitOf(root, {})).toMatch(/^[0-9a-f]{12}$/);
  expect(sourceTimeMs(root, {})).toBe(1_700_000_000_000);
  writeFileSync(join(root, 'file'), 'two');
  expect(commitOf(root, {})).toMatch(/^[0-9a-f]{12}-dirty$/);
});

test('the environment wins, for builds without the repository', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  expect(commitOf(root, { KEYWARD_COMMIT: commit })).toBe('0123456789ab');
  expect(sourceTimeMs(root, { SOURCE_DATE_EPOCH: '5' })).toBe(5_000);
  expect(() => sourceTimeMs(root, { SOURCE_DATE_EPOCH: 'today' })).toThrow('SOURCE_DATE_EPOCH');
});

test('without a repository the commit is unknown and the time is 1970', () => {
  expect(commitOf(tmpdir(), {})).toBeUndefined();
  expect(sourceTimeMs(tmpdir(), {})).toBe(0);
});
