/** Composition root of the operator: creates, connects, starts. */
import { hostname } from 'node:os';
import { CLUSTER_KEY_STORES, KEY_STORES, NAMESPACES } from '../api/names.ts';
import type { Flags } from '../config/layers.ts';
import { loadSettings } from '../config/load.ts';
import { operatorConfig, type OperatorConfig } from '../config/operator.ts';
import type { Deps } from '../controllers/apikey/deps.ts';
import { apiKeySteps } from '../controllers/apikey/index.ts';
import { MeteredKeys } from '../controllers/quotas/metered.ts';
import { RetainedEnds } from '../controllers/apikey/retained.ts';
import { connectDocumentTriggers } from '../controllers/apikey/documenttriggers.ts';
import { connectApiKeyTriggers } from '../controllers/apikey/triggers.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import { createLogger, type Logger } from '../kernel/log.ts';
import { createRegistry, type Registry } from '../kernel/metrics.ts';
import { createEventMetrics, LimitedEventRecorder, type EventRecorder } from '../kube/events.ts';
import { ClientKeys } from '../ledger/clientkeys.ts';
import { DocumentBell } from '../ledger/documentbell.ts';
import { Holds } from '../ledger/holds.ts';
import type { UseReads } from '../ledger/gate.ts';
import { KnownNames } from '../ledger/knownnames.ts';
import { openLedger } from '../ledger/open.ts';
import type { Ledger } from '../ledger/port.ts';
import { isBacklogged } from '../runtime/backlog.ts';
import { coalesceTurns } from '../runtime/coalescing.ts';
import { Manager } from '../runtime/manager.ts';
import { Recovery } from '../runtime/recovery.ts';
import { RuntimeMetrics } from '../runtime/metrics.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import { createApplications } from './applications.ts';
import { serveCommands } from './servingcommands.ts';
import { collectInOnePiece, compactWhenIdle, cutSmallSlabs } from './compaction.ts';
import {
  createController,
  createDeps,
  createStoreController,
  findStore,
  type Parts,
} from './controllers.ts';
import { createCaches, openCluster, type Cluster } from './cluster.ts';
import { DebtBell, startDebts } from './debts.ts';
import { createPolicyProver } from './identity.ts';
import { watchLedger } from './outages.ts';
import { createLeadership } from './leadership.ts';
import { createDatabaseMeter, sqliteFile, type DatabaseMeter } from './databasemeter.ts';
import { createMasterKeyFile, loadKeyring, matchKeyring } from './masterkey.ts';
import { serveMonitoring } from './monitoring.ts';
import { startNotices } from './notices.ts';
import { startOrphanSweep } from './orphans.ts';
import { startQuotas } from './quotas.ts';
import { createDecisions } from './reviews.ts';
import { sweepStores } from './storesweep.ts';
import { startRightsCheck } from './rightscheck.ts';
import { startSweep } from './sweep.ts';
import { createSessions } from './vendors.ts';
import { waitedCaches } from './waitedcaches.ts';

