/** Everything that can happen next: to people, to time, to the operators, and what goes wrong. */
import { FINALIZER } from '../../src/api/names.ts';
import type { ApiKeySpec } from '../../src/api/generated/apikey.ts';
import type { UsableStore } from '../../src/controllers/apikey/world.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { NOW_MS } from '../support/world.ts';
import {
  setOperator,
  setPass,
  stamp,
  storeKey,
  storeSecret,
  type Model,
  type Operator,
  type Place,
  type Stamp,
} from './model.ts';
import { GRACE_MS, observe, type Lag } from './observe.ts';
import { decide, step } from './operator.ts';

/** What people do, in the order of their script. */
export type Event =
  | {
      readonly type: 'create';
      readonly name: string;
      readonly uid: string;
      readonly spec: ApiKeySpec;
    }
  | { readonly type: 'edit'; readonly name: string; readonly spec: Partial<ApiKeySpec> }
  | { readonly type: 'delete' | 'strip'; readonly name: string }
  | { readonly type: 'removeSecret' | 'tamper'; readonly secret: string };

/** A world to explore. Scripts run beside each other, each in its own order. */
export type Scenario = {
  readonly title: string;
  readonly store: UsableStore;
  /** Stamped: admission adds the finalizer. Bare: the operator must. */
  readonly admission: 'stamped' | 'bare';
  readonly scripts: readonly (readonly Event[])[];
  readonly faults: number;
  /** Lags and leader switches multiply the states; a scenario may do without them. */
  readonly kinds: readonly Fault[];
};

export type Fault = 'crash' | 'lostAnswer' | 'staleKey' | 'staleSecret' | 'newLeader';

/** One possible next state. Protocol: it needs neither a person nor a fault. */
export type Successor = {
  readonly model: Model;
  readonly label: string;
  readonly kind: 'protocol' | 'person' | 'fault';
  /** A change in etcd or the ledger made by an operator. */
  readonly isWrite: boolean;
};

/** Every possible next state. */
export function successors(scenario: Scenario, model: Model): Successor[] {
  return [
    ...people(scenario, model),
    ...surroundings(model),
    ...model.operators.flatMap((_, index) => operate(scenario, model, index)),
    ...(mayChangeLeader(scenario, model) ? [newLeader(model)] : []),
  ];
}

function canFail(scenario: Scenario, model: Model, fault: Fault): boolean {
  return model.faultsLeft > 0 && scenario.kinds.includes(fault);
}

/** Two leaders at a time, never three. */
function mayChangeLeader(scenario: Scenario, model: Model): boolean {
  return model.operators.length === 1 && canFail(scenario, model, 'newLeader');
}

function fail(model: Model): Model {
  return { ...model, faultsLeft: model.faultsLeft - 1 };
}

function people(scenario: Scenario, model: Model): Successor[] {
  return scenario.scripts.flatMap((script, index) => {
    const event = script[model.done[index] ?? 0];
    const next = event && happen(scenario, model, event);
    if (event === undefined || next === undefined) return [];
    const done = model.done.with(index, (model.done[index] ?? 0) + 1);
    const label = `${event.type} ${'name' in event ? event.name : event.secret}`;
    return [{ model: { ...next, done }, label, kind: 'person' as const, isWrite: false }];
  });
}

/** The model after the event, or undefined while it cannot happen. */
function happen(scenario: Scenario, model: Model, event: Event): Model | undefined {
  const [resourceVersion, next] = stamp(model);
  if ('secret' in event) {
    const secret = model.secrets[event.secret];
    if (secret === undefined) return undefined;
    const entries = Object.fromEntries(Object.keys(secret.entries).map((name) => [name, 'forged']));
    const edited = { ...secret, resourceVersion, entries };
    const touched = { ...next, isSecretTouched: true };
    return storeSecret(touched, event.secret, event.type === 'tamper' ? edited : undefined);
  }
  return happenToKey(scenario, next, event, resourceVersion);
}

function happenToKey(
  scenario: Scenario,
  next: Model,
  event: Extract<Event, { name: string }>,
  resourceVersion: Stamp,
): Model | undefined {
  const key = next.keys[event.name];
  if (event.type === 'create') {
    if (key !== undefined) return undefined;
    const finalizers = scenario.admission === 'stamped' ? [FINALIZER] : [];
    const { uid, spec } = event;
    return storeKey(next, event.name, {
      uid,
      resourceVersion,
      isDeleting: false,
      finalizers,
      spec,
    });
  }
  if (key === undefined) return undefined;
  switch (event.type) {
    case 'edit':
      return storeKey(next, event.name, {
        ...key,
        resourceVersion,
        spec: { ...key.spec, ...event.spec },
      });
    case 'delete':
      return storeKey(
        next,
        event.name,
        key.finalizers.length === 0 ? undefined : { ...key, resourceVersion, isDeleting: true },
      );
    case 'strip':
      return key.isDeleting ? storeKey(next, event.name, undefined) : undefined;
  }
}

/** Time passes, and the garbage collector removes Secrets whose owner is gone. */
function surroundings(model: Model): Successor[] {
  const uids = new Set(Object.values(model.keys).map(({ uid }) => uid));
  const orphans = Object.entries(model.secrets).filter(
    ([, { ownerUid }]) => ownerUid !== undefined && !uids.has(ownerUid),
  );
  const collected = orphans.map(([name]) => ({
    model: storeSecret(model, name, undefined),
    label: `collect Secret ${name}`,
    kind: 'protocol' as const,
    isWrite: false,
  }));
  const later = passTime(model);
  const time = { label: 'time passes', kind: 'protocol' as const, isWrite: false };
  return later === undefined ? collected : [...collected, { ...time, model: later }];
}

