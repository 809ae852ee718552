import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabaseMeter, sqliteFile } from '../../../src/bin/databasemeter.ts';
import { createRegistry } from '../../../src/kernel/metrics.ts';

test('a database is up until a call fails because of it, and again after the next success', async () => {
  const registry = createRegistry();
  const meter = createDatabaseMeter(registry);
  const up = async () => /^keyward_database_up (\d)$/m.exec(await registry.metrics())?.[1];
  meter.opened(7);
  meter.begun('Write')();
  // A commit that lost a race says nothing about the database.
  meter.begun('Write')('Stale');
  expect(meter.trouble()).toBeUndefined();
  expect(await up()).toBe('1');
  meter.begun('Write')('LedgerUnavailable');
  // Reading works on a disk that is full.
  meter.begun('Read')();
  expect(meter.trouble()).toBe('writes: calls fail: LedgerUnavailable');
  expect(await up()).toBe('0');
  meter.begun('Write')();
  expect(meter.trouble()).toBeUndefined();
  const text = await registry.metrics();
  expect(text).toContain('keyward_database_failures_total{reason="LedgerUnavailable"} 1\n');
  expect(text).toContain('keyward_database_commit_seconds_count 4\n');
  expect(text).toContain('keyward_database_schema_version 7\n');
  expect(text).not.toContain('keyward_database_size_bytes');
});

test('the size of a SQLite database is that of its file and its log, as far as they are there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-meter-'));
  const file = await sqliteFile(`sqlite://${folder}/a.db`);
  expect(file).toBe(join(folder, 'a.db'));
  const registry = createRegistry();
  createDatabaseMeter(registry, file);
  const size = async () =>
    /^keyward_database_size_bytes (\d+)$/m.exec(await registry.metrics())?.[1];
  expect(await size()).toBe('0');
  writeFileSync(join(folder, 'a.db'), 'x'.repeat(100));
  writeFileSync(join(folder, 'a.db-wal'), 'x'.repeat(50));
  expect(await size()).toBe('150');
  rmSync(folder, { recursive: true });
  expect(await sqliteFile('postgres://user@host/database')).toBeUndefined();
});
