/** The ledger on PostgreSQL: the port's methods as requests to a pool of connections. */
import type { UseReads } from '../gate.ts';
import type { Ledger } from '../port.ts';
import type { CrashPoint } from '../requests.ts';
import { createUseReads } from '../useverbs.ts';
import { createLedgerReads, createLedgerWrites, type LedgerReader } from '../verbs.ts';
import { Engine } from './engine.ts';
import { translate } from './failures.ts';
import { parsePostgresUrl } from './location.ts';
import { checkSchema, migrate } from './migrate.ts';
import { qualify, type Qualify } from './names.ts';
import { Pool } from './pool.ts';
import { readIdentity } from './queries.ts';

/** Which database, and whether its tables may be made. */
export type PostgresOptions = {
  /** A `postgres:` URL; see location.ts. */
  readonly url: string;
  /** What to do when the schema holds no tables. Create: the first start of an installation. */
  readonly missing: 'Create' | 'Refuse';
  /** Tests only. */
  readonly crashAt?: CrashPoint;
};

/**
 * Opens the ledger, and makes or migrates its tables. Several processes may have it open; epochs
 * tell whose commits count.
 *
 * @throws KeywardError Terminal with reason DatabaseUrlInvalid, DatabaseMissing, DatabaseCorrupt,
 * ForeignDatabase, SchemaTooNew or SchemaChanged; Transient LedgerUnavailable
 */
export async function openPostgresLedger(options: PostgresOptions): Promise<Ledger & UseReads> {
  const { engine } = await openEngine(options, async (pool) => {
    const location = parsePostgresUrl(options.url);
    await migrate(pool, { location, missing: options.missing });
  });
  return {
    ...createLedgerReads((request) => engine.ask(request)),
    ...createUseReads((request) => engine.ask(request)),
    ...createLedgerWrites((request) => engine.ask(request)),
    close: () => engine.close(),
  };
}

/**
 * Opens an existing ledger to look at it. A role that may read is enough.
 *
 * @throws KeywardError as `openPostgresLedger`
 */
export async function openPostgresReader(url: string): Promise<LedgerReader & UseReads> {
  const location = parsePostgresUrl(url);
  const { engine } = await openEngine({ url, missing: 'Refuse' }, async (pool) => {
    await pool.use((connection) => checkSchema(connection, { location }));
  });
  return {
    ...createLedgerReads((request) => engine.ask(request)),
    ...createUseReads((request) => engine.ask(request)),
    close: () => engine.close(),
  };
}

/** What requests are put to, and what is below it. */
type Opened = { readonly engine: Engine; readonly pool: Pool; readonly qualify: Qualify };

/**
 * Connects, and looks at the database after `prepare` did.
 *
 * @throws KeywardError as `openPostgresLedger`
 */
export async function openEngine(
  options: PostgresOptions,
  prepare: (pool: Pool) => Promise<void>,
): Promise<Opened> {
  const location = parsePostgresUrl(options.url);
  const pool = new Pool(location);
  const named = (sql: string): string => qualify(sql, location.schema);
  try {
    await prepare(pool);
    const { databaseId, incarnation } = await pool.use((connection) =>
      readIdentity({ connection, qualify: named }),
    );
    const { crashAt } = options;
    const engine = new Engine({ pool, qualify: named, databaseId, incarnation, crashAt });
    return { engine, pool, qualify: named };
  } catch (thrown) {
    pool.close();
    throw translate(thrown, location.label);
  }
}
