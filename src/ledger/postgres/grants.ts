/**
 * What the role of a gate may do in PostgreSQL, as SQL for whoever owns the schema. A gate reads what it
 * checks calls with, and writes what it counts: with its role in foreign hands no key can be made, none
 * suspended comes back, and no line of the audit chain changes. Pure.
 */
import { qualify } from './names.ts';

/** Tables that a gate reads as a whole: among them digests, and secrets that are sealed. */
const READ = ['migrations', 'meta', 'keys', 'credentials', 'slots', 'imports', 'documents'];
/** Of these, columns: neither credentials of vendors nor who did what. */
const READ_PARTLY = [
  'SELECT (version, check_value) ON {schema}.master_key_versions',
  'SELECT (seal_version) ON {schema}.stores',
  'SELECT (uid, commit_number) ON {schema}.audit',
];
/** Tables that a gate writes. */
const WRITTEN = ['counts', 'leases', 'usage', 'signatures'];

/**
 * The statements, each with its semicolon, one per line. Repeatable; to be repeated when an update of
 * Keyward brings tables. `role` may be any name: it is quoted.
 */
export function gateGrants({
  schema,
  role,
}: {
  readonly schema: string;
  readonly role: string;
}): string {
  const name = (tables: readonly string[]): string =>
    tables.map((table) => `{schema}.${table}`).join(', ');
  const granted = [
    'USAGE ON SCHEMA {schema}',
    `SELECT ON ${name(READ)}`,
    ...READ_PARTLY,
    `SELECT, INSERT, UPDATE, DELETE ON ${name(WRITTEN)}`,
  ];
  const to = `"${role.replaceAll('"', '""')}"`;
  return granted.map((what) => `GRANT ${qualify(what, schema)} TO ${to};\n`).join('');
}
