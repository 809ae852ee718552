/**
 * What gates write to PostgreSQL, as transactions whose statements, COMMIT included, travel together: no
 * row stays locked while the network is waited for. READ COMMITTED, in which each statement sees what
 * was committed before it began: the counts are locked first, and what is read of them after that stays
 * as it is. Counts are locked in one order everywhere, and before the leases on them.
 */
import type { Lease, LeaseReport, LeaseWish } from '../gate.ts';
import type { Answers, UseRequest } from '../requests.ts';
import { integer, type Row, text } from '../rows.ts';
import {
  COUNT_KEPT_MS,
  SIGNATURE_KEPT_MS,
  signatureName,
  SWEEP_MAX,
  USAGE_KEPT_MS,
} from '../uses.ts';
import type { Statement } from './writes.ts';

/** One transaction; the answer is made of the rows of each statement. */
export type Transaction<T> = {
  readonly statements: readonly Statement[];
  readonly answer: (rows: readonly (readonly Row[])[]) => T;
};

type Request<T extends UseRequest['type']> = Extract<UseRequest, { type: T }>;

/** Everything but leases is one transaction. */
export function transactionOf(
  request: Exclude<UseRequest, { type: 'lease' }>,
): Transaction<Answers[Exclude<UseRequest['type'], 'lease'>]> {
  switch (request.type) {
    case 'reportLeases':
      return { statements: [spend(request)], answer: () => null };
    case 'returnLeases':
      return { statements: giveBack(request), answer: () => null };
    case 'reportUsage':
      return { statements: [addUsage(request)], answer: () => null };
    case 'remember':
      return remember(request);
    case 'sweepUses':
      return {
        statements: sweep(request),
        answer: (deleted) => deleted.some(({ length }) => length === SWEEP_MAX),
      };
  }
}

const WISHES = `json_to_recordset($1::json) AS w (place bigint, id text, subject text,
  window_start bigint, window_end bigint, uses bigint, most bigint, heard_at bigint)`;
const LOCK_ORDER = 'ORDER BY c.subject, c.window_start FOR UPDATE OF c';

/** A count must exist to be locked. */
const ENSURE_COUNTS = `INSERT INTO {schema}.counts (subject, window_start, window_end, reserved)
  SELECT w.subject, w.window_start, w.window_end, 0 FROM ${WISHES}
  WHERE w.window_end IS NULL OR w.heard_at < w.window_end
  ORDER BY w.subject COLLATE "C", w.window_start ON CONFLICT DO NOTHING`;

const LOCK_COUNTS = `SELECT 1 FROM {schema}.counts c
  WHERE (c.subject, c.window_start) IN (SELECT w.subject, w.window_start FROM ${WISHES})
  ${LOCK_ORDER}`;

/** As `grant` in ../uses.ts says. Of one first instant the longest window counts. */
const RESERVE = `WITH wishes AS (SELECT * FROM ${WISHES}),
  known AS (
    SELECT l.id, CASE WHEN l.ended IS NULL THEN l.uses ELSE 0 END AS uses
    FROM {schema}.leases l JOIN wishes w ON w.id = l.id
  ),
  granted AS (
    SELECT w.*, least(w.uses, w.most - c.reserved) AS granted FROM wishes w
    JOIN {schema}.counts c ON c.subject = w.subject AND c.window_start = w.window_start
    WHERE c.reserved < w.most AND (w.window_end IS NULL OR w.heard_at < w.window_end)
      AND NOT EXISTS (SELECT 1 FROM known k WHERE k.id = w.id)
  ),
  added AS (
    INSERT INTO {schema}.leases (id, subject, window_start, uses, spent, heard_at)
    SELECT id, subject, window_start, granted, 0, heard_at FROM granted
    ON CONFLICT DO NOTHING RETURNING id
  ),
  heard AS (
    UPDATE {schema}.leases l SET heard_at = greatest(l.heard_at, w.heard_at)
    FROM wishes w JOIN known k ON k.id = w.id WHERE l.id = w.id
  ),
  raised AS (
    UPDATE {schema}.counts c SET reserved = c.reserved + g.granted,
      window_end = CASE WHEN c.window_end IS NULL OR g.window_end IS NULL THEN NULL
        ELSE greatest(c.window_end, g.window_end) END
    FROM granted g JOIN added a ON a.id = g.id
    WHERE c.subject = g.subject AND c.window_start = g.window_start
    RETURNING c.subject, c.window_start, c.reserved
  )
  SELECT CASE WHEN a.id IS NULL THEN coalesce(k.uses, 0) ELSE g.granted END,
    CASE WHEN k.id IS NULL AND w.window_end <= w.heard_at THEN 0
      ELSE greatest(0, w.most - coalesce(r.reserved, c.reserved, 0)) END
  FROM wishes w
  LEFT JOIN known k ON k.id = w.id
  LEFT JOIN granted g ON g.place = w.place
  LEFT JOIN added a ON a.id = w.id
  LEFT JOIN raised r ON r.subject = w.subject AND r.window_start = w.window_start
  LEFT JOIN {schema}.counts c ON c.subject = w.subject AND c.window_start = w.window_start
  ORDER BY w.place`;

