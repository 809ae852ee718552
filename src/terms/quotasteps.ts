/**
 * Pure; how coarsely a status tells what is left of a quota. The exact number changes with each call and
 * is in the database; a status changes when half of the quota is left, a fifth, a tenth, nothing, and when there is
 * more again.
 */

/** Shares of the limit at which a status tells anew, the last one first. */
const SHARES = [0, 0.1, 0.2, 0.5] as const;

/** Which of the shares has been reached: 0 nothing is left, to 4: more than half. */
export type QuotaStep = 0 | 1 | 2 | 3 | 4;

/** @param limit from 1 */
export function quotaStep(limit: number, left: number): QuotaStep {
  const step = SHARES.findIndex((share) => left <= limit * share);
  // The index of one of four, or none of them.
  return (step === -1 ? SHARES.length : step) as QuotaStep;
}

/** What a status says of a quota; `remaining` absent: there is no limit. */
export type ToldQuota = { readonly limit: number; readonly remaining?: number };

/**
 * What a status shall say.
 *
 * @param limit -1 unlimited, 0 nothing is ever let in
 * @param uses that were counted in this window; undefined: nobody has looked yet
 * @param told what the status says now; undefined: nothing
 */
export function tellQuota(
  limit: number,
  uses: number | undefined,
  told: Partial<ToldQuota> | undefined,
): ToldQuota {
  if (limit < 0) return { limit };
  if (limit === 0) return { limit, remaining: 0 };
  const before = told?.limit === limit ? told.remaining : undefined;
  if (uses === undefined) return { limit, remaining: before ?? limit };
  const left = Math.max(0, limit - uses);
  const isSame = before !== undefined && quotaStep(limit, before) === quotaStep(limit, left);
  return { limit, remaining: isSame ? before : left };
}
