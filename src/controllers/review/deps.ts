/** Everything the review controller works with, handed in by whoever composes the operator. */
import type { Ref } from '../../api/meta.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import type { HeldState } from '../../ledger/documents.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { StoreName, StoreView } from '../../stores/view.ts';
import type { ReviewMetrics } from './metrics.ts';
import type { CachedReview } from './view.ts';
import type { ClientSight, KeySight, TargetSight } from './world.ts';

/** What can be decided about, and where; all from caches. */
export type Sights = {
  readonly form: (ref: Ref) => TargetSight | undefined;
  readonly key: (ref: Ref) => KeySight | undefined;
  readonly client: (ref: Ref) => ClientSight | undefined;
  /** As seen from a namespace. */
  readonly store: (namespace: string, named: StoreName) => StoreView | undefined;
  /** Stores that serve the namespace and take only reviewed clients. */
  readonly clientStores: (namespace: string) => readonly NamedStore[];
};

/** A store with its kind, which the object itself does not say. */
export type NamedStore = { readonly kind: StoreName['kind']; readonly view: StoreView };

/** What is known of the admission policies; times by our clock. */
type Proof = {
  /** Looks, beginning after this call. Never rejects. */
  prove(): Promise<
    { readonly state: 'Proven' } | { readonly state: 'NotProven'; readonly reason: string }
  >;
  covers(fromMs: number, toMs: number): boolean;
  atOurClock(serverMs: number): number;
};

/** See the file comment. */
export type Deps = {
  readonly reviews: Pick<Cache<CachedReview>, 'get'>;
  readonly sights: Sights;
  readonly client: Pick<KubeClient, 'get' | 'ask' | 'replaceStatus' | 'clockSkewMs'>;
  readonly ledger: Pick<Ledger, 'load' | 'loadDocument' | 'findDocument' | 'commitDocuments'>;
  /** What reviewers imposed on a key, also as an earlier object of its name. */
  readonly imposedOn: (uid: string, at: Ref) => HeldState | undefined;
  readonly epoch: () => number;
  readonly clusterId: string;
  readonly proof: Proof;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly metrics: ReviewMetrics;
};
