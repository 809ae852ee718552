/**
 * The legal changes of a KeyRecord, one function per verb: record in, record out.
 * Pure; the operator commits what these return, and the explorer walks the same functions.
 *
 * An illegal call is a bug of the caller and throws; nothing here decides whether to act.
 */
import type { KeyTerms } from '../terms/terms.ts';
import { isLive } from '../terms/verdict.ts';
import { demand } from './demand.ts';
import { doom, isPending } from './remote.ts';
import type { CredentialRecord, KeyRecord, KeyState, SecretRecord, SlotRecord } from './record.ts';

/** A credential that is about to exist, and what becomes of those before it. */
type Addition = {
  readonly credential: CredentialRecord;
  /** AtConfirm: the old values work until the new one is in the Secret. AtOnce: they die first. */
  readonly oldValuesEnd: 'AtConfirm' | 'AtOnce';
  /** Values: they cannot be read from the Secret any more. Secret: it is gone altogether. */
  readonly lost: 'Nothing' | 'Values' | 'Secret';
  readonly requestId?: string;
};

/** Adds the next credential generation; the record is new when this is its first. */
export function addCredential(record: KeyRecord, addition: Addition): KeyRecord {
  const { credential, oldValuesEnd, lost, requestId } = addition;
  const mayInterrupt = oldValuesEnd === 'AtOnce' || lost !== 'Nothing';
  demand(record.phase === 'Live', record, 'a key that is ending gets no new credential');
  demand(mayInterrupt || !hasOpenCredential(record), record, 'one rotation at a time');
  demand(credential.sequence === record.sequence + 1, record, 'a sequence is never reused');
  const overlapping = overlappingOf(record);
  const before = record.credentials.flatMap((old): readonly CredentialRecord[] => {
    if (oldValuesEnd === 'AtOnce' || old !== overlapping) {
      return old.remote === undefined
        ? [{ ...withoutSealed(old), state: 'Disabled' }]
        : doom(old, credential.createdAtMs);
    }
    if (lost === 'Nothing') return [old];
    // An open credential whose Secret is lost was never seen whole: it overlaps like any other.
    const isSeen = !isOpen(old);
    const kept = isSeen ? withSigning(old) : withoutSealed(old);
    return [{ ...kept, state: isSeen ? old.state : 'Active', valueLost: true }];
  });
  return {
    ...omitSecret(record, lost === 'Secret'),
    sequence: credential.sequence,
    credentials: [...before, credential],
    ...(requestId === undefined ? {} : { lastRotationRequestId: requestId }),
  };
}

/**
 * The one credential that may go on beside the next: the newest that was confirmed. Two at a time is
 * all that people can tell apart and that the Secret has room for, so an overlap that is still under
 * way ends when another begins.
 */
function overlappingOf({ credentials }: KeyRecord): CredentialRecord | undefined {
  return credentials.findLast(({ state }) => state === 'Active') ?? credentials.findLast(isOpen);
}

/** A slot's next value. */
export type NewValue = Pick<SlotRecord, 'name' | 'digest' | 'pepperVersion'> &
  Required<Pick<SlotRecord, 'sealed'>> & {
    readonly sequence: number;
    readonly hint: string;
    readonly atMs: number;
    /** Next: the planned rotation of a Dual credential; absent: the slot keeps its role. */
    readonly role?: 'Next';
    readonly requestId?: string;
  };

/**
 * Gives one slot a new value; its old value is dead from here. The credential is Sealed until the
 * new value is in the Secret.
 */
export function regenerateSlot(record: KeyRecord, value: NewValue): KeyRecord {
  demand(record.phase === 'Live', record, 'a key that is ending gets no new value');
  demand(!hasOpenCredential(record), record, 'one rotation at a time');
  const credentials = record.credentials.map((credential) => {
    if (credential.sequence !== value.sequence) return credential;
    demand(credential.state === 'Active', record, 'only an active credential is regenerated');
    const slots = credential.slots.map((slot): SlotRecord => {
      if (slot.name !== value.name) return slot;
      const { retireAtMs: _, ...rest } = slot;
      return {
        ...rest,
        generation: slot.generation + 1,
        digest: value.digest,
        pepperVersion: value.pepperVersion,
        sealed: value.sealed,
        rotatedAtMs: value.atMs,
        role: value.role ?? slot.role,
      };
    });
    return { ...credential, state: 'Sealed' as const, hint: value.hint, slots };
  });
  return {
    ...record,
    credentials,
    ...(value.requestId === undefined ? {} : { lastRotationRequestId: value.requestId }),
  };
}

