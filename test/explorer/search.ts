/**
 * Breadth-first search over every interleaving of a scenario, then the graph as a whole: where the
 * protocol alone comes to rest all books must agree, and no circle of it may go on writing.
 */
import { Canonical } from './canonical.ts';
import { successors, type Scenario } from './events.ts';
import type { Model } from './model.ts';
import { regression, unfinished, violations } from './oracles.ts';
import { components } from './components.ts';

/** What was found; no findings means that every state is safe and can still converge. */
export type Exploration = {
  readonly states: number;
  readonly transitions: number;
  /** States in which everything rests. */
  readonly rests: number;
  readonly findings: readonly Finding[];
};

/** What is wrong, and the shortest way there. */
export type Finding = { readonly what: string; readonly trace: readonly string[] };

const FINDINGS_MAX = 5;

/** The first state of a scenario: nothing exists, one operator leads. */
export function start(scenario: Scenario): Model {
  return {
    keys: {},
    secrets: {},
    staleKeys: {},
    staleSecrets: {},
    records: {},
    spent: [],
    operators: [{ isLeader: true, passes: {}, own: {} }],
    done: scenario.scripts.map(() => 0),
    isSecretTouched: false,
    faultsLeft: scenario.faults,
    stamps: 0,
  };
}

/** @throws Error when there are more than `statesMax` states: the search would prove nothing */
export function explore(scenario: Scenario, statesMax: number): Exploration {
  const graph = new Graph(scenario, statesMax);
  graph.walk();
  return graph.judge();
}

class Graph {
  readonly #scenario: Scenario;
  readonly #statesMax: number;
  readonly #canonical: Canonical;
  readonly #ids = new Map<string, number>();
  readonly #parents: number[] = [];
  readonly #labels: string[] = [];
  /** Protocol edges only: they decide about convergence. */
  readonly #edges: number[][] = [];
  readonly #writes = new Set<string>();
  readonly #restProblems = new Map<number, readonly string[]>();
  readonly #findings: Finding[] = [];
  #queue: { readonly id: number; readonly model: Model }[] = [];
  #transitions = 0;

  constructor(scenario: Scenario, statesMax: number) {
    this.#scenario = scenario;
    this.#statesMax = statesMax;
    this.#canonical = new Canonical({
      keys: scenario.kinds.includes('staleKey'),
      secrets: scenario.kinds.includes('staleSecret'),
    });
  }

  walk(): void {
    this.#admit(start(this.#scenario), -1, 'start');
    while (this.#queue.length > 0) {
      const layer = this.#queue;
      this.#queue = [];
      for (const { id, model } of layer) this.#expand(id, model);
    }
  }

  #expand(id: number, model: Model): void {
    for (const next of successors(this.#scenario, model)) {
      this.#transitions += 1;
      const to = this.#admit(next.model, id, next.label);
      for (const what of regression(model, next.model)) {
        this.#report(what, [...this.#trace(id), next.label]);
      }
      if (next.kind !== 'protocol') continue;
      this.#edges[id]?.push(to);
      if (next.isWrite) this.#writes.add(`${id}>${to}`);
    }
    if (model.operators.every(({ passes }) => Object.keys(passes).length === 0)) {
      this.#restProblems.set(id, unfinished(model));
    }
  }

  #admit(model: Model, parent: number, label: string): number {
    const text = this.#canonical.text(model);
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#parents.length;
    if (id >= this.#statesMax) throw new Error(`${this.#scenario.title}: too many states`);
    this.#ids.set(text, id);
    this.#parents.push(parent);
    this.#labels.push(label);
    this.#edges.push([]);
    this.#queue.push({ id, model });
    for (const what of violations(model)) this.#report(what, this.#trace(id));
    return id;
  }

  #report(what: string, trace: readonly string[]): void {
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push({ what, trace });
  }

  #trace(id: number): string[] {
    const labels: string[] = [];
    for (let at = id; at > 0; at = this.#parents[at] ?? 0) labels.unshift(this.#labels[at] ?? '');
    return labels;
  }

  /** Every way of the protocol ends in a component that it never leaves: that is where it rests. */
  judge(): Exploration {
    let rests = 0;
    for (const members of components(this.#edges)) {
      const inside = new Set(members);
      const ways = members.flatMap((id) => (this.#edges[id] ?? []).map((to) => [id, to] as const));
      const stays = ways.filter(([, to]) => inside.has(to));
      const first = members.toSorted((a, b) => a - b)[0] ?? 0;
      const writing = stays.find(([id, to]) => this.#writes.has(`${id}>${to}`));
      if (writing !== undefined) {
        this.#report('it can go on writing for ever', this.#trace(writing[1]));
      }
      if (stays.length < ways.length) continue;
      rests += 1;
      const resting = members.find((id) => this.#restProblems.has(id));
      if (resting === undefined) this.#report('it never comes to rest', this.#trace(first));
      const problems = resting === undefined ? [] : (this.#restProblems.get(resting) ?? []);
      for (const problem of problems)
        this.#report(`at rest: ${problem}`, this.#trace(resting ?? first));
    }
    return {
      states: this.#parents.length,
      transitions: this.#transitions,
      rests,
      findings: this.#findings,
    };
  }
}
