/** What both databases reckon alike about reserved uses and signatures. Pure. */
import { KeywardError } from '../kernel/errors.ts';
import { DAY_MS, MINUTE_MS } from '../kernel/time.ts';
import type { Lease, LeaseReport, LeaseWish, SeenSignature, UsageReport } from './gate.ts';

/** How long the count of a window stays after its end: clocks of gates differ. */
export const COUNT_KEPT_MS = DAY_MS;
/** How long a signature stays after its date is no longer accepted, for the same reason. */
export const SIGNATURE_KEPT_MS = 10 * MINUTE_MS;
/** How long the usage of a key stays after its last use when there is no such key any more. */
export const USAGE_KEPT_MS = 30 * DAY_MS;
/** So many rows of a table are forgotten in one transaction, which others wait for. */
export const SWEEP_MAX = 1_000;

/** What a wish gets when nobody knows its id yet, and `reserved` uses of its count are taken. */
export function grant(
  { id, uses, limit, nowMs, windowEndMs }: LeaseWish,
  reserved: number,
): Pick<Lease, 'id' | 'uses' | 'unreserved'> {
  const isOver = windowEndMs !== undefined && nowMs >= windowEndMs;
  const free = isOver ? 0 : Math.max(0, limit - reserved);
  const granted = Math.min(uses, free);
  return { id, uses: granted, unreserved: free - granted };
}

/** @throws KeywardError Bug for numbers that cannot be counted with */
export function checkWishes(wishes: readonly LeaseWish[]): void {
  for (const { limit, uses, windowStartMs, windowEndMs = 0, nowMs } of wishes) {
    const areCounts = [limit, uses].every((each) => Number.isSafeInteger(each) && each >= 1);
    if (areCounts && [windowStartMs, windowEndMs, nowMs].every(Number.isSafeInteger)) continue;
    throw illegal('a wish for uses without a limit, a number or a time that can be counted with');
  }
}

/**
 * One report per lease, the one that has come furthest.
 *
 * @throws KeywardError Bug for numbers that cannot be counted with
 */
export function mergeReports(
  reports: readonly LeaseReport[],
  nowMs: number,
): readonly LeaseReport[] {
  const isRight = reports.every(({ spent }) => Number.isSafeInteger(spent) && spent >= 0);
  if (!isRight || !Number.isSafeInteger(nowMs)) throw illegal('a report about uses that are none');
  const merged = new Map<string, number>();
  for (const { id, spent } of reports) merged.set(id, Math.max(merged.get(id) ?? 0, spent));
  return [...merged].map(([id, spent]) => ({ id, spent }));
}

/**
 * One report per key.
 *
 * @throws KeywardError Bug for numbers that cannot be counted with
 */
export function mergeUsage(reports: readonly UsageReport[]): readonly UsageReport[] {
  const merged = new Map<string, UsageReport>();
  for (const { uid, uses, lastUsedMs } of reports) {
    if (!Number.isSafeInteger(uses) || uses < 1 || !Number.isSafeInteger(lastUsedMs)) {
      throw illegal('a report about the usage of a key that is none');
    }
    const before = merged.get(uid);
    merged.set(uid, {
      uid,
      uses: addUses(before?.uses ?? 0, uses),
      lastUsedMs: Math.max(before?.lastUsedMs ?? lastUsedMs, lastUsedMs),
    });
  }
  return [...merged.values()];
}

/** The sum, or the largest number that is counted to. */
export function addUses(a: number, b: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, a + b);
}

/**
 * Which signatures of one call are not repetitions of others in it.
 *
 * @throws KeywardError Bug for a digest of another size, or no time
 */
export function firstOfEach(signatures: readonly SeenSignature[]): readonly boolean[] {
  const names = new Set<string>();
  return signatures.map((signature) => {
    if (signature.digest.length !== 32 || !Number.isSafeInteger(signature.untilMs)) {
      throw illegal('a signature without a digest or an end');
    }
    const name = signatureName(signature);
    const isFirst = !names.has(name);
    names.add(name);
    return isFirst;
  });
}

/** Tells signatures apart. */
export function signatureName({ keyId, digest }: Pick<SeenSignature, 'keyId' | 'digest'>): string {
  return `${Buffer.from(digest).toString('hex')}/${keyId}`;
}

function illegal(what: string): KeywardError {
  return new KeywardError('Bug', { reason: 'IllegalUse', message: `a gate handed in ${what}` });
}
