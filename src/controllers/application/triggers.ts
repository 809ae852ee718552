/** What makes a form be looked at, and how soon. */
import type { Ref } from '../../api/meta.ts';
import type { Cache, Change } from '../../kube/port.ts';
import type { DocumentBell } from '../../ledger/documentbell.ts';
import type { OwnStatus } from '../../runtime/ownstatus.ts';
import type { Lane } from '../../runtime/lanes.ts';
import { anyOf, connect, whenChanged, type Wake } from '../../runtime/trigger.ts';
import { RenamedForms } from './renamedforms.ts';
import type { Sightings } from './sightings.ts';
import type { CachedForm } from './view.ts';
import type { SeenStatus } from './world.ts';

/** The part of stores, clients and products that is compared. */
type Neighbour = {
  readonly ref: Ref;
  readonly uid: string;
  readonly generation: number;
};

/** The part of ApiKeys that is compared. */
export type NeighbourKey = {
  readonly uid: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** Name of the form that it names; absent: none. */
  readonly applicationName?: string;
};

/** The caches that are listened to, and what is known of our own writes. */
export type TriggerSources = {
  readonly forms: Cache<CachedForm>;
  readonly keys: Pick<Cache<NeighbourKey>, 'onChange'>;
  readonly keyStores: Pick<Cache<Neighbour>, 'onChange'>;
  readonly clusterKeyStores: Pick<Cache<Neighbour>, 'onChange'>;
  readonly products: Pick<Cache<Neighbour>, 'onChange'>;
  readonly namespaces: Pick<
    Cache<{ readonly labels: Readonly<Record<string, string>> }>,
    'onChange'
  >;
  readonly documents: DocumentBell;
  readonly proof: {
    onChange(listener: (now: { readonly state: 'Proven' | 'NotProven' }) => void): void;
  };
  readonly sightings: Sightings;
  readonly committing: ReadonlySet<string>;
  readonly ownStatus: OwnStatus<SeenStatus>;
};

/** The forms, and those that serve an ApiKey of another name. */
type ServedForms = {
  readonly forms: Pick<Cache<CachedForm>, 'get'>;
  readonly renamed: Pick<RenamedForms, 'of'>;
};

type Queue = Parameters<typeof connect>[2];

/** Connects all sources to the queue. Once. */
export function connectApplicationTriggers(sources: TriggerSources, queue: Queue): void {
  const { forms, keys, products, sightings } = sources;
  const renamed = new RenamedForms();
  renamed.follow(forms);
  connect(forms, (change) => onForm(sources.ownStatus, change), queue);
  connect(keys, (change) => onApiKey({ forms, renamed }, change), queue);
  connect(sources.keyStores, (change) => onStore(forms, 'KeyStore', change), queue);
  connect(sources.clusterKeyStores, (change) => onStore(forms, 'ClusterKeyStore', change), queue);
  connect(products, (change) => onProduct(forms, change), queue);
  // Labels decide which stores and products serve a namespace.
  connect(sources.namespaces, (change) => onNamespace(forms, change), queue);
  wakeOnDocuments(sources, queue);
  sources.proof.onChange(({ state }) => {
    if (state !== 'Proven') return;
    for (const ref of sightings.takeAwaiting()) queue.add(ref, 'normal');
    // All others are seen once more, so that later edits can be told from those made in the gap.
    for (const { ref } of forms.values()) queue.add(ref, 'bulk');
  });
}

/** Reviews and issued keys change the form, and what is in force for a client may hold one up. */
function wakeOnDocuments({ forms, documents, committing }: TriggerSources, queue: Queue): void {
  documents.listen(({ kind, document: { namespace, name, uid } }) => {
    if (kind === 'Form') {
      if (committing.has(uid)) return;
      if (forms.get({ namespace, name })?.uid === uid) queue.add({ namespace, name }, 'urgent');
    } else if (kind === 'Client') {
      const isMeant = (form: CachedForm): boolean =>
        form.clientName === name && form.ref.namespace === namespace;
      for (const { ref, lane } of wakeAll(forms, isMeant)) queue.add(ref, lane);
    }
  });
}

