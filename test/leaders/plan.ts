/** What one run does to the operator that leads, and what people do meanwhile; drawn from a seed. Pure. */
import { createChance } from '../support/chance.ts';
import type { Aim } from './proxies.ts';

/**
 * - Stopped: the process is stopped, as on a node that swaps; its writes are on their way meanwhile.
 * - StoppedDatabase: and so is what it sent to the database.
 * - Held: it runs on, and nothing of it reaches the API server before another one leads.
 * - HeldDatabase: nor the database.
 * - Cut: it runs on without an API server.
 * - Blink: stopped for less than a Lease lasts.
 * - Told: SIGTERM while it writes.
 */
export const TROUBLES = [
  'Stopped',
  'StoppedDatabase',
  'Held',
  'HeldDatabase',
  'Cut',
  'Blink',
  'Told',
] as const;

/** One of TROUBLES. */
export type Trouble = (typeof TROUBLES)[number];

/** What people do while the trouble falls. */
export const ACTS = ['Issue', 'Rotate', 'Emergency', 'Overlap', 'Delete'] as const;

/** One of ACTS. */
export type Act = (typeof ACTS)[number];

/** One run. */
export type Plan = {
  readonly number: number;
  readonly trouble: Trouble;
  readonly act: Act;
  readonly aim: Aim;
  /** After the strike, before the frost; 0 to 40 ms. */
  readonly delayMs: number;
  /** How long the other one leads before the thaw, or a Blink lasts. */
  readonly aheadMs: number;
};

/** The plans of a seed; each trouble comes with each act before one comes twice. */
export function plansOf(seed: number, count: number): readonly Plan[] {
  const chance = createChance(seed);
  const upTo = (most: number): number => Math.floor(chance() * most);
  return Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    trouble: TROUBLES[at % TROUBLES.length] ?? 'Stopped',
    act: ACTS[Math.floor(at / TROUBLES.length) % ACTS.length] ?? 'Issue',
    aim: { nth: 1 + upTo(4), position: chance() < 0.5 ? 'before' : 'after' },
    delayMs: chance() < 0.5 ? 0 : upTo(40),
    aheadMs: upTo(1_200),
  }));
}
