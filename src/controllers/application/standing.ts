/** Where a grant is in its life, worked out from what was approved and the clock. Pure. */
import { DAY_MS } from '../../kernel/time.ts';
import type { FormRecord, Grant } from '../../ledger/form.ts';
import { firstIssuedMs } from '../../ledger/grants.ts';
import { resolveTerms } from '../../terms/resolve.ts';
import type { Problem } from '../../terms/terms.ts';
import type { World } from './world.ts';

/** A grant as it is now. */
export type Standing = {
  readonly state: 'Scheduled' | 'InForce' | 'Expired' | 'Ended';
  /** First instant at which it is over by its terms; absent: it has no end, or none yet. */
  readonly endMs?: number;
  /** With Expired: why its terms cannot be, so that it has no end either. Absent: they can. */
  readonly problem?: string;
};

/** Standing of the grant of a form; undefined: nothing was granted yet. */
export function standingOf({ record, nowMs }: World): Standing | undefined {
  return record?.grant === undefined ? undefined : grantStanding(record, record.grant, nowMs);
}

/** Standing of one of the two grants of a form. */
export function grantStanding(record: FormRecord, grant: Grant, nowMs: number): Standing {
  // Until then as if it were issued the moment it may be; a change is of what can be issued before it.
  const issuedMs = firstIssuedMs(record);
  const presumedMs = Math.min(grant.effectiveMs, record.grant?.effectiveMs ?? grant.effectiveMs);
  const resolution = resolveTerms(grant.content.terms, {
    nowMs,
    firstIssuedMs: issuedMs ?? presumedMs,
    ...grant.rules,
  });
  const estimateMs = resolution.type === 'Resolved' ? resolution.terms.endMs : undefined;
  // The days of a key that nobody has issued yet have not begun, however long ago they might have.
  const isByLength = issuedMs === undefined && !isEndNamed(grant);
  const endMs = isByLength && isPast(estimateMs, nowMs) ? undefined : estimateMs;
  const end = endMs === undefined ? {} : { endMs };
  if (record.ended !== undefined) return { state: 'Ended', ...end };
  if (isPast(endMs, nowMs)) return { state: 'Expired', ...end };
  if (grant.effectiveMs > nowMs) return { state: 'Scheduled', ...end };
  // No key has such terms, so nothing is in force: approved by another rule, or in a zone that is gone.
  if (resolution.type === 'Problems') {
    return { state: 'Expired', problem: problemText(resolution.problems) };
  }
  return { state: 'InForce', ...end };
}

function isPast(instantMs: number | undefined, nowMs: number): boolean {
  return instantMs !== undefined && instantMs <= nowMs;
}

/** False: it ends so many days after the first issue. */
function isEndNamed({ content }: Grant): boolean {
  const { expirationDate, expirationTime } = content.terms?.validity ?? {};
  return expirationDate !== undefined || expirationTime !== undefined;
}

function problemText(problems: readonly Problem[]): string {
  return problems.map(({ field, message }) => `spec.${field} ${message}`).join('; ');
}

/** First instant at which nothing is granted by terms, an approved change included; undefined: never. */
export function grantedUntilMs(record: FormRecord, nowMs: number): number | undefined {
  const { grant, nextGrant } = record;
  const endMs = grant && grantStanding(record, grant, nowMs).endMs;
  return nextGrant !== undefined && nextGrant.effectiveMs <= (endMs ?? Infinity)
    ? grantStanding(record, nextGrant, nowMs).endMs
    : endMs;
}

/** The smallest of the store's notice days that lies between now and an end; undefined: none has come. */
export function noticeDay({ store, nowMs }: World, endMs: number): number | undefined {
  const days = store.type === 'Usable' ? store.expiryNoticeDays : [];
  const come = days.filter((day) => endMs - day * DAY_MS <= nowMs);
  return come.length === 0 ? undefined : Math.min(...come);
}

/** When a draft that nobody goes on with counts as lapsed; undefined: never. */
export function draftEndsAtMs({ form, record, store }: World): number | undefined {
  if (form?.spec.submission !== 'Draft' || record === undefined || store.type !== 'Usable') {
    return undefined;
  }
  const { draftDays } = store.rules;
  return draftDays === 0 ? undefined : record.seen.atMs + draftDays * DAY_MS;
}
