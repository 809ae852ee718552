/** What an operator shows of itself: metrics beside those of its parts, and its probes. */
import { gaugeBuild } from './buildinfo.ts';
import type { Parts } from './controllers.ts';
import type { DatabaseMeter } from './databasemeter.ts';
import { keySeries } from '../controllers/apikey/keyseries.ts';
import { formSeries } from '../controllers/application/formseries.ts';
import { storeSeries } from '../controllers/keystore/storeseries.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Exposition } from '../kernel/exposition.ts';
import { Gauge } from '../kernel/metrics.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { Manager } from '../runtime/manager.ts';
import { serveProbes, type Probes } from '../runtime/probes.ts';
import { delegatedAdmission } from '../runtime/scrapeauth.ts';
import { LEASE_NAME } from './leadership.ts';

type Watched = Pick<Parts, 'config' | 'registry' | 'cluster' | 'caches' | 'leadership'> & {
  readonly database: DatabaseMeter;
  /** What the account may not do, ready to follow a reason. */
  readonly lackingRights: () => string;
};

/** Serves probes and metrics of an operator. Rejects with Terminal AddressUnavailable. */
export async function serveMonitoring(manager: Manager, parts: Watched): Promise<Probes> {
  const { registry, cluster, config, database, lackingRights } = parts;
  const failing = (): string | undefined => {
    const reason = manager.notReadyBecause;
    return reason === undefined ? undefined : `${reason}${lackingRights()}`;
  };
  gaugeBuild(registry, 'operator');
  gaugeStanding(parts);
  return serveProbes({
    address: config.metricsAddress,
    registry,
    expositions: expositions(parts),
    ...(config.metricsAuth === 'none'
      ? {}
      : { admit: delegatedAdmission(cluster.ordinary, systemClock) }),
    live: [],
    ready: [
      { name: 'operator', failing },
      { name: 'database', failing: database.trouble },
    ],
  });
}

function expositions({ caches, config, leadership }: Watched): readonly Exposition[] {
  const { keys, forms, keyStores, clusterKeyStores } = caches;
  const isLeading = (): boolean => leadership.isHeld;
  return [
    keySeries({ keys, isLeading, objectsMax: config.metricsObjects }),
    formSeries({ forms, isLeading }),
    storeSeries({ keyStores, clusterKeyStores, isLeading }),
  ];
}

function gaugeStanding({ registry, cluster, leadership }: Watched): void {
  const registers = [registry];
  new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this replica leads, by name of the Lease.',
    labelNames: ['name'] as const,
    registers,
    collect() {
      this.set({ name: LEASE_NAME }, leadership.isHeld ? 1 : 0);
    },
  });
  new Gauge({
    name: 'keyward_clock_skew_seconds',
    help: "How far the peer's clock is ahead of ours; differences up to a second are not seen.",
    labelNames: ['peer'] as const,
    registers,
    collect() {
      this.set({ peer: 'apiserver' }, cluster.clock.machineSkewMs / SECOND_MS);
    },
  });
}
