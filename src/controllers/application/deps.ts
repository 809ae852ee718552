/** What the impure steps of the ApiKeyApplication controller are handed. */
import type { Ref, UidRef } from '../../api/meta.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { GrantBinding } from '../../ledger/record.ts';
import type { OwnStatus } from '../../runtime/ownstatus.ts';
import type { ApplicationMetrics } from './metrics.ts';
import type { Overtime } from './overtime.ts';
import type { Reporter } from './report.ts';
import type { ServedKey } from './serving.ts';
import type { Sightings } from './sightings.ts';
import type { CachedForm } from './view.ts';
import type { ClientFact, FormView, ProductFact, SeenStatus, StoreFact } from './world.ts';

/** What else there is in the cluster, as a form sees it; reads caches. */
export type Surroundings = {
  readonly store: (form: FormView) => StoreFact;
  readonly client: (form: FormView) => Promise<ClientFact>;
  /** The products that the form names, in its order. */
  readonly products: (form: FormView) => readonly ProductFact[];
  readonly apiKey: (ref: Ref) => ServedKey | undefined;
  /** Whether a review of the newest round was written before its deadline and is not judged yet. */
  readonly isReviewWaiting: (form: FormRecord) => boolean;
};

/** Whether the admission policies are proven, and if not why. */
type ProofState =
  | { readonly state: 'Proven' }
  | { readonly state: 'NotProven'; readonly reason: string };

/** What is known of the admission policies; times by our clock. */
type Proof = {
  readonly state: ProofState;
  /** Looks, beginning after this call. Never rejects. */
  prove(): Promise<ProofState>;
  covers(fromMs: number, toMs: number): boolean;
  atOurClock(serverMs: number): number;
};

/** Everything the controller works with; made once in `bin`. */
export type Deps = {
  readonly client: KubeClient;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly clusterId: string;
  /** The epoch of our leadership; a commit under an older one is refused. */
  readonly epoch: () => number;
  readonly forms: Cache<CachedForm>;
  readonly surroundings: Surroundings;
  readonly proof: Proof;
  readonly sightings: Sightings;
  readonly overtime: Overtime;
  /** UIDs of forms that this controller is committing: nobody has to tell it of that. */
  readonly committing: Set<string>;
  /** Says when too many forms vanish at once. */
  readonly guard: { permits(gone?: UidRef): boolean; admits(gone: UidRef): boolean };
  readonly ownStatus: OwnStatus<SeenStatus>;
  /** Uses of the round of a form in its current window; undefined: nobody has looked yet. */
  readonly quotaUses: (grant: GrantBinding, nowMs: number) => number | undefined;
  readonly reporter: Reporter;
  readonly metrics: ApplicationMetrics;
};
