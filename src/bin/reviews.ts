/** Composition of the controllers of decisions: reviews, and the clients and products they are about. */
import type { Condition, Ref } from '../api/meta.ts';
import type { Deps as ApiKeyDeps } from '../controllers/apikey/deps.ts';
import type { CachedApiKey } from '../controllers/apikey/view.ts';
import type { CachedForm } from '../controllers/application/view.ts';
import { clientSteps, onClient } from '../controllers/client/index.ts';
import type { KeyCount } from '../controllers/client/world.ts';
import type { IdentityProof } from '../controllers/identity/proof.ts';
import { ProductBooks } from '../controllers/product/books.ts';
import { onProduct, productSteps } from '../controllers/product/index.ts';
import type { NamedStore, Sights } from '../controllers/review/deps.ts';
import { reviewSteps } from '../controllers/review/index.ts';
import { createReviewMetrics } from '../controllers/review/metrics.ts';
import { onReview } from '../controllers/review/triggers.ts';
import { authorsIn } from '../controllers/review/view.ts';
import type { KeySight, TargetSight } from '../controllers/review/world.ts';
import type { ClientRecord } from '../ledger/documents.ts';
import type { Controller } from '../runtime/controller.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import { connect } from '../runtime/trigger.ts';
import { findStore, servesNamespace, type StoreName, type StoreView } from '../stores/view.ts';
import type { Caches } from './cluster.ts';
import { createController, type Parts } from './controllers.ts';
import { untilItWorks } from './repeating.ts';

/** Clients at a time that are looked for after a start. */
const PAGE = 500;

/** Controllers for the manager, and what follows when leadership begins. */
export type Decisions = {
  readonly controllers: readonly Controller<never, never>[];
  /** Looks at clients and products whose objects went while nobody watched. Never rejects. */
  readonly sweep: (stop: AbortSignal) => Promise<void>;
};

/** The controllers of reviews, clients and products, listening to their caches. */
export function createDecisions(parts: Parts, deps: ApiKeyDeps, proof: IdentityProof): Decisions {
  const reviews = createReviews(parts, deps, proof);
  const clients = createClients(parts, deps);
  const products = createProducts(parts, deps);
  return {
    // The manager only starts and stops them; what they work on is nobody's business.
    controllers: [
      reviews,
      clients.controller,
      products.controller,
    ] as unknown as Decisions['controllers'],
    sweep: async (stop) => {
      const to = { clock: deps.clock, log: parts.log };
      const until = (what: string, sweep: () => Promise<void>): Promise<void> =>
        untilItWorks(to, `${what} that went could not be looked for`, sweep, stop);
      await Promise.all([
        until('Clients', () => sweepClients(parts, clients.queue, stop)),
        until('Products', () => sweepProducts(parts, products, stop)),
      ]);
    },
  };
}

function createReviews(parts: Parts, deps: ApiKeyDeps, proof: IdentityProof) {
  const { caches, registry, holds, events } = parts;
  const { client, ledger, clock, clusterId, epoch } = deps;
  const steps = reviewSteps({
    reviews: caches.reviews,
    sights: sightsOf(caches),
    client,
    ledger,
    imposedOn: (uid, at) => holds.imposedOn(uid, at),
    epoch,
    clusterId,
    proof,
    clock,
    events,
    metrics: createReviewMetrics(registry),
  });
  const { controller, queue } = createController(parts, steps);
  connect(caches.reviews, onReview, queue);
  proof.onChange(() => {
    for (const { ref, isJudged } of caches.reviews.values()) {
      if (!isJudged) queue.add(ref, 'normal');
    }
  });
  return controller;
}

function createClients(parts: Parts, deps: ApiKeyDeps) {
  const { caches, clientKeys, documents, events } = parts;
  const { client, ledger, clock, clusterId, epoch } = deps;
  const steps = clientSteps({
    clients: caches.clients,
    client,
    ledger,
    clock,
    clusterId,
    epoch,
    registrars: (namespace) =>
      clientStores(caches, namespace).map(({ kind, view }) => `${kind} '${view.ref.name}'`),
    countKeys: (uid) => countKeys(caches.keys, clientKeys.of(uid)),
    events,
  });
  const { controller, queue } = createController(parts, steps);
  connect(caches.clients, onClient, queue);
  documents.listen(({ kind, document: { namespace, name } }) => {
    if (kind === 'Client') queue.add({ namespace, name }, 'normal');
  });
  const wakeAll = (previous: StoreView | undefined, current: StoreView | undefined): void => {
    if (asksForClients(previous) === asksForClients(current)) return;
    for (const { ref } of caches.clients.values()) queue.add(ref, 'bulk');
  };
  caches.keyStores.onChange(({ previous, current }) => wakeAll(previous, current));
  caches.clusterKeyStores.onChange(({ previous, current }) => wakeAll(previous, current));
  return { controller, queue };
}

