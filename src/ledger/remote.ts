/**
 * The legal changes of a credential that lives at a vendor, one function per verb. Pure; the order
 * in which they are taken is the protocol's business (docs/protocol.md).
 *
 *     intend -> beginCreate -> created -> (Sealed, and on as every other credential) -> doom -> forget
 *                    |  refuseCreate: certainly nothing was made; begins again
 *                    +- stopCreate: Unknown, Ambiguous or Blocked, until a person resolves it
 *
 * Ledger first: each call that changes something at the vendor has a commit before it that says so,
 * and one after it that says how it ended.
 */
import { demand } from './demand.ts';
import type {
  CredentialRecord,
  CredentialState,
  KeyRecord,
  Regeneration,
  RemoteRecord,
  SlotRecord,
} from './record.ts';

/** A credential of a record that lives, or is to live, at a vendor. */
export type RemoteCredentialRecord = CredentialRecord & { readonly remote: RemoteRecord };

/** Which of the record's credentials. */
export function isRemote(credential: CredentialRecord): credential is RemoteCredentialRecord {
  return credential.remote !== undefined;
}

/** Something was begun at the vendor whose end the ledger does not know. */
export function isPending({ state, remote }: CredentialRecord): boolean {
  return PENDING.has(state) || (state !== 'Disabled' && remote?.regenerating !== undefined);
}

const PENDING: ReadonlySet<CredentialState> = new Set([
  'Intent',
  'Unknown',
  'Ambiguous',
  'Blocked',
]);

/**
 * A credential whose time is over. At a vendor it has to be ended there first, so it stays, without
 * its values; one of which nothing can exist outside the ledger is dropped. May be repeated.
 */
export function doom(credential: CredentialRecord, nowMs: number): readonly CredentialRecord[] {
  const { remote } = credential;
  if (remote === undefined) return [];
  const { id, createBegunAtMs, candidates } = remote;
  if (id === undefined && createBegunAtMs === undefined && candidates === undefined) return [];
  if (credential.state === 'Disabled') return [credential];
  const { retireAtMs: _, valueLost: __, ...rest } = credential;
  const { regenerating: ___, missingSinceMs: ____, ...kept } = remote;
  const doomed = { ...rest, state: 'Disabled' as const, slots: [] };
  if (candidates === undefined) {
    return [{ ...doomed, remote: { ...kept, doomedAtMs: nowMs } }];
  }
  // A person is to choose among known ids, so the account is not kept busy by this call any more.
  const { createBegunAtMs: _____, ...decided } = kept;
  return [{ ...doomed, remote: { ...decided, doomedAtMs: nowMs } }];
}

/** A create call is about to be made. */
export function beginCreate(
  record: KeyRecord,
  sequence: number,
  call: {
    /** In which it is made; before this call nothing bound the credential to one. */
    readonly account: string;
    readonly attempt: number;
    readonly atMs: number;
    readonly idsBefore?: readonly string[];
  },
): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    demand(credential.state === 'Intent', record, 'only an intended credential is created');
    demand(credential.remote.id === undefined, record, 'a credential is created once');
    const { account, idsBefore } = call;
    return {
      ...credential,
      attempt: call.attempt,
      remote: {
        ...credential.remote,
        account,
        createBegunAtMs: call.atMs,
        ...(idsBefore === undefined ? {} : { idsBefore }),
      },
    };
  });
}

/** Nothing was made for certain: the vendor said no, or a settled search found nothing. */
export function refuseCreate(record: KeyRecord, sequence: number): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    demand(credential.remote.id === undefined, record, 'what exists was not refused');
    const { createBegunAtMs: _, ...remote } = credential.remote;
    return { ...credential, remote };
  });
}

/** The credential exists and its values are sealed here. */
export function created(
  record: KeyRecord,
  sequence: number,
  made: {
    readonly remote: Pick<RemoteRecord, 'facts'> &
      Required<Pick<RemoteRecord, 'id'>> &
      Partial<RemoteRecord>;
    readonly slots: readonly SlotRecord[];
    readonly hint: string;
  },
): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    demand(PENDING.has(credential.state), record, 'a credential is created once');
    const { account, createBegunAtMs } = credential.remote;
    return {
      ...credential,
      state: 'Sealed',
      hint: made.hint,
      slots: made.slots,
      // The time of the call stays: for a while after it "not found" is not to be believed.
      remote: {
        ...made.remote,
        account,
        ...(createBegunAtMs === undefined ? {} : { createBegunAtMs }),
      },
    };
  });
}

/** What was made was deleted again, because its values can never be read: the next attempt. */
export function burnt(record: KeyRecord, sequence: number, id: string): KeyRecord {
  return changeRemote(refuseCreate(record, sequence), sequence, (credential) => {
    const idsBefore = [...(credential.remote.idsBefore ?? []), id];
    const attempt = credential.attempt + 1;
    return { ...credential, attempt, remote: { ...credential.remote, idsBefore } };
  });
}

