/**
 * One short text per state up to renaming: versions and UIDs are only ever compared for equality, so
 * they are numbered in the order in which they appear, and two runs that differ in how many writes
 * came before, or in which order they touched different objects, are one state.
 */
import type { KeyRecord } from '../../src/ledger/record.ts';
import type { Model, Operator, Table } from './model.ts';

/** A value with its stamps taken out: the number of its shape, and the stamps in order. */
type Fragment = { readonly shape: number; readonly stamps: readonly string[] };

/** What a search can still see of the past: lagging watches show it, and only faults let them lag. */
export type Sights = { readonly keys: boolean; readonly secrets: boolean };

/** Numbers of shapes; one per search, because the texts are comparable only within it. */
export class Canonical {
  readonly #sights: Sights;
  readonly #shapes = new Map<string, number>();
  /** States share most of their parts, so each part is read once. */
  readonly #fragments = new WeakMap<object, Fragment>();

  constructor(sights: Sights) {
    this.#sights = sights;
  }

  /** Equal exactly for states from which the same can happen. */
  text(model: Model): string {
    const mayLagKey = model.faultsLeft > 0 && this.#sights.keys;
    const mayLagSecret = model.faultsLeft > 0 && this.#sights.secrets;
    const parts = [
      ...this.#table(model.keys),
      ...this.#table(model.secrets),
      ...this.#table(model.records),
      ...(mayLagKey ? this.#table(model.staleKeys) : []),
      ...(mayLagSecret ? this.#table(model.staleSecrets) : []),
      ...model.operators.flatMap((operator) => this.#operator(model, operator, mayLagSecret)),
    ];
    const names = new Map<string, number>();
    const number = (stamp: string): number => {
      const known = names.get(stamp) ?? names.size;
      names.set(stamp, known);
      return known;
    };
    const texts = parts.map((part) =>
      typeof part === 'string'
        ? part
        : part.stamps.reduce((text, stamp) => `${text}.${number(stamp)}`, String(part.shape)),
    );
    const rest = [model.spent.join(), model.done.join(), model.faultsLeft, model.isSecretTouched];
    return `${texts.join('|')}|${rest.join('|')}`;
  }

  #operator(model: Model, operator: Operator, mayLag: boolean): (string | Fragment)[] {
    const passes = Object.entries(operator.passes).flatMap(([name, pass]) => [
      `${name}${isCurrent(model, pass.world.record)}${isCurrent(model, pass.world.predecessor)}`,
      this.#fragment(pass.world),
      ...(pass.seen === undefined ? [] : [this.#fragment(pass.seen ?? ABSENT)]),
    ]);
    return [`!${operator.isLeader}`, ...passes, ...(mayLag ? this.#table(operator.own) : [])];
  }

  #table(table: Table<object | null>): (string | Fragment)[] {
    const rows = Object.entries(table).flatMap(([name, value]) => [
      name,
      this.#fragment(value ?? ABSENT),
    ]);
    return ['/', ...rows];
  }

  #fragment(value: object): Fragment {
    const known = this.#fragments.get(value);
    if (known !== undefined) return known;
    const text = JSON.stringify(value, compact);
    const stamps: readonly string[] = text.match(STAMP) ?? [];
    const shapeText = text.replaceAll(STAMP, '#');
    const shape = this.#shapes.get(shapeText) ?? this.#shapes.size;
    this.#shapes.set(shapeText, shape);
    const fragment = { shape, stamps };
    this.#fragments.set(value, fragment);
    return fragment;
  }
}

const STAMP = /#\d+/g;
const ABSENT = {};

/** Revisions only grow, so all that matters is whether one is still the ledger's. */
function isCurrent(model: Model, record: KeyRecord | undefined): string {
  if (record === undefined) return '-';
  return record.revision === model.records[record.uid]?.revision ? '=' : '<';
}

/** What is the same in every state, and revisions, which `isCurrent` compares. */
const OMITTED: ReadonlySet<string> = new Set([
  'store',
  'resolution',
  'digest',
  'revision',
  'token',
  'hint',
]);

function compact(field: string, value: unknown): unknown {
  if (field === 'sealed') return true;
  return OMITTED.has(field) ? undefined : value;
}
