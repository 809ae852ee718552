/** What status says about workloads that were to be restarted. Pure. */
import { apiKeyCondition } from '../../api/conditions.ts';
import type { WantedCondition } from '../../api/reasons.ts';
import { formatTime } from '../../kernel/time.ts';
import { heldUntilMs, owedValues } from './rollout.ts';
import type { RolloutTrouble, World } from './world.ts';

/** Workloads that still run with other values, and why. */
export function restartCondition(world: World): readonly WantedCondition[] {
  const { record, evidence, nowMs } = world;
  if (record === undefined || owedValues(world) === undefined) return [];
  const troubles = evidence.rollout?.troubles ?? [];
  const [first] = troubles.toSorted((a, b) => weight(b) - weight(a));
  if (first !== undefined) {
    const message = troubles.map((trouble) => trouble.message).join('; ');
    return [apiKeyCondition('WorkloadsRestarted', first.reason, message)];
  }
  const untilMs = heldUntilMs(record, nowMs);
  if (untilMs === undefined) return [];
  const message = `the key had workloads restarted too often; they get the newest values at ${formatTime(untilMs)}`;
  return [apiKeyCondition('WorkloadsRestarted', 'RestartLimited', message)];
}

/** What needs a person goes first. */
function weight({ reason }: RolloutTrouble): number {
  return reason === 'TargetMissing' || reason === 'TargetRefused' ? 1 : 0;
}
