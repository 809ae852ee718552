/** Ended keys that owe vendors something, and a worker to pay. */
import type { DebtMetrics, StoreDebts } from '../../../../src/controllers/debts/metrics.ts';
import { DebtWorker } from '../../../../src/controllers/debts/worker.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import type { KeyRecord, RemoteRecord } from '../../../../src/ledger/record.ts';
import { StoreFailure } from '../../../../src/stores/contract.ts';
import { clusterMark } from '../../../../src/stores/mark.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryLedger } from '../../../support/memory.ts';
import { MemoryVendor } from '../../../support/vendor.ts';
import { aCredential, aRecord } from '../../../support/world.ts';

/** Never aborted. */
export const LIVE = new AbortController().signal;
/** The cluster of all keys here. */
export const CLUSTER = 'cluster-1';

/** The token of a key's only credential: 26 letters, as marks have them. */
export function tokenOf(uid: string): string {
  return uid.replaceAll(/[^a-z]/g, '').padEnd(26, 'a');
}

/** Vendors by the name of their store. */
export class DebtSite {
  readonly clock = new FakeClock();
  readonly ledger = new MemoryLedger();
  readonly vendors = new Map<string, MemoryVendor>();
  readonly told: (readonly StoreDebts[])[] = [];
  readonly failures: string[] = [];
  paid = 0;
  /** What others do at the vendor until a claim has its turn. */
  beforeTurn: () => Promise<void> = async () => undefined;
  worker = this.#worker();

  /** A vendor behind the store of this name. */
  vendor(store: string, driverClass: 'M' | 'D' | 'O' = 'M'): MemoryVendor {
    const made = new MemoryVendor(driverClass, this.clock);
    this.vendors.set(store, made);
    return made;
  }

  /** An ended key whose credential the vendor still has. */
  owe(uid: string, store: string): KeyRecord {
    const made = this.vendors.get(store)?.plant();
    return this.put(uid, store, made === undefined ? {} : { id: made.id });
  }

  /** An ended key with this at its vendor. */
  put(uid: string, store: string, remote: Partial<RemoteRecord>): KeyRecord {
    const credential = aCredential({
      token: tokenOf(uid),
      keyId: `key-${uid}`,
      state: 'Disabled',
      slots: [],
      remote: {
        account: 'account-1',
        facts: {},
        ...(remote.id === undefined ? {} : { enabled: true, name: 'web', description: '' }),
        doomedAtMs: this.clock.nowMs(),
        ...remote,
      },
    });
    const record = aRecord({
      uid,
      name: uid,
      phase: 'Ended',
      revision: 1,
      store: { kind: 'KeyStore', name: store, uid: store, incarnation: 1 },
      credentials: [credential],
    });
    this.ledger.records.set(uid, record);
    return record;
  }

  /** A living key of another store has this from now on. */
  async give(uid: string, remote: Partial<RemoteRecord>): Promise<void> {
    const record = { ...this.put(uid, 'elsewhere', remote), phase: 'Live' as const };
    const audit = { action: 'Test', actor: 'test', atMs: 0, facts: {} };
    await this.ledger.port.commit({ record, expectedRevision: 1, epoch: 1, audit });
  }

  /** The mark that the key's credential bears at a vendor. */
  mark(uid: string) {
    return { cluster: clusterMark(CLUSTER), token: tokenOf(uid), attempt: 1 };
  }

  /** What the ledger says is owed. */
  get owed(): readonly string[] {
    return [...this.ledger.records.values()]
      .filter(({ credentials }) => credentials.length > 0)
      .map(({ uid }) => uid);
  }

  /** Why this key's only credential could not be ended so far. */
  reason(uid: string): string | undefined {
    return this.ledger.records.get(uid)?.credentials[0]?.remote?.endTrouble?.reason;
  }

  /** One round, to its end. */
  async round(): Promise<void> {
    const { paying } = await this.worker.round(LIVE);
    await Promise.all(paying);
  }

  /** Nothing in memory survives. */
  restart(): void {
    this.worker = this.#worker();
  }

  #worker(): DebtWorker {
    const metrics: DebtMetrics = {
      owed: (stores) => this.told.push(stores),
      paid: () => (this.paid += 1),
      failed: (reason) => this.failures.push(reason),
    };
    return new DebtWorker({
      ledger: this.ledger.port,
      clock: this.clock,
      clusterId: CLUSTER,
      epoch: () => 1,
      session: async ({ store }) => {
        const vendor = this.vendors.get(store.name);
        if (vendor === undefined) throw new StoreFailure('Unavailable', { message: 'no store' });
        const account = await vendor.login();
        const prove = async (): Promise<void> => {
          const { id } = await vendor.login();
          if (id !== account.id) throw new StoreFailure('Denied', { message: 'another account' });
        };
        return {
          handle: vendor.handle(),
          account,
          remote: vendor,
          prove,
          exclusively: async (work) => {
            await this.beforeTurn();
            return work();
          },
        };
      },
      metrics,
      log: silentLogger,
    });
  }
}
