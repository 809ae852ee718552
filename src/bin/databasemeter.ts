/** How the operator's database is doing, for /readyz and for metrics. */
import { statSync } from 'node:fs';
import { systemClock } from '../kernel/clock.ts';
import { Counter, Gauge, PlainHistogram, type Registry } from '../kernel/metrics.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { CallHealth } from '../runtime/callhealth.ts';

/** From one group commit on a fast disk to one that waits for everything. */
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
/** What a call that asked for the right thing fails with. */
const UNAVAILABLE = 'LedgerUnavailable';

/** Told of calls as they happen; each costs some nanoseconds. */
export type DatabaseMeter = {
  /** A call begins; what comes back is to be told of its end, with the reason of a failure. */
  readonly begun: (kind: 'Read' | 'Write') => (reason?: string) => void;
  /** What is wrong, for anybody to read; undefined: all is well as far as anybody tried. */
  readonly trouble: () => string | undefined;
  /** Which schema the database has. */
  readonly opened: (schemaVersion: number) => void;
};

/** Registers the metrics; once per registry. @param file of SQLite; absent: another database */
export function createDatabaseMeter(registry: Registry, file?: string): DatabaseMeter {
  const reads = new CallHealth();
  const writes = new CallHealth();
  const trouble = (): string | undefined => {
    const nowMs = systemClock.monotonicMs();
    const wrong = writes.trouble(nowMs);
    if (wrong !== undefined) return `writes: ${wrong}`;
    const unread = reads.trouble(nowMs);
    return unread === undefined ? undefined : `reads: ${unread}`;
  };
  const { seconds, failures, schema } = instruments(registry, trouble);
  if (file !== undefined) gaugeSize(registry, file);
  return {
    trouble,
    opened: (version) => schema.set(version),
    begun(kind) {
      const health = kind === 'Write' ? writes : reads;
      const startMs = systemClock.monotonicMs();
      health.begun(startMs);
      return (reason) => {
        const nowMs = systemClock.monotonicMs();
        health.ended(nowMs);
        if (kind === 'Write') seconds.count((nowMs - startMs) / SECOND_MS);
        if (reason !== UNAVAILABLE) return health.worked();
        failures.inc({ reason });
        health.failed(reason, nowMs);
      };
    },
  };
}

/** The file of a SQLite database; undefined: it is another one, whose server knows its size. */
export async function sqliteFile(url: string): Promise<string | undefined> {
  if (!url.startsWith('sqlite:')) return undefined;
  const { placeOf } = await import('../ledger/sqlite/place.ts');
  return placeOf(url);
}

function instruments(registry: Registry, trouble: () => string | undefined) {
  const registers = [registry];
  const seconds = new PlainHistogram(
    {
      name: 'keyward_database_commit_seconds',
      help: 'Seconds that a commit to the database takes.',
    },
    COMMIT_SECONDS,
    registry,
  );
  const failures = new Counter({
    name: 'keyward_database_failures_total',
    help: 'Calls that the database did not answer, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  failures.inc({ reason: UNAVAILABLE }, 0);
  const schema = new Gauge({
    name: 'keyward_database_schema_version',
    help: 'Newest migration of the database.',
    registers,
  });
  new Gauge({
    name: 'keyward_database_up',
    help: '0 while the database is frozen, full or away, as far as this process tried.',
    registers,
    collect() {
      this.set(trouble() === undefined ? 1 : 0);
    },
  });
  return { seconds, failures, schema };
}

function gaugeSize(registry: Registry, file: string): void {
  new Gauge({
    name: 'keyward_database_size_bytes',
    help: 'Size of the SQLite database with its log.',
    registers: [registry],
    collect() {
      const sizes = [file, `${file}-wal`].map((each) => statSync(each, { throwIfNoEntry: false }));
      this.set(sizes.reduce((sum, each) => sum + (each?.size ?? 0), 0));
    },
  });
}
