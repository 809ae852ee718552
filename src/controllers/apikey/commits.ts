/** What every applied step needs: commits with their audit entry, and the parts of a World it relies on. */
import { refText } from '../../api/meta.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { AuditEntry, Commit, CommitResult } from '../../ledger/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { ledgerMoved } from '../../runtime/behind.ts';
import type { LocalHandle, StoreHandle } from '../../stores/contract.ts';
import { asDocument, formAfter, withForm, type FormSteps } from './belonging.ts';
import type { Deps } from './deps.ts';
import type { ApiKeyView, UsableStore, World } from './world.ts';

/** What the audit chain says about a commit; actor and time are filled in. */
type Note = { readonly action: string; readonly facts?: AuditEntry['facts'] };
type Extras = Pick<Commit, 'limits' | 'spendRequestId' | 'exclusiveAccount'> & {
  /** Present for the first issue: its form is told in the same transaction. */
  readonly issued?: FormSteps['issued'];
};

/** Commits the next record of this world's key; the world with the record as stored. */
export async function change(
  deps: Deps,
  world: World,
  record: KeyRecord,
  note: Note & Extras,
): Promise<World> {
  const { action, facts, issued, ...extras } = note;
  const form = formAfter(world.application, { issued, requestId: extras.spendRequestId });
  const committed = await commit(deps, {
    record,
    expectedRevision: record.revision,
    audit: audit(deps, facts === undefined ? { action } : { action, facts }),
    ...extras,
    ...(form === undefined ? {} : { documents: [asDocument(form)] }),
  });
  const next = { ...world, record: committed };
  return form === undefined ? next : withForm(next, form);
}

/**
 * One commit under our epoch. @throws KeywardError Conflict when somebody else committed first,
 * Waiting LimitExceeded when the store is full
 */
export async function commit(
  deps: Pick<Deps, 'epoch'> & { readonly ledger: Pick<Deps['ledger'], 'commit'> },
  request: Omit<Commit, 'epoch'>,
): Promise<KeyRecord> {
  const result = await deps.ledger.commit({ ...request, epoch: deps.epoch() });
  return expectCommitted(result, request.record);
}

function expectCommitted(result: CommitResult, record: KeyRecord): KeyRecord {
  switch (result.type) {
    case 'Committed':
      return result.record;
    case 'Stale':
    case 'RequestSpent':
      throw ledgerMoved(`ApiKey ${refText(record)}`, result.type);
    case 'ValueKnown':
      throw new KeywardError('Terminal', {
        reason: 'ValueKnown',
        message: 'one of the values belongs, or belonged, to another key here',
      });
    case 'AccountBusy':
      throw new KeywardError('Waiting', {
        reason: 'StoreBusy',
        message: `${record.store.kind} '${record.store.name}' makes one credential at a time, and another one is being made`,
        retryAfterMs: 1_000,
      });
    case 'LimitExceeded':
      throw new KeywardError('Waiting', {
        reason: 'LimitExceeded',
        message: `${record.store.kind} '${record.store.name}' has reached spec.limits.${result.limit}; delete keys or ask its owner for more`,
        retryAfterMs: 60_000,
      });
  }
}

/** A complete audit entry of the operator. */
export function audit(deps: Deps, note: Note): AuditEntry {
  return { actor: 'operator', atMs: deps.clock.nowMs(), facts: {}, ...note };
}

/** The record a planned step is about. */
export function mine(world: World): KeyRecord {
  if (world.record !== undefined) return world.record;
  throw new KeywardError('Bug', {
    reason: 'RecordMissing',
    message: `ApiKey ${refText(world.ref)}: a step was planned for a record that does not exist`,
  });
}

/** The object a planned step is about. */
export function present(world: World): ApiKeyView {
  if (world.key !== undefined) return world.key;
  throw new KeywardError('Bug', {
    reason: 'ObjectMissing',
    message: `ApiKey ${refText(world.ref)}: a step was planned for an object that does not exist`,
  });
}

/** Object, store and driver handle a planned step needs. */
export function usable(
  deps: Deps,
  world: World,
): { key: ApiKeyView; store: UsableStore; handle: StoreHandle } {
  const key = present(world);
  const { handle } = deps.stores.of(key, world.record?.store);
  if (world.store.type === 'Usable' && handle !== undefined) {
    return { key, store: world.store, handle };
  }
  throw new KeywardError('Transient', {
    reason: 'StoreUnavailable',
    message: `the store of ApiKey ${refText(world.ref)} went away meanwhile`,
  });
}

/** The handle of a store whose values we make ourselves. */
export function local(handle: StoreHandle): LocalHandle {
  if (handle.type === 'Local') return handle;
  throw new KeywardError('Bug', {
    reason: 'StoreNotLocal',
    message: 'a value was to be made here for a store that makes its own',
  });
}
