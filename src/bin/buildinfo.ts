/** The metric that tells which build a process is. */
import { Gauge, type Registry } from '../kernel/metrics.ts';
import { COMMIT, VERSION } from './version.ts';

/** Registers it; once per registry. */
export function gaugeBuild(registry: Registry, component: 'operator' | 'gate'): void {
  const gauge = new Gauge({
    name: 'keyward_build_info',
    help: '1; which build this is.',
    labelNames: ['component', 'version', 'commit', 'node_version'] as const,
    registers: [registry],
  });
  // Empty where the build does not know its commit, as from sources.
  const labels = { component, version: VERSION, commit: COMMIT ?? '' };
  gauge.set({ ...labels, node_version: process.version }, 1);
}
