/** The actions that change something at the API server, and the one that looks there. */
import { controllerOf, refText } from '../../api/meta.ts';
import { API_KEY_APPLICATIONS, API_KEYS } from '../../api/names.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { Draft } from '../../kube/port.ts';
import type { FormRecord } from '../../ledger/form.ts';
import { cacheBehind, objectGone } from '../../runtime/behind.ts';
import type { ActionOf } from './actions.ts';
import { present } from './commits.ts';
import type { Deps } from './deps.ts';
import { newKey, secretText, sightOf, type ServedKey } from './serving.ts';
import type { FormView, World } from './world.ts';

/** Writes the finalizers of the form. */
export async function setFinalizers(
  deps: Deps,
  world: World,
  edit: (finalizers: readonly string[]) => readonly string[],
  signal: AbortSignal,
): Promise<World> {
  const form = present(world);
  const finalizers = edit(form.finalizers);
  const { uid, resourceVersion } = form;
  const written = await deps.client.patchMetadata(
    API_KEY_APPLICATIONS,
    form.ref,
    { uid, resourceVersion, finalizers },
    { signal },
  );
  if (written === undefined) {
    throw objectGone(`ApiKeyApplication ${refText(form.ref)}`);
  }
  const next = { ...form, finalizers, resourceVersion: written.resourceVersion };
  const evidence = form.isDeleting
    ? ({ ...world.evidence, finalizerReleased: true } as const)
    : world.evidence;
  return { ...world, form: next, evidence };
}

/** One live read: nobody has edited the form since. */
export async function isNewest(
  { client }: Pick<Deps, 'client'>,
  { ref, uid, generation }: FormView,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const object = await client.get(
    API_KEY_APPLICATIONS,
    ref,
    signal === undefined ? {} : { signal },
  );
  return object?.metadata.uid === uid && object.metadata.generation === generation;
}

/** One live read: the name is free, or another object has it. */
export async function proveGone(
  deps: Deps,
  world: World,
  record: FormRecord,
  signal: AbortSignal,
): Promise<World> {
  const { namespace, name, uid } = record;
  const object = await deps.client.get(API_KEY_APPLICATIONS, { namespace, name }, { signal });
  if (object?.metadata.uid === uid) {
    throw cacheBehind(`ApiKeyApplication ${refText(record)}`);
  }
  const goneUids = [...(world.evidence.goneUids ?? []), uid];
  return { ...world, evidence: { ...world.evidence, goneUids } };
}

/** Makes the ApiKey of the form. One that appeared meanwhile is looked at, never touched. */
export async function createKey(
  deps: Deps,
  world: World,
  name: string,
  signal: AbortSignal,
): Promise<World> {
  const form = present(world);
  const key = { namespace: form.ref.namespace, name };
  try {
    const written = await deps.client.create(API_KEYS, newKey(form, name), { signal });
    const made: ServedKey = {
      uid: written.uid,
      resourceVersion: written.resourceVersion,
      isDeleting: false,
      ownerFormUid: form.uid,
      spec: keySpec(form.ref.name, form.spec.secret),
    };
    return { ...world, apiKey: sightOf(form, made) };
  } catch (error) {
    if (!(error instanceof KeywardError) || error.reason !== 'AlreadyExists') throw error;
    return { ...world, apiKey: await lookAt(deps, world, key, signal) };
  }
}

/** Follows the form's wish for the Secret, and changes nothing else of the ApiKey. */
export async function passSecret(
  deps: Deps,
  world: World,
  { uid, secret }: ActionOf<'PassSecret'>,
  signal: AbortSignal,
): Promise<World> {
  const { ref, spec } = present(world);
  const key = { namespace: ref.namespace, name: spec.apiKeyRef?.name ?? ref.name };
  // The whole object, because only a PUT can take a field away; its version makes it safe.
  const object = await deps.client.get(API_KEYS, key, { signal });
  if (object?.metadata.uid !== uid) return { ...world, apiKey: { type: 'Absent' } };
  // Parser: an object of this kind has a spec.
  const { spec: before = {} } = object as { readonly spec?: Readonly<Record<string, unknown>> };
  const { secret: _, ...others } = before;
  const draft = { ...object, spec: secret === undefined ? others : { ...others, secret } };
  const written = await deps.client.replace(API_KEYS, draft as Draft, { signal });
  const { apiKey } = world;
  if (written === undefined || apiKey.type !== 'Present') {
    return { ...world, apiKey: { type: 'Absent' } };
  }
  const { resourceVersion } = written;
  return { ...world, apiKey: { ...apiKey, resourceVersion, secretText: secretText(secret) } };
}

async function lookAt(
  deps: Deps,
  world: World,
  key: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<World['apiKey']> {
  const object = await deps.client.get(API_KEYS, key, { signal });
  if (object === undefined) {
    throw objectGone(`ApiKey ${refText(key)}`);
  }
  const { uid, resourceVersion, deletionTimestamp, ownerReferences } = object.metadata;
  const owner = controllerOf(ownerReferences, API_KEY_APPLICATIONS);
  // Parser: the schema was checked by the API server.
  const { spec } = object as unknown as Pick<ServedKey, 'spec'>;
  return sightOf(present(world), {
    uid,
    resourceVersion,
    isDeleting: deletionTimestamp !== undefined,
    ...(owner === undefined ? {} : { ownerFormUid: owner.uid }),
    spec,
  });
}

function keySpec(formName: string, secret: ServedKey['spec']['secret']): ServedKey['spec'] {
  return {
    applicationRef: { name: formName },
    ...(secret === undefined ? {} : { secret }),
  };
}
