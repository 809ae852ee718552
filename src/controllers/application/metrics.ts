/** Counters of the ApiKeyApplication controller. */
import { Counter, Gauge, type Registry } from '../../kernel/metrics.ts';

/** What the controller counts. */
export type ApplicationMetrics = {
  /** Rounds opened, by type and by whether people decide. */
  readonly rounds: Counter<'type' | 'decision'>;
  /** Rounds that ended without a reviewer, by how. */
  readonly closings: Counter<'outcome'>;
  /** Grants that ended, by cause. */
  readonly endings: Counter<'cause'>;
};

/** A gauge that counts forms by status.state whenever it is asked; once per registry. */
export function gaugeStates(
  registry: Registry,
  states: () => Iterable<{ readonly state?: string }>,
): void {
  const gauge = new Gauge({
    name: 'keyward_applications',
    help: 'Forms by the state of their newest round.',
    labelNames: ['state'],
    registers: [],
    collect() {
      const counts = new Map<string, number>();
      for (const { state = 'Unknown' } of states()) counts.set(state, (counts.get(state) ?? 0) + 1);
      this.reset();
      for (const [state, count] of counts) this.set({ state }, count);
    },
  });
  registry.registerMetric(gauge);
}

/** Registers the counters; once per registry. */
export function createApplicationMetrics(registry: Registry): ApplicationMetrics {
  const registers = [registry];
  return {
    rounds: new Counter({
      name: 'keyward_application_rounds_total',
      help: 'Rounds of review opened, by type and by who decides.',
      labelNames: ['type', 'decision'],
      registers,
    }),
    closings: new Counter({
      name: 'keyward_application_rounds_closed_total',
      help: 'Rounds that ended without a reviewer, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    endings: new Counter({
      name: 'keyward_grants_ended_total',
      help: 'Grants ended by the form, its client or its dates, by cause.',
      labelNames: ['cause'],
      registers,
    }),
  };
}
