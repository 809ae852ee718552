import { expect, test } from 'vitest';
import { Committer } from '../../../../src/ledger/postgres/committer.ts';
import type { Connection } from '../../../../src/ledger/postgres/connection.ts';
import type { Pool } from '../../../../src/ledger/postgres/pool.ts';
import type { CommitRequest } from '../../../../src/ledger/requests.ts';
import { encodeRecord } from '../../../../src/ledger/rows.ts';
import { aKey, AT_MS, CLUSTER, EPOCH } from '../../../conformance/ledger.records.ts';

/** What becomes of the next COMMIT: answered, or the connection is lost and it was or was not done. */
type Fate = 'Answered' | 'LostDone' | 'LostUndone';

/** A server that counts commits and keeps the names of batches; a failover is `lose`. */
class FakeServer {
  counter = 100;
  fate: Fate = 'Answered';
  /** Done when the answer to a COMMIT is lost. */
  onLost = (): void => undefined;
  readonly #batches = new Set<string>();

  get pool(): Pool {
    const pool = {
      label: 'pg',
      use: <T>(work: (connection: Connection) => Promise<T>) => work(this.#connect()),
    };
    return pool as unknown as Pool;
  }

  /** A standby takes over that lacks so many commits. */
  lose(commits: number): void {
    this.counter -= commits;
  }

  #connect(): Connection {
    const pending = { counter: this.counter, batch: '' };
    let isLost = false;
    const connection = {
      close: () => undefined,
      script: async (sql: string) => {
        const opened = [[], [], [], [], []];
        const asked = /batches WHERE id = '(\w+)'/.exec(sql)?.[1];
        if (asked !== undefined) return [...opened, [], this.#batches.has(asked) ? [[1]] : []];
        return [...opened, [['db', 'inc', this.counter, CLUSTER, EPOCH]], [[new Uint8Array(32)]]];
      },
      query: async (sql: string, values: readonly unknown[] = []) => {
        if (isLost) throw new Error('Connection terminated unexpectedly');
        if (sql.includes('count(*)')) return [['store-1', 'shop', this.counter - 100]];
        if (sql.includes('INTO batches')) pending.batch = String(values[0]);
        if (sql.includes('meta SET commit_counter')) pending.counter = Number(values[0]);
        if (sql !== 'COMMIT') return [];
        if (this.fate !== 'LostUndone') this.#carryOut(pending);
        if (this.fate === 'Answered') return [];
        isLost = true;
        this.fate = 'Answered';
        this.onLost();
        throw new Error('Connection terminated unexpectedly');
      },
    };
    return connection as unknown as Connection;
  }

  #carryOut({ counter, batch }: { readonly counter: number; readonly batch: string }): void {
    this.counter = counter;
    this.#batches.add(batch);
  }
}

/** A new key, of which its store may have four. */
const REQUEST: CommitRequest = {
  type: 'commit',
  rows: encodeRecord(aKey('a')),
  documents: [],
  expectedRevision: 0,
  epoch: EPOCH,
  atMs: AT_MS,
  actor: 'operator',
  action: 'KeyIssued',
  facts: '{}',
  spendRequestId: undefined,
  imports: undefined,
  maxKeys: 4,
  maxKeysPerNamespace: undefined,
  exclusiveAccount: undefined,
};

function committing() {
  const server = new FakeServer();
  const committer = new Committer({
    pool: server.pool,
    qualify: (sql) => sql.replaceAll('{schema}.', ''),
    databaseId: 'db',
    incarnation: 'inc',
    crashAt: undefined,
  });
  const commit = async (): Promise<string | undefined> => {
    const [answer] = await committer.execute([REQUEST]);
    if (answer === undefined) return undefined;
    return 'reason' in answer ? answer.reason : answer.type;
  };
  return { server, commit };
}

test('a failover that loses commits is noticed though it happens during a COMMIT', async () => {
  const { server, commit } = committing();
  expect(await commit()).toBe('Committed');
  server.fate = 'LostUndone';
  server.onLost = () => server.lose(10);
  expect(await commit()).toBe('DatabaseOutdated');
  expect(await commit()).toBe('DatabaseOutdated');
  expect(server.counter).toBe(91);
});

test('a COMMIT whose answer was lost is done once and counts once, whether it was carried out or not', async () => {
  const { server, commit } = committing();
  expect(await commit()).toBe('Committed');
  server.fate = 'LostDone';
  expect([await commit(), server.counter]).toEqual(['Committed', 102]);
  server.fate = 'LostUndone';
  expect([await commit(), server.counter]).toEqual(['Committed', 103]);
  expect([await commit(), server.counter]).toEqual(['Committed', 104]);
});

test('a commit that was found to be there counts as seen: a database that lacks it is refused', async () => {
  const { server, commit } = committing();
  expect(await commit()).toBe('Committed');
  server.fate = 'LostDone';
  expect(await commit()).toBe('Committed');
  server.lose(1);
  expect(await commit()).toBe('DatabaseOutdated');
});
