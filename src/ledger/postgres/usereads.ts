/** How keys are used and which ids there are, as read from PostgreSQL. */
import type { Answers, UseRead } from '../requests.ts';
import { integer, type Row, text } from '../rows.ts';
import { atGateQuery, idsByKeyId, readAtGate } from '../wholerows.ts';
import type { Connection, Parameter } from './connection.ts';
import type { Qualify } from './names.ts';

const COUNTS = `SELECT c.subject, c.window_start, c.reserved, (
    SELECT coalesce(sum(l.uses - l.spent), 0)::bigint FROM {schema}.leases l
    WHERE l.subject = c.subject AND l.window_start = c.window_start AND l.ended IS NULL
  ) FROM {schema}.counts c
  JOIN unnest($1::text[], $2::bigint[]) AS asked (subject, window_start)
    ON c.subject = asked.subject AND c.window_start = asked.window_start`;

/** Credentials that live, and those that ended lately enough that their holders can be told. */
const KNOWN_AT_GATE = `(c.state <> 'Deleted' OR EXISTS (
  SELECT 1 FROM {schema}.slots e WHERE e.key = c.key AND e.sequence = c.sequence
))`;

/** The credential of an imported value. */
const OF_IMPORT = 'JOIN {schema}.credentials c ON c.key = i.key AND c.sequence = i.sequence';

const AT_GATE = atGateQuery({
  prefix: '{schema}.',
  which: `IN (${idsByKeyId('{schema}.', '$1')})`,
});

/** The answer to a request. */
export async function readUses(
  { connection, qualify }: { readonly connection: Connection; readonly qualify: Qualify },
  request: UseRead,
): Promise<Answers[UseRead['type']]> {
  const ask = (sql: string, values: readonly Parameter[]): Promise<readonly Row[]> =>
    connection.query(qualify(sql), values);
  switch (request.type) {
    case 'findAtGate':
      return readAtGate(await ask(AT_GATE, [request.keyId]));
    case 'counts': {
      const { refs } = request;
      const subjects = refs.map(({ subject }) => subject);
      const starts = refs.map(({ windowStartMs }) => windowStartMs);
      return (await ask(COUNTS, [subjects, starts])).map(readCount);
    }
    case 'usage': {
      const sql = 'SELECT uid, uses, last_used FROM {schema}.usage WHERE uid = ANY($1::text[])';
      return (await ask(sql, [request.uids])).map(([uid, uses, lastUsed]) => ({
        uid: text(uid),
        uses: integer(uses),
        lastUsedMs: integer(lastUsed),
      }));
    }
    case 'keyIds': {
      // Two lists in order, each read no further than it is needed.
      const sql = `(SELECT c.key_id AS id FROM {schema}.credentials c
          WHERE c.key_id > $1 AND ${KNOWN_AT_GATE} ORDER BY c.key_id LIMIT $2)
        UNION ALL (SELECT i.lookup FROM {schema}.imports i ${OF_IMPORT}
          WHERE i.lookup > $1 AND ${KNOWN_AT_GATE} ORDER BY i.lookup LIMIT $2)
        ORDER BY id LIMIT $2`;
      return (await ask(sql, [request.after ?? '', request.limit])).map(first);
    }
    case 'keyIdsOf': {
      const sql = `SELECT c.key_id FROM {schema}.keys k
        JOIN {schema}.credentials c ON c.key = k.id AND ${KNOWN_AT_GATE}
        WHERE k.uid = ANY($1::text[])
        UNION ALL SELECT i.lookup FROM {schema}.keys k
        JOIN {schema}.imports i ON i.key = k.id ${OF_IMPORT}
        WHERE k.uid = ANY($1::text[]) AND ${KNOWN_AT_GATE}`;
      return (await ask(sql, [request.uids])).map(first);
    }
  }
}

function first(row: Row): string {
  return text(row[0]);
}

function readCount([subject, start, reserved, unspent]: Row): Answers['counts'][number] {
  return {
    subject: text(subject),
    windowStartMs: integer(start),
    reserved: integer(reserved),
    unspent: integer(unspent),
  };
}
