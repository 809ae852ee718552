import { expect, test } from 'vitest';
import { OPENINGS } from '../../../../src/ledger/postgres/archive.ts';

test('what changes or fills a whole database is on disk when it is answered, whatever role or database are set to', () => {
  const [opened, durable, locked] = OPENINGS.Change.split(';');
  expect(opened).toBe('BEGIN ISOLATION LEVEL SERIALIZABLE');
  expect(durable).toContain("set_config('synchronous_commit', 'on', true)");
  expect(locked).toContain('FOR UPDATE');
  expect(OPENINGS.Fill).toBe(OPENINGS.Change);
});
