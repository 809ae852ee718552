/**
 * What a person decided about a credential whose making was left to a person: which one at the vendor
 * it is, or that there is none. Looks before it believes.
 */
import { KeywardError } from '../../../kernel/errors.ts';
import type { AuditEntry } from '../../../ledger/port.ts';
import type { KeyRecord } from '../../../ledger/record.ts';
import {
  created,
  forget,
  isRemote,
  noteRemote,
  resumeCreate,
  type RemoteCredentialRecord,
} from '../../../ledger/remote.ts';
import type { RemoteCredential } from '../../../stores/contract.ts';
import { isSameGeneration } from '../../../stores/mark.ts';
import type { OpenedStore } from '../../../stores/opened.ts';
import { markOf } from '../../../stores/searching.ts';
import { commit } from '../commits.ts';
import type { Deps } from '../deps.ts';
import { hasEveryValue, sealRemote, snapshot } from './material.ts';

/** Adopt: it is the vendor's credential of this id. None: nothing at the vendor is it. */
export type Decision = { readonly type: 'Adopt'; readonly id: string } | { readonly type: 'None' };

/** What resolving needs. */
export type ResolveDeps = Pick<
  Deps,
  'ledger' | 'keyring' | 'entropy' | 'clock' | 'epoch' | 'clusterId'
> & {
  /** The account of the key's store. @throws StoreFailure, KeywardError */
  readonly session: (
    record: Pick<KeyRecord, 'namespace' | 'store'>,
    signal: AbortSignal,
  ) => Promise<OpenedStore>;
};

/** Longest id that any vendor is known to give, doubled. */
const ID_MAX = 256;

/**
 * Carries the decision out; answers one sentence for people.
 * @throws KeywardError Terminal NothingToResolve, IdTaken, IdNotFound, OwnershipMismatch,
 * ValuesNotShown; StoreFailure; Conflict when somebody else committed first
 */
export async function resolve(
  deps: ResolveDeps,
  record: KeyRecord,
  by: { readonly decision: Decision; readonly actor: string },
  signal: AbortSignal,
): Promise<string> {
  const credential = record.credentials.filter(isRemote).find(isWaiting);
  const debt = record.credentials.filter(isRemote).find((each) => isUndecidedDebt(record, each));
  // What a living key waits for goes first.
  if (credential === undefined && debt !== undefined)
    return settle(deps, record, { ...by, credential: debt }, signal);
  if (credential === undefined) {
    throw terminal('NothingToResolve', `${named(record)} waits for no decision`);
  }
  return by.decision.type === 'None'
    ? declareNone(deps, record, credential, by.actor)
    : adoptById(deps, { record, credential, id: by.decision.id, actor: by.actor }, signal);
}

/** Only such credentials can be resolved. */
function isWaiting({ state }: RemoteCredentialRecord): boolean {
  return state === 'Ambiguous' || state === 'Unknown' || state === 'Blocked';
}

/**
 * It was never learned what the vendor has of it: of a key that is gone, or of one that went on with
 * another credential while several could be this one.
 */
export function isUndecidedDebt(
  { phase }: Pick<KeyRecord, 'phase'>,
  { state, remote }: RemoteCredentialRecord,
): boolean {
  const isLeft = phase === 'Ended' || remote.candidates !== undefined;
  return isLeft && state === 'Disabled' && remote.id === undefined;
}

/** The debt worker ends what was named. */
async function settle(
  deps: ResolveDeps,
  record: KeyRecord,
  by: {
    readonly decision: Decision;
    readonly actor: string;
    readonly credential: RemoteCredentialRecord;
  },
  signal: AbortSignal,
): Promise<string> {
  const { decision, actor, credential } = by;
  const { sequence } = credential;
  const facts = { sequence, decision: decision.type };
  if (decision.type === 'None') {
    await write(deps, forget(record, sequence), { action: 'RemoteResolved', actor, facts });
    return `${named(record)}: nothing is owed for it any more`;
  }
  const { id } = decision;
  await inspect(deps, { record, credential, id }, signal);
  await write(deps, noteRemote(record, sequence, { id }), {
    action: 'RemoteResolved',
    actor,
    facts: { ...facts, remoteId: id },
  });
  return `${named(record)}: the key at the vendor is ended`;
}

