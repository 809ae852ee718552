/** Metrics of stores, from the caches while somebody reads them. Only the leader tells them. */
import type { KeyStoreStatus } from '../../api/generated/keystore.ts';
import { labelText, writeGauges, type Exposition, type Family } from '../../kernel/exposition.ts';
import type { Sample } from '../../kernel/exposition.ts';
import type { Cache } from '../../kube/port.ts';
import type { StoreView } from '../../stores/view.ts';

/** More have no series; what is out of order goes first. */
const STORES_MAX = 500;

/** Where the stores are. */
type StoreSeriesOptions = {
  readonly keyStores: Pick<Cache<StoreView>, 'values'>;
  readonly clusterKeyStores: Pick<Cache<StoreView>, 'values'>;
  readonly isLeading: () => boolean;
};

type Told = {
  readonly labels: Readonly<Record<'kind' | 'namespace' | 'name' | 'type', string>>;
  readonly up: 0 | 1;
  readonly reason: string;
};

/** See the file comment. */
export function storeSeries(options: StoreSeriesOptions): Exposition {
  return {
    families: families([]),
    *pieces() {
      if (options.isLeading()) yield* writeGauges(families(storesOf(options)));
    },
  };
}

function storesOf({ keyStores, clusterKeyStores }: StoreSeriesOptions): readonly Told[] {
  const told = [
    ...[...keyStores.values()].map((view) => tell('KeyStore', view)),
    ...[...clusterKeyStores.values()].map((view) => tell('ClusterKeyStore', view)),
  ].filter((each) => each !== undefined);
  return told.toSorted((a, b) => a.up - b.up).slice(0, STORES_MAX);
}

/** Undefined: nobody has looked at it yet, or it is going and is told to answer no more. */
function tell(kind: string, { ref, spec, status, isDeleting }: StoreView): Told | undefined {
  // The operator alone writes the status, in this shape.
  const { conditions = [] } = (status ?? {}) as KeyStoreStatus;
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === 'Unknown' || isDeleting) return undefined;
  const up = ready.status === 'True' ? 1 : 0;
  return { labels: { kind, ...ref, type: spec.type }, up, reason: ready.reason };
}

function families(told: readonly Told[]): readonly Family[] {
  const labels = ['kind', 'namespace', 'name', 'type'];
  return [
    {
      name: 'keyward_store_up',
      help: 'Whether keys can be issued in the store: 1 when it is Ready.',
      labels,
      samples: () => told.map((each): Sample => [labelText(each.labels), each.up]),
    },
    {
      name: 'keyward_store_info',
      help: '1; the reason of condition Ready of the store, for joins.',
      labels: [...labels, 'reason'],
      samples: () =>
        told.map(({ labels: of, reason }): Sample => [labelText({ ...of, reason }), 1]),
    },
  ];
}