/** Whether the credential waits for values that somebody brings, and lives in no vendor's account. */
export function awaitsValues({ state, origin, remote }: CredentialRecord): boolean {
  return state === 'Unknown' && origin === 'Imported' && remote === undefined;
}

/** The values of a credential that waited for them. */
export function takeImported(
  record: KeyRecord,
  values: Pick<CredentialRecord, 'sequence' | 'slots' | 'hint'>,
): KeyRecord {
  demand(record.phase === 'Live', record, 'a key that is ending gets no values');
  const credentials = record.credentials.map((credential): CredentialRecord => {
    if (credential.sequence !== values.sequence) return credential;
    demand(awaitsValues(credential), record, 'only what waits for values is given any');
    return { ...credential, ...values, state: 'Sealed' };
  });
  return { ...record, credentials };
}

/** What the Secret write proved, and how long the values before it go on. */
type Confirmation = {
  readonly secret: SecretRecord;
  readonly nowMs: number;
  readonly overlapMs: number;
  /** Present: they may go on for so long after that, if they are used. */
  readonly stillUsedMaxMs?: number;
  /** Keep sealed values: the store can recover them. */
  readonly recoverable: boolean;
};

/**
 * The Secret holds the newest values: the open credential becomes Active, those before it Retiring
 * (or Deleted when nothing may overlap), and sealed copies that nobody needs are dropped.
 */
export function confirm(record: KeyRecord, confirmation: Confirmation): KeyRecord {
  const { secret, nowMs, overlapMs, stillUsedMaxMs } = confirmation;
  const open = record.credentials.find(isOpen);
  const credentials = record.credentials.flatMap((credential): readonly CredentialRecord[] => {
    if (credential === open) return [activate(credential, confirmation)];
    if (open === undefined || open.sequence < credential.sequence) return [credential];
    if (credential.state === 'Disabled') return doom(credential, nowMs);
    if (credential.state === 'Retiring') return [credential];
    const overlapEndMs = nowMs + overlapMs;
    if (stillUsedMaxMs !== undefined) {
      const retireAtMs = overlapEndMs + stillUsedMaxMs;
      return [{ ...credential, state: 'Retiring', retireAtMs, overlapEndMs }];
    }
    if (overlapMs === 0) return doom(credential, nowMs);
    return [{ ...credential, state: 'Retiring', retireAtMs: overlapEndMs }];
  });
  return { ...record, secret, credentials };
}

function activate(credential: CredentialRecord, confirmation: Confirmation): CredentialRecord {
  const { nowMs, overlapMs, recoverable } = confirmation;
  const hasNext = credential.slots.some((slot) => slot.role === 'Next');
  const slots = credential.slots.map((slot): SlotRecord => {
    const { sealed, ...rest } = slot;
    const kept: SlotRecord = recoverable && sealed !== undefined ? { ...rest, sealed } : rest;
    if (slot.role === 'Next') return { ...kept, role: 'Active' };
    if (slot.role === 'Active' && hasNext)
      return { ...kept, role: 'Standby', retireAtMs: nowMs + overlapMs };
    return kept;
  });
  return { ...credential, state: 'Active', slots };
}

/**
 * Ends the credentials whose time is over.
 *
 * @param unused keyIds of those that end earlier, because nobody uses them
 */
export function retireDue(
  record: KeyRecord,
  nowMs: number,
  unused: readonly string[] = [],
): KeyRecord {
  const isOver = (credential: CredentialRecord): boolean =>
    isRetireDue(credential, nowMs) || unused.includes(credential.keyId);
  const credentials = record.credentials.flatMap((credential) =>
    isOver(credential) ? doom(credential, nowMs) : [credential],
  );
  return { ...record, credentials };
}

/** Changes the state; Revoked is final and kills every value. */
export function setState(record: KeyRecord, state: KeyState, nowMs: number): KeyRecord {
  demand(record.state !== 'Revoked' || state === 'Revoked', record, 'Revoked is final');
  const next = { ...record, state };
  return state === 'Revoked' ? dropCredentials(next, nowMs) : next;
}

/** The grant and the client of a key; absent: as it was. */
export type Belonging = Pick<KeyRecord, 'grant' | 'clientUid'>;

/** New terms for the same values. A key never moves to another form or another client. */
export function setTerms(
  record: KeyRecord,
  terms: KeyTerms,
  { grant, clientUid }: Belonging = {},
): KeyRecord {
  const isMoved = grant !== undefined && grant.formUid !== (record.grant ?? grant).formUid;
  demand(!isMoved, record, 'a key stays with its form');
  const isSame = clientUid === undefined || clientUid === (record.clientUid ?? clientUid);
  demand(isSame, record, 'a key stays with its client');
  return {
    ...record,
    terms,
    ...(grant === undefined ? {} : { grant }),
    ...(clientUid === undefined ? {} : { clientUid }),
  };
}

