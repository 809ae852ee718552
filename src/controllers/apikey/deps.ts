/** What the impure steps of the ApiKey controller are handed. */
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Entropy } from '../../kernel/entropy.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Keyring } from '../../keys/keyring.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import type { KnownNames } from '../../ledger/knownnames.ts';
import type { Holds } from '../../ledger/holds.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { StoreBinding } from '../../ledger/record.ts';
import type { Account, RemoteHandle, RemoteStore } from '../../stores/contract.ts';
import type { Turn } from '../../stores/limits.ts';
import type { OwnSecrets } from './ownsecrets.ts';
import type { OwnStatus } from '../../runtime/ownstatus.ts';
import type { ApiKeyMetrics } from './metrics.ts';
import type { RestartPacer } from './pacing.ts';
import type { Reporter } from './report.ts';
import type { ProductSeeker, VendorProduct } from './remote/vendorproduct.ts';
import type { RemoteChecks } from './remote/checks.ts';
import type { StoreResolver } from './store.ts';
import type { VanishedGuard } from './vanished.ts';
import type { CachedApiKey, SecretView } from './view.ts';

/** The way to the vendors' accounts. */
export interface Vendors {
  /**
   * The store, logged in to. @throws KeywardError Waiting or Transient, saying what is wrong with the
   * store and what to do about it
   */
  session(
    store: StoreBinding & { readonly namespace: string },
    handle: RemoteHandle,
    signal: AbortSignal,
    /** When its requests have their turn in the line of the account. */
    turn?: Turn,
  ): Promise<VendorSession>;
}

/** A store that can be called; good for one pass. */
export type VendorSession = {
  readonly account: Account;
  readonly remote: RemoteStore;
  /** Logs in once more: what a vendor says not to know is believed only then. */
  prove(signal: AbortSignal): Promise<void>;
  /** One at a time at this vendor. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
};

/** Everything the controller works with; made once in `bin`. */
export type Deps = {
  readonly client: KubeClient;
  readonly ledger: Ledger;
  /** Names that `ledger` may hold. */
  readonly known: Pick<KnownNames, 'mayHold'>;
  /** What reviewers decided about single keys. */
  readonly holds: Pick<Holds, 'imposedOn'>;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly clusterId: string;
  /** The epoch of our leadership; a commit under an older one is refused. */
  readonly epoch: () => number;
  readonly keys: Cache<CachedApiKey>;
  /** Undefined: Secrets are not watched (`--secret-watch=none`). */
  readonly secrets: Cache<SecretView> | undefined;
  readonly stores: StoreResolver;
  readonly vendors: Vendors;
  /** A product by its name, as it looks from a key. */
  readonly product: (
    name: string,
    from: Omit<ProductSeeker, 'labels'> & { readonly namespace: string },
  ) => VendorProduct;
  readonly remoteChecks: RemoteChecks;
  readonly ownSecrets: OwnSecrets;
  readonly ownStatus: OwnStatus<ApiKeyStatus>;
  /** How long a missing Secret is waited for before it counts as lost. */
  readonly lossGraceMs: number;
  /** A vendor that does not answer holds up the deletion of a key so long; then it is a debt. */
  readonly debtAfterMs: number;
  readonly guard: VanishedGuard;
  /** Uses of the key of this UID in its current window; undefined: nobody has looked yet. */
  readonly quotaUses: (uid: string, nowMs: number) => number | undefined;
  /** When gates last saw credentials that retire, by keyId. @throws as the ledger */
  readonly previousUses: (keyIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  readonly pacer: RestartPacer;
  readonly reporter: Reporter;
  readonly metrics: ApiKeyMetrics;
};