/** What was begun cannot be finished without a person. */
export function stopCreate(
  record: KeyRecord,
  sequence: number,
  stop: {
    readonly state: 'Unknown' | 'Ambiguous' | 'Blocked';
    readonly candidates?: readonly string[];
  },
): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    demand(credential.state === 'Intent', record, 'only what was intended is stopped');
    const { candidates } = stop;
    const remote = {
      ...credential.remote,
      ...(candidates === undefined ? {} : { candidates }),
    };
    return { ...credential, state: stop.state, remote };
  });
}

/** A person has looked at the vendor's: nothing of ours is there, so it may be made again. */
export function resumeCreate(record: KeyRecord, sequence: number): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    demand(PENDING.has(credential.state), record, 'nothing waits for a person');
    const { createBegunAtMs: _, idsBefore: __, candidates: ___, ...remote } = credential.remote;
    return { ...credential, state: 'Intent', attempt: 1, remote };
  });
}

/** Values are about to be replaced at the vendor, one slot after the other. */
export function beginRegenerate(
  record: KeyRecord,
  sequence: number,
  request: {
    readonly regeneration: Regeneration;
    readonly requestId?: string;
    /** An emergency: credentials before this one do not live to the end of their overlap. */
    readonly others: 'Stay' | 'EndAtOnce';
  },
): KeyRecord {
  const { regeneration, requestId, others } = request;
  const begun = changeRemote(record, sequence, (credential) => {
    demand(!isPending(credential), record, 'one rotation at a time');
    return { ...credential, remote: { ...credential.remote, regenerating: regeneration } };
  });
  const isEnding = ({ sequence: of }: CredentialRecord) =>
    others === 'EndAtOnce' && of !== sequence;
  const next = {
    ...begun,
    credentials: begun.credentials.flatMap((each) =>
      isEnding(each) ? doom(each, regeneration.begunAtMs) : [each],
    ),
  };
  return requestId === undefined ? next : { ...next, lastRotationRequestId: requestId };
}

/** Values as the vendor has them now. */
type ReadValues = {
  readonly slots: readonly SlotRecord[];
  readonly hint: string;
  readonly remote: Partial<RemoteRecord>;
  /** The slot whose replacement this ends; absent: somebody else replaced them. */
  readonly done?: SlotRecord['name'];
};

/** Takes over changed values: they are to be written to the Secret. */
export function takeValues(record: KeyRecord, sequence: number, values: ReadValues): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    const { regenerating, ...remote } = { ...credential.remote, ...values.remote };
    const left = regenerating?.slots.filter((slot) => slot !== values.done) ?? [];
    return {
      ...credential,
      state: 'Sealed',
      hint: values.hint,
      slots: values.slots,
      remote:
        regenerating === undefined || left.length === 0
          ? remote
          : { ...remote, regenerating: { ...regenerating, slots: left } },
    };
  });
}

/** What was written to or read from the vendor. */
export function noteRemote(
  record: KeyRecord,
  sequence: number,
  patch: Partial<Omit<RemoteRecord, 'account'>>,
): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    const { id } = credential.remote;
    demand(id === undefined || patch.id === undefined || id === patch.id, record, 'ids stay');
    return { ...credential, remote: { ...credential.remote, ...patch } };
  });
}

/** The vendor shows it again; what else is different shows at the next look. */
export function foundAgain(record: KeyRecord, sequence: number): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    const { missingSinceMs: _, ...remote } = credential.remote;
    return { ...credential, remote };
  });
}

/** The vendor is about to be told its settings: what it has is not known until it has answered. */
export function forgetSettings(record: KeyRecord, sequence: number): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    const { enabled: _, ...remote } = credential.remote;
    return { ...credential, remote };
  });
}

/**
 * One of several at the vendor, and a person is to say which. The account is not kept busy by it: what
 * is made there from now on is made when these are known.
 */
export function leave(
  record: KeyRecord,
  sequence: number,
  candidates: readonly string[],
): KeyRecord {
  return changeRemote(record, sequence, (credential) => {
    demand(credential.state === 'Disabled', record, 'only what was doomed is left');
    const { createBegunAtMs: _, ...remote } = credential.remote;
    return { ...credential, remote: { ...remote, candidates } };
  });
}

/** Proven to be gone from the vendor. */
export function forget(record: KeyRecord, sequence: number): KeyRecord {
  const credentials = record.credentials.filter((credential) => {
    if (credential.sequence !== sequence) return true;
    demand(credential.state === 'Disabled', record, 'only what was doomed is forgotten');
    return false;
  });
  return { ...record, credentials };
}

function changeRemote(
  record: KeyRecord,
  sequence: number,
  edit: (credential: RemoteCredentialRecord) => CredentialRecord,
): KeyRecord {
  const credentials = record.credentials.map((credential) => {
    if (credential.sequence !== sequence) return credential;
    demand(isRemote(credential), record, 'the credential is not at a vendor');
    return edit(credential);
  });
  return { ...record, credentials };
}
