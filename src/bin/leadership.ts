/** Who leads: a Lease, or nobody else by assurance of the administrator. */
import type { OperatorConfig } from '../config.ts';
import { systemClock } from '../kernel/clock.ts';
import { LeaderElector } from '../kube/lease.ts';
import type { Ledger } from '../ledger/port.ts';
import type { Leadership } from '../runtime/manager.ts';
import type { Cluster } from './cluster.ts';

/** Name of the Lease in the operator's namespace. */
const LEASE_NAME = 'keyward-operator';

/** Leadership that also tells the epoch that commits carry. */
export type OperatorLeadership = Leadership & {
  /** 0 before leading: every commit is refused. */
  readonly epoch: number;
  /** The epoch is stored in the database. */
  opened(epoch: number): void;
};

/** By Lease, or with `--leader-elect=false` by counting up the stored epoch. */
export function createLeadership(
  config: OperatorConfig,
  cluster: Cluster,
  ledger: Ledger,
): OperatorLeadership {
  let current = 0;
  const lastEpoch = async (): Promise<number> => (await ledger.identity()).epoch;
  const base: Leadership = config.leaderElect
    ? new LeaderElector({
        client: cluster.urgent,
        clock: systemClock,
        log: cluster.log,
        lease: { namespace: config.namespace, name: LEASE_NAME },
        identity: config.identity,
        lastEpoch,
        random: Math.random,
      })
    : { lead: async () => (await lastEpoch()) + 1, stop: () => Promise.resolve() };
  return {
    get epoch() {
      return current;
    },
    opened(epoch) {
      current = epoch;
    },
    lead: (onLost, signal) => base.lead(onLost, signal),
    stop: () => base.stop(),
  };
}
