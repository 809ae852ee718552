/** The ledger of the model: compare-and-swap on the revision, fencing by epoch, spent requests. */
import type { KeyRecord } from '../../src/ledger/record.ts';
import { put, type Model, type Place } from './model.ts';

/** What `Ledger.commit` is asked. */
export type Request = {
  readonly record: KeyRecord;
  readonly expectedRevision: number;
  readonly spendRequestId?: string | undefined;
};

export type Committed =
  | { readonly type: 'Committed'; readonly model: Model; readonly record: KeyRecord }
  | { readonly type: 'Stale' | 'Fenced'; readonly model: Model };

/** One transaction of an operator. A request that was spent answers as a stale record does. */
export function commit(model: Model, at: Place, request: Request): Committed {
  const { record, expectedRevision, spendRequestId } = request;
  if (model.operators[at.operator]?.isLeader !== true) return { type: 'Fenced', model };
  const revision = model.records[record.uid]?.revision ?? 0;
  if (revision !== expectedRevision) return { type: 'Stale', model };
  const spending = spendRequestId === undefined ? [] : [`${record.uid}/${spendRequestId}`];
  if (spending.some((id) => model.spent.includes(id))) return { type: 'Stale', model };
  const stored = { ...record, revision: revision + 1 };
  const next = {
    ...model,
    records: put(model.records, record.uid, stored),
    spent: [...model.spent, ...spending].toSorted(),
  };
  return { type: 'Committed', model: next, record: stored };
}
