/** Pure; from dates, instants and durations to one half-open interval of milliseconds. */
import { DAY_MS, LATEST_MS } from '../kernel/time.ts';
import { parseInstant } from './instant.ts';
import type { KeyTerms, Problem, ValiditySpec } from './terms.ts';
import { dayAt, parseDay, startOfDay, type Zone } from './zone.ts';

const FIELD = 'terms.validity';
const DURATION_DAYS_MAX = 3650;

/** What a validity is resolved against. */
type ValidityContext = {
  readonly zone: Zone;
  /** Default length of the store. */
  readonly storeDurationDays?: number | undefined;
  /** Longest validity the store allows; also the length where nothing says another. */
  readonly maxDurationDays?: number | undefined;
  /** First issue of the grant, from which days count whatever the start is; absent: not issued yet. */
  readonly firstIssuedMs?: number | undefined;
  /** From when on what was granted before can be issued; absent: nothing was. */
  readonly issuableMs?: number | undefined;
  readonly nowMs: number;
};

/** The interval has the ends that exist; it holds only if there are no problems. */
type Validity = {
  readonly interval: Pick<KeyTerms, 'notBeforeMs' | 'endMs'>;
  readonly problems: readonly Problem[];
};

/** One end as said. */
type End = {
  readonly atMs?: number;
  readonly problems: readonly Problem[];
};

/** Resolves a validity. Everything that cannot be is named at once; no answer holds NaN. */
export function resolveValidity(spec: ValiditySpec, context: ValidityContext): Validity {
  const start = resolveStart(spec, context.zone);
  // Nothing is issued before its start; but once something was, a later start counts no days anew.
  // So before that the earliest it may be counts: a first issue that comes later only moves the end away.
  const issuableMs = Math.min(start.atMs ?? 0, context.issuableMs ?? Infinity);
  const firstMs = context.firstIssuedMs ?? Math.max(context.nowMs, issuableMs);
  const end = resolveEnd(spec, context, firstMs);
  const problems = [...start.problems, ...end.problems];
  if (problems.length === 0)
    problems.push(...checkInterval(spec, { start, end, firstMs }, context));
  const interval = {
    ...(start.atMs === undefined ? {} : { notBeforeMs: start.atMs }),
    ...(end.atMs === undefined ? {} : { endMs: end.atMs }),
  };
  return { interval, problems };
}

/** When a key is valid: half open, with the ends that exist. */
export type Interval = {
  readonly notBeforeMs?: number | undefined;
  readonly endMs?: number | undefined;
};

/** Where an instant lies; NotYet before the start, Over from the end on. The one place that compares. */
export function validityAt(interval: Interval, nowMs: number): 'NotYet' | 'Valid' | 'Over' {
  const { notBeforeMs, endMs } = interval;
  // Written so that anything that is no number denies.
  if (endMs !== undefined && !(nowMs < endMs)) return 'Over';
  if (notBeforeMs !== undefined && !(nowMs >= notBeforeMs)) return 'NotYet';
  return 'Valid';
}

function resolveStart(spec: ValiditySpec, zone: Zone): End {
  const { effectiveDate, notBeforeTime } = spec;
  const date =
    effectiveDate === undefined ? undefined : dateEnd('effectiveDate', effectiveDate, zone, 0);
  const time = notBeforeTime === undefined ? undefined : timeEnd('notBeforeTime', notBeforeTime);
  return onlyOne([date, time], 'notBeforeTime', 'the start is said twice: by date and by time');
}

function resolveEnd(spec: ValiditySpec, context: ValidityContext, firstMs: number): End {
  const { expirationDate, expirationTime, durationDays } = spec;
  const date =
    // Inclusive: the key ends where the next day begins.
    expirationDate === undefined
      ? undefined
      : dateEnd('expirationDate', expirationDate, context.zone, 1);
  const time = expirationTime === undefined ? undefined : timeEnd('expirationTime', expirationTime);
  const duration = durationDays === undefined ? undefined : durationEnd(durationDays, firstMs);
  const said = onlyOne([date, time, duration], 'expirationDate', 'the end is said more than once');
  if (said.atMs !== undefined || said.problems.length > 0) return said;
  return defaultEnd(context, firstMs);
}

function dateEnd(field: string, text: string, zone: Zone, daysLater: number): End {
  const day = parseDay(text);
  if (day === undefined) {
    return failure(field, 'is no date from 1970-01-01 to 9999-12-31 of the form YYYY-MM-DD');
  }
  // People write 9999-12-31 for "no end"; the day after cannot be written, so it ends 1 ms early.
  return { atMs: Math.min(startOfDay(zone, day + daysLater), LATEST_MS), problems: [] };
}

function timeEnd(field: string, text: string): End {
  const atMs = parseInstant(text);
  if (atMs === undefined || atMs > LATEST_MS) {
    return failure(field, 'is no time of the form 2027-01-31T12:00:00Z from 1970 to 9999');
  }
  return { atMs, problems: [] };
}

function durationEnd(days: number, firstMs: number): End {
  if (!Number.isInteger(days) || days < 1 || days > DURATION_DAYS_MAX) {
    return failure('durationDays', `is no whole number from 1 to ${DURATION_DAYS_MAX}`);
  }
  const atMs = firstMs + days * DAY_MS;
  return atMs <= LATEST_MS ? { atMs, problems: [] } : failure('durationDays', 'ends after 9999');
}

/** Without a word about the end: the store's length, its limit, or no end. */
function defaultEnd(context: ValidityContext, firstMs: number): End {
  const { storeDurationDays, maxDurationDays } = context;
  if (storeDurationDays === undefined && maxDurationDays === undefined) return { problems: [] };
  const days = Math.min(storeDurationDays ?? Infinity, maxDurationDays ?? Infinity);
  return { atMs: Math.min(firstMs + days * DAY_MS, LATEST_MS), problems: [] };
}

function checkInterval(
  spec: ValiditySpec,
  interval: { readonly start: End; readonly end: End; readonly firstMs: number },
  context: ValidityContext,
): readonly Problem[] {
  const { start, end, firstMs } = interval;
  if (end.atMs === undefined) return [];
  const field = endField(spec);
  if (start.atMs !== undefined && end.atMs <= start.atMs) {
    return failure(field, 'is not after the start, so the key would never be valid').problems;
  }
  const limitMs = latestEnd(spec, firstMs, context);
  if (end.atMs <= limitMs) return [];
  return failure(field, `is later than the ${context.maxDurationDays} days the store allows`)
    .problems;
}

/** An end by date may use up the day that the limit falls into. */
function latestEnd(spec: ValiditySpec, firstMs: number, context: ValidityContext): number {
  const { maxDurationDays, zone } = context;
  if (maxDurationDays === undefined) return Infinity;
  const limitMs = firstMs + maxDurationDays * DAY_MS;
  if (spec.expirationDate === undefined) return limitMs;
  return Math.max(limitMs, startOfDay(zone, dayAt(zone, limitMs - 1) + 1));
}

function endField(spec: ValiditySpec): string {
  if (spec.expirationDate !== undefined) return 'expirationDate';
  return spec.expirationTime === undefined ? 'durationDays' : 'expirationTime';
}

function onlyOne(ends: readonly (End | undefined)[], field: string, message: string): End {
  const said = ends.filter((end) => end !== undefined);
  const problems = said.flatMap((end) => end.problems);
  if (said.length > 1) return { problems: [...problems, ...failure(field, message).problems] };
  return said[0] ?? { problems };
}

function failure(field: string, message: string): { readonly problems: readonly Problem[] } {
  return { problems: [{ field: `${FIELD}.${field}`, message }] };
}
