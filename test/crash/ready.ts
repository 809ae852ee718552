/** What an ApiKey shows of itself. Pure. */
import type { Loose } from '../support/operator.api.ts';

/** The reason of Ready for the newest generation; undefined while it is behind. */
export function readyOf(key: Loose | undefined): string | undefined {
  const status = key?.status as
    | { observedGeneration?: number; conditions?: { type: string; reason: string }[] }
    | undefined;
  if (status?.observedGeneration !== key?.metadata.generation) return undefined;
  return status?.conditions?.find((condition) => condition.type === 'Ready')?.reason;
}
