/** Records and commits for the ledger suites: what a test does not name does not matter to it. */
import { createHash } from 'node:crypto';
import type { AuditEntry, Commit } from '../../src/ledger/port.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../src/ledger/record.ts';

export const CLUSTER = 'cluster-1';
export const EPOCH = 7;
export const AT_MS = 1_800_000_000_000;
export const NO_TERMS: KeyRecord['terms'] = { timeZone: 'UTC', cidrs: [], productRefs: [] };

/** The record of a freshly issued key; `uid` also makes its token and keyId. */
export function aKey(uid: string, changes: Partial<KeyRecord> = {}): KeyRecord {
  return {
    clusterId: CLUSTER,
    uid,
    namespace: 'shop',
    name: `key-${uid}`,
    revision: 0,
    phase: 'Live',
    state: 'Active',
    store: { kind: 'ClusterKeyStore', name: 'default', uid: 'store-1', incarnation: 1 },
    format: 'Opaque',
    terms: NO_TERMS,
    firstIssuedMs: AT_MS,
    sequence: 1,
    credentials: [aCredential(`${uid}-1`)],
    ...changes,
  };
}

/** A credential that waits for its Secret; `id` makes token, keyId and values. */
export function aCredential(id: string, changes: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    token: `token-${id}`,
    sequence: 1,
    attempt: 1,
    keyId: `keyId-${id}`,
    hint: 'kw_…x4f2',
    state: 'Sealed',
    origin: 'Issued',
    createdAtMs: AT_MS,
    slots: [aSlot(id)],
    ...changes,
  };
}

/** A slot with a sealed value of 72 bytes. */
export function aSlot(id: string, changes: Partial<SlotRecord> = {}): SlotRecord {
  return {
    name: 'apiKey',
    role: 'Active',
    generation: 1,
    digest: bytesOf(`digest ${id}`, 32),
    pepperVersion: 1,
    sealed: { version: 1, blob: bytesOf(`sealed ${id}`, 72) },
    rotatedAtMs: AT_MS,
    ...changes,
  };
}

/** A slot whose value is in the Secret and nowhere else. */
export function aHashOnlySlot(id: string): SlotRecord {
  const { sealed: _, ...slot } = aSlot(id);
  return slot;
}

/** `size` bytes that look random and belong to `id`. */
export function bytesOf(id: string, size: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, block) =>
    createHash('sha256').update(`${id}/${block}`).digest(),
  );
  return new Uint8Array(Buffer.concat(blocks).subarray(0, size));
}

/** A commit of `record` on top of its own revision. */
export function aCommit(record: KeyRecord, changes: Partial<Commit> = {}): Commit {
  return {
    record,
    expectedRevision: record.revision,
    epoch: EPOCH,
    audit: anEntry(),
    ...changes,
  };
}

export function anEntry(changes: Partial<AuditEntry> = {}): AuditEntry {
  return {
    action: 'KeyIssued',
    actor: 'operator',
    atMs: AT_MS,
    facts: { sequence: 1, recoverable: false, store: 'default' },
    ...changes,
  };
}