/** Replaces what is known of the Secret; undefined: there is none. */
export function setSecret(record: KeyRecord, secret: SecretRecord | undefined): KeyRecord {
  return secret === undefined ? omitSecret(record, true) : { ...record, secret };
}

/**
 * The Secret is gone for good and is made anew from the ledger's own copies; of values that only the
 * Secret held, none can be shown again, though they work until they retire.
 */
export function forgetSecret(record: KeyRecord): KeyRecord {
  const credentials = record.credentials.map((credential): CredentialRecord =>
    credential.slots.every((slot) => slot.sealed !== undefined)
      ? credential
      : { ...credential, valueLost: true },
  );
  return { ...omitSecret(record, true), credentials };
}

/** Ends every value without ending the key: the grace time after expiry is over. */
export function dropCredentials(record: KeyRecord, nowMs: number): KeyRecord {
  return { ...record, credentials: record.credentials.flatMap((each) => doom(each, nowMs)) };
}

/** The object is going or gone: every value is dead from here. May be repeated. */
export function end(record: KeyRecord, nowMs: number): KeyRecord {
  if (record.phase === 'Ending' || record.phase === 'Ended') return record;
  return { ...dropCredentials(record, nowMs), phase: 'Ending' };
}

/**
 * The object is going, the key goes on with what `retainable` says. At a vendor nobody would end an overlap
 * or finish a creation any more, so what is left of them ends now.
 */
export function retain(record: KeyRecord, nowMs: number): KeyRecord {
  demand(record.phase === 'Live', record, 'only a live key can be retained');
  const kept = retainable(record, nowMs);
  const isOver = (each: CredentialRecord): boolean =>
    each.remote !== undefined || awaitsValues(each);
  const credentials = record.credentials.flatMap((each) =>
    each !== kept && isOver(each) ? doom(each, nowMs) : [each],
  );
  return { ...record, phase: 'Retained', credentials };
}

/**
 * The credential that a retained key would go on with: the newest live one that anybody can have; undefined:
 * there is none, so nothing is lost when the key ends.
 */
export function retainable(record: KeyRecord, nowMs: number): CredentialRecord | undefined {
  return record.credentials.findLast((each) => isLive(each, nowMs) && !isUnseen(each));
}

/** Made by us, and no value of it was ever in a Secret as far as is known; what is imported somebody has already. */
function isUnseen(credential: CredentialRecord): boolean {
  if (!isOpen(credential) || credential.origin === 'Imported') return false;
  return credential.slots.every(({ generation }) => generation === 1);
}

/**
 * Nothing is left in the cluster: only the tombstone stays, and with it what is still owed to a
 * vendor.
 */
export function close(record: KeyRecord): KeyRecord {
  const isOwed = record.credentials.every(({ state }) => state === 'Disabled');
  demand(isOwed, record, 'a closed key has no living credentials');
  return { ...omitSecret(record, true), phase: 'Ended' };
}

/** A credential whose newest value is not known to be in the Secret yet. */
export function isOpen(credential: CredentialRecord): boolean {
  return credential.state === 'Sealed' || credential.state === 'Published';
}

function withoutSealed(credential: CredentialRecord): CredentialRecord {
  const slots = credential.slots.map((slot): SlotRecord => {
    const { sealed: _, ...rest } = slot;
    return rest;
  });
  return { ...credential, slots };
}

/** What a gate checks signatures with stays where the store kept it: whoever has the pair goes on through its overlap. */
function withSigning(credential: CredentialRecord): CredentialRecord {
  const slots = credential.slots.map((slot): SlotRecord => {
    const { sealed, ...rest } = slot;
    return slot.name === 'apiSecret' && sealed !== undefined ? { ...rest, sealed } : rest;
  });
  return { ...credential, slots };
}

function hasOpenCredential(record: KeyRecord): boolean {
  return record.credentials.some((credential) => isOpen(credential) || isPending(credential));
}

/** The credential the Secret holds or shall hold: the newest that still verifies. */
export function currentCredential(record: KeyRecord, nowMs: number): CredentialRecord | undefined {
  return record.credentials.findLast((credential) => isLive(credential, nowMs));
}

/** True when the overlap of this credential is over. */
export function isRetireDue(credential: CredentialRecord, nowMs: number): boolean {
  return (
    credential.state === 'Retiring' &&
    credential.retireAtMs !== undefined &&
    credential.retireAtMs <= nowMs
  );
}

function omitSecret(record: KeyRecord, omit: boolean): KeyRecord {
  if (!omit) return record;
  const { secret: _, ...rest } = record;
  return rest;
}