/** Reserves for wishes of different counts; answers in their order. */
export function leaseTransaction(wishes: readonly LeaseWish[]): Transaction<readonly Lease[]> {
  const rows = wishes.map((wish, place) => ({
    place,
    id: wish.id,
    subject: wish.subject,
    window_start: wish.windowStartMs,
    window_end: wish.windowEndMs ?? null,
    uses: wish.uses,
    most: wish.limit,
    heard_at: wish.nowMs,
  }));
  const parameters = [JSON.stringify(rows)];
  return {
    statements: [ENSURE_COUNTS, LOCK_COUNTS, RESERVE].map((sql) => ({ sql, parameters })),
    answer: (answers) =>
      wishes.map(({ id }, index) => {
        const row = answers[2]?.[index];
        return { id, uses: integer(row?.[0]), unreserved: integer(row?.[1]) };
      }),
  };
}

const REPORTS = 'json_to_recordset($1::json) AS r (id text, spent bigint)';
const SPENT = 'greatest(l.spent, least(l.uses, r.spent))';

function spend({ reports, nowMs }: Request<'reportLeases'>): Statement {
  const sql = `UPDATE {schema}.leases l SET spent = ${SPENT}, heard_at = greatest(l.heard_at, $2)
    FROM ${REPORTS} WHERE l.id = r.id AND l.ended IS NULL`;
  return { sql, parameters: reported(reports, nowMs) };
}

function giveBack({ reports, nowMs }: Request<'returnLeases'>): readonly Statement[] {
  const [ids] = reported(reports, nowMs);
  // First, because it waits for wishes that are under way: they are known to what follows. A wish that
  // is still to come finds that it is over.
  const note = `INSERT INTO {schema}.leases
      (id, subject, window_start, uses, spent, heard_at, ended)
    SELECT r.id, '', 0, 1, 1, $2, 1 FROM ${REPORTS} ORDER BY r.id COLLATE "C"
    ON CONFLICT DO NOTHING`;
  const lock = `SELECT 1 FROM {schema}.counts c WHERE (c.subject, c.window_start) IN (
      SELECT l.subject, l.window_start FROM {schema}.leases l JOIN ${REPORTS} ON r.id = l.id
    ) ${LOCK_ORDER}`;
  const free = `WITH over AS (
      UPDATE {schema}.leases l SET ended = 1, spent = ${SPENT},
        heard_at = greatest(l.heard_at, $2)
      FROM ${REPORTS} WHERE l.id = r.id AND l.ended IS NULL
      RETURNING l.subject, l.window_start, l.uses - l.spent AS unspent
    ), freed AS (
      SELECT subject, window_start, sum(unspent)::bigint AS unspent FROM over
      GROUP BY subject, window_start
    )
    UPDATE {schema}.counts c SET reserved = c.reserved - f.unspent FROM freed f
    WHERE c.subject = f.subject AND c.window_start = f.window_start`;
  return [
    { sql: note, parameters: [ids, nowMs] },
    { sql: lock, parameters: [ids] },
    { sql: free, parameters: [ids, nowMs] },
  ];
}

function reported(reports: readonly LeaseReport[], nowMs: number): readonly [string, number] {
  return [JSON.stringify(reports.map(({ id, spent }) => ({ id, spent }))), nowMs];
}

