/** Reads everything a judgement needs into one World. Changes nothing. */
import type { KubeObject, Ref, Resource } from '../../api/meta.ts';
import { API_CLIENTS, API_KEY_APPLICATIONS, API_KEYS } from '../../api/names.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { DEFAULT_STORE, type StoreName, type StoreView } from '../../stores/view.ts';
import type { Deps, Sights } from './deps.ts';
import { decidedAbout } from './rounds.ts';
import { sightClient, sightForm, sightKey, viewReview } from './view.ts';
import type {
  FormTarget,
  KeySight,
  ProofSight,
  ReviewView,
  StoreRules,
  Target,
  TargetSight,
  World,
} from './world.ts';

/** creationTimestamp has whole seconds, and the difference of the clocks is known to one and a half. */
const STAMP_DOUBT_MS = 2_500;

/** Undefined: there is no such review, or it is going without having been judged. */
export async function observe(deps: Deps, ref: Ref): Promise<World | undefined> {
  const cached = deps.reviews.get(ref);
  if (cached === undefined || cached.isDeleting) return undefined;
  const review = viewReview(cached);
  const latch = await deps.ledger.loadDocument('Review', review.uid);
  const nowMs = deps.clock.nowMs();
  return {
    nowMs,
    skewMs: deps.client.clockSkewMs,
    review,
    latch,
    // What was judged is not looked into again.
    target: latch === undefined ? await findTarget(deps, review, deps.sights) : UNREAD,
    proof: proofSight(deps.proof, review, nowMs),
    rights: undefined,
  };
}

const UNREAD: Target = {
  kind: 'ApiKeyApplication',
  sight: undefined,
  isLive: false,
  form: undefined,
  storeUid: undefined,
  storeLayers: undefined,
  clientUid: undefined,
};

/** Without a look: what was not proven yet may be with the next one. */
function proofSight(proof: Deps['proof'], review: ReviewView, nowMs: number): ProofSight {
  return { type: isCovered(proof, review, nowMs) ? 'Covered' : 'Unknown' };
}

/** With a look that begins now; what it does not cover is never covered. */
export async function lookForProof(
  proof: Deps['proof'],
  review: ReviewView,
  seenMs: number,
): Promise<ProofSight> {
  const answer = await proof.prove();
  if (isCovered(proof, review, seenMs)) return { type: 'Covered' };
  return answer.state === 'Proven'
    ? { type: 'Broken' }
    : { type: 'Missing', reason: answer.reason };
}

/**
 * The instant that matters is that of the creation, because a review cannot be changed afterwards: it lies
 * before the review was seen, and within what the stamp and the clocks leave open. So of many reviews
 * that wait in line the later ones are covered by the look for the first.
 */
function isCovered(proof: Deps['proof'], { createdMs }: ReviewView, seenMs: number): boolean {
  const stampedMs = proof.atOurClock(createdMs);
  // Clocks differ by what cannot be measured, and then a review seems to come from the future.
  const fromMs = Math.min(stampedMs, seenMs);
  return proof.covers(fromMs, Math.min(stampedMs + STAMP_DOUBT_MS, seenMs));
}

type TargetSights = Pick<Sights, 'form' | 'key' | 'client'>;

/** @param sights of the target alone; stores are always the caches' */
function findTarget(deps: Deps, { ref, spec }: ReviewView, sights: TargetSights): Promise<Target> {
  const at = (name: string): Ref => ({ namespace: ref.namespace, name });
  const { applicationRef, apiKeyRef, clientRef } = spec;
  const seen = { ...deps, sights: { ...deps.sights, ...sights } };
  if (apiKeyRef !== undefined) return findKey(seen, at(apiKeyRef.name));
  if (clientRef !== undefined) return findClient(seen, at(clientRef.name));
  return findForm(seen, at(applicationRef?.name ?? ''), spec);
}

/** The world with its target as the API server and the ledger have it at this moment. */
export async function lookLive(deps: Deps, world: World, signal: AbortSignal): Promise<World> {
  const { target, review } = world;
  const { applicationRef, apiKeyRef, clientRef } = review.spec;
  const named = applicationRef ?? apiKeyRef ?? clientRef;
  const at = { namespace: review.ref.namespace, name: named?.name ?? '' };
  const object = await deps.client.get(RESOURCES[target.kind], at, { signal });
  const live = await findTarget(deps, review, {
    ...deps.sights,
    ...sightsOf(target.kind, object),
  });
  const seen =
    live.kind === 'ApiKeyApplication' ? await lookForClient(deps, live, { at, signal }) : live;
  return { ...world, target: { ...seen, isLive: true } };
}

