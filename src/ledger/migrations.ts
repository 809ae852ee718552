/** Which schema changes a database has had, compared with those this build knows. Pure. */
import { hash } from 'node:crypto';
import { KeywardError } from '../kernel/errors.ts';
import { terminal } from './refusals.ts';
import type { Row } from './rows.ts';

/** A schema change; `sql` may hold several statements and must not manage transactions. */
export type Migration = { readonly version: number; readonly sql: string };

/** Of a migration's text, as it is stored when it was applied. */
export function checksum(sql: string): string {
  return hash('sha256', sql, 'hex');
}

/**
 * How many of `migrations` were applied; `applied` are rows of version and checksum in order,
 * `database` its name for people.
 *
 * @throws KeywardError Terminal SchemaTooNew (a newer Keyward was here: its rows could not be
 * understood), SchemaChanged (an applied migration had another text)
 */
export function compareApplied(
  applied: readonly Row[],
  migrations: readonly Migration[],
  database: string,
): number {
  const newest = migrations.length;
  if (applied.length > newest) {
    throw terminal(
      'SchemaTooNew',
      `database "${database}" has schema ${applied.length}, and this Keyward knows only ${newest}; start the newer version`,
    );
  }
  applied.forEach(([version, sum], index) => {
    const known = migrations[index];
    if (known !== undefined && version === known.version && sum === checksum(known.sql)) return;
    throw terminal(
      'SchemaChanged',
      `database "${database}" was made by a different build: its migration ${String(version)} is not the one this Keyward knows`,
    );
  });
  return applied.length;
}

/**
 * Refuses a database that is still to be migrated, for whoever does not do that itself.
 *
 * @throws KeywardError Transient SchemaTooOld: it passes as soon as the operator was updated
 */
export function requireNewest(
  applied: number,
  migrations: readonly Migration[],
  database: string,
): void {
  if (applied >= migrations.length) return;
  throw new KeywardError('Transient', {
    reason: 'SchemaTooOld',
    message: `database "${database}" has schema ${applied}, and this Keyward needs ${migrations.length}; start this version's operator first`,
  });
}
