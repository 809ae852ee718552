/** What a running operator is made of, and its controllers with everything they need. */
import type { KEY_STORES } from '../api/names.ts';
import type { OperatorConfig } from '../config/operator.ts';
import type { Deps } from '../controllers/apikey/deps.ts';
import { RemoteChecks } from '../controllers/apikey/remote/checks.ts';
import { createApiKeyMetrics } from '../controllers/apikey/metrics.ts';
import { OwnSecrets } from '../controllers/apikey/ownsecrets.ts';
import { RestartPacer } from '../controllers/apikey/pacing.ts';
import { OwnStatus } from '../runtime/ownstatus.ts';
import { createReporter } from '../controllers/apikey/report.ts';
import type { RetainedEnds } from '../controllers/apikey/retained.ts';
import { vendorProduct } from '../controllers/apikey/remote/vendorproduct.ts';
import { createStoreResolver } from '../controllers/apikey/store.ts';
import { VanishedGuard } from '../controllers/apikey/vanished.ts';
import { keyStoreSteps, onStoreEdited } from '../controllers/keystore/index.ts';
import type { MeteredKeys } from '../controllers/quotas/metered.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import type { Logger } from '../kernel/log.ts';
import type { Registry } from '../kernel/metrics.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Cache } from '../kube/port.ts';
import type { ClientKeys } from '../ledger/clientkeys.ts';
import type { DocumentBell } from '../ledger/documentbell.ts';
import { usageOf, type UseReads } from '../ledger/gate.ts';
import type { Holds } from '../ledger/holds.ts';
import type { Ledger } from '../ledger/port.ts';
import { Controller } from '../runtime/controller.ts';
import type { RuntimeMetrics } from '../runtime/metrics.ts';
import type { Steps } from '../runtime/pipeline.ts';
import { WorkQueue } from '../runtime/queue.ts';
import { connect } from '../runtime/trigger.ts';
import { openHandle } from '../stores/opening.ts';
import { drivers } from '../stores/registry.ts';
import type { SessionStore, StoreSessions } from '../stores/sessions.ts';
import type { StoreView } from '../stores/view.ts';
import { hiddenBecause, type Caches, type Cluster } from './cluster.ts';
import type { DebtBell, FindStore } from './debts.ts';
import type { OperatorLeadership } from './leadership.ts';
import { createVendors } from './vendors.ts';

/** Everything a running operator is made of. */
export type Parts = {
  readonly config: OperatorConfig;
  readonly log: Logger;
  readonly registry: Registry;
  readonly runtimeMetrics: RuntimeMetrics;
  readonly cluster: Cluster;
  readonly caches: Caches;
  readonly ledger: Ledger;
  readonly leadership: OperatorLeadership;
  /** All queues, to hasten what waits when an outage is over. */
  readonly queues: WorkQueue[];
  /** Hears of each ref that one of them hands out. */
  readonly onHandOut: () => void;
  readonly events: EventRecorder;
  readonly sessions: StoreSessions;
  readonly bell: DebtBell;
  readonly retained: RetainedEnds;
  readonly holds: Holds;
  readonly clientKeys: ClientKeys;
  readonly metered: MeteredKeys;
  readonly documents: DocumentBell;
  /** Those of the stores, to look at one whose health has changed. */
  readonly storeQueues: Map<SessionStore['kind'], WorkQueue>;
};