function createProducts(parts: Parts, { client, clock, clusterId, epoch, ledger }: ApiKeyDeps) {
  const { products } = parts.caches;
  const books = new ProductBooks(ledger, epoch);
  const steps = productSteps({ products, client, books, clusterId, clock });
  const { controller, queue } = createController(parts, steps);
  connect(products, (change) => onProduct(products, change), queue);
  books.onChange((refs) => {
    for (const ref of refs) queue.add(ref, 'bulk');
  });
  return { controller, queue, books };
}

function sightsOf(caches: Caches): Sights {
  const { forms, clients, keys } = caches;
  const sources = {
    keyStore: (ref: Ref) => caches.keyStores.get(ref),
    clusterKeyStore: (name: string) => caches.clusterKeyStores.get({ namespace: '', name }),
  };
  return {
    form: (ref) => formSight(forms.get(ref)),
    key: (ref) => keySight(keys.get(ref)),
    client(ref) {
      const client = clients.get(ref);
      if (client === undefined) return undefined;
      const { uid, generation, isDeleting, spec } = client;
      return { uid, generation, isDeleting, authors: [], wanted: spec.state };
    },
    store: (namespace, named) => findStore(sources, namespace, named),
    clientStores: (namespace) => clientStores(caches, namespace),
  };
}

function formSight(form: CachedForm | undefined): TargetSight | undefined {
  if (form === undefined) return undefined;
  const { uid, generation, isDeleting, applicant = '', editorsText } = form;
  return { uid, generation, isDeleting, authors: authorsIn(applicant, editorsText) };
}

function keySight(key: CachedApiKey | undefined): KeySight | undefined {
  if (key === undefined) return undefined;
  const { uid, generation, isDeleting, storeName, applicationName } = key;
  const [kind = '', name = ''] = storeName.split('/');
  // Made from these two words and a name that has no slash.
  const storeRef = { kind, name } as StoreName;
  return { uid, generation, isDeleting, authors: [], storeRef, formName: applicationName };
}

/** Stores that serve the namespace and take only reviewed clients; in doubt about a label they do. */
function clientStores(caches: Caches, namespace: string): readonly NamedStore[] {
  const own = Array.from(caches.keyStores.values())
    .filter(({ ref }) => ref.namespace === namespace)
    .map((view) => ({ kind: 'KeyStore', view }) as const);
  const labels = caches.namespaces.get({ namespace: '', name: namespace })?.labels;
  const shared = Array.from(caches.clusterKeyStores.values())
    .filter(({ spec }) => {
      const allowed = 'allowedNamespaces' in spec ? spec.allowedNamespaces : undefined;
      return servesNamespace(allowed, labels) !== 'No';
    })
    .map((view) => ({ kind: 'ClusterKeyStore', view }) as const);
  return [...own, ...shared].filter(({ view }) => asksForClients(view));
}

function asksForClients(view: StoreView | undefined): boolean {
  const { mode, requiredFor } = view?.spec.applications ?? {};
  return mode === 'Manual' && requiredFor?.includes('Client') === true;
}

/** Counted in the caches, for people; the ledger is not asked. */
function countKeys(keys: Caches['keys'], refs: readonly Ref[] | undefined): KeyCount | undefined {
  if (refs === undefined) return undefined;
  const live = refs.flatMap((ref) => keys.get(ref) ?? []);
  return {
    total: live.length,
    active: live.filter(({ statusText }) => isReady(statusText)).length,
  };
}

function isReady(statusText: string | undefined): boolean {
  if (statusText === undefined) return false;
  // Our own text of what the API server sent.
  const { conditions } = JSON.parse(statusText) as { readonly conditions?: readonly Condition[] };
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

async function sweepClients(parts: Parts, queue: WorkQueue, stop: AbortSignal): Promise<void> {
  for (let after: string | undefined; !stop.aborted;) {
    // Each page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const page = await parts.ledger.scanDocuments('Client', PAGE, after);
    for (const { namespace, name } of page.filter((client) => isUnseen(parts, client))) {
      queue.add({ namespace, name }, 'bulk');
    }
    if (page.length < PAGE) return;
    after = page.at(-1)?.uid;
  }
}

function isUnseen({ caches }: Parts, { namespace, name, uid }: ClientRecord): boolean {
  return caches.isWatched(namespace) && caches.clients.get({ namespace, name })?.uid !== uid;
}

async function sweepProducts(
  { caches: { products } }: Parts,
  { queue, books }: Pick<ReturnType<typeof createProducts>, 'queue' | 'books'>,
  stop: AbortSignal,
): Promise<void> {
  // Not before there is a list: everything is missing from an empty one.
  await products.whenSynced(stop);
  for (const { namespace, name, uid } of (await books.known()).values()) {
    if (products.get({ namespace, name })?.uid !== uid) queue.add({ namespace, name }, 'bulk');
  }
}
