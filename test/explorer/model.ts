/**
 * What the explorer walks over: a cluster, a ledger and one or two operators as one plain value.
 * States are never changed in place. Minted values are symbols (`uid.sequence.slot.generation`), and
 * time has two instants only: what is pending lies behind NOW_MS, what is due lies at it.
 */
import type { ApiKeySpec } from '../../src/api/generated/apikey.ts';
import type { World } from '../../src/controllers/apikey/world.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';

/** A resource version or UID; numbers are handed out in order and renumbered by `canonical`. */
export type Stamp = `#${number}`;

/** An ApiKey in etcd. */
export type StoredKey = {
  readonly uid: string;
  readonly resourceVersion: Stamp;
  readonly isDeleting: boolean;
  readonly finalizers: readonly string[];
  readonly spec: ApiKeySpec;
};

/** A Secret in etcd. */
export type StoredSecret = {
  readonly uid: Stamp;
  readonly resourceVersion: Stamp;
  readonly ownerUid: string | undefined;
  /** What our MAC on it proves; undefined: somebody else made it. */
  readonly proof: { readonly apiKeyUid: string; readonly sequence: number } | undefined;
  readonly fingerprint: string;
  readonly entries: Readonly<Record<string, string>>;
};

/** One reconcile that is under way. */
export type Pass = {
  readonly world: World;
  /** A Secret that was read and is about to be replaced; null: it was absent. */
  readonly seen?: StoredSecret | null;
};

/** An operator process. */
export type Operator = {
  /** False: it does not know yet that its epoch is over. */
  readonly isLeader: boolean;
  /** By name of the ApiKey. */
  readonly passes: Readonly<Record<string, Pass>>;
  /** Resource versions of Secrets it wrote and has not seen come back; by name. */
  readonly own: Readonly<Record<string, { readonly uid: Stamp; readonly resourceVersion: Stamp }>>;
};

export type Table<T> = Readonly<Record<string, T>>;

export type Model = {
  readonly keys: Table<StoredKey>;
  readonly secrets: Table<StoredSecret>;
  /** What a lagging watch still shows: the version before the last change; null: nothing. */
  readonly staleKeys: Table<StoredKey | null>;
  readonly staleSecrets: Table<StoredSecret | null>;
  /** By UID. */
  readonly records: Table<KeyRecord>;
  /** `uid/requestId` of every rotation request that was spent. */
  readonly spent: readonly string[];
  /** The leader last. */
  readonly operators: readonly Operator[];
  /** How many events of each of the scenario's scripts have happened. */
  readonly done: readonly number[];
  /** A person removed or edited a Secret of ours: its value may be gone, and is then made anew. */
  readonly isSecretTouched: boolean;
  readonly faultsLeft: number;
  readonly stamps: number;
};

/** An ApiKey or a Secret by its name, as it is now. */
export function put<T>(table: Table<T>, name: string, value: T | undefined): Table<T> {
  const { [name]: _, ...others } = table;
  if (value === undefined) return others;
  return Object.fromEntries(
    Object.entries({ ...others, [name]: value }).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The next stamp, and the model that has handed it out. */
export function stamp(model: Model): readonly [Stamp, Model] {
  const stamps = model.stamps + 1;
  return [`#${stamps}`, { ...model, stamps }];
}

/** Replaces an ApiKey in etcd; undefined removes it. The stale view keeps what was there. */
export function storeKey(model: Model, name: string, next: StoredKey | undefined): Model {
  return {
    ...model,
    keys: put(model.keys, name, next),
    staleKeys: put(model.staleKeys, name, model.keys[name] ?? null),
  };
}

/** Replaces a Secret in etcd; undefined removes it. The stale view keeps what was there. */
export function storeSecret(model: Model, name: string, next: StoredSecret | undefined): Model {
  return {
    ...model,
    secrets: put(model.secrets, name, next),
    staleSecrets: put(model.staleSecrets, name, model.secrets[name] ?? null),
  };
}

/** Replaces what one operator holds. */
export function setOperator(model: Model, index: number, operator: Operator): Model {
  return { ...model, operators: model.operators.with(index, operator) };
}

/** Takes an operator whose epoch is over away, with all it held. */
export function endOperator(model: Model, index: number): Model {
  return { ...model, operators: model.operators.toSpliced(index, 1) };
}

/** Replaces or drops one reconcile of an operator. */
export function setPass(model: Model, at: Place, pass: Pass | undefined): Model {
  const operator = model.operators[at.operator];
  if (operator === undefined) return model;
  const passes = put(operator.passes, at.name, pass);
  return setOperator(model, at.operator, { ...operator, passes });
}

/** Which reconcile of which operator. */
export type Place = { readonly operator: number; readonly name: string };