async function declareNone(
  deps: ResolveDeps,
  record: KeyRecord,
  { sequence, origin }: RemoteCredentialRecord,
  actor: string,
): Promise<string> {
  if (origin === 'Imported') {
    throw terminal(
      'ImportPending',
      `${named(record)} is to hold a key that exists already; import that one, or delete the ApiKey`,
    );
  }
  await write(deps, resumeCreate(record, sequence), {
    action: 'RemoteResolved',
    actor,
    facts: { sequence, decision: 'None' },
  });
  return `${named(record)}: a new key is made`;
}

type Named = {
  readonly record: KeyRecord;
  readonly credential: RemoteCredentialRecord;
  readonly id: string;
};

async function adoptById(
  deps: ResolveDeps,
  what: Named & { readonly actor: string },
  signal: AbortSignal,
): Promise<string> {
  const { record, credential, id, actor } = what;
  const { handle, seen } = await inspect(deps, what, signal);
  if (!hasEveryValue(record.format, seen)) {
    throw terminal(
      'ValuesNotShown',
      `${storeOf(record)} does not show the values of that key in format ${record.format}, so it cannot be taken over; delete it at the vendor and decide --none`,
    );
  }
  const slots = sealRemote(deps, { credential, handle, format: record.format }, seen);
  const made = { remote: snapshot(seen), slots, hint: seen.hint };
  const { sequence, origin } = credential;
  await write(deps, created(record, sequence, made), {
    action: origin === 'Imported' ? 'RemoteImported' : 'RemoteResolved',
    actor,
    facts: { sequence, decision: 'Adopt', remoteId: id },
  });
  return `${named(record)}: the key at the vendor was taken over`;
}

/** What the vendor shows under an id, when it can be this key's. */
async function inspect(
  deps: ResolveDeps,
  { record, credential, id }: Named,
  signal: AbortSignal,
): Promise<Pick<OpenedStore, 'handle'> & { readonly seen: RemoteCredential }> {
  if (!/^[\x21-\x7e]+$/.test(id) || id.length > ID_MAX) {
    throw terminal('IdInvalid', 'a vendor id has no blanks and only ASCII characters');
  }
  const opened = await deps.session(record, signal);
  const { account, handle, remote } = opened;
  if (account.id !== credential.remote.account) {
    throw terminal(
      'OwnershipMismatch',
      `${storeOf(record)} leads to another account than the one this key belongs in`,
    );
  }
  await opened.prove(signal);
  const seen = await remote.read(id, signal);
  if (seen === undefined) {
    throw terminal('IdNotFound', `the account of ${storeOf(record)} has no key with that id`);
  }
  // Whose it is is nobody's business here.
  const claimed = await deps.ledger.claimedIds(record.store.uid, [id]);
  if (claimed.length > 0 || isForeign(deps, credential, seen, account.id)) {
    throw terminal('IdTaken', 'the vendor key with that id belongs to something else');
  }
  return { handle, seen };
}

/** Of another account, or bearing the mark of another key. */
function isForeign(
  { clusterId }: ResolveDeps,
  credential: RemoteCredentialRecord,
  { mark, accountId }: RemoteCredential,
  account: string,
): boolean {
  if (accountId !== undefined && accountId !== account) return true;
  return mark !== undefined && !isSameGeneration(mark, markOf(clusterId, credential));
}

async function write(
  deps: ResolveDeps,
  record: KeyRecord,
  note: Pick<AuditEntry, 'action' | 'actor' | 'facts'>,
): Promise<void> {
  const audit = { ...note, atMs: deps.clock.nowMs() };
  await commit(deps, { record, expectedRevision: record.revision, audit });
}

function named({ namespace, name }: KeyRecord): string {
  return `ApiKey ${namespace}/${name}`;
}

function storeOf({ store }: KeyRecord): string {
  return `${store.kind} '${store.name}'`;
}

function terminal(reason: string, message: string): KeywardError {
  return new KeywardError('Terminal', { reason, message });
}
