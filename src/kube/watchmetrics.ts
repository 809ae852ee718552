/** Metrics of watches: how often each was opened again and why, and when it last said something. */
import { Counter, Gauge, type Registry } from '../kernel/metrics.ts';

/** Reports of reflectors; `resource` is the plural name. */
export type WatchMetrics = {
  restarted(resource: string, reason: string): void;
  heard(resource: string, atMs: number): void;
};

/** Registers the metrics; once per registry. */
export function createWatchMetrics(registry: Registry): WatchMetrics {
  const restarts = new Counter({
    name: 'keyward_watch_restarts_total',
    help: 'Watches and lists that ended and were begun again, by resource and reason.',
    labelNames: ['resource', 'reason'],
    registers: [registry],
  });
  const lastEvent = new Gauge({
    name: 'keyward_watch_last_event_timestamp_seconds',
    help: 'When a watch of the resource last delivered a change or a bookmark.',
    labelNames: ['resource'],
    registers: [registry],
  });
  return {
    restarted: (resource, reason) => restarts.inc({ resource, reason }),
    heard: (resource, atMs) => lastEvent.set({ resource }, atMs / 1_000),
  };
}
