/**
 * The Secret at the API server: written complete, inspected, deleted. Nothing is overwritten that
 * does not prove to be ours: by the UID the ledger knows, or by our MAC over its entries.
 */
import { SECRETS } from '../../api/names.ts';
import type { OwnerReference } from '../../api/meta.ts';
import { classify, KeywardError } from '../../kernel/errors.ts';
import { fingerprintEntries, macText } from '../../keys/fingerprint.ts';
import type { Draft, Written } from '../../kube/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { Deps } from './deps.ts';
import type { SecretWrite } from './metrics.ts';
import { credentialOf, isValueOf, openSlot } from './material.ts';
import { binding, judge, mayAdopt, provesOurs, type Secret } from './proof.ts';
import {
  renderEntries,
  secretAnnotations,
  shapeOf,
  slotKey,
  type EntrySource,
  type SecretLayout,
} from './secret.ts';
import type { Inspection, World } from './world.ts';

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
    const next = await write(deps, world, layout, signal);
    // After a write the commit that remembers it settles the matter.
    if (next.evidence.written === undefined) deps.ownSecrets.settled(ref);
    return next;
  } catch (error) {
    deps.ownSecrets.settled(ref);
    deps.metrics.secretWrites[failureOf(error)].inc();
    throw error;
  }
}

function failureOf(error: unknown): SecretWrite {
  const { class: errorClass, reason } = classify(error);
  if (reason === 'Forbidden') return 'Forbidden';
  return errorClass === 'Conflict' || reason === 'SecretConflict' ? 'Conflict' : 'Error';
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
  deps.metrics.secretWrites.Created.inc();
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
  if (!isKnown && !mayAdopt(deps, record, secret, layout)) throw conflict(record, layout, secret);
  if (secret.immutable === true) throw immutable(record, layout);
  const complete = compose(deps, world, layout, secret);
  if (complete === undefined) {
    const { uid, resourceVersion } = secret.metadata;
    const inspection: Inspection = { type: 'Tampered', uid, resourceVersion };
    return { ...world, evidence: { ...world.evidence, inspection } };
  }
  await demandNewest(deps, record);
  const written = await deps.client.replace(SECRETS, complete.draft, { signal });
  if (written === undefined) throw movedAway(layout);
  deps.metrics.secretWrites.Updated.inc();
  return wrote(deps, world, layout, { complete, written });
}

/**
 * Between the GET and the PUT: nobody has committed since our record was read. A leader that was
 * frozen would otherwise put old values over those of its successor; whatever that one writes after
 * this check moves the resourceVersion of the GET.
 */
async function demandNewest(
  deps: Deps,
  { uid, namespace, name, revision }: KeyRecord,
): Promise<void> {
  const { record } = await deps.ledger.load(uid, { namespace, name });
  if (record?.revision === revision) return;
  throw new KeywardError('Conflict', {
    reason: 'Stale',
    message: `ApiKey ${namespace}/${name} changed in the ledger meanwhile; it is looked at again`,
  });
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
  const handle = world.key && deps.stores.of(world.key, world.record?.store).handle;
  if (handle === undefined) return undefined;
  return candidates.find((text) => isValueOf(deps, handle, { credential, slot }, text));
}

function wrote(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  result: { readonly complete: Complete; readonly written: Written },
): World {
  const { uid, resourceVersion } = result.written;
  const ref = { namespace: world.ref.namespace, name: layout.name };
  deps.ownSecrets.wrote(ref, { uid, resourceVersion }, deps.secrets?.get(ref));
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
