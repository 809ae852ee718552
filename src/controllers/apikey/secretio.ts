/**
 * The Secret at the API server: written complete, inspected, deleted. Nothing is overwritten that
 * does not prove to be ours: by the UID the ledger knows, or by our MAC over its entries.
 */
import { ANNOTATION_FINGERPRINT, ANNOTATION_MAC, SECRETS } from '../../api/names.ts';
import type { KubeObject, OwnerReference } from '../../api/meta.ts';
import { KeywardError } from '../../kernel/errors.ts';
import { fingerprintEntries, macText, verifyMac } from '../../keys/fingerprint.ts';
import type { Draft, Written } from '../../kube/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { Deps } from './deps.ts';
import { credentialOf, isValueOf, openSlot } from './material.ts';
import {
  renderEntries,
  secretAnnotations,
  shapeOf,
  slotKey,
  type EntrySource,
  type SecretLayout,
} from './secret.ts';
import type { Inspection, World } from './world.ts';

/** A Secret as the API server sends it. */
type Secret = KubeObject<{
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}>;

/**
 * Makes the Secret be as the layout says: POST when the ledger knows of none, else GET and PUT.
 *
 * The world that comes back carries `evidence.written`, or `evidence.inspection` when the values it
 * needs cannot be had, so that the plan decides anew.
 * @throws KeywardError Waiting SecretConflict: the name is taken; nothing was touched
 */
export async function writeSecret(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  signal: AbortSignal,
): Promise<World> {
  const ref = { namespace: world.ref.namespace, name: layout.name };
  deps.ownSecrets.begin(ref);
  try {
    return await write(deps, world, layout, signal);
  } catch (error) {
    deps.ownSecrets.settled(ref);
    throw error;
  }
}

async function write(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  signal: AbortSignal,
): Promise<World> {
  const known = world.record?.secret;
  if (known !== undefined || world.evidence.inspection?.type === 'Altered') {
    return rewrite(deps, world, layout, signal);
  }
  const complete = compose(deps, world, layout, undefined);
  // Only a Secret can have the values that the ledger lacks.
  if (complete === undefined) return rewrite(deps, world, layout, signal);
  const created = await deps.client
    .create(SECRETS, complete.draft, { signal })
    .catch((error: unknown) => ifExists(error));
  if (created === undefined) return rewrite(deps, world, layout, signal);
  return wrote(deps, world, layout, { complete, written: created });
}

/** Looks at the live Secret and says what it is; changes nothing. */
export async function inspectSecret(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  signal: AbortSignal,
): Promise<World> {
  const secret = await read(deps, world, layout.name, signal);
  const inspection = judge(deps, world, layout, secret);
  return { ...world, evidence: { ...world.evidence, inspection } };
}

/** Deletes the Secret of a dead key; one that is not ours, or is gone, is left alone. */
export async function deleteSecret(
  deps: Deps,
  record: KeyRecord,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = record;
  const ref = { namespace, name: record.secret?.name ?? record.name };
  if (record.secret !== undefined) {
    await deps.client
      .delete(SECRETS, { ...ref, uid: record.secret.uid }, { signal })
      .catch((error: unknown) => ifReplaced(error));
    return;
  }
  // The process may have died between the POST and the commit that remembers it.
  const secret = (await deps.client.get(SECRETS, ref, { signal })) as Secret | undefined;
  if (secret === undefined || !provesOurs(deps, record, secret)) return;
  await deps.client
    .delete(SECRETS, { ...ref, uid: secret.metadata.uid }, { signal })
    .catch((error: unknown) => ifReplaced(error));
}

async function rewrite(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  signal: AbortSignal,
): Promise<World> {
  const secret = await read(deps, world, layout.name, signal);
  const { record } = world;
  if (secret === undefined || record === undefined) {
    return record?.secret === undefined
      ? Promise.reject(movedAway(layout))
      : { ...world, evidence: { ...world.evidence, inspection: { type: 'Absent' } } };
  }
  const isKnown = record.secret?.uid === secret.metadata.uid;
  if (!isKnown && !provesOurs(deps, record, secret)) throw conflict(record, layout, secret);
  if (secret.immutable === true) throw immutable(record, layout);
  const complete = compose(deps, world, layout, secret);
  if (complete === undefined) {
    const { uid, resourceVersion } = secret.metadata;
    const inspection: Inspection = { type: 'Tampered', uid, resourceVersion };
    return { ...world, evidence: { ...world.evidence, inspection } };
  }
  const written = await deps.client.replace(SECRETS, complete.draft, { signal });
  if (written === undefined) throw movedAway(layout);
  return wrote(deps, world, layout, { complete, written });
}

