/** Counters of the ApiKeyApplication controller. */
import { Counter, type Registry } from '../../kernel/metrics.ts';

/** What the controller counts. */
export type ApplicationMetrics = {
  /** Rounds opened, by type and by whether people decide. */
  readonly rounds: Counter<'type' | 'decision'>;
  /** Rounds that ended without a reviewer, by how. */
  readonly closings: Counter<'outcome'>;
  /** Grants that ended, by cause. */
  readonly endings: Counter<'cause'>;
};

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
