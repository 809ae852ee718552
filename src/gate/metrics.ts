/** What the gate measures. Hot paths count in plain numbers; here they are read when somebody asks. */
import { Counter, Gauge, PlainHistogram, type Registry } from '../kernel/metrics.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { Answers } from './answers.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { UsageCounter } from './usage.ts';
import type { View } from './view/view.ts';

/** 1 us to 1 s. */
const SECONDS = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2, 0.1, 1];

/** What is measured from outside. */
type GateSources = {
  readonly answers: Answers;
  readonly view: View;
  readonly quotas: Quotas;
  readonly usage: UsageCounter;
  /** Where nothing is known, since when. */
  readonly viewAgeMs: () => number;
  /** Older than that decides about nothing. */
  readonly maxStalenessMs: number;
};

/** What is measured as it happens. */
type GateMeter = {
  /** A call was decided. */
  readonly decided: (tookMs: number) => void;
  /** The database did not do what it was asked. */
  readonly databaseFailed: (reason: string) => void;
};

/** The meter; `watch` adds what is read from its sources, once. */
export function createGateMeter(registry: Registry): GateMeter {
  const took = new PlainHistogram(
    { name: 'keyward_gate_decision_seconds', help: 'Seconds that deciding about a call takes' },
    SECONDS,
    registry,
  );
  const failures = new Counter({
    name: 'keyward_gate_database_failures_total',
    help: 'Questions and writes that the database did not answer, by reason',
    labelNames: ['reason'] as const,
    registers: [registry],
  });
  return {
    decided: (tookMs) => took.count(tookMs / SECOND_MS),
    databaseFailed: (reason) => failures.inc({ reason }),
  };
}

/** Adds what is read from the parts of a gate when metrics are read. */
export function watchGate(registry: Registry, sources: GateSources): void {
  const { answers, view, quotas, usage, viewAgeMs, maxStalenessMs } = sources;
  countAnswers(registry, answers);
  const gauge = addTo(registry, Gauge);
  const counter = addTo(registry, Counter);
  gauge('keyward_gate_known_ids', 'Credentials that exist', () => view.known.size);
  gauge('keyward_gate_known_ids_bytes', 'Memory of the set of them', () => view.known.bytes);
  gauge('keyward_gate_documents', 'Clients, holds, products and stores', () => view.around.size);
  gauge('keyward_gate_cached_credentials', 'Credentials whose records are in memory', () => {
    return view.records.size;
  });
  counter('keyward_gate_cache_hits_total', 'Records found in memory', () => view.records.hits);
  counter('keyward_gate_cache_misses_total', 'Records read from the database', () => {
    return view.records.misses;
  });
  gauge('keyward_gate_view_age_seconds', 'Age of what is known', () => {
    return viewAgeMs() / SECOND_MS;
  });
  gauge('keyward_gate_view_age_limit_seconds', 'Age at which every call is refused', () => {
    return maxStalenessMs / SECOND_MS;
  });
  gauge('keyward_gate_quota_counts', 'Quotas in use', () => quotas.size);
  gauge('keyward_gate_quota_reserved', 'Uses reserved and not spent', () => quotas.unspent);
  counter('keyward_gate_quota_leases_total', 'Leases granted', () => quotas.granted);
  gauge('keyward_gate_usage_waiting', 'Keys whose usage is not written', () => usage.size);
  counter('keyward_gate_usage_lost_total', 'Uses that were never written', () => usage.lost);
}

function countAnswers(registry: Registry, answers: Answers): void {
  const counter = new Counter({
    name: 'keyward_gate_verifications_total',
    help: 'Calls decided, by result, cause of a refusal, and profile',
    labelNames: ['result', 'cause', 'profile'] as const,
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const { times, result, cause, profile } of answers.given()) {
        // What never happened is told for one profile, so that rates of it begin at zero.
        if (times > 0 || profile === 'Keyward') counter.inc({ result, cause, profile }, times);
      }
    },
  });
}

/** A way to add metrics whose one value is read when somebody asks. */
function addTo(registry: Registry, Metric: typeof Gauge | typeof Counter) {
  return (name: string, help: string, read: () => number): void => {
    const metric = new Metric({
      name,
      help,
      registers: [registry],
      collect: () => {
        metric.reset();
        metric.inc(read());
      },
    });
  };
}
