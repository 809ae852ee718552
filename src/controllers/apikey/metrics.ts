/** Counters of the ApiKey controller. */
import { Counter, type Registry } from '../../kernel/metrics.ts';

/** What the controller counts. */
export type ApiKeyMetrics = {
  /** Rotations begun, by what caused them. */
  readonly rotations: Counter<'trigger'>;
  /** Keys ended, by cause. */
  readonly endings: Counter<'cause'>;
  /** Reads of Secrets at the API server; none on the ordinary way. */
  readonly liveReads: Counter;
};

/** Registers the counters; once per registry. */
export function createApiKeyMetrics(registry: Registry): ApiKeyMetrics {
  const registers = [registry];
  return {
    rotations: new Counter({
      name: 'keyward_rotations_total',
      help: 'Rotations begun, by trigger.',
      labelNames: ['trigger'],
      registers,
    }),
    endings: new Counter({
      name: 'keyward_revocations_total',
      help: 'Keys ended, by cause.',
      labelNames: ['cause'],
      registers,
    }),
    liveReads: new Counter({
      name: 'keyward_secret_live_reads_total',
      help: 'Secrets read from the API server itself, past the metadata cache.',
      registers,
    }),
  };
}
