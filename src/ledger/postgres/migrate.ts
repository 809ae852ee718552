/**
 * Brings a schema to the newest version: ordered migrations, each once, all or nothing, by one
 * process at a time.
 */
import { randomBytes } from 'node:crypto';
import { checksum, compareApplied, type Migration } from '../migrations.ts';
import { terminal } from '../refusals.ts';
import { integer } from '../rows.ts';
import type { Connection } from './connection.ts';
import { isMadeMeanwhile, isUnsupported } from './failures.ts';
import type { PostgresLocation } from './location.ts';
import { MIGRATION_0001 } from './migrations/0001.ts';
import { MIGRATION_0002 } from './migrations/0002.ts';
import { MIGRATION_0003 } from './migrations/0003.ts';
import { MIGRATION_0004 } from './migrations/0004.ts';
import { MIGRATION_0005 } from './migrations/0005.ts';
import { MIGRATION_0006 } from './migrations/0006.ts';
import { MIGRATION_0007 } from './migrations/0007.ts';
import { MIGRATION_0008 } from './migrations/0008.ts';
import { qualify } from './names.ts';
import type { Pool } from './pool.ts';
import { begin, finish, transact } from './transaction.ts';

/** All migrations in order; versions count from 1 without gaps. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: MIGRATION_0001 },
  { version: 2, sql: MIGRATION_0002 },
  { version: 3, sql: MIGRATION_0003 },
  { version: 4, sql: MIGRATION_0004 },
  { version: 5, sql: MIGRATION_0005 },
  { version: 6, sql: MIGRATION_0006 },
  { version: 7, sql: MIGRATION_0007 },
  { version: 8, sql: MIGRATION_0008 },
];

/** "KEYW": whoever else takes advisory locks in this database will hardly take this one. */
const LOCK = 0x4b455957;
const RACES_MAX = 20;

/** What is done with what is there. */
type Migrating = {
  readonly location: Pick<PostgresLocation, 'schema' | 'label'>;
  /** Create: a schema without tables becomes a new ledger. */
  readonly missing: 'Create' | 'Refuse';
  readonly migrations?: readonly Migration[];
};

/**
 * Applies what is missing. Repeatable; processes that start together wait for each other.
 *
 * @throws KeywardError Terminal DatabaseMissing, ForeignDatabase, SchemaTooNew, SchemaChanged; what
 * the server throws
 */
export async function migrate(pool: Pool, options: Migrating): Promise<void> {
  for (let raced = 0; ; raced += 1) {
    try {
      // One attempt after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      return await pool.use((connection) =>
        transact(connection, () => migrateOnce(connection, options)),
      );
    } catch (thrown) {
      // Without advisory locks two new ledgers may be made at once; the second try finds the first.
      if (!isMadeMeanwhile(thrown) || raced === RACES_MAX) throw thrown;
    }
  }
}

/**
 * Compares what was applied with what we know, and changes nothing.
 *
 * @throws KeywardError as `migrate`
 */
export async function checkSchema(
  connection: Connection,
  { location, migrations = MIGRATIONS }: Pick<Migrating, 'location' | 'migrations'>,
): Promise<number> {
  if ((await look(connection, location)) === 'Empty') throw missingTables(location.label);
  const applied = await connection.query(
    qualify('SELECT version, checksum FROM {schema}.migrations ORDER BY version', location.schema),
  );
  return compareApplied(applied, migrations, location.label);
}

async function migrateOnce(
  connection: Connection,
  { location, missing, migrations = MIGRATIONS }: Migrating,
): Promise<void> {
  const { schema } = location;
  await begin(connection, 'READ COMMITTED', []);
  await lock(connection);
  const isNew = (await look(connection, location)) === 'Empty';
  if (isNew && missing === 'Refuse') throw missingTables(location.label);
  if (isNew) await createTables(connection, schema);
  const applied = isNew ? 0 : await checkSchema(connection, { location, migrations });
  for (const { version, sql } of migrations.slice(applied)) {
    // In order.
    // oxlint-disable-next-line no-await-in-loop
    await connection.script(qualify(sql, schema));
    // oxlint-disable-next-line no-await-in-loop
    await connection.query(qualify('INSERT INTO {schema}.migrations VALUES ($1, $2)', schema), [
      version,
      checksum(sql),
    ]);
  }
  if (isNew) await identify(connection, schema);
  await finish(connection, []);
}

/**
 * Held until the transaction ends. Engines without advisory locks go on without: there the first
 * insert of the same migration wins and the others begin again.
 */
async function lock(connection: Connection): Promise<void> {
  await connection.query('SAVEPOINT lock');
  try {
    await connection.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  } catch (thrown) {
    if (!isUnsupported(thrown)) throw thrown;
    await connection.query('ROLLBACK TO SAVEPOINT lock');
  }
}

async function look(
  connection: Connection,
  { schema, label }: Pick<PostgresLocation, 'schema' | 'label'>,
): Promise<'Empty' | 'Ours'> {
  const [row] = await connection.query(
    `SELECT count(*), count(*) FILTER (WHERE table_name IN ('migrations', 'meta', 'audit'))
     FROM information_schema.tables WHERE table_schema = $1`,
    [schema],
  );
  const ours = integer(row?.[1]);
  if (ours === 3) return 'Ours';
  if (integer(row?.[0]) === 0) return 'Empty';
  throw terminal(
    'ForeignDatabase',
    `database "${label}" holds tables of something else; give Keyward a schema of its own`,
  );
}

async function createTables(connection: Connection, schema: string): Promise<void> {
  const [row] = await connection.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  // Not IF NOT EXISTS: that needs the right to create schemas even where there is one.
  if (row === undefined) await connection.query(qualify('CREATE SCHEMA {schema}', schema));
  await connection.script(
    qualify(
      'CREATE TABLE {schema}.migrations (version BIGINT PRIMARY KEY, checksum TEXT NOT NULL)',
      schema,
    ),
  );
}

/** The one row of `meta`: who this database is. */
async function identify(connection: Connection, schema: string): Promise<void> {
  await connection.query(
    qualify(
      `INSERT INTO {schema}.meta (id, database_id, incarnation, commit_counter)
       VALUES (1, $1, $2, 0)`,
      schema,
    ),
    [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')],
  );
}

function missingTables(label: string) {
  return terminal(
    'DatabaseMissing',
    `database "${label}" holds no ledger; name the right schema, or restore a backup`,
  );
}
