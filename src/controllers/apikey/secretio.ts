/**
 * The Secret at the API server: written complete, and inspected. Nothing is overwritten that
 * does not prove to be ours: by the UID the ledger knows, or by our MAC over its entries.
 */
import { SECRETS } from '../../api/names.ts';
import type { OwnerReference } from '../../api/meta.ts';
import { classify, KeywardError } from '../../kernel/errors.ts';
import { fingerprintEntries, macText } from '../../keys/fingerprint.ts';
import type { Draft, Written } from '../../kube/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { ledgerMoved } from '../../runtime/behind.ts';
import type { Deps } from './deps.ts';
import type { SecretWrite } from './metrics.ts';
import { binding, isMarked, judge, mayAdopt, type Secret } from './proof.ts';
import { collectValues } from './recalling.ts';
import { renderEntries, secretAnnotations, shapeOf, type SecretLayout } from './secret.ts';
import { isForbidden } from './secretend.ts';
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
  deps.ownSecrets.begin(ref, world.ref.name);
  try {
    const next = await write(deps, world, layout, signal);
    // After a write the commit that remembers it settles the matter.
    if (next.evidence.written === undefined) deps.ownSecrets.settled(ref, world.ref.name);
    return next;
  } catch (error) {
    deps.ownSecrets.settled(ref, world.ref.name);
    deps.metrics.secretWrites[failureOf(error)].inc();
    throw error;
  }
}

function failureOf(error: unknown): SecretWrite {
  const { class: errorClass, reason } = classify(error);
  if (reason === 'Forbidden' || reason === 'QuotaExceeded') return 'Forbidden';
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
    const inspection: Inspection = {
      type: 'Tampered',
      uid,
      resourceVersion,
      isBeyondRepair: true,
    };
    return { ...world, evidence: { ...world.evidence, inspection } };
  }
  await demandNewest(deps, record);
  const written = await deps.client
    .replace(SECRETS, complete.draft, { signal })
    .catch((error: unknown) => {
      throw isForbidden(error) && !isMarked(secret) ? stripped(record, layout) : error;
    });
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
  throw ledgerMoved(`ApiKey ${namespace}/${name}`);
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

function wrote(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  result: { readonly complete: Complete; readonly written: Written },
): World {
  const { uid, resourceVersion } = result.written;
  const ref = { namespace: world.ref.namespace, name: layout.name };
  // Without a watch nothing would ever say that it may be forgotten.
  if (deps.secrets !== undefined) {
    deps.ownSecrets.wrote(ref, { uid, resourceVersion }, deps.secrets.get(ref));
  }
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

/** See isMarked: putting the mark back is what we may not do. */
function stripped(record: KeyRecord, layout: SecretLayout): KeywardError {
  return new KeywardError('Waiting', {
    reason: 'SecretConflict',
    message: `Secret '${record.namespace}/${layout.name}' was stripped of our mark, so nothing lets us write it; delete it to have it made anew`,
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
