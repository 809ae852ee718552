/** Counters of the ApiKey controller. */
import { Counter, type Registry } from '../../kernel/metrics.ts';

/** How writing a Secret ended. Conflict: the name is taken, or somebody else wrote at the same moment. */
export type SecretWrite = 'Created' | 'Updated' | 'Conflict' | 'Forbidden' | 'Error';
const SECRET_WRITES: readonly SecretWrite[] = [
  'Created',
  'Updated',
  'Conflict',
  'Forbidden',
  'Error',
];

/** What the controller counts. */
export type ApiKeyMetrics = {
  /** First credentials of keys, by whether the key has an application. */
  readonly issued: Readonly<Record<'Application' | 'Direct', Counter.Internal>>;
  /** Rotations begun, by what caused them. */
  readonly rotations: Counter<'trigger'>;
  /** Keys ended, by cause. */
  readonly endings: Counter<'cause'>;
  /** Secrets written, by how that ended. */
  readonly secretWrites: Readonly<Record<SecretWrite, Counter.Internal>>;
  /** Workloads that were to be restarted, by what came of it. */
  readonly rollouts: Counter<'kind' | 'result'>;
  /** Reads of Secrets at the API server; none on the ordinary way. */
  readonly liveReads: Counter;
};

/** Registers the counters; once per registry. */
export function createApiKeyMetrics(registry: Registry): ApiKeyMetrics {
  const registers = [registry];
  const issued = new Counter({
    name: 'keyward_issued_total',
    help: 'Keys issued, by whether they have an application (Application) or not (Direct).',
    labelNames: ['basis'],
    registers,
  });
  const writes = new Counter({
    name: 'keyward_secret_writes_total',
    help: 'Secrets written, by result; Conflict: the name is taken, or somebody wrote at that moment.',
    labelNames: ['result'],
    registers,
  });
  return {
    issued: {
      Application: fromZero(issued.labels({ basis: 'Application' })),
      Direct: fromZero(issued.labels({ basis: 'Direct' })),
    },
    rotations: new Counter({
      name: 'keyward_rotations_total',
      help: 'Rotations begun, by trigger.',
      labelNames: ['trigger'],
      registers,
    }),
    endings: new Counter({
      name: 'keyward_revocations_total',
      help: 'Keys revoked by state, and keys ended with their object, by cause.',
      labelNames: ['cause'],
      registers,
    }),
    // Looked up once: writing a Secret is on the way of each key.
    secretWrites: Object.fromEntries(
      SECRET_WRITES.map((result) => [result, fromZero(writes.labels({ result }))]),
      // Every result is in the list, so every field is there.
    ) as Record<SecretWrite, Counter.Internal>,
    rollouts: new Counter({
      name: 'keyward_rollouts_triggered_total',
      help: 'Workloads that were to be restarted after a rotation, by kind and result.',
      labelNames: ['kind', 'result'],
      registers,
    }),
    liveReads: new Counter({
      name: 'keyward_secret_live_reads_total',
      help: 'Secrets read from the API server itself, past the metadata cache.',
      registers,
    }),
  };
}

/** A series that is there from the beginning, so that rates of it begin at zero. */
function fromZero(series: Counter.Internal): Counter.Internal {
  series.inc(0);
  return series;
}