type Complete = { readonly draft: Draft; readonly fingerprint: string };

/** The whole Secret, on top of what others added to it; undefined when a value cannot be had. */
function compose(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  existing: Secret | undefined,
): Complete | undefined {
  const { record } = world;
  if (record === undefined) return undefined;
  const values = collectValues(deps, world, layout, existing);
  const entries = renderEntries(layout, values);
  if (entries === undefined) return undefined;
  const fingerprint = fingerprintEntries(entries);
  const mac = macText(deps.keyring, binding(record, layout.name, layout.sequence, fingerprint));
  const data = Object.fromEntries(
    Object.entries(entries).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  const kept = existing?.metadata;
  const owners = ownersOf(layout, kept?.ownerReferences ?? []);
  return {
    fingerprint,
    draft: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: layout.name,
        namespace: record.namespace,
        ...(kept === undefined ? {} : { uid: kept.uid, resourceVersion: kept.resourceVersion }),
        labels: { ...kept?.labels, ...layout.labels },
        annotations: { ...kept?.annotations, ...secretAnnotations(layout, { fingerprint, mac }) },
        ...(owners.length === 0 ? {} : { ownerReferences: owners }),
        ...(kept?.finalizers === undefined ? {} : { finalizers: kept.finalizers }),
      },
      type: existing?.type ?? layout.type,
      data,
    },
  };
}

/** What others own stays; of ApiKeys only ours, and only where the spec wants it. */
function ownersOf(
  layout: SecretLayout,
  existing: readonly OwnerReference[],
): readonly OwnerReference[] {
  const others = existing.filter((owner) => owner.kind !== 'ApiKey');
  return layout.owner === undefined ? others : [...others, layout.owner];
}

/** Each slot's value: from the ledger's sealed copy, else from the Secret if the digest agrees. */
function collectValues(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  existing: Secret | undefined,
): Map<string, string> {
  const values = new Map<string, string>();
  const candidates = Object.values(existing?.data ?? {}).map((text) =>
    Buffer.from(text, 'base64').toString('utf8'),
  );
  for (const source of layout.fields.values()) {
    if (source.type !== 'Slot') continue;
    const text = valueOf(deps, world, source, candidates);
    if (text !== undefined) values.set(slotKey(source.sequence, source.slot), text);
  }
  return values;
}

function valueOf(
  deps: Deps,
  world: World,
  source: Extract<EntrySource, { type: 'Slot' }>,
  candidates: readonly string[],
): string | undefined {
  const credential = world.record && credentialOf(world.record, source.sequence);
  const slot = credential?.slots.find((candidate) => candidate.name === source.slot);
  if (credential === undefined || slot === undefined) return undefined;
  const sealed = openSlot(deps, credential, slot);
  if (sealed !== undefined) return sealed.revealText();
  const handle = world.key && deps.store(world.key, world.record?.store).handle;
  if (handle === undefined) return undefined;
  return candidates.find((text) => isValueOf(deps, handle, { credential, slot }, text));
}

function judge(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  secret: Secret | undefined,
): Inspection {
  const known = world.record?.secret;
  if (secret === undefined || world.record === undefined) return { type: 'Absent' };
  const { uid, resourceVersion } = secret.metadata;
  const isKnown = known?.uid === uid;
  if (!isKnown && !provesOurs(deps, world.record, secret)) return { type: 'Foreign' };
  const fingerprint = fingerprintOf(secret, [...layout.entries.keys()]);
  if (fingerprint === known?.fingerprint && isKnown) {
    return { type: wears(secret, layout) ? 'Intact' : 'Altered', uid, resourceVersion };
  }
  return {
    type: provesOurs(deps, world.record, secret) ? 'Altered' : 'Tampered',
    uid,
    resourceVersion,
  };
}

