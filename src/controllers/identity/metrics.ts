/** What is measured of the proof. */
import { Gauge, type Registry } from '../../kernel/metrics.ts';

/** Told after each look. */
export type ProofMetrics = { state(state: 'Proven' | 'NotProven'): void };

/** Registers the metric; once per registry. */
export function createProofMetrics(registry: Registry): ProofMetrics {
  const proven = new Gauge({
    name: 'keyward_admission_policies_proven',
    help: '1 while the admission policies about forms and reviews are proven to be in force.',
    registers: [registry],
  });
  return { state: (state) => proven.set(state === 'Proven' ? 1 : 0) };
}
