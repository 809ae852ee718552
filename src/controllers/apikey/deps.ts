/** What the impure steps of the ApiKey controller are handed. */
import type { Clock } from '../../kernel/clock.ts';
import type { Entropy } from '../../kernel/entropy.ts';
import type { Logger } from '../../kernel/log.ts';
import type { ApiKeyView, StoreFact } from './world.ts';
import type { Keyring } from '../../keys/keyring.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import type { KnownNames } from '../../ledger/known.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { StoreBinding } from '../../ledger/record.ts';
import type { StoreHandle } from '../../stores/contract.ts';
import type { OwnSecrets } from './ownsecrets.ts';
import type { OwnStatus } from './ownstatus.ts';
import type { ApiKeyMetrics } from './metrics.ts';
import type { Reporter } from './report.ts';
import type { VanishedGuard } from './vanished.ts';
import type { CachedApiKey, SecretView } from './view.ts';

/** The store a key names, and the driver's handle when it can be used. */
export type ResolvedStore = { readonly fact: StoreFact; readonly handle: StoreHandle | undefined };

/** Everything the controller works with; made once in `bin`. */
export type Deps = {
  readonly client: KubeClient;
  readonly ledger: Ledger;
  /** Names that `ledger` may hold. */
  readonly known: Pick<KnownNames, 'mayHold'>;
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
  /** The store a key is bound to, else the one its spec names; from the caches. */
  readonly store: (key: ApiKeyView, bound?: StoreBinding) => ResolvedStore;
  readonly ownSecrets: OwnSecrets;
  readonly ownStatus: OwnStatus;
  /** How long a missing Secret is waited for before it counts as lost. */
  readonly lossGraceMs: number;
  readonly guard: VanishedGuard;
  readonly reporter: Reporter;
  readonly metrics: ApiKeyMetrics;
};
