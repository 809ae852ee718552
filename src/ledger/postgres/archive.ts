/** A PostgreSQL ledger as a whole; see ../archive.ts. */
import { type Archive, type ArchiveMode, pageQuery } from '../archive.ts';
import { decodeIdentity, identityQuery } from '../identity.ts';
import { type Row, text } from '../rows.ts';
import { type Connection, connect, type Parameter } from './connection.ts';
import { translate } from './failures.ts';
import { parsePostgresUrl, type PostgresLocation } from './location.ts';
import { checkSchema, migrate } from './migrate.ts';
import { qualify } from './names.ts';
import { Pool } from './pool.ts';
import { readIdentity } from './queries.ts';
import { DURABLE } from './transaction.ts';
import { insert, remove, type Statement } from './writes.ts';

/** A copy that was said to be complete must be on disk, as any commit. */
const EXCLUSIVE = [
  'BEGIN ISOLATION LEVEL SERIALIZABLE',
  DURABLE,
  'SELECT 1 FROM {schema}.meta FOR UPDATE',
].join(';\n');

/** How the transaction begins that takes a look at a whole database, changes or fills it. */
export const OPENINGS: Readonly<Record<ArchiveMode, string>> = {
  Look: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  Change: EXCLUSIVE,
  Fill: EXCLUSIVE,
};

/**
 * Connects and begins. Other writers wait until a change or a copy is complete.
 *
 * @throws KeywardError as `openPostgresLedger`
 */
export async function openPostgresArchive(url: string, mode: ArchiveMode): Promise<Archive> {
  const location = parsePostgresUrl(url);
  const pool = new Pool(location);
  try {
    if (mode === 'Fill') await migrate(pool, { location, missing: 'Create' });
    const connection = await connect(location, () => undefined);
    try {
      await checkSchema(connection, { location });
      await connection.script(qualify(OPENINGS[mode], location.schema));
      return createArchive(location, connection, pool);
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
  } catch (thrown) {
    pool.close();
    throw translate(thrown, location.label);
  }
}

function createArchive(location: PostgresLocation, connection: Connection, pool: Pool): Archive {
  const { schema, label } = location;
  const named = (sql: string): string => qualify(sql, schema);
  const ask = (sql: string, values: readonly Parameter[] = []): Promise<readonly Row[]> =>
    connection.query(named(sql), values).catch((thrown: unknown) => {
      throw translate(thrown, label);
    });
  const carryOut = async (statements: readonly Statement[]): Promise<void> => {
    // At most one.
    // oxlint-disable-next-line no-await-in-loop
    for (const { sql, parameters } of statements) await ask(sql, parameters);
  };
  return {
    label,
    meta: async () => decodeIdentity((await ask(identityQuery('{schema}.')))[0]),
    newest: () => pool.use((other) => readIdentity({ connection: other, qualify: named })),
    tables: async () => {
      const sql = 'SELECT table_name FROM information_schema.tables WHERE table_schema = $1';
      return (await ask(sql, [schema])).map((row) => text(row[0]));
    },
    columns: async (table) => {
      const sql = `SELECT column_name FROM information_schema.columns
        WHERE table_schema = $1 AND table_name = $2 ORDER BY column_name`;
      return (await ask(sql, [schema, table])).map((row) => text(row[0])).toSorted();
    },
    page: (table, after) => {
      const tableName = `{schema}.${table.name}`;
      return ask(pageQuery(table, after, { tableName, place: (index) => `$${index + 1}` }), after);
    },
    insert: async ({ name, columns }, rows) => {
      await carryOut(insert(name, columns, rows));
    },
    clear: async (table) => {
      await ask(`DELETE FROM {schema}.${table}`);
    },
    remove: async ({ name, by }, keys) => {
      await carryOut(remove(name, by, keys));
    },
    setCluster: async (table, clusterId) => {
      await ask(`UPDATE {schema}.${table} SET cluster_id = $1`, [clusterId]);
    },
    commit: async () => {
      await ask('COMMIT');
    },
    close: async () => {
      connection.close();
      pool.close();
    },
  };
}