/** What others can change about a form; a forged status is put right, our own wakes nothing. */
const isEdited = anyOf<CachedForm>(
  whenChanged((form) => form.uid),
  whenChanged((form) => form.generation),
  whenChanged((form) => form.isDeleting),
  whenChanged((form) => form.finalizers.join()),
  whenChanged((form) => form.applicant),
);

/** The form itself changed, by somebody else's hand. */
export function onForm(
  ownStatus: OwnStatus<SeenStatus>,
  change: Change<CachedForm>,
): readonly Wake[] {
  const { ref, previous, current } = change;
  const uid = current?.uid ?? previous?.uid;
  const isOurs = current === undefined || isOwnEcho(ownStatus, current);
  if (uid !== undefined) ownStatus.saw(uid, current?.resourceVersion);
  if (isEdited(change)) return [{ ref, lane: laneOf(change) }];
  const isStatusChanged = previous?.status?.digest !== current?.status?.digest;
  return isStatusChanged && !isOurs ? [{ ref, lane: 'normal' }] : [];
}

/** The status is the one that we wrote last. */
function isOwnEcho(ownStatus: OwnStatus<SeenStatus>, current: CachedForm): boolean {
  return ownStatus.last(current.uid)?.digest === current.status?.digest;
}

/** People first; what was decided before a restart last. */
function laneOf({ previous, current }: Change<CachedForm>): Lane {
  if (previous !== undefined || current === undefined) return 'urgent';
  const isSettled = current.observedGeneration === current.generation && !current.isDeleting;
  return isSettled ? 'bulk' : 'urgent';
}

/** The ApiKey of a form was made, went, or was edited; most keys have none, and cost nothing here. */
export function onApiKey(
  { forms, renamed }: ServedForms,
  { ref, previous, current }: Change<NeighbourKey>,
): readonly Wake[] {
  const key = current ?? previous;
  if (key === undefined || isSameKey(previous, current)) return [];
  const { namespace, name } = ref;
  // One that names no form, or another one, may stand in the way of all that are to serve it.
  const names = new Set([key.applicationName ?? name, name, ...renamed.of(ref)]);
  return Array.from(names, (form): Ref => ({ namespace, name: form }))
    .filter((form) => forms.get(form) !== undefined)
    .map((form) => ({ ref: form, lane: 'normal' }));
}

function isSameKey(previous: NeighbourKey | undefined, current: NeighbourKey | undefined): boolean {
  return isSameObject(previous, current) && previous?.isDeleting === current?.isDeleting;
}

function onStore(
  forms: Pick<Cache<CachedForm>, 'values'>,
  kind: 'KeyStore' | 'ClusterKeyStore',
  { ref, previous, current }: Change<Neighbour>,
): readonly Wake[] {
  if (isSameObject(previous, current)) return [];
  return wakeAll(
    forms,
    (form) =>
      form.storeName === `${kind}/${ref.name}` &&
      (kind === 'ClusterKeyStore' || form.ref.namespace === ref.namespace),
  );
}

function onProduct(
  forms: Pick<Cache<CachedForm>, 'values'>,
  { ref, previous, current }: Change<Neighbour>,
): readonly Wake[] {
  if (isSameObject(previous, current)) return [];
  return wakeAll(forms, (form) => form.productLines.includes(`\n${ref.name}\n`));
}

function onNamespace(
  forms: Pick<Cache<CachedForm>, 'values'>,
  change: Change<{ readonly labels: Readonly<Record<string, string>> }>,
): readonly Wake[] {
  const { ref, previous, current } = change;
  if (JSON.stringify(previous?.labels) === JSON.stringify(current?.labels)) return [];
  return wakeAll(forms, (form) => form.ref.namespace === ref.name);
}

function isSameObject(
  previous: Pick<Neighbour, 'uid' | 'generation'> | undefined,
  current: Pick<Neighbour, 'uid' | 'generation'> | undefined,
): boolean {
  return previous?.uid === current?.uid && previous?.generation === current?.generation;
}

/** The bulk lane: many forms look again, none of them was edited. */
function wakeAll(
  forms: Pick<Cache<CachedForm>, 'values'>,
  isMeant: (form: CachedForm) => boolean,
): readonly Wake[] {
  return Array.from(forms.values())
    .filter(isMeant)
    .map((form) => ({ ref: form.ref, lane: 'bulk' }));
}
