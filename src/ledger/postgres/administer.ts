/** The rare writes that are no commits: whom the database belongs to, who leads, what stores are. */
import { randomBytes } from 'node:crypto';
import { fenced, foreign, masterKeyMismatch } from '../refusals.ts';
import type { StoreRow } from '../port.ts';
import type { AuditedRequest, WriteRequest } from '../requests.ts';
import { type Attempt, checkSame, type CommitterOptions, send } from './committer.ts';
import { type Head, LOCK_HEAD, readHead } from './stored.ts';
import { begin, transact } from './transaction.ts';
import { mark, type Statement } from './writes.ts';

/** A write that is no commit. */
export type Administration = Exclude<WriteRequest, AuditedRequest>;

/**
 * Carries it out in a transaction of its own.
 *
 * @throws KeywardError Terminal ForeignDatabase, Fenced, MasterKeyMismatch; what the server throws
 */
export function administer(
  { pool, qualify, databaseId, incarnation }: CommitterOptions,
  request: Administration,
): Promise<Attempt<null>> {
  return pool.use((connection) =>
    transact(connection, async () => {
      const [rows, known] = await Promise.all([
        begin(connection, 'SERIALIZABLE', LOCK_HEAD.map(qualify)),
        connection.query(qualify('SELECT version, check_value FROM {schema}.master_key_versions')),
      ]);
      const head = readHead(rows);
      checkSame(head, { databaseId, incarnation, label: pool.label, counter: 0 });
      const checkValues = new Map(known.map(([version, value]) => [version, value]));
      const batchId = randomBytes(16).toString('hex');
      const write = writeOf(request, head, checkValues);
      if (write === undefined) {
        await connection.query('ROLLBACK');
        return { finished: true, batchId, answer: null };
      }
      const writes = [write, mark(batchId, head.commitCounter)];
      return { finished: await send(connection, qualify, writes), batchId, answer: null };
    }),
  );
}

/** Undefined: it is so already. */
function writeOf(
  request: Administration,
  head: Head,
  checkValues: ReadonlyMap<unknown, unknown>,
): Statement | undefined {
  switch (request.type) {
    case 'adoptCluster': {
      const { clusterId } = request;
      if (head.clusterId === clusterId) return undefined;
      if (head.clusterId !== undefined) throw foreign(head.clusterId, clusterId);
      return { sql: 'UPDATE {schema}.meta SET cluster_id = $1', parameters: [clusterId] };
    }
    case 'openEpoch': {
      const { epoch, holder } = request;
      if (epoch <= head.epoch) throw fenced(epoch, head.epoch);
      const sql = 'UPDATE {schema}.meta SET epoch = $1, epoch_holder = $2';
      return { sql, parameters: [epoch, holder] };
    }
    case 'rememberVersion': {
      const { version, checkValue } = request;
      const known = checkValues.get(version);
      if (known === checkValue) return undefined;
      if (known !== undefined) throw masterKeyMismatch(version);
      const sql = 'INSERT INTO {schema}.master_key_versions (version, check_value) VALUES ($1, $2)';
      return { sql, parameters: [version, checkValue] };
    }
    case 'saveStore':
      if (request.epoch !== head.epoch || head.epoch === 0) throw fenced(request.epoch, head.epoch);
      return storeWrite(request.row, head.clusterId ?? '');
  }
}

function storeWrite(row: StoreRow, clusterId: string): Statement {
  const { storeUid, type, account, settings, sealed } = row;
  const columns = ['cluster_id', 'type', 'account', 'settings', 'seal_version', 'sealed'];
  const sql = `INSERT INTO {schema}.stores (store_uid, ${columns.join(', ')})
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (store_uid) DO UPDATE SET
      ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  return {
    sql,
    parameters: [storeUid, clusterId, type, account, settings, sealed.version, sealed.blob],
  };
}
