/**
 * Pays what one ended key still owes its vendor: the steps of stores/ending.ts, each followed by its
 * commit. Only what is proven to be gone is forgotten; anything else stays in the ledger.
 */
import { refText } from '../../api/meta.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import {
  forget,
  leave,
  isRemote,
  noteRemote,
  type RemoteCredentialRecord,
} from '../../ledger/remote.ts';
import { ledgerMoved } from '../../runtime/behind.ts';
import { StoreFailure } from '../../stores/contract.ts';
import { callEnd, deleteOthers, endingStep, type EndingStep } from '../../stores/ending.ts';
import type { OpenedStore } from '../../stores/opened.ts';
import { searchCreated, takeFound, type CreateSearch } from '../../stores/searching.ts';
import { subjectOf } from '../../stores/subject.ts';

/** What paying needs. */
export type PayDeps = {
  readonly ledger: Pick<Ledger, 'commit' | 'claimedIds'>;
  readonly clock: Clock;
  readonly clusterId: string;
  readonly epoch: () => number;
  /** A credential is gone from its vendor. */
  readonly onPaid: () => void;
};

/** Why something is left: Unsettled goes by itself, of the others a person must know. */
type Left = 'Unsettled' | 'Ambiguous' | 'AccountChanged';

/** The record after as many steps as could be taken, and why it still owes something. */
type Payment = { readonly record: KeyRecord; readonly left: Left | undefined };

type At = { readonly deps: PayDeps; readonly session: OpenedStore; readonly signal: AbortSignal };

/** Which credentials of an ended record are still to be ended. */
export function owedBy(record: KeyRecord): readonly RemoteCredentialRecord[] {
  return record.credentials.filter(isRemote).filter(({ state }) => state === 'Disabled');
}

/** See the file comment. @throws StoreFailure; KeywardError Conflict when somebody else committed */
export async function payDebt(at: At, record: KeyRecord): Promise<Payment> {
  let paid: Payment = { record, left: undefined };
  let failure: StoreFailure | undefined;
  for (const { sequence } of owedBy(record)) {
    // Each commit makes the record that the next one builds on.
    // oxlint-disable-next-line no-await-in-loop
    const next = await payOne(at, paid.record, sequence);
    paid = { record: next.record, left: paid.left ?? next.left };
    failure ??= next.failure;
  }
  if (failure !== undefined) throw failure;
  return paid;
}

/** With what was committed before the failure, where there was one. */
type OnePayment = Payment & { readonly failure?: StoreFailure };

/** @throws StoreFailure about the whole store; KeywardError */
async function payOne(at: At, first: KeyRecord, sequence: number): Promise<OnePayment> {
  let record = first;
  let search: CreateSearch | undefined;
  for (;;) {
    const credential = owedBy(record).find((each) => each.sequence === sequence);
    if (credential === undefined) return { record, left: undefined };
    if (credential.remote.account !== at.session.account.id) {
      return { record, left: 'AccountChanged' };
    }
    const rules = at.session.handle;
    const nowMs = at.deps.clock.nowMs();
    const step = endingStep({ record, credential, rules, search, nowMs });
    if (step === undefined) return { record, left: leftOf(search) };
    try {
      // One step after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      if (step.how === 'Search') search = await searchOf(at, first.store.uid, credential);
      else {
        // oxlint-disable-next-line no-await-in-loop
        record = await take(at, { record, credential, search }, step);
        search = undefined;
      }
    } catch (failure) {
      if (!(failure instanceof StoreFailure) || subjectOf(failure) === 'Store') throw failure;
      return { record, left: undefined, failure };
    }
  }
}

function searchOf(
  { deps, session, signal }: At,
  storeUid: string,
  credential: RemoteCredentialRecord,
): Promise<CreateSearch> {
  const { handle } = session;
  return searchCreated({ ...deps, handle, session, storeUid, credential }, signal);
}

/** However many a search found before lists have settled: the next one may tell them apart. */
function leftOf(search: CreateSearch | undefined): Left {
  return search !== undefined && !search.isSettled ? 'Unsettled' : 'Ambiguous';
}

type Standing = {
  readonly record: KeyRecord;
  readonly credential: RemoteCredentialRecord;
  readonly search: CreateSearch | undefined;
};

async function take(
  at: At,
  { record, credential, search }: Standing,
  step: EndingStep,
): Promise<KeyRecord> {
  const { deps, session, signal } = at;
  const { sequence, remote } = credential;
  if (step.how === 'Claim') {
    await deleteOthers(session, search, step.id, signal);
    const claimed = noteRemote(record, sequence, { id: step.id });
    const { handle } = session;
    const place = { handle, session, ledger: deps.ledger, storeUid: record.store.uid };
    const claim = () => commitStep(deps, claimed, 'RemoteClaimed', sequence);
    return (await takeFound(place, step.id, claim)) ?? record;
  }
  if (step.how === 'Leave') {
    return commitStep(deps, leave(record, sequence, step.ids), 'RemoteLeft', sequence);
  }
  const { id } = remote;
  if (id !== undefined && (step.how === 'Disable' || step.how === 'Delete')) {
    const known = { ...credential, remote: { ...remote, id } };
    const place = { session, handle: session.handle, clock: deps.clock };
    if ((await callEnd(place, known, step.how, signal)) === 'Disabled') {
      const disabledAtMs = deps.clock.nowMs();
      const off = noteRemote(record, sequence, { enabled: false, disabledAtMs });
      return commitStep(deps, off, 'RemoteDisabled', sequence);
    }
  }
  const after = await commitStep(deps, forget(record, sequence), 'RemoteEnded', sequence);
  deps.onPaid();
  return after;
}

/** Remembers why a debt could not be paid; the same reason again is not written. */
export async function noteTrouble(
  deps: PayDeps,
  record: KeyRecord,
  reason: string,
): Promise<KeyRecord> {
  const [first] = owedBy(record);
  if (first === undefined || first.remote.endTrouble?.reason === reason) return record;
  const endTrouble = { reason, sinceMs: deps.clock.nowMs() };
  const noted = noteRemote(record, first.sequence, { endTrouble });
  return commitStep(deps, noted, 'DebtUnpaid', first.sequence);
}

async function commitStep(
  deps: PayDeps,
  record: KeyRecord,
  action: string,
  sequence: number,
): Promise<KeyRecord> {
  const result = await deps.ledger.commit({
    record,
    expectedRevision: record.revision,
    epoch: deps.epoch(),
    audit: {
      action,
      actor: 'operator',
      atMs: deps.clock.nowMs(),
      facts: { sequence, because: 'Debt' },
    },
  });
  if (result.type === 'Committed') return result.record;
  throw ledgerMoved(`ApiKey ${refText(record)}`, result.type);
}
