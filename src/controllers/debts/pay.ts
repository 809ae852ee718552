/**
 * Pays debts: credentials of keys that are gone and that must still be ended at their vendor. It works
 * from the ledger alone, with the sealed credentials of the account, because store, Secret and
 * namespace may be gone too.
 */
import { KeywardError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { forget, isRemote, noteRemote, type RemoteCredentialRecord } from '../../ledger/remote.ts';
import { StoreFailure, type RemoteHandle, type RemoteStore } from '../../stores/contract.ts';
import { callEnd, endingStep, type EndingStep } from '../../stores/ending.ts';
import { searchCreated, type CreateSearch } from '../../stores/searching.ts';
import type { StoreSession } from '../../stores/session.ts';

/** What paying needs. */
export type DebtDeps = {
  readonly ledger: Pick<Ledger, 'debts' | 'commit' | 'claimedIds'>;
  readonly sessions: {
    fromMemory(
      storeUid: string,
    ): Promise<Pick<StoreSession, 'connect' | 'prove' | 'account' | 'handle'> | undefined>;
  };
  readonly epoch: () => number;
  readonly clock: Clock;
  readonly clusterId: string;
  readonly log: Logger;
};

/** How a round ended, in credentials. */
export type DebtRound = { readonly paid: number; readonly left: number };

const PAGE = 100;

type Account = {
  readonly remote: RemoteStore;
  readonly handle: RemoteHandle;
  readonly account: string;
  readonly prove: (signal: AbortSignal) => Promise<unknown>;
};

/** One store in one round; undefined: it cannot be asked now. */
type Accounts = Map<string, Account | undefined>;

/** Tries every debt once. A store that cannot be asked is left out, and all others go on. */
export async function payDebts(deps: DebtDeps, signal: AbortSignal): Promise<DebtRound> {
  const accounts: Accounts = new Map();
  let paid = 0;
  let left = 0;
  let after: string | undefined;
  do {
    // One debt after the other is what bounds the rate.
    // oxlint-disable-next-line no-await-in-loop
    const page = await deps.ledger.debts(PAGE, after);
    for (const record of page.records) {
      const owed = owing(record).length;
      // oxlint-disable-next-line no-await-in-loop
      const remains = owing(await payRecord(deps, record, accounts, signal)).length;
      paid += owed - remains;
      left += remains;
    }
    after = page.next;
  } while (after !== undefined && !signal.aborted);
  return { paid, left };
}

function owing(record: KeyRecord): readonly RemoteCredentialRecord[] {
  return record.credentials.filter(isRemote).filter(({ state }) => state === 'Disabled');
}

/** The record as it is afterwards. */
async function payRecord(
  deps: DebtDeps,
  record: KeyRecord,
  accounts: Accounts,
  signal: AbortSignal,
): Promise<KeyRecord> {
  let current = record;
  for (const { sequence } of owing(record)) {
    // oxlint-disable-next-line no-await-in-loop
    const at = await accountOf(deps, current, accounts, signal);
    if (at === undefined || signal.aborted) return current;
    try {
      // oxlint-disable-next-line no-await-in-loop
      current = await payOne(deps, current, sequence, { ...at, signal });
    } catch (error) {
      if (!(error instanceof KeywardError)) throw error;
      const { reason, message } = error;
      deps.log.info('A debt could not be paid yet', { store: record.store.uid, reason, message });
      const isAboutStore = error instanceof StoreFailure && error.kind !== 'Refused';
      if (isAboutStore) accounts.set(record.store.uid, undefined);
    }
  }
  return current;
}

async function accountOf(
  deps: DebtDeps,
  { store }: KeyRecord,
  accounts: Accounts,
  signal: AbortSignal,
): Promise<Account | undefined> {
  if (!accounts.has(store.uid)) {
    accounts.set(store.uid, await openAccount(deps, store.uid, signal));
  }
  return accounts.get(store.uid);
}

async function openAccount(
  deps: DebtDeps,
  storeUid: string,
  signal: AbortSignal,
): Promise<Account | undefined> {
  try {
    const session = await deps.sessions.fromMemory(storeUid);
    const remote = await session?.connect(signal);
    const account = session?.account?.id;
    if (session === undefined || remote === undefined || account === undefined) return undefined;
    return { remote, account, handle: session.handle, prove: (until) => session.prove(until) };
  } catch (error) {
    if (!(error instanceof KeywardError)) throw error;
    const { reason, message } = error;
    deps.log.info('Debts of a store cannot be paid yet', { store: storeUid, reason, message });
    return undefined;
  }
}

type At = Account & { readonly signal: AbortSignal };

/** Steps of one debt; the longest way is search, claim, disable, delete. */
const STEPS_MAX = 6;

/** Goes as far as it can; each step is in the ledger before the next. @throws StoreFailure */
async function payOne(
  deps: DebtDeps,
  record: KeyRecord,
  sequence: number,
  at: At,
): Promise<KeyRecord> {
  let now: Step = { record, search: undefined };
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    const credential = owing(now.record).find((each) => each.sequence === sequence);
    // Another account than the one it was made in would only say that it knows nothing.
    if (credential === undefined || credential.remote.account !== at.account) break;
    const step = endingStep({
      ...now,
      credential,
      rules: at.handle,
      nowMs: deps.clock.nowMs(),
    });
    if (step === undefined) break;
    // oxlint-disable-next-line no-await-in-loop
    now = await take(deps, { now, credential, step }, at);
  }
  return now.record;
}