function addUsage({ reports }: Request<'reportUsage'>): Statement {
  const rows = reports.map(({ uid, uses, lastUsedMs }) => ({ uid, uses, last_used: lastUsedMs }));
  const sql = `INSERT INTO {schema}.usage AS u (uid, uses, last_used)
    SELECT r.uid, r.uses, r.last_used
    FROM json_to_recordset($1::json) AS r (uid text, uses bigint, last_used bigint)
    ORDER BY r.uid COLLATE "C"
    ON CONFLICT (uid) DO UPDATE SET
      uses = least(${Number.MAX_SAFE_INTEGER}, u.uses + excluded.uses),
      last_used = greatest(u.last_used, excluded.last_used)`;
  return { sql, parameters: [JSON.stringify(rows)] };
}

function remember({ signatures, claim }: Request<'remember'>): Transaction<readonly boolean[]> {
  const rows = signatures.map(({ keyId, digest, untilMs }) => ({
    key_id: keyId,
    digest: Buffer.from(digest).toString('hex'),
    forget_at: untilMs,
  }));
  const parameters = [JSON.stringify(rows), claim];
  const given = 'json_to_recordset($1::json) AS s (key_id text, digest text, forget_at bigint)';
  const add = `INSERT INTO {schema}.signatures (key_id, digest, claim, forget_at)
    SELECT s.key_id, decode(s.digest, 'hex'), $2, s.forget_at FROM ${given}
    ORDER BY s.key_id COLLATE "C", s.digest COLLATE "C" ON CONFLICT DO NOTHING`;
  // Ours by the claim, also where an attempt whose answer was lost has entered them.
  const ours = `SELECT encode(n.digest, 'hex') || '/' || n.key_id FROM {schema}.signatures n
    JOIN ${given} ON s.key_id = n.key_id AND decode(s.digest, 'hex') = n.digest
    WHERE n.claim = $2`;
  return {
    statements: [add, ours].map((sql) => ({ sql, parameters })),
    answer: ([, found = []]) => {
      const names = new Set(found.map((row) => text(row[0])));
      return signatures.map((signature) => names.has(signatureName(signature)));
    },
  };
}

/** A gate whose clock is ahead must not forget what still counts, so the server's has a say, too. */
const NOW = 'least($1::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)';
/** What another gate is forgetting, or using, is passed over. */
const SOME = `LIMIT ${SWEEP_MAX} FOR UPDATE SKIP LOCKED`;

function sweep({ nowMs, leaseSilenceMs }: Request<'sweepUses'>): readonly Statement[] {
  const leases = `DELETE FROM {schema}.leases WHERE id IN (
      SELECT id FROM {schema}.leases WHERE heard_at < ${NOW} - $2::bigint ${SOME}
    ) RETURNING 1`;
  const counts = `WITH over AS (
      SELECT subject, window_start FROM {schema}.counts WHERE window_end < ${NOW} - $2::bigint ${SOME}
    ), gone AS (
      DELETE FROM {schema}.leases l USING over o
      WHERE l.subject = o.subject AND l.window_start = o.window_start
    )
    DELETE FROM {schema}.counts c USING over o
    WHERE c.subject = o.subject AND c.window_start = o.window_start RETURNING 1`;
  const signatures = `DELETE FROM {schema}.signatures WHERE (key_id, digest) IN (
      SELECT key_id, digest FROM {schema}.signatures WHERE forget_at < ${NOW} - $2::bigint ${SOME}
    ) RETURNING 1`;
  const usage = `DELETE FROM {schema}.usage WHERE uid IN (
      SELECT u.uid FROM {schema}.usage u WHERE u.last_used < ${NOW} - $2::bigint
        AND NOT EXISTS (SELECT 1 FROM {schema}.keys k WHERE k.uid = u.uid) ${SOME}
    ) RETURNING 1`;
  return [
    { sql: leases, parameters: [nowMs, leaseSilenceMs] },
    { sql: counts, parameters: [nowMs, COUNT_KEPT_MS] },
    { sql: signatures, parameters: [nowMs, SIGNATURE_KEPT_MS] },
    { sql: usage, parameters: [nowMs, USAGE_KEPT_MS] },
  ];
}
