/**
 * Metrics of ApiKeys, from the cache while somebody reads them: a deleted key has none. Only the leader
 * tells them, so that sums over replicas are right.
 */
import type { Ref } from '../../api/meta.ts';
import { labelText, writeGauges, type Exposition, type Family } from '../../kernel/exposition.ts';
import type { Sample } from '../../kernel/exposition.ts';
import type { Cache } from '../../kube/port.ts';
import { keyFacts, KEY_STATES, type KeyFacts } from './keyfacts.ts';
import type { CachedApiKey } from './view.ts';

/** Stores that are named; keys of all others are one sum. */
const STORES_MAX = 50;
/** Statuses that are parsed between two pauses: about a millisecond. */
const PARSED_MAX = 128;
const CONDITIONS = ['True', 'False', 'Unknown'] as const;
/** Later than any date, for sorting. */
const NEVER_S = Number.MAX_SAFE_INTEGER;

/** Where the keys are, and how many may have series of their own. */
type KeySeriesOptions = {
  readonly keys: Pick<Cache<CachedApiKey>, 'values'>;
  /** 0: none has; keys are counted all the same. */
  readonly objectsMax: number;
  readonly isLeading: () => boolean;
};

type Told = { readonly ref: Ref; readonly labels: string; readonly facts: KeyFacts };

/** See the file comment. Remembers what it read of a record for as long as the cache keeps that. */
export function keySeries({ keys, objectsMax, isLeading }: KeySeriesOptions): Exposition {
  const known = new WeakMap<CachedApiKey, KeyFacts>();
  function* pieces(): Iterable<string> {
    if (!isLeading()) return;
    // The cache may change during the pauses.
    const records = [...keys.values()];
    const all: KeyFacts[] = [];
    let parsed = 0;
    for (const record of records) {
      let facts = known.get(record);
      if (facts === undefined) {
        known.set(record, (facts = keyFacts(record)));
        parsed += 1;
        if (parsed % PARSED_MAX === 0) yield '';
      }
      all.push(facts);
    }
    const told = foremost(records, all, objectsMax);
    yield* writeGauges(families(all, told));
  }
  return { families: families([], []), pieces };
}

/** Those with series of their own: where there are too many, first what is not Ready, then what ends first. */
function foremost(
  records: readonly CachedApiKey[],
  all: readonly KeyFacts[],
  objectsMax: number,
): readonly Told[] {
  if (objectsMax === 0) return [];
  let chosen = records.map((record, at) => ({
    ref: record.ref,
    facts: all[at] ?? keyFacts(record),
  }));
  if (chosen.length > objectsMax) {
    chosen = chosen.toSorted((a, b) => urgency(a.facts) - urgency(b.facts)).slice(0, objectsMax);
  }
  return chosen.map((each) => ({ ...each, labels: labelText(each.ref) }));
}

function urgency({ condition, expirationS, rotationDueS }: KeyFacts): number {
  if (condition !== 'True') return 0;
  return Math.min(expirationS ?? NEVER_S, rotationDueS ?? NEVER_S);
}

function families(all: readonly KeyFacts[], told: readonly Told[]): readonly Family[] {
  const object = ['namespace', 'name'];
  const time = (
    name: string,
    help: string,
    read: (facts: KeyFacts) => number | undefined,
  ): Family => ({
    name: `keyward_key_${name}_timestamp_seconds`,
    help,
    labels: object,
    samples: () => timesOf(told, read),
  });
  return [
    {
      name: 'keyward_keys',
      help: 'ApiKeys by store and state; Active: values exist and work.',
      labels: ['store_kind', 'store', 'state'],
      samples: () => counts(all),
    },
    {
      name: 'keyward_key_series_omitted',
      help: 'ApiKeys that have no series of their own because of the limit.',
      labels: [],
      samples: () => [['', all.length - told.length]],
    },
    {
      name: 'keyward_key_ready_status',
      help: '1 for the status that condition Ready of the ApiKey has.',
      labels: [...object, 'condition'],
      samples: () => readyOf(told),
    },
    {
      name: 'keyward_key_info',
      help: '1; what is known of the ApiKey, for joins.',
      labels: [...object, 'store_kind', 'store', 'state', 'reason'],
      samples: () => infoOf(told),
    },
    time('expiration', 'When the key stops working.', (facts) => facts.expirationS),
    time('expiration_notice', 'Since when people are warned of the end of the key.', (facts) => {
      return facts.noticeS;
    }),
    time('rotation_due', 'When the values are to be replaced.', (facts) => facts.rotationDueS),
    time('previous_retire', 'Until when the former values work, during an overlap.', (facts) => {
      return facts.previousRetireS;
    }),
  ];
}

function* counts(all: readonly KeyFacts[]): Iterable<Sample> {
  const byStore = new Map<string, Map<string, number>>();
  for (const { store, state } of all) {
    const states = byStore.get(store) ?? new Map<string, number>();
    byStore.set(store, states.set(state, (states.get(state) ?? 0) + 1));
  }
  const total = (states: ReadonlyMap<string, number>) =>
    [...states.values()].reduce((sum, count) => sum + count, 0);
  const sorted = [...byStore].toSorted(([, a], [, b]) => total(b) - total(a));
  const others = new Map<string, number>();
  for (const [, states] of sorted.slice(STORES_MAX)) {
    for (const [state, count] of states) others.set(state, (others.get(state) ?? 0) + count);
  }
  const named = sorted.slice(0, STORES_MAX);
  for (const [store, states] of others.size === 0
    ? named
    : [...named, ['/(others)', others] as const]) {
    for (const state of KEY_STATES) {
      yield [labelText({ ...storeLabels(store), state }), states.get(state) ?? 0];
    }
  }
}

function* readyOf(told: readonly Told[]): Iterable<Sample> {
  for (const { labels, facts } of told) {
    for (const condition of CONDITIONS) {
      const value = facts.condition === condition ? 1 : 0;
      yield [`${labels.slice(0, -1)},condition="${condition}"}`, value];
    }
  }
}

function* infoOf(told: readonly Told[]): Iterable<Sample> {
  for (const { ref, facts } of told) {
    const { store, state, reason } = facts;
    yield [labelText({ ...ref, ...storeLabels(store), state, reason }), 1];
  }
}

function* timesOf(
  told: readonly Told[],
  read: (facts: KeyFacts) => number | undefined,
): Iterable<Sample> {
  for (const { labels, facts } of told) {
    const time = read(facts);
    if (time !== undefined) yield [labels, time];
  }
}

function storeLabels(store: string): { readonly store_kind: string; readonly store: string } {
  const slash = store.indexOf('/');
  return { store_kind: store.slice(0, slash), store: store.slice(slash + 1) };
}
