/** Builders of everything the pure half of the ApiKey controller reads; each shows only what matters. */
import type { ApiKeySpec } from '../../src/api/generated/apikey.ts';
import { FINALIZER } from '../../src/api/names.ts';
import type { ApiKeyView, UsableStore, World } from '../../src/controllers/apikey/world.ts';
import { SLOTS } from '../../src/keys/mint.ts';
import type {
  CredentialRecord,
  KeyRecord,
  SecretRecord,
  SlotRecord,
} from '../../src/ledger/record.ts';
import type { KeyTerms } from '../../src/terms/terms.ts';

/** 2026-01-01T00:00:00Z, the instant of every world unless it says another. */
export const NOW_MS = Date.UTC(2026, 0, 1);

/** Terms that limit nothing. */
export const OPEN_TERMS: KeyTerms = { timeZone: 'UTC', cidrs: [], productRefs: [] };

/** A spec as the API server completes it. */
export function aSpec(change: Partial<ApiKeySpec> = {}): ApiKeySpec {
  return { state: 'Active', deletionPolicy: 'Revoke', ...change };
}

/** The rotation part of a spec, with the schema's defaults. */
export function aRotation(
  change: Partial<NonNullable<ApiKeySpec['rotation']>> = {},
): NonNullable<ApiKeySpec['rotation']> {
  return { urgency: 'Planned', retirePrevious: 'AfterOverlap', ...change };
}

/** The secret part of a spec, with the schema's defaults. */
export function aSecretSpec(
  change: Partial<NonNullable<ApiKeySpec['secret']>> = {},
): NonNullable<ApiKeySpec['secret']> {
  return {
    type: 'servicebinding.io/api-key',
    layout: 'Binding',
    ownership: 'Owner',
    onLoss: 'Rotate',
    ...change,
  };
}

/** An ApiKey `team/web` that carries its finalizer and has no status yet. */
export function aKey(change: Partial<ApiKeyView> = {}): ApiKeyView {
  return {
    ref: { namespace: 'team', name: 'web' },
    uid: 'uid-1',
    resourceVersion: '10',
    generation: 1,
    isDeleting: false,
    finalizers: [FINALIZER],
    spec: aSpec(),
    status: undefined,
    ...change,
  };
}

/** The store "default": hash-only values, an overlap of one hour, every namespace. */
export function aStore(change: Partial<UsableStore> = {}): UsableStore {
  return {
    type: 'Usable',
    kind: 'ClusterKeyStore',
    name: 'default',
    uid: 'store-1',
    capabilities: {
      class: 'Local',
      formats: ['Opaque', 'Dual'],
      recoverable: false,
      rotation: 'Replace',
      regeneratePerSlot: true,
      suspend: true,
      displayNameMax: 255,
      descriptionMax: 500,
      terms: ['quota', 'originPolicy', 'cidrs', 'productRefs'],
    },
    defaultFormat: 'Opaque',
    provider: 'keyward',
    allowsNamespace: true,
    requiresApplication: false,
    reviewed: ['Issue', 'Change', 'Reissue'],
    retention: 'Forbidden',
    overlapSeconds: 3_600,
    expiryNoticeDays: [30, 7, 1],
    ...change,
  };
}

/** A slot whose value only the Secret has. */
export function aSlot(change: Partial<SlotRecord> = {}): SlotRecord {
  return {
    name: 'apiKey',
    role: 'Active',
    generation: 1,
    digest: new Uint8Array(32),
    pepperVersion: 1,
    rotatedAtMs: NOW_MS,
    ...change,
  };
}

/** A sealed copy; what is in it does not matter to pure code. */
export const SEALED = { version: 1, blob: new Uint8Array(1) } as const;

/** The first credential of an Opaque key, Active. */
export function aCredential(change: Partial<CredentialRecord> = {}): CredentialRecord {
  const sequence = change.sequence ?? 1;
  return {
    token: `token-${sequence}`,
    sequence,
    attempt: 1,
    keyId: `keyId-${sequence}`,
    hint: `kw_…${sequence}`,
    state: 'Active',
    origin: 'Issued',
    slots: [aSlot()],
    createdAtMs: NOW_MS,
    ...change,
  };
}

/** A credential whose values are in the ledger and not yet in the Secret. */
export function anOpenCredential(change: Partial<CredentialRecord> = {}): CredentialRecord {
  return aCredential({ state: 'Sealed', slots: [aSlot({ sealed: SEALED })], ...change });
}

/** The credential of a Dual key: primary in use, secondary beside it. */
export function aDualCredential(change: Partial<CredentialRecord> = {}): CredentialRecord {
  const [primary, secondary] = SLOTS.Dual;
  return aCredential({
    slots: [
      aSlot({ name: primary ?? 'primaryKey' }),
      aSlot({ name: secondary ?? 'secondaryKey', role: 'Standby' }),
    ],
    ...change,
  });
}

/** The Secret `web` as the ledger remembers it. */
export function aSecret(change: Partial<SecretRecord> = {}): SecretRecord {
  return {
    name: 'web',
    uid: 'secret-1',
    resourceVersion: '20',
    fingerprint: 'fingerprint',
    shape: 'shape',
    health: 'Intact',
    ...change,
  };
}

/** The ledger's record of `aKey()` with one Active credential and its Secret. */
export function aRecord(change: Partial<KeyRecord> = {}): KeyRecord {
  return {
    clusterId: 'cluster-1',
    uid: 'uid-1',
    namespace: 'team',
    name: 'web',
    revision: 3,
    phase: 'Live',
    state: 'Active',
    store: { kind: 'ClusterKeyStore', name: 'default', uid: 'store-1', incarnation: 1 },
    format: 'Opaque',
    terms: OPEN_TERMS,
    firstIssuedMs: NOW_MS,
    sequence: 1,
    secret: aSecret(),
    credentials: [aCredential()],
    ...change,
  };
}

/** A record before anything was issued or written. */
export function aBlankRecord(change: Partial<KeyRecord> = {}): KeyRecord {
  const { secret: _, ...rest } = aRecord({ revision: 0, sequence: 0, credentials: [] });
  return { ...rest, ...change };
}

/** A new key in a usable store, of which the ledger knows nothing. */
export function aWorld(change: Partial<World> = {}): World {
  return {
    ref: { namespace: 'team', name: 'web' },
    nowMs: NOW_MS,
    isClockTrusted: true,
    key: aKey(),
    store: aStore(),
    record: undefined,
    predecessor: undefined,
    mayEndVanished: true,
    rotationRequest: undefined,
    secret: { type: 'Unwatched' },
    isRemoteCheckDue: false,
    lossGraceMs: 30_000,
    debtAfterMs: 600_000,
    evidence: {},
    ...change,
  };
}