/** True when labels, annotations and owner are as we want them; what others added does not matter. */
function wears(secret: Secret, layout: SecretLayout): boolean {
  const { labels, annotations, ownerReferences } = secret.metadata;
  const has = (all: Readonly<Record<string, string>> | undefined, ours: object): boolean =>
    Object.entries(ours).every(([name, text]) => all?.[name] === text);
  const isProven =
    annotations?.[ANNOTATION_FINGERPRINT] !== undefined &&
    annotations[ANNOTATION_MAC] !== undefined;
  const isOwned =
    layout.owner === undefined ||
    ownerReferences?.some((owner) => owner.uid === layout.owner?.uid) === true;
  return has(labels, layout.labels) && has(annotations, layout.annotations) && isProven && isOwned;
}

/** Our MAC stands on it, over the entries that are in it, for this ApiKey, under one of its sequences. */
function provesOurs(deps: Deps, record: KeyRecord, secret: Secret): boolean {
  const annotations = secret.metadata.annotations ?? {};
  const mac = annotations[ANNOTATION_MAC];
  const fingerprint = annotations[ANNOTATION_FINGERPRINT];
  if (mac === undefined || fingerprint === undefined) return false;
  const sequences = new Set([record.sequence, ...record.credentials.map((c) => c.sequence)]);
  for (let back = 1; back <= SEQUENCES_BACK; back += 1) sequences.add(record.sequence - back);
  return [...sequences].some((sequence) =>
    verifyMac(deps.keyring, binding(record, secret.metadata.name, sequence, fingerprint), mac),
  );
}

/** How many sequences a Secret may be behind and still be known as ours; each costs one HMAC. */
const SEQUENCES_BACK = 8;

function binding(
  record: KeyRecord,
  name: string,
  sequence: number,
  fingerprint: string,
): Parameters<typeof macText>[1] {
  const { namespace, uid: apiKeyUid } = record;
  return { namespace, name, apiKeyUid, sequence, fingerprint };
}

function fingerprintOf(secret: Secret, names: readonly string[]): string {
  const data = secret.data ?? {};
  return fingerprintEntries(
    Object.fromEntries(names.map((name) => [name, Buffer.from(data[name] ?? '', 'base64')])),
  );
}

function wrote(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  result: { readonly complete: Complete; readonly written: Written },
): World {
  const { uid, resourceVersion } = result.written;
  const ref = { namespace: world.ref.namespace, name: layout.name };
  deps.ownSecrets.wrote(ref, { uid, resourceVersion });
  const written = {
    name: layout.name,
    uid,
    resourceVersion,
    fingerprint: result.complete.fingerprint,
    shape: shapeOf(layout),
  };
  const { inspection: _, ...evidence } = world.evidence;
  return { ...world, evidence: { ...evidence, written } };
}

async function read(
  deps: Deps,
  world: World,
  name: string,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const ref = { namespace: world.ref.namespace, name };
  deps.metrics.liveReads.inc();
  // The API server's own shape of a Secret; entries are checked one by one before they are used.
  return (await deps.client.get(SECRETS, ref, { signal })) as Secret | undefined;
}

function ifExists(error: unknown): undefined {
  if (error instanceof KeywardError && error.reason === 'AlreadyExists') return undefined;
  throw error;
}

/** The UID precondition failed: another object has the name, ours is gone. */
function ifReplaced(error: unknown): undefined {
  if (error instanceof KeywardError && error.class === 'Conflict') return undefined;
  throw error;
}

function movedAway(layout: SecretLayout): KeywardError {
  return new KeywardError('Conflict', {
    reason: 'SecretMoved',
    message: `Secret '${layout.name}' came or went while it was written`,
  });
}

function conflict(record: KeyRecord, layout: SecretLayout, secret: Secret): KeywardError {
  const owner = secret.metadata.ownerReferences?.[0];
  const whose = owner === undefined ? '' : ` (it belongs to ${owner.kind} '${owner.name}')`;
  return new KeywardError('Waiting', {
    reason: 'SecretConflict',
    message: `Secret '${record.namespace}/${layout.name}' exists and is not ours${whose}; name another one in spec.secret.name, or delete it`,
    retryAfterMs: 60_000,
  });
}

function immutable(record: KeyRecord, layout: SecretLayout): KeywardError {
  return new KeywardError('Waiting', {
    reason: 'SecretImmutable',
    message: `Secret '${record.namespace}/${layout.name}' was made immutable, so new values cannot be written; delete it to have it made anew`,
    retryAfterMs: 60_000,
  });
}