/** Runs the operator until `stop` is aborted. Rejects when it cannot start or lost its leadership. */
export async function runOperator(flags: Flags, stop: AbortSignal): Promise<void> {
  const config = operatorConfig(await loadSettings('operator', flags), hostname());
  const log = createLogger(config.logLevel);
  const registry = createRegistry();
  if (config.masterKey === 'CreateIfMissing') await ensureMasterKey(config, log);
  const keyring = await loadKeyring(config.ledger.masterKeyFile);
  const queues: WorkQueue[] = [];
  const recovery = new Recovery(systemClock, () => {
    for (const queue of queues) queue.hastenRetries();
  });
  const meter = createDatabaseMeter(registry, await sqliteFile(config.ledger.database));
  const opened = await openWatched({ config, queues, recovery, log, meter });
  const { known, uses, ...remembered } = opened;
  const { ledger } = remembered;
  try {
    meter.opened((await ledger.identity()).schemaVersion);
    await matchKeyring(ledger, keyring, log);
    const reached = await openCluster(config.cluster, registry, log, recovery);
    const leadership = createLeadership(config, reached, ledger);
    const cluster = { ...reached, ordinary: leadership.gate.guard(reached.ordinary) };
    const caches = createCaches(cluster, config);
    const lackingRights = startRightsCheck({ client: cluster.ordinary, config, log, signal: stop });
    const runtimeMetrics = new RuntimeMetrics(registry);
    const storeQueues: Parts['storeQueues'] = new Map();
    const sessions = await createSessions({
      config,
      client: cluster.ordinary,
      ledger,
      epoch: () => leadership.epoch,
      isLeading: () => leadership.isHeld,
      keyring,
      registry,
      onHealth: ({ kind, ref }) => storeQueues.get(kind)?.add(ref, 'normal'),
    });
    const parts = {
      config,
      log,
      registry,
      runtimeMetrics,
      cluster,
      caches,
      ...remembered,
      leadership,
      queues,
      onHandOut: coalesceTurns(() => isBacklogged(queues, config.workers)),
      events: createRecorder(config, cluster, registry, log),
      sessions,
      storeQueues,
    };
    const clusterId = await identifyCluster(cluster, ledger);
    const deps = createDeps(parts, { keyring, clusterId, known, uses });
    try {
      await manage({ ...parts, uses, meter, lackingRights }, deps, stop);
    } finally {
      cluster.transport.close();
    }
  } finally {
    await ledger.close();
  }
}

/** The ledger, with everybody who must hear of its commits and its failures. */
async function openWatched(
  parts: Pick<Parts, 'config' | 'queues' | 'log'> & {
    readonly recovery: Recovery;
    readonly meter: DatabaseMeter;
  },
): Promise<
  Pick<Parts, 'ledger' | 'bell' | 'retained' | 'holds' | 'clientKeys' | 'metered' | 'documents'> & {
    readonly known: KnownNames;
    readonly uses: UseReads;
  }
> {
  const { config, queues, recovery, log, meter } = parts;
  const opened = await openLedger({
    url: config.ledger.database,
    missing: 'Create',
    isBacklogged: () => isBacklogged(queues, config.workers),
    ...(config.crashAtCommit === undefined ? {} : { crashAt: config.crashAtCommit }),
  });
  const known = new KnownNames();
  const bell = new DebtBell();
  const onEnd = (failure: KeywardError) => endAtOnce(log, failure);
  const watched = watchLedger(opened, { recovery, meter, onEnd });
  const retained = new RetainedEnds();
  const holds = new Holds();
  const clientKeys = new ClientKeys();
  const metered = new MeteredKeys();
  const documents = new DocumentBell();
  // Outermost, so that who is woken finds what the others have noted.
  const remembered = documents.watch(
    metered.watch(clientKeys.watch(holds.watch(known.watch(watched)))),
  );
  const ledger = bell.watch(retained.watch(remembered));
  return { ledger, uses: opened, known, bell, retained, holds, clientKeys, metered, documents };
}

/** What probes and metrics tell beside the parts of controllers. */
type Observed = Parts & {
  readonly meter: DatabaseMeter;
  readonly lackingRights: () => string;
};

