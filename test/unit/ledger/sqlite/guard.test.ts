import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lock } from '../../../../src/ledger/sqlite/guard.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyward-guard-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('nobody but the owner of a ledger can open its lock, and so hold it', () => {
  const path = join(folder, 'keyward.db');
  lock(path).close();
  expect(statSync(`${path}-lock`).mode & 0o777).toBe(0o600);
});

test('a lock that is held keeps another one out, and one that was given up does not', () => {
  const path = join(folder, 'held.db');
  const held = lock(path);
  expect(() => lock(path)).toThrow('in use by another operator');
  held.close();
  lock(path).close();
});
