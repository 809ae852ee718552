/** The query for whole records, see wholerows.ts. Pure. */
import { ENDED_MAX } from '../tombstones.ts';
import { columnsAtGate, WHOLE_COLUMNS } from '../wholerows.ts';

/** Which credentials `c` of a key `k` belong to its record; */
const LIVING = `c.state <> 'Deleted'`;
/** with those that ended lately, where a gate asks. */
const WITH_ENDED = `(${LIVING} OR c.sequence IN (
  SELECT DISTINCT e.sequence FROM {schema}.slots e WHERE e.key = k.id AND e.ended_at IS NOT NULL
  ORDER BY e.sequence DESC LIMIT ${ENDED_MAX}
))`;

/** The id of the key that has this keyId, or an imported value with this lookup. */
export const BY_KEY_ID = `SELECT key FROM {schema}.credentials WHERE key_id = $1
  UNION ALL SELECT key FROM {schema}.imports WHERE lookup = $1`;

/** The query for records whose ids `wanted` selects; `{schema}` is still to be filled in. */
export function recordQuery(wanted: string): string {
  return queryOf({ wanted, columns: WHOLE_COLUMNS, credentials: LIVING });
}

/** As `recordQuery`, as gates ask; for `readAtGate`. */
export function queryAtGate(wanted: string): string {
  const columns = columnsAtGate('{schema}.documents');
  return queryOf({ wanted, columns, credentials: WITH_ENDED });
}

function queryOf(query: {
  readonly wanted: string;
  readonly columns: string;
  readonly credentials: string;
}): string {
  const { wanted, columns, credentials } = query;
  return `SELECT ${columns} FROM {schema}.keys k
    LEFT JOIN {schema}.credentials c ON c.key = k.id AND ${credentials}
    LEFT JOIN {schema}.slots s ON s.key = c.key AND s.sequence = c.sequence
    WHERE k.id IN (${wanted}) ORDER BY k.uid, c.sequence, s.name`;
}