async function manage(
  parts: Observed & { readonly uses: UseReads },
  deps: Deps,
  stop: AbortSignal,
): Promise<void> {
  const { caches, config, leadership, log, registry } = parts;
  const apiKeys = createController(parts, apiKeySteps(deps));
  connectApiKeyTriggers({ ...caches, ...deps }, apiKeys.queue);
  connectDocumentTriggers({ ...deps, ...parts, keys: caches.keys }, apiKeys.queue);
  const stores = [
    createStoreController(parts, deps, KEY_STORES, caches.keyStores),
    createStoreController(parts, deps, CLUSTER_KEY_STORES, caches.clusterKeyStores),
  ];
  const prover = createPolicyProver({ deps, registry, namespace: config.namespace });
  const applications = createApplications(parts, deps, prover);
  const reviewed = [createDecisions(parts, deps, prover), applications];
  const manager = new Manager({
    watches: caches.watches,
    caches: waitedCaches(caches, config),
    leadership,
    controllers: [
      ...[apiKeys, ...stores].map(({ controller }) => controller),
      ...reviewed.flatMap(({ controllers }) => controllers),
    ],
    onLeading: async (epoch) => {
      await leadership.open(epoch, stop);
      await parts.holds.load(parts.ledger);
      const find = findStore(caches);
      const { database } = config.ledger;
      void serveCommands({ ...parts, ...apiKeys, database, deps, find, stop });
      void prover.run(stop);
      for (const { sweep } of reviewed) void sweep(stop);
      void sweepStores(parts, stop);
      startDebts({ ...parts, deps, find, stop });
      startQuotas({ ...parts, queues: { keys: apiKeys.queue, forms: applications.queue }, stop });
      startOrphanSweep({ ...parts, deps, stop });
      await startNotices({ ...parts, deps, webhook: config.webhook, stop });
      startSweep({
        deps,
        retained: parts.retained,
        log,
        stop,
        queue: apiKeys.queue,
        isWatched: caches.isWatched,
        relist: () => caches.relistKeys(stop),
      });
    },
    clock: systemClock,
    log,
  });
  await runProbed(manager, parts, stop);
}

/** Runs the manager, with its probes on a port of their own. */
async function runProbed(manager: Manager, parts: Observed, stop: AbortSignal): Promise<void> {
  const { config, log, runtimeMetrics } = parts;
  const probes = await serveMonitoring(manager, { ...parts, database: parts.meter });
  collectInOnePiece();
  cutSmallSlabs();
  const endCompaction = compactWhenIdle(systemClock, collector(), () => runtimeMetrics.finished);
  log.info('operator started', { metrics: probes.address, identity: config.identity });
  try {
    await manager.run(stop);
    log.info('operator stopped');
  } finally {
    endCompaction();
    await probes.close();
  }
}

function createRecorder(
  config: OperatorConfig,
  cluster: Cluster,
  registry: Registry,
  log: Logger,
): EventRecorder {
  return new LimitedEventRecorder({
    client: cluster.ordinary,
    clock: cluster.clock,
    log,
    instance: config.identity,
    onDrop: createEventMetrics(registry),
  });
}

/** V8's collector, where the program was started with `--expose-gc`. */
function collector(): Parameters<typeof compactWhenIdle>[1] {
  const { gc } = globalThis;
  return gc === undefined
    ? undefined
    : (options) => {
        gc(options);
      };
}

/** Nothing may be written any more, so nothing is wound up either; the next start looks anew. */
function endAtOnce(log: Logger, { reason, message }: KeywardError): never {
  if (reason === 'Fenced') {
    log.error('A newer leader has taken over the database; this process ends at once');
  } else {
    log.error('The database cannot be used any more; this process ends at once', {
      reason,
      message,
    });
  }
  process.exit(1);
}

/** The UID of kube-system: as good as an identity of the cluster as there is one. */
async function identifyCluster(cluster: Cluster, ledger: Ledger): Promise<string> {
  const { clusterId } = await ledger.identity();
  const system = await cluster.ordinary.get(NAMESPACES, { namespace: '', name: 'kube-system' });
  const found = system?.metadata.uid;
  if (found === undefined) {
    throw new KeywardError('Terminal', {
      reason: 'ClusterUnidentified',
      message: 'namespace kube-system does not exist, so the cluster cannot be told from others',
    });
  }
  if (clusterId !== undefined && clusterId !== found) {
    throw new KeywardError('Terminal', {
      reason: 'ForeignDatabase',
      message:
        'the database belongs to another cluster; give this one a database of its own, or if that one was rebuilt as this, run: keyward restore --rebind',
    });
  }
  await ledger.adoptCluster(found);
  return found;
}

async function ensureMasterKey(config: OperatorConfig, log: Logger): Promise<void> {
  const isNew = await createMasterKeyFile(config.ledger.masterKeyFile, systemEntropy);
  if (!isNew) return;
  log.warn('Made a new master key file; keep a copy of it, without it no key can be verified', {
    file: config.ledger.masterKeyFile,
  });
}
