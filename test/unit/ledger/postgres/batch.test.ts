import { describe, expect, it } from 'vitest';
import { CHAIN_START } from '../../../../src/ledger/audit.ts';
import { decide, type Decision } from '../../../../src/ledger/postgres/batch.ts';
import type { CommitRequest } from '../../../../src/ledger/requests.ts';
import { encodeRecord } from '../../../../src/ledger/rows.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import { KeyCounts } from '../../../../src/ledger/keycounts.ts';
import { aCredential, aKey, AT_MS, CLUSTER, EPOCH } from '../../../conformance/ledger.records.ts';

const HEAD = {
  databaseId: 'd',
  incarnation: 'i',
  commitCounter: 40,
  clusterId: CLUSTER,
  epoch: EPOCH,
  hash: CHAIN_START,
};

function request(record: KeyRecord, changes: Partial<CommitRequest> = {}): CommitRequest {
  return {
    type: 'commit',
    rows: encodeRecord(record),
    documents: [],
    expectedRevision: record.revision,
    epoch: EPOCH,
    atMs: AT_MS,
    actor: 'operator',
    action: 'KeyIssued',
    facts: '{}',
    spendRequestId: undefined,
    imports: undefined,
    maxKeys: undefined,
    maxKeysPerNamespace: undefined,
    exclusiveAccount: undefined,
    ...changes,
  };
}

function decideAll(...commits: readonly CommitRequest[]): Decision {
  const keyCounts = new KeyCounts();
  keyCounts.fill([]);
  const stored = {
    keys: new Map(),
    spent: new Set<string>(),
    imported: new Set<string>(),
    creating: new Map(),
    documents: new Map(),
  };
  return decide(commits, { head: HEAD, stored, keyCounts });
}

const outcomes = ({ answers }: Decision): string[] =>
  answers.map((answer) => ('type' in answer ? answer.type : answer.reason));

const remote = (uid: string, changes: object = {}): KeyRecord =>
  aKey(uid, {
    credentials: [
      aCredential(`${uid}-1`, {
        state: 'Intent',
        remote: { account: 'acc', createBegunAtMs: 1, facts: {}, ...changes },
      }),
    ],
  });

describe('A batch of commits', () => {
  it('lets each commit see those before it, and numbers what it commits without a gap', () => {
    const decision = decideAll(
      request(aKey('a')),
      request(aKey('a')),
      request(aKey('a', { revision: 1, state: 'Suspended' })),
      request(aKey('b')),
    );
    expect(outcomes(decision)).toEqual(['Committed', 'Stale', 'Committed', 'Committed']);
    expect(decision.audit.map(([number]) => number)).toEqual([41, 42, 43]);
    expect(decision.keys.map(({ id, revision }) => [id, revision])).toEqual([
      [41, 2],
      [43, 1],
    ]);
    expect(decision.commitCounter).toBe(43);
  });

  it('spends a request once, and counts limits as it goes', () => {
    const limits = { maxKeys: 1 };
    const decision = decideAll(
      request(aKey('a'), { spendRequestId: 'r', ...limits }),
      request(aKey('a', { revision: 1 }), { spendRequestId: 'r' }),
      request(aKey('b'), limits),
    );
    expect(outcomes(decision)).toEqual(['Committed', 'RequestSpent', 'LimitExceeded']);
  });

  it('fences and refuses commit by commit', () => {
    const decision = decideAll(
      request(aKey('a'), { epoch: EPOCH - 1 }),
      request(aKey('b', { clusterId: 'other' })),
      request(aKey('c')),
    );
    expect(outcomes(decision)).toEqual(['Fenced', 'ForeignDatabase', 'Committed']);
  });

  it('does not bring a credential back that ended in the same batch', () => {
    const decision = decideAll(
      request(aKey('a')),
      request(aKey('a', { revision: 1, credentials: [] })),
      request(aKey('a', { revision: 2 })),
    );
    expect(outcomes(decision)).toEqual(['Committed', 'Committed', 'ConstraintViolated']);
    const [credential] = decision.keys[0]?.credentials.values() ?? [];
    expect(credential).toMatchObject({ isNew: true, endedAtMs: AT_MS });
  });

  it('begins one create call of an account at a time', () => {
    const exclusive = { exclusiveAccount: 'acc' };
    const done = { ...remote('a', { id: 'r-1' }), revision: 1 };
    const decision = decideAll(
      request(remote('a'), exclusive),
      request(remote('b'), exclusive),
      request(done),
      request(remote('b'), exclusive),
    );
    expect(outcomes(decision)).toEqual(['Committed', 'AccountBusy', 'Committed', 'Committed']);
  });
});