/** What the ApiKey controller works with. */
export function createDeps(
  parts: Parts,
  {
    uses,
    ...known
  }: Pick<Deps, 'keyring' | 'clusterId' | 'known'> & {
    readonly uses: Pick<UseReads, 'usage'>;
  },
): Deps {
  const { cluster, caches, config, log, registry, ledger, leadership, events, sessions } = parts;
  return {
    ...known,
    client: cluster.ordinary,
    ledger,
    clock: cluster.clock,
    entropy: systemEntropy,
    log,
    holds: parts.holds,
    epoch: () => leadership.epoch,
    keys: caches.keys,
    secrets: caches.secrets,
    vendors: createVendors(sessions, findStore(caches)),
    remoteChecks: new RemoteChecks(
      cluster.clock,
      Math.random,
      config.remoteCheckSeconds * SECOND_MS,
    ),
    stores: createStoreResolver({
      keyStore: (ref) => caches.keyStores.get(ref),
      clusterKeyStore: (name) => caches.clusterKeyStores.get({ namespace: '', name }),
      hiddenBecause: (named) => hiddenBecause(caches, named),
      namespaceLabels: (name) => caches.namespaces.get({ namespace: '', name })?.labels,
      drivers,
    }),
    product: (name, { namespace, ...from }) =>
      vendorProduct(name, caches.products.get({ namespace: '', name }), {
        ...from,
        labels: caches.namespaces.get({ namespace: '', name: namespace })?.labels,
      }),
    ownSecrets: new OwnSecrets(),
    ownStatus: new OwnStatus(),
    lossGraceMs: config.lossGraceSeconds * SECOND_MS,
    debtAfterMs: config.debtAfterSeconds * SECOND_MS,
    guard: new VanishedGuard(cluster.clock, config.acceptVanished ? 'All' : 'Few'),
    quotaUses: (uid, nowMs) => parts.metered.uses(uid, nowMs),
    previousUses: (keyIds) => lastUses(uses, keyIds),
    pacer: new RestartPacer(cluster.clock),
    reporter: createReporter({
      record({ regarding: { namespace, name, ...about }, ...event }) {
        events.record({ ...event, regarding: { ...about, ref: { namespace, name } } });
      },
    }),
    metrics: createApiKeyMetrics(registry),
  };
}

/** When gates last saw these credentials, by keyId; those that were never seen are left out. */
async function lastUses(
  uses: Pick<UseReads, 'usage'>,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const byUid = new Map(keyIds.map((keyId) => [usageOf(keyId), keyId]));
  const used = await uses.usage([...byUid.keys()]);
  return new Map(used.map(({ uid, lastUsedMs }) => [byUid.get(uid) ?? '', lastUsedMs]));
}

/** Finds the store object of a binding in the caches. */
export function findStore({ keyStores, clusterKeyStores }: Caches): FindStore {
  return ({ kind, name, namespace }) =>
    kind === 'KeyStore'
      ? keyStores.get({ namespace, name })
      : clusterKeyStores.get({ namespace: '', name });
}

/** A controller with a queue of its own. */
export function createController<World, Action>(
  parts: Parts,
  steps: Steps<World, Action>,
): { readonly controller: Controller<World, Action>; readonly queue: WorkQueue } {
  const { runtimeMetrics: metrics, log, config } = parts;
  const { clock } = parts.cluster;
  const queue = new WorkQueue({
    name: steps.name,
    clock,
    random: Math.random,
    metrics,
    onHandOut: parts.onHandOut,
  });
  parts.queues.push(queue);
  const { workers } = config;
  const controller = new Controller({ steps, queue, clock, log, metrics, workers });
  return { controller, queue };
}

/** The controller of one of the two kinds of stores, listening to its cache. */
export function createStoreController(
  parts: Parts,
  deps: Deps,
  resource: typeof KEY_STORES,
  stores: Cache<StoreView>,
): { readonly controller: Controller<never, never> } {
  const { ledger, clock, client, clusterId, epoch } = deps;
  const open = (view: StoreView) => openHandle(drivers, view.spec);
  const { sessions, events } = parts;
  const steps = keyStoreSteps({
    resource,
    stores,
    client,
    ledger,
    clock,
    clusterId,
    epoch,
    open,
    sessions,
    events,
    isEphemeral: parts.config.databaseEphemeral,
    refreshMs: parts.config.storeRereadSeconds * SECOND_MS,
    debtsHoldMs: parts.config.debtAfterSeconds * SECOND_MS,
  });
  const { controller, queue } = createController(parts, steps);
  parts.storeQueues.set(resource.namespaced ? 'KeyStore' : 'ClusterKeyStore', queue);
  connect(stores, onStoreEdited, queue);
  // The manager only starts and stops it; what it works on is nobody's business.
  return { controller: controller as unknown as Controller<never, never> };
}