type Step = { readonly record: KeyRecord; readonly search: CreateSearch | undefined };

async function take(
  deps: DebtDeps,
  { now, credential, step }: { now: Step; credential: RemoteCredentialRecord; step: EndingStep },
  at: At,
): Promise<Step> {
  const { record } = now;
  const { sequence } = credential;
  switch (step.how) {
    case 'Search':
      return {
        record,
        search: await searchCreated({ ...deps, ...placeOf(credential, at) }, at.signal),
      };
    case 'Claim':
      await deleteOthers(now.search, step.id, at);
      return {
        ...now,
        record: await commit(
          deps,
          noteRemote(record, sequence, { id: step.id }),
          'RemoteClaimed',
          sequence,
        ),
      };
    case 'Forget':
      return {
        ...now,
        record: await commit(deps, forget(record, sequence), 'RemoteEnded', sequence),
      };
    case 'Disable':
    case 'Delete':
      return { ...now, record: await call(deps, record, { credential, how: step.how }, at) };
  }
}

async function call(
  deps: DebtDeps,
  record: KeyRecord,
  { credential, how }: { credential: RemoteCredentialRecord; how: 'Disable' | 'Delete' },
  at: At,
): Promise<KeyRecord> {
  const { sequence, remote } = credential;
  const { id } = remote;
  if (id === undefined) return record;
  const outcome = await callEnd(at, { ...credential, remote: { ...remote, id } }, how, at.signal);
  if (outcome === 'Gone') return commit(deps, forget(record, sequence), 'RemoteEnded', sequence);
  const disabled = { enabled: false, disabledAtMs: deps.clock.nowMs() };
  return commit(deps, noteRemote(record, sequence, disabled), 'RemoteDisabled', sequence);
}

function placeOf(credential: RemoteCredentialRecord, at: At) {
  return { credential, handle: at.handle, session: at };
}

/** All that a search by mark finds bears the mark of this one credential, and all of it is to go. */
async function deleteOthers(search: CreateSearch | undefined, id: string, at: At): Promise<void> {
  for (const other of search?.ids.filter((each) => each !== id) ?? []) {
    // oxlint-disable-next-line no-await-in-loop
    await at.remote.delete(other, at.signal);
  }
}

/** @throws KeywardError Conflict when somebody else committed first */
async function commit(
  deps: DebtDeps,
  record: KeyRecord,
  action: string,
  sequence: number,
): Promise<KeyRecord> {
  const result = await deps.ledger.commit({
    record,
    expectedRevision: record.revision,
    epoch: deps.epoch(),
    audit: { action, actor: 'operator', atMs: deps.clock.nowMs(), facts: { sequence } },
  });
  if (result.type === 'Committed') return result.record;
  throw new KeywardError('Conflict', {
    reason: result.type,
    message: 'the debt changed in the ledger meanwhile',
  });
}
