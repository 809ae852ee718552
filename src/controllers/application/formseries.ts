/** Metrics of forms, from the cache while somebody reads them. Only the leader tells them. */
import { labelText, writeGauges, type Exposition, type Family } from '../../kernel/exposition.ts';
import type { Sample } from '../../kernel/exposition.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { Cache } from '../../kube/port.ts';
import type { CachedForm } from './view.ts';

/** Stores that are named; forms of all others are one sum. */
const STORES_MAX = 50;
const OTHERS = '/(others)';

/** Where the forms are. */
export type FormSeriesOptions = {
  readonly forms: Pick<Cache<CachedForm>, 'values'>;
  readonly isLeading: () => boolean;
};

/** What is known of the forms of one store. */
type StoreForms = {
  readonly store: string;
  readonly states: Map<string, number>;
  /** Of the form that waits longest. */
  oldest: CachedForm['waiting'];
};

/** See the file comment. */
export function formSeries({ forms, isLeading }: FormSeriesOptions): Exposition {
  return {
    families: families([]),
    *pieces() {
      if (isLeading()) yield* writeGauges(families(byStore(forms.values())));
    },
  };
}

function byStore(forms: Iterable<CachedForm>): readonly StoreForms[] {
  const stores = new Map<string, StoreForms>();
  for (const { storeName, state = 'Unknown', waiting } of forms) {
    const isNamed = stores.has(storeName) || stores.size < STORES_MAX;
    const store = isNamed ? storeName : OTHERS;
    const known = stores.get(store) ?? {
      store,
      states: new Map<string, number>(),
      oldest: undefined,
    };
    stores.set(store, known);
    known.states.set(state, (known.states.get(state) ?? 0) + 1);
    if (waiting !== undefined && waiting.sinceMs < (known.oldest?.sinceMs ?? Infinity)) {
      known.oldest = waiting;
    }
  }
  return [...stores.values()];
}

function families(stores: readonly StoreForms[]): readonly Family[] {
  const labels = ['store_kind', 'store'];
  return [
    {
      name: 'keyward_applications',
      help: 'Forms by store and by the state of their newest round.',
      labels: [...labels, 'state'],
      samples: () => counts(stores),
    },
    {
      name: 'keyward_application_oldest_pending_timestamp_seconds',
      help: 'When the form that waits longest for a reviewer of the store was submitted.',
      labels,
      samples: () => oldest(stores, ({ sinceMs }) => sinceMs),
    },
    {
      name: 'keyward_application_oldest_pending_deadline_timestamp_seconds',
      help: 'When that form lapses.',
      labels,
      samples: () => oldest(stores, ({ deadlineMs }) => deadlineMs),
    },
  ];
}

function* counts(stores: readonly StoreForms[]): Iterable<Sample> {
  for (const { store, states } of stores) {
    for (const [state, count] of states) {
      yield [labelText({ ...storeLabels(store), state }), count];
    }
  }
}

function* oldest(
  stores: readonly StoreForms[],
  read: (waiting: NonNullable<CachedForm['waiting']>) => number | undefined,
): Iterable<Sample> {
  for (const { store, oldest: waiting } of stores) {
    const atMs = waiting === undefined ? undefined : read(waiting);
    if (atMs !== undefined) yield [labelText(storeLabels(store)), Math.floor(atMs / SECOND_MS)];
  }
}

function storeLabels(store: string): { readonly store_kind: string; readonly store: string } {
  const slash = store.indexOf('/');
  return { store_kind: store.slice(0, slash), store: store.slice(slash + 1) };
}
