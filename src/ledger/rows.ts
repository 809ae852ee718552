/**
 * Records as rows and back. Pure; rows are arrays of plain values, which cross the border of a
 * thread more cheaply than objects do and can be bound to a statement as they are.
 * The order of the columns is defined here and nowhere else.
 */
import { KeywardError } from '../kernel/errors.ts';
import type { KeyTerms } from '../terms/terms.ts';
import type { StoreRow, TokenHolder } from './port.ts';
import type {
  CredentialRecord,
  KeyRecord,
  RemoteRecord,
  RolloutRecord,
  SecretRecord,
  SlotRecord,
} from './record.ts';

/** What a database stores in one column. */
export type Value = string | number | null | Uint8Array;
/** One row, its columns in the order of the lists below. */
export type Row = readonly Value[];

/** Columns of `keys` that never change. */
export const KEY_IDENTITY = ['cluster_id', 'uid', 'namespace', 'name'] as const;
/** Columns of `keys` that each commit writes. */
export const KEY_CONTENT = [
  'phase',
  'state',
  'store_kind',
  'store_name',
  'store_uid',
  'store_incarnation',
  'format',
  'terms',
  'first_issued',
  'sequence',
  'last_rotation_request',
  'form_uid',
  'grant_round',
  'client_uid',
  'secret_name',
  'secret_uid',
  'secret_resource_version',
  'secret_fingerprint',
  'secret_shape',
  'secret_health',
  'secret_missing_since',
  'rollout',
] as const;
/** Columns of `credentials` that never change. */
export const CREDENTIAL_IDENTITY = ['token', 'sequence', 'key_id', 'origin', 'created_at'] as const;
/** Columns of `credentials` that each commit writes. */
export const CREDENTIAL_CONTENT = [
  'attempt',
  'hint',
  'state',
  'retire_at',
  'value_lost',
  'remote_account',
  'remote_id',
  'create_begun',
  'remote',
  'overlap_end',
] as const;
/** Columns of `slots`, after the credential. */
export const SLOT_COLUMNS = [
  'name',
  'role',
  'generation',
  'digest',
  'pepper_version',
  'seal_version',
  'sealed',
  'rotated_at',
  'retire_at',
] as const;

/** Where the values that a writer compares stand in a row of `encodeRecord`. */
export const AT = {
  uid: 1,
  namespace: 2,
  phase: 0,
  storeUid: 4,
  token: 0,
  sequence: 1,
  keyId: 2,
} as const;

/** A credential as it is written. */
export type CredentialRows = {
  readonly identity: Row;
  readonly content: Row;
  readonly slots: readonly Row[];
};

/** A record as it is written. */
export type RecordRows = {
  readonly identity: Row;
  readonly content: Row;
  readonly credentials: readonly CredentialRows[];
};

/** A record as it is read: `[...KEY_IDENTITY, ...KEY_CONTENT, revision]` and so on. */
export type StoredRecord = {
  readonly key: Row;
  readonly credentials: readonly { readonly row: Row; readonly slots: readonly Row[] }[];
};

/** A row of token, state and remote id. */
export function decodeHolder(row: Row): TokenHolder {
  const remoteId = optionalText(row[2]);
  return {
    token: text(row[0]),
    state: text(row[1]) as TokenHolder['state'],
    ...(remoteId === undefined ? {} : { remoteId }),
  };
}

/** The rows of a record; its credentials in state Deleted are left out, which ends them. */
export function encodeRecord(record: KeyRecord): RecordRows {
  const { store } = record;
  return {
    identity: [record.clusterId, record.uid, record.namespace, record.name],
    content: [
      record.phase,
      record.state,
      store.kind,
      store.name,
      store.uid,
      store.incarnation,
      record.format,
      JSON.stringify(record.terms),
      record.firstIssuedMs,
      record.sequence,
      record.lastRotationRequestId ?? null,
      record.grant?.formUid ?? null,
      record.grant?.round ?? null,
      record.clientUid ?? null,
      ...encodeSecret(record.secret),
      record.rollout === undefined ? null : JSON.stringify(record.rollout),
    ],
    credentials: record.credentials.filter((c) => c.state !== 'Deleted').map(encodeCredential),
  };
}

function encodeSecret(secret: SecretRecord | undefined): Row {
  if (secret === undefined) return [null, null, null, null, null, null, null];
  const { name, uid, resourceVersion, fingerprint, shape, health, missingSinceMs } = secret;
  return [name, uid, resourceVersion, fingerprint, shape, health, missingSinceMs ?? null];
}

