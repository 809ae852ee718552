/** Prepared statements that speak in rows. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Row, Value } from '../rows.ts';

/** How the library is opened for rows: arrays instead of objects. */
export const ROW_OPTIONS = { returnArrays: true } as const;

/** A prepared statement of a database that was opened with ROW_OPTIONS. */
type Statement = {
  all(...values: Value[]): readonly Row[];
  get(...values: Value[]): Row | undefined;
  run(...values: Value[]): void;
};

/** Compiles `sql` once; keep the result. */
export function prepare(db: DatabaseSync, sql: string): Statement {
  const statement = db.prepare(sql);
  return {
    all: (...values) => asRows(statement.all(...values)),
    get: (...values) => asRows([statement.get(...values)])[0],
    run: (...values) => {
      statement.run(...values);
    },
  };
}

/**
 * The library's types describe objects; with `returnArrays` and without `readBigInts` it returns
 * arrays of exactly these values.
 */
function asRows(result: readonly (ReturnType<StatementSync['get']> | undefined)[]): Row[] {
  return result as unknown as Row[];
}
