/** Which database this is, read from the one row of `meta`. Pure. */
import type { LedgerIdentity } from './port.ts';
import { integer, optionalText, type Row, text } from './rows.ts';

/** The columns for `decodeHead`. */
export const HEAD_COLUMNS = 'database_id, incarnation, commit_counter, cluster_id, epoch';

/** The query for `decodeIdentity`; `prefix` stands before the names of tables. */
export function identityQuery(prefix: string): string {
  return `SELECT ${HEAD_COLUMNS}, (SELECT max(version) FROM ${prefix}migrations) FROM ${prefix}meta`;
}

/** The answer. @throws KeywardError Terminal RowCorrupt, also where there is no row */
export function decodeIdentity(row: Row = []): LedgerIdentity {
  return { ...decodeHead(row), schemaVersion: integer(row[5]) };
}

/** HEAD_COLUMNS of that row. @throws KeywardError Terminal RowCorrupt, also where there is no row */
export function decodeHead(row: Row = []): Omit<LedgerIdentity, 'schemaVersion'> {
  return {
    databaseId: text(row[0]),
    incarnation: text(row[1]),
    commitCounter: integer(row[2]),
    clusterId: optionalText(row[3]),
    epoch: integer(row[4]),
  };
}