function encodeCredential(credential: CredentialRecord): CredentialRows {
  const { token, sequence, keyId, origin, createdAtMs, retireAtMs } = credential;
  const valueLost = credential.valueLost === true ? 1 : null;
  return {
    identity: [token, sequence, keyId, origin, createdAtMs],
    content: [
      credential.attempt,
      credential.hint,
      credential.state,
      retireAtMs ?? null,
      valueLost,
      ...encodeRemote(credential.remote),
      credential.overlapEndMs ?? null,
    ],
    slots: credential.slots.map((slot) => [
      slot.name,
      slot.role,
      slot.generation,
      copyTight(slot.digest),
      slot.pepperVersion,
      slot.sealed?.version ?? null,
      slot.sealed === undefined ? null : copyTight(slot.sealed.blob),
      slot.rotatedAtMs,
      slot.retireAtMs ?? null,
    ]),
  };
}

/** The columns that queries ask for, and everything else as JSON. */
function encodeRemote(remote: RemoteRecord | undefined): Row {
  if (remote === undefined) return [null, null, null, null];
  const { account, id, createBegunAtMs, ...rest } = remote;
  return [account, id ?? null, createBegunAtMs ?? null, JSON.stringify(rest)];
}

/**
 * A small Buffer is a window into a pool of 8 KiB that may hold other secrets, and the whole pool
 * would be copied to the other thread.
 */