/** The one object that was read; what else a review is about are the caches'. */
function sightsOf(kind: Target['kind'], object: KubeObject | undefined): Partial<TargetSights> {
  switch (kind) {
    case 'ApiKeyApplication':
      return { form: () => object && sightForm(object) };
    case 'ApiKey':
      return { key: () => object && sightKey(object) };
    case 'ApiClient':
      return { client: () => object && sightClient(object) };
  }
}

/** A client that the cache does not show under its UID may be there all the same. */
async function lookForClient(
  { client }: Deps,
  target: FormTarget,
  { at, signal }: { readonly at: Ref; readonly signal: AbortSignal },
): Promise<FormTarget> {
  const named = target.form?.round?.content.client;
  if (named === undefined || named.uid === target.clientUid) return target;
  const object = await client.get(API_CLIENTS, { ...at, name: named.name }, { signal });
  return { ...target, clientUid: object && lasting(sightClient(object)) };
}

/** UID of an object that is there and stays. */
function lasting(sight: TargetSight | undefined): string | undefined {
  return sight?.isDeleting === false ? sight.uid : undefined;
}

const RESOURCES: Readonly<Record<Target['kind'], Resource>> = {
  ApiKeyApplication: API_KEY_APPLICATIONS,
  ApiKey: API_KEYS,
  ApiClient: API_CLIENTS,
};

async function findForm(
  { sights, ledger }: Deps,
  at: Ref,
  spec: ReviewView['spec'],
): Promise<Target> {
  const sight = sights.form(at);
  const form = sight && (await ledger.loadDocument('Form', sight.uid));
  const named = form && decidedAbout(form, spec)?.content.storeRef;
  const view = named && sights.store(at.namespace, named);
  const client = form?.round?.content.client;
  return {
    kind: 'ApiKeyApplication',
    sight,
    isLive: false,
    form,
    storeUid: view?.uid,
    storeLayers: named && view && rulesOf(named, view).layers,
    clientUid: client && lasting(sights.client({ ...at, name: client.name })),
  };
}

async function findKey(deps: Deps, at: Ref): Promise<Target> {
  const { sights, ledger } = deps;
  const sight = sights.key(at);
  if (sight === undefined) {
    const nothing = { hold: undefined, held: undefined, form: undefined, store: undefined };
    return { kind: 'ApiKey', sight, isLive: false, ...nothing };
  }
  const [hold, { record }] = await Promise.all([
    ledger.loadDocument('Hold', sight.uid),
    ledger.load(sight.uid, at),
  ]);
  const form = await formOf(ledger, { sight, record, at });
  const held = deps.imposedOn(sight.uid, at);
  // What the ledger knows goes before what is written in the object: else whoever may approve at a store
  // of his own could name that one in the key, and lift what was imposed elsewhere.
  const known = record?.store ?? held?.store ?? form?.round?.content.storeRef;
  const named = known ?? sight.storeRef ?? DEFAULT_STORE;
  const view = sights.store(at.namespace, named);
  const store = view && rulesOf(named, view);
  return { kind: 'ApiKey', sight, isLive: false, hold, held, form, store };
}

/** A key stays with the form that it was issued for, whatever has its name by now. */
async function formOf(
  ledger: Deps['ledger'],
  key: { readonly sight: KeySight; readonly record: KeyRecord | undefined; readonly at: Ref },
): Promise<FormRecord | undefined> {
  const formUid = key.record?.grant?.formUid;
  if (formUid !== undefined) return ledger.loadDocument('Form', formUid);
  const { formName } = key.sight;
  if (formName === undefined) return undefined;
  return ledger.findDocument('Form', { namespace: key.at.namespace, name: formName });
}

async function findClient({ sights, ledger }: Deps, at: Ref): Promise<Target> {
  const sight = sights.client(at);
  const client = sight && (await ledger.loadDocument('Client', sight.uid));
  const stores = sights
    .clientStores(at.namespace)
    .map(({ kind, view }) => rulesOf({ kind, name: view.ref.name }, view));
  const wanted = sight?.wanted ?? 'Active';
  return { kind: 'ApiClient', sight, isLive: false, client, wanted, stores };
}

/** The rules of a store as they are now; keys, clients and withdrawals have no rounds that freeze them. */
function rulesOf({ kind, name }: StoreName, { spec: { applications } }: StoreView): StoreRules {
  const { layers = [], selfReview, attestors = [] } = applications;
  return {
    kind,
    name,
    layers: layers.map((layer) => layer.name),
    selfReview,
    attestors: attestors.map(({ username }) => username),
  };
}
