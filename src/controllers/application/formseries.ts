/** Metrics of forms, from the cache while somebody reads them. Only the leader tells them. */
import { labelText, writeGauges, type Exposition, type Family } from '../../kernel/exposition.ts';
import type { Sample } from '../../kernel/exposition.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { Cache } from '../../kube/port.ts';
import type { CachedForm } from './view.ts';

/** Stores that are named, first those with a form that waits; forms of all others are one sum. */
const STORES_MAX = 50;
const OTHERS = '/(others)';

/** Where the forms are. */
type FormSeriesOptions = {
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
    const known = stores.get(storeName) ?? noForms(storeName);
    stores.set(storeName, known);
    add(known, new Map([[state, 1]]), waiting);
  }
  return named([...stores.values()]);
}

/** Anybody can write drafts for stores that do not exist, but no form waits in one. */
function named(stores: readonly StoreForms[]): readonly StoreForms[] {
  if (stores.length <= STORES_MAX) return stores;
  const sorted = stores.toSorted((a, b) => waiters(b) - waiters(a) || total(b) - total(a));
  const others = noForms(OTHERS);
  for (const { states, oldest: waiting } of sorted.slice(STORES_MAX)) add(others, states, waiting);
  return [...sorted.slice(0, STORES_MAX), others];
}

/** 1 where a form waits, else 0. */
function waiters({ oldest: waiting }: StoreForms): number {
  return waiting === undefined ? 0 : 1;
}

function total({ states }: StoreForms): number {
  return [...states.values()].reduce((sum, count) => sum + count, 0);
}

function noForms(store: string): StoreForms {
  return { store, states: new Map(), oldest: undefined };
}

function add(
  to: StoreForms,
  states: ReadonlyMap<string, number>,
  waiting: CachedForm['waiting'],
): void {
  for (const [state, count] of states) to.states.set(state, (to.states.get(state) ?? 0) + count);
  if (waiting !== undefined && waiting.sinceMs < (to.oldest?.sinceMs ?? Infinity)) {
    to.oldest = waiting;
  }
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