function copyTight(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

// The casts below name closed sets of words that the CHECK constraints of the schema enforce.

/**
 * The record of stored rows.
 *
 * @throws KeywardError Terminal RowCorrupt when a column does not hold what the schema says
 */
export function decodeRecord(stored: StoredRecord): KeyRecord {
  try {
    return decode(stored);
  } catch (cause) {
    throw rowCorrupt(`the record of key ${String(stored.key[1])}`, cause);
  }
}

function decode({ key, credentials }: StoredRecord): KeyRecord {
  const [clusterId, uid, namespace, name, ...afterIdentity] = key;
  const [phase, state, storeKind, storeName, storeUid, incarnation, ...afterStore] = afterIdentity;
  const [format, terms, firstIssued, sequence, lastRequest, ...afterRequest] = afterStore;
  const [formUid, round, client, ...afterClient] = afterRequest;
  const lastRotationRequestId = optionalText(lastRequest);
  const grant = formUid === null ? undefined : { formUid: text(formUid), round: integer(round) };
  const clientUid = optionalText(client);
  const secret = decodeSecret(afterClient);
  const rollout = optionalText(afterClient[SECRET_COLUMNS]);
  return {
    clusterId: text(clusterId),
    uid: text(uid),
    namespace: text(namespace),
    name: text(name),
    revision: integer(key.at(-1)),
    phase: text(phase) as KeyRecord['phase'],
    state: text(state) as KeyRecord['state'],
    store: {
      kind: text(storeKind) as KeyRecord['store']['kind'],
      name: text(storeName),
      uid: text(storeUid),
      incarnation: integer(incarnation),
    },
    format: text(format) as KeyRecord['format'],
    terms: parse<KeyTerms>(text(terms)),
    firstIssuedMs: integer(firstIssued),
    sequence: integer(sequence),
    ...(lastRotationRequestId === undefined ? {} : { lastRotationRequestId }),
    ...(grant === undefined ? {} : { grant }),
    ...(clientUid === undefined ? {} : { clientUid }),
    ...(secret === undefined ? {} : { secret }),
    ...(rollout === undefined ? {} : { rollout: parse<RolloutRecord>(rollout) }),
    credentials: credentials.map(({ row, slots }) => decodeCredential(row, slots)),
  };
}

/** How many columns `decodeSecret` takes. */
const SECRET_COLUMNS = 7;

function parse<T>(json: string): T {
  try {
    // Written by `encodeRecord` from the same type.
    return JSON.parse(json) as T;
  } catch {
    return refuse();
  }
}

function decodeSecret(columns: Row): SecretRecord | undefined {
  const [name, uid, resourceVersion, fingerprint, shape, health, missingSince] = columns;
  if (name === null) return undefined;
  const missingSinceMs = optionalInteger(missingSince);
  return {
    name: text(name),
    uid: text(uid),
    resourceVersion: text(resourceVersion),
    fingerprint: text(fingerprint),
    shape: text(shape),
    health: text(health) as SecretRecord['health'],
    ...(missingSinceMs === undefined ? {} : { missingSinceMs }),
  };
}

function decodeCredential(row: Row, slots: readonly Row[]): CredentialRecord {
  const [token, sequence, keyId, origin, createdAt, ...content] = row;
  const [attempt, hint, state, retireAt, valueLost, ...remoteColumns] = content;
  const retireAtMs = optionalInteger(retireAt);
  const remote = decodeRemote(remoteColumns);
  const overlapEndMs = optionalInteger(remoteColumns[REMOTE_COLUMNS]);
  return {
    token: text(token),
    sequence: integer(sequence),
    attempt: integer(attempt),
    keyId: text(keyId),
    hint: text(hint),
    state: text(state) as CredentialRecord['state'],
    origin: text(origin) as CredentialRecord['origin'],
    slots: slots.map(decodeSlot),
    createdAtMs: integer(createdAt),
    ...(retireAtMs === undefined ? {} : { retireAtMs }),
    ...(overlapEndMs === undefined ? {} : { overlapEndMs }),
    ...(valueLost === 1 ? { valueLost: true } : {}),
    ...(remote === undefined ? {} : { remote }),
  };
}

/** How many columns `decodeRemote` takes. */
const REMOTE_COLUMNS = 4;

function decodeRemote(columns: Row): RemoteRecord | undefined {
  const [account, id, createBegun, rest] = columns;
  if (account === null) return undefined;
  const remoteId = optionalText(id);
  const createBegunAtMs = optionalInteger(createBegun);
  return {
    ...parse<Omit<RemoteRecord, 'account' | 'id' | 'createBegunAtMs'>>(text(rest)),
    account: text(account),
    ...(remoteId === undefined ? {} : { id: remoteId }),
    ...(createBegunAtMs === undefined ? {} : { createBegunAtMs }),
  };
}

function decodeSlot(row: Row): SlotRecord {
  const [name, role, generation, digest, pepperVersion, ...content] = row;
  const [sealVersion, blob, rotatedAt, retireAt] = content;
  const version = optionalInteger(sealVersion);
  const retireAtMs = optionalInteger(retireAt);
  return {
    name: text(name) as SlotRecord['name'],
    role: text(role) as SlotRecord['role'],
    generation: integer(generation),
    digest: bytes(digest),
    pepperVersion: integer(pepperVersion),
    ...(version === undefined ? {} : { sealed: { version, blob: bytes(blob) } }),
    rotatedAtMs: integer(rotatedAt),
    ...(retireAtMs === undefined ? {} : { retireAtMs }),
  };
}

/** Token and keyId of a credential's identity, neither of which ever changes. */
export function nameOf(identity: Row): string {
  return `${text(identity[AT.token])} ${text(identity[AT.keyId])}`;
}

/** A row of `stores`: uid, type, account, settings, version of the seal, sealed. */
export function decodeStore(row: Row): StoreRow {
  const [storeUid, type, account, settings, version, blob] = row;
  return {
    storeUid: text(storeUid),
    type: text(type),
    account: text(account),
    settings: text(settings),
    sealed: { version: integer(version), blob: bytes(blob) },
  };
}

/** A text column. @throws KeywardError Terminal RowCorrupt */
export function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : refuse();
}

/** An integer column. @throws KeywardError Terminal RowCorrupt */
export function integer(value: Value | undefined): number {
  return typeof value === 'number' ? value : refuse();
}

/** A blob column. @throws KeywardError Terminal RowCorrupt */
export function bytes(value: Value | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : refuse();
}

/** A text column that may be NULL. @throws KeywardError Terminal RowCorrupt */
export function optionalText(value: Value | undefined): string | undefined {
  return value === null ? undefined : text(value);
}

/** An integer column that may be NULL. @throws KeywardError Terminal RowCorrupt */
export function optionalInteger(value: Value | undefined): number | undefined {
  return value === null ? undefined : integer(value);
}

function refuse(): never {
  throw rowCorrupt('a row of the database');
}

/**
 * For a row that is not as it was written: nothing here writes such, and other rows are not concerned, so it is
 * told apart from a database that cannot be read (DatabaseCorrupt).
 *
 * @param what names the row, at the beginning of a sentence
 */
export function rowCorrupt(what: string, cause?: unknown): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'RowCorrupt',
    message: `${what} does not have the shape that its schema promises; find out who changed it, and restore a backup`,
    cause,
  });
}
