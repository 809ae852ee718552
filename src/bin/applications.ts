/** Composition of the controller of applications: what a form sees of the cluster, and what wakes it. */
import type { Ref } from '../api/meta.ts';
import type { Deps as ApiKeyDeps } from '../controllers/apikey/deps.ts';
import { VanishedGuard } from '../controllers/apikey/vanished.ts';
import { productsOf } from '../controllers/application/content.ts';
import type { Deps, Surroundings } from '../controllers/application/deps.ts';
import { applicationSteps } from '../controllers/application/index.ts';
import { createApplicationMetrics } from '../controllers/application/metrics.ts';
import {
  clientFact,
  productFact,
  storeFact,
  storeNameOf,
} from '../controllers/application/neighbours.ts';
import { Overtime } from '../controllers/application/overtime.ts';
import { createReporter } from '../controllers/application/report.ts';
import type { ServedKey } from '../controllers/application/serving.ts';
import { Sightings } from '../controllers/application/sightings.ts';
import { connectApplicationTriggers } from '../controllers/application/triggers.ts';
import type { FormView, StoreFact } from '../controllers/application/world.ts';
import type { IdentityProof } from '../controllers/identity/proof.ts';
import { isAwaited } from '../controllers/review/awaited.ts';
import type { Controller } from '../runtime/controller.ts';
import { OwnStatus } from '../runtime/ownstatus.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import { openHandle } from '../stores/opening.ts';
import { drivers } from '../stores/registry.ts';
import { findStore } from '../stores/view.ts';
import { hiddenBecause, type Caches } from './cluster.ts';
import { createController, type Parts } from './controllers.ts';
import { sweepForms } from './formsweep.ts';

/** Controllers for the manager, and what follows when leadership begins. */
export type Applications = {
  /** Of the forms. */
  readonly queue: WorkQueue;
  readonly controllers: readonly Controller<never, never>[];
  /** Looks at forms whose objects went while nobody watched, and at those that are held back. Never rejects. */
  readonly sweep: (stop: AbortSignal) => Promise<void>;
};

/** The controller of applications, listening to all that its forms depend on. */
export function createApplications(
  parts: Parts,
  { client, ledger, clock, clusterId, epoch }: ApiKeyDeps,
  proof: IdentityProof,
): Applications {
  const { caches, registry, events, config, documents } = parts;
  const guard = new VanishedGuard(clock, config.acceptVanished ? 'All' : 'Few');
  const deps: Deps = {
    client,
    ledger,
    clock,
    clusterId,
    epoch,
    forms: caches.forms,
    surroundings: surroundingsOf(caches, { ledger, client }),
    proof,
    sightings: new Sightings(),
    overtime: new Overtime(),
    committing: new Set(),
    guard,
    ownStatus: new OwnStatus(),
    quotaUses: (grant, nowMs) => parts.metered.usesOfGrant(grant, nowMs),
    reporter: createReporter(events),
    metrics: createApplicationMetrics(registry),
  };
  const { controller, queue } = createController(parts, applicationSteps(deps));
  connectApplicationTriggers({ ...caches, ...deps, documents, proof }, queue);
  return {
    queue,
    // The manager only starts and stops it; what it works on is nobody's business.
    controllers: [controller as unknown as Controller<never, never>],
    sweep: (stop) => sweepForms({ ...parts, clock, queue, guard }, stop),
  };
}

/** What a form sees, from the caches; only what reviewers decided about its client is in the ledger. */
function surroundingsOf(
  caches: Caches,
  { ledger, client: server }: Pick<ApiKeyDeps, 'ledger' | 'client'>,
): Surroundings {
  const sources = {
    keyStore: (at: Ref) => caches.keyStores.get(at),
    clusterKeyStore: (name: string) => caches.clusterKeyStores.get({ namespace: '', name }),
  };
  const labelsOf = (namespace: string) =>
    caches.namespaces.get({ namespace: '', name: namespace })?.labels;
  const storeOf = (form: FormView): StoreFact => {
    const named = storeNameOf(form);
    const view = findStore(sources, form.ref.namespace, named);
    const problem = view === undefined ? hiddenBecause(caches, named) : undefined;
    if (problem !== undefined) {
      return { type: 'Unusable', name: `${named.kind} '${named.name}'`, problem };
    }
    const handle = view && openHandle(drivers, view.spec);
    return storeFact(named, view, { handle, labels: labelsOf(form.ref.namespace) });
  };
  return {
    store: storeOf,
    async client({ spec, ref: { namespace } }) {
      const name = spec.clientRef?.name;
      const client = name === undefined ? undefined : caches.clients.get({ namespace, name });
      const record = client && (await ledger.loadDocument('Client', client.uid));
      return clientFact(name, client, record);
    },
    products(form) {
      const store = storeOf(form);
      const isAtVendor = store.type !== 'Usable' || store.isAtVendor;
      const from = { store: storeNameOf(form), isAtVendor, labels: labelsOf(form.ref.namespace) };
      const names = productsOf(form.spec.terms);
      return names.map((name) =>
        productFact(name, caches.products.get({ namespace: '', name }), from),
      );
    },
    apiKey: (ref) => servedKey(caches, ref),
    isReviewWaiting: (form) =>
      Array.from(caches.reviews.values()).some((review) =>
        isAwaited(review, form, server.clockSkewMs),
      ),
  };
}

function servedKey(caches: Caches, ref: Ref): ServedKey | undefined {
  const key = caches.keys.get(ref);
  if (key === undefined) return undefined;
  const { uid, resourceVersion, isDeleting, ownerFormUid, specText } = key;
  return {
    uid,
    resourceVersion,
    isDeleting,
    ...(ownerFormUid === undefined ? {} : { ownerFormUid }),
    // Our own text of what the API server sent.
    spec: JSON.parse(specText) as ServedKey['spec'],
  };
}
