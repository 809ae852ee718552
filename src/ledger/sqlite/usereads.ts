/** How keys are used and which ids there are, as read from a ledger file. */
import type { DatabaseSync } from 'node:sqlite';
import type { Answers, UseRead } from '../requests.ts';
import { integer, type Row, text } from '../rows.ts';
import { atGateQuery, idsByKeyId, readAtGate } from '../wholerows.ts';
import { prepare } from './statements.ts';

/** Credentials that live, and those that ended lately enough that their holders can be told. */
const KNOWN_AT_GATE = `(c.state <> 'Deleted' OR EXISTS (
  SELECT 1 FROM slots e WHERE e.key = c.key AND e.sequence = c.sequence
))`;

/** The credential of an imported value. */
const OF_IMPORT = 'JOIN credentials c ON c.key = i.key AND c.sequence = i.sequence';

const AT_GATE = atGateQuery({ prefix: '', which: `= (${idsByKeyId('', '?1')})` });

/** Compiles the queries. */
export function prepareUseReads(db: DatabaseSync) {
  const atGate = prepare(db, AT_GATE);
  const count = prepare(
    db,
    `SELECT c.reserved, (
       SELECT coalesce(sum(l.uses - l.spent), 0) FROM leases l
       WHERE l.subject = c.subject AND l.window_start = c.window_start AND l.ended IS NULL
     ) FROM counts c WHERE c.subject = ? AND c.window_start = ?`,
  );
  const usage = prepare(
    db,
    `SELECT uid, uses, last_used FROM usage WHERE uid IN (SELECT value FROM json_each(?))`,
  );
  const keyIds = prepare(
    db,
    // Two lists in order, each read no further than it is needed.
    `SELECT id FROM (
       SELECT * FROM (SELECT c.key_id AS id FROM credentials c
         WHERE c.key_id > ?1 AND ${KNOWN_AT_GATE} ORDER BY c.key_id LIMIT ?2)
       UNION ALL SELECT * FROM (SELECT i.lookup FROM imports i ${OF_IMPORT}
         WHERE i.lookup > ?1 AND ${KNOWN_AT_GATE} ORDER BY i.lookup LIMIT ?2)
     ) ORDER BY id LIMIT ?2`,
  );
  const keyIdsOf = prepare(
    db,
    `SELECT c.key_id FROM keys k JOIN credentials c ON c.key = k.id AND ${KNOWN_AT_GATE}
       WHERE k.uid IN (SELECT value FROM json_each(?1))
     UNION ALL SELECT i.lookup FROM keys k JOIN imports i ON i.key = k.id ${OF_IMPORT}
       WHERE k.uid IN (SELECT value FROM json_each(?1)) AND ${KNOWN_AT_GATE}`,
  );
  const first = (row: Row): string => text(row[0]);
  return (request: UseRead): Answers[UseRead['type']] => {
    switch (request.type) {
      case 'findAtGate':
        return readAtGate(atGate.all(request.keyId));
      case 'counts':
        return request.refs.flatMap(({ subject, windowStartMs }) => {
          const row = count.get(subject, windowStartMs);
          if (row === undefined) return [];
          const [reserved, unspent] = row;
          return { subject, windowStartMs, reserved: integer(reserved), unspent: integer(unspent) };
        });
      case 'usage':
        return usage.all(JSON.stringify(request.uids)).map(([uid, uses, lastUsed]) => ({
          uid: text(uid),
          uses: integer(uses),
          lastUsedMs: integer(lastUsed),
        }));
      case 'keyIds':
        return keyIds.all(request.after ?? '', request.limit).map(first);
      case 'keyIdsOf':
        return keyIdsOf.all(JSON.stringify(request.uids)).map(first);
    }
  };
}
