/**
 * What the runtime measures, under the names, labels and buckets of client-go and
 * controller-runtime, so that dashboards made for those show Keyward too.
 * One instance per registry; queues and controllers ask it for a meter.
 */
import { Counter, Gauge, Histogram, type Registry } from '../kernel/metrics.ts';
import { SECOND_MS } from '../kernel/time.ts';

/** What a queue tells when the metrics are read. */
export interface QueueSource {
  /** Refs that are ready and not yet handed out. */
  readonly depth: number;
  /** For each ref that is being worked on, how long so far. */
  unfinishedMs(): readonly number[];
}

/** What a queue reports while it works. */
export interface QueueMeter {
  added(): void;
  retried(): void;
  /** A ref was handed out after waiting in line. */
  started(waitedMs: number): void;
  finished(workedMs: number): void;
}

/** Label values of controller_runtime_reconcile_total. */
export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after';

/** What a controller reports while it works. */
export interface ControllerMeter {
  started(): void;
  finished(result: ReconcileResult, tookMs: number): void;
  /** Beside `finished('error')`: a failure that is not tried again before something changes. */
  terminal(): void;
}

/** 10 ns to 1 000 s by tens, as client-go's queues. */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1_000];
/** As controller-runtime. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const RESULTS: readonly ReconcileResult[] = ['success', 'error', 'requeue', 'requeue_after'];
const QUEUE_LABELS = ['name', 'controller'] as const;
const CONTROLLER_LABELS = ['controller'] as const;

/** The runtime's metrics in one registry. A second instance on the same registry is refused by it. */
export class RuntimeMetrics {
  readonly #queues = new Map<string, QueueSource>();
  readonly #queue: ReturnType<typeof queueInstruments>;
  readonly #controller: ReturnType<typeof controllerInstruments>;

  /** Reconciles ended so far, of all controllers. */
  finished = 0;

  constructor(registry: Registry) {
    this.#queue = queueInstruments(registry, this.#queues);
    this.#controller = controllerInstruments(registry);
  }

  /** The meter of the queue called `name`; a later queue of that name takes its place. */
  forQueue(name: string, source: QueueSource): QueueMeter {
    this.#queues.set(name, source);
    const labels = { name, controller: name };
    const adds = this.#queue.adds.labels(labels);
    const retries = this.#queue.retries.labels(labels);
    const waited = this.#queue.waited.labels(labels);
    const worked = this.#queue.worked.labels(labels);
    // As upstream: a rate begins at zero and not at the first failure.
    for (const counter of [adds, retries]) counter.inc(0);
    return {
      added: () => adds.inc(),
      retried: () => retries.inc(),
      started: (waitedMs) => waited.observe(waitedMs / SECOND_MS),
      finished: (workedMs) => worked.observe(workedMs / SECOND_MS),
    };
  }

  /** The meter of the controller called `name` with so many workers. */
  forController(name: string, workers: number): ControllerMeter {
    const labels = { controller: name };
    const { total, errors, terminal, seconds, active, max } = this.#controller;
    const byResult = new Map(RESULTS.map((r) => [r, total.labels({ ...labels, result: r })]));
    const failed = errors.labels(labels);
    const ended = terminal.labels(labels);
    for (const counter of [...byResult.values(), failed, ended]) counter.inc(0);
    const took = seconds.labels(labels);
    const busy = active.labels(labels);
    max.labels(labels).set(workers);
    busy.set(0);
    return {
      started: () => busy.inc(),
      finished: (result, tookMs) => {
        this.finished += 1;
        busy.dec();
        byResult.get(result)?.inc();
        if (result === 'error') failed.inc();
        took.observe(tookMs / SECOND_MS);
      },
      terminal: () => ended.inc(),
    };
  }
}

function queueInstruments(registry: Registry, queues: ReadonlyMap<string, QueueSource>) {
  const shared = { labelNames: QUEUE_LABELS, registers: [registry] };
  const gauge = (name: string, help: string, value: (source: QueueSource) => number): void => {
    const read = new Gauge({
      ...shared,
      name,
      help,
      collect: () => {
        for (const [queue, source] of queues) {
          read.set({ name: queue, controller: queue }, value(source));
        }
      },
    });
  };
  gauge('workqueue_depth', 'Refs ready to be worked on', (source) => source.depth);
  gauge(
    'workqueue_unfinished_work_seconds',
    'Seconds of work in progress, summed over the refs being worked on',
    (source) => source.unfinishedMs().reduce((sum, ms) => sum + ms, 0) / SECOND_MS,
  );
  gauge(
    'workqueue_longest_running_processor_seconds',
    'Seconds that the longest running worker has spent on its ref',
    (source) => Math.max(0, ...source.unfinishedMs()) / SECOND_MS,
  );
  return {
    adds: new Counter({ ...shared, name: 'workqueue_adds_total', help: 'Refs added' }),
    retries: new Counter({ ...shared, name: 'workqueue_retries_total', help: 'Refs tried again' }),
    waited: new Histogram({
      ...shared,
      name: 'workqueue_queue_duration_seconds',
      help: 'Seconds a ref waits in line before it is worked on',
      buckets: QUEUE_BUCKETS,
    }),
    worked: new Histogram({
      ...shared,
      name: 'workqueue_work_duration_seconds',
      help: 'Seconds the work on a ref takes',
      buckets: QUEUE_BUCKETS,
    }),
  };
}

function controllerInstruments(registry: Registry) {
  const shared = { labelNames: CONTROLLER_LABELS, registers: [registry] };
  return {
    total: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by controller and result',
      labelNames: ['controller', 'result'] as const,
      registers: [registry],
    }),
    errors: new Counter({
      ...shared,
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed',
    }),
    terminal: new Counter({
      ...shared,
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Reconciles that failed and need a change by a person',
    }),
    seconds: new Histogram({
      ...shared,
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Seconds per reconcile',
      buckets: RECONCILE_BUCKETS,
    }),
    active: new Gauge({
      ...shared,
      name: 'controller_runtime_active_workers',
      help: 'Workers that are reconciling now',
    }),
    max: new Gauge({
      ...shared,
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Workers there are',
    }),
  };
}
