/**
 * `npm run notes -- VERSION`: the notes of a release, made from CHANGELOG.md: what changed, and what
 * whoever upgrades has to know about databases and kinds. Without VERSION those of what is not released.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KUBERNETES_VERSION } from '../control-plane/binaries.ts';
import { MIGRATIONS as POSTGRES } from '../src/ledger/postgres/migrate.ts';
import { MIGRATIONS as SQLITE } from '../src/ledger/sqlite/migrate.ts';
import { notesText } from './notestext.ts';

const ROOT = join(import.meta.dirname, '..');

const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
const crds = await readdir(join(ROOT, 'crds'));
const notes = notesText(changelog, process.argv[2] ?? 'Unreleased', {
  schemas: { SQLite: SQLITE.length, PostgreSQL: POSTGRES.length },
  kubernetes: KUBERNETES_VERSION,
  kinds: crds.filter((file) => file.endsWith('.yaml')).length,
});
if (notes === undefined) {
  console.error(`CHANGELOG.md has no section [${process.argv[2]}]`);
  process.exitCode = 1;
} else {
  process.stdout.write(notes);
}