/** Everything pending becomes due; reconciles under way still have the earlier clock. */
function passTime(model: Model): Model | undefined {
  const records = mapValues(model.records, makeDue);
  if (Object.entries(records).every(([uid, record]) => record === model.records[uid])) {
    return undefined;
  }
  const operators = model.operators.map((operator) => ({
    ...operator,
    passes: mapValues(operator.passes, (pass) => {
      const { record, predecessor } = pass.world;
      const due = {
        record: record && makeDue(record),
        predecessor: predecessor && makeDue(predecessor),
      };
      return { ...pass, world: { ...pass.world, ...due, nowMs: NOW_MS - 1 } };
    }),
  }));
  return { ...model, records, operators };
}

function mapValues<T>(
  table: Readonly<Record<string, T>>,
  change: (value: T) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, change(value)]));
}

/** The same record when nothing in it is pending. */
function makeDue(record: KeyRecord): KeyRecord {
  const isPending = (atMs: number | undefined): boolean => atMs !== undefined && atMs > NOW_MS;
  const missingSinceMs = record.secret?.missingSinceMs;
  const isMissing = missingSinceMs !== undefined && missingSinceMs + GRACE_MS > NOW_MS;
  const isRetiring = record.credentials.some(
    (credential) =>
      isPending(credential.retireAtMs) ||
      credential.slots.some((slot) => isPending(slot.retireAtMs)),
  );
  if (!isMissing && !isRetiring) return record;
  const credentials = record.credentials.map((credential) => ({
    ...credential,
    ...(isPending(credential.retireAtMs) && { retireAtMs: NOW_MS }),
    slots: credential.slots.map((slot) =>
      isPending(slot.retireAtMs) ? { ...slot, retireAtMs: NOW_MS } : slot,
    ),
  }));
  const { secret } = record;
  if (!isMissing || secret === undefined) return { ...record, credentials };
  return { ...record, credentials, secret: { ...secret, missingSinceMs: NOW_MS - GRACE_MS } };
}

/** What one operator does next: go on with each reconcile, or begin one; and how it can break. */
function operate(scenario: Scenario, model: Model, index: number): Successor[] {
  const operator = model.operators[index];
  if (operator === undefined) return [];
  const names = new Set([
    ...Object.keys(model.keys),
    ...Object.keys(model.staleKeys),
    ...Object.values(model.records).map(({ name }) => name),
  ]);
  return [...names].toSorted().flatMap((name) => {
    const at = { operator: index, name };
    if (operator.passes[name] !== undefined) return goOn(scenario, model, at, operator);
    return operator.isLeader ? begin(scenario, model, at) : [];
  });
}

function begin(scenario: Scenario, model: Model, at: Place): Successor[] {
  const who = `${title(model, at)} observes`;
  const fresh = look(scenario, model, at, 'none');
  const found: Successor[] = fresh
    ? [{ model: fresh, label: who, kind: 'protocol', isWrite: false }]
    : [];
  for (const [lag, fault] of [
    ['key', 'staleKey'],
    ['secret', 'staleSecret'],
  ] as const) {
    if (!canFail(scenario, model, fault)) continue;
    const stale = look(scenario, model, at, lag);
    if (stale === undefined) continue;
    found.push({
      model: fail(stale),
      label: `${who} a stale ${lag}`,
      kind: 'fault',
      isWrite: false,
    });
  }
  return found;
}

/** The model with the reconcile begun; undefined when it would find nothing to do. */
function look(scenario: Scenario, model: Model, at: Place, lag: Lag): Model | undefined {
  if (lag === 'key' && model.staleKeys[at.name] === undefined) return undefined;
  const seen = observe(model, at, scenario.store, lag);
  if (seen === undefined || decide(seen.world) === undefined) return undefined;
  return setPass(seen.model, at, { world: seen.world });
}

function goOn(scenario: Scenario, model: Model, at: Place, operator: Operator): Successor[] {
  const next = step(model, at);
  const label = `${title(model, at)} ${next.label}`;
  const isWrite = next.isOutside;
  const found: Successor[] = [{ model: next.model, label, kind: 'protocol', isWrite }];
  if (canFail(scenario, model, 'lostAnswer') && isWrite) {
    const lost = setPass(next.model, at, undefined);
    found.push({ model: fail(lost), label: `${label}, answer lost`, kind: 'fault', isWrite });
  }
  if (canFail(scenario, model, 'crash') && operator.isLeader) {
    found.push(crash(model, at, `${title(model, at)} crashes`));
    if (isWrite) found.push(crash(next.model, at, `${label}, then crashes`));
  }
  return found;
}

/** The process is gone with all it held, and a new one leads at once under the same identity. */
function crash(model: Model, at: Place, label: string): Successor {
  const restarted = setOperator(fail(model), at.operator, { isLeader: true, passes: {}, own: {} });
  return { model: restarted, label, kind: 'fault', isWrite: false };
}

/**
 * Another process takes over. The old leader begins nothing new (its lease time is over), but what
 * it has under way goes on until it ends or the ledger refuses it.
 */
function newLeader(model: Model): Successor {
  const old = model.operators.filter(({ passes }) => Object.keys(passes).length > 0);
  const operators: Operator[] = [
    ...old.map(({ passes }) => ({ isLeader: false, passes, own: {} })),
    { isLeader: true, passes: {}, own: {} },
  ];
  return {
    model: fail({ ...model, operators }),
    label: 'another leader takes over',
    kind: 'fault',
    isWrite: false,
  };
}

function title(model: Model, at: Place): string {
  return `${model.operators[at.operator]?.isLeader === true ? 'leader' : 'old leader'}/${at.name}`;
}
