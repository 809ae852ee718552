/**
 * When workloads are restarted for a key, and what tells their pods apart. Pure.
 *
 * The record says which values the workloads have (`told`); whatever brings other values into use
 * makes the two differ, and the restart is owed until it is done: after a crash it is simply done
 * again, which changes nothing where it was done already. Limits stretch restarts, they lose none:
 * what is restarted late gets the newest values.
 */
import { createHash } from 'node:crypto';
import type { ApiKeyRestartTarget } from '../../api/generated/apikey.ts';
import { ANNOTATION_RESTART_PREFIX } from '../../api/names.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../kernel/time.ts';
import type { CredentialRecord, KeyRecord, RolloutRecord } from '../../ledger/record.ts';
import { isOpen } from '../../ledger/transitions.ts';
import type { Rule } from './actions.ts';
import type { ApiKeyView, World } from './world.ts';

/** Times at which one key had workloads restarted: so many at most in an hour, and in a day. */
export const RESTARTS_PER_HOUR = 4;
/** See RESTARTS_PER_HOUR. */
export const RESTARTS_PER_DAY = 12;

/** Between two tries at a workload that could not be restarted: it grows with what has passed, up to 6 h. */
const RETRY_MIN_MS = 10 * MINUTE_MS;
const RETRY_MAX_MS = 6 * HOUR_MS;

/** The name part of an annotation. */
const NAME_PART_MAX = 63;
const DIGEST_LENGTH = 16;

/** Values came into use that workloads of this key do not have: restart them. */
export const rollOut: Rule = (world) => {
  const { key, record, evidence } = world;
  if (key === undefined || record === undefined || evidence.rollout !== undefined) return undefined;
  const values = owedValues(world);
  if (values === undefined || heldUntilMs(record, world.nowMs) !== undefined) return undefined;
  return { type: 'RollOut', values, targets: targetsOf(key) };
};

/** Workloads were named, or are no longer: from here on they are told, or not. */
export const followTargets: Rule = ({ key, record }) => {
  if (key === undefined || record === undefined) return undefined;
  if (targetsOf(key).length === 0) {
    return record.rollout === undefined ? undefined : { type: 'NoteTargets', told: undefined };
  }
  const values = valuesInUse(record);
  // What they have by now they were started with; only what comes after needs a restart.
  return record.rollout !== undefined || values === undefined || record.secret === undefined
    ? undefined
    : { type: 'NoteTargets', told: values };
};

/** The values that workloads should be restarted for; undefined: nothing is owed to any. */
export function owedValues({ key, record }: World): string | undefined {
  if (key === undefined || record?.rollout === undefined || record.phase !== 'Live')
    return undefined;
  const isThere = record.secret !== undefined && record.secret.missingSinceMs === undefined;
  if (!isThere || record.state === 'Revoked' || targetsOf(key).length === 0) return undefined;
  const values = valuesInUse(record);
  return values === record.rollout.told ? undefined : values;
}

/** Until when a key that had workloads restarted too often has to wait; undefined: it need not. */
export function heldUntilMs({ rollout }: KeyRecord, nowMs: number): number | undefined {
  const recent = rollout?.recentMs ?? [];
  const untilMs = Math.max(
    freeAtMs(recent, RESTARTS_PER_HOUR, HOUR_MS),
    freeAtMs(recent, RESTARTS_PER_DAY, DAY_MS),
  );
  // A clock that was set back must not make an hour a year.
  return untilMs > nowMs && untilMs - nowMs <= DAY_MS ? untilMs : undefined;
}

function freeAtMs(atMs: readonly number[], most: number, spanMs: number): number {
  const oldest = atMs.at(-most);
  return oldest === undefined ? 0 : oldest + spanMs;
}

/** When to try again what could not be done. */
export function retryAtMs({ rollout }: KeyRecord, nowMs: number): number {
  const passedMs = Math.max(0, nowMs - (rollout?.sinceMs ?? nowMs));
  return nowMs + Math.min(Math.max(passedMs / 2, RETRY_MIN_MS), RETRY_MAX_MS);
}

/**
 * Names the values that the Secret offers for use: another text exactly when those are other values.
 * Undefined while new ones are on their way into the Secret. Of a Dual key only the value in `apiKey`
 * counts: its sibling is there for whoever reads it by name.
 */
function valuesInUse(record: KeyRecord): string | undefined {
  if (record.credentials.some(isOpen)) return undefined;
  const current = record.credentials.findLast(({ state }) => state === 'Active');
  if (current === undefined || current.remote?.regenerating !== undefined) return undefined;
  const slots = current.slots.filter(({ role }) => record.format !== 'Dual' || role === 'Active');
  const parts = slots.map(({ name, generation }) => `${name}.${generation}`);
  return [current.keyId, ...parts].join('/');
}

/**
 * The record that says so when new values reached the Secret, for the commit that confirms them.
 *
 * @param before the record with the values still on their way
 */
export function withRollout(
  before: KeyRecord,
  after: KeyRecord,
  at: { readonly key: ApiKeyView; readonly nowMs: number },
): KeyRecord {
  const { rollout, ...rest } = after;
  if (targetsOf(at.key).length === 0) return rest;
  const values = valuesInUse(after);
  if (values === undefined || values === rollout?.told) return after;
  if (rollout === undefined && isFirst(before)) return { ...after, rollout: { told: values } };
  const isNew = before.credentials.some(isOpen) || rollout?.sinceMs === undefined;
  const sinceMs = isNew ? at.nowMs : rollout.sinceMs;
  return { ...after, rollout: { told: '', ...rollout, sinceMs } };
}

/** Nothing was ever in the Secret, so nobody can run with anything else. */
function isFirst({ secret, credentials }: KeyRecord): boolean {
  const isUnseen = ({ state }: CredentialRecord): boolean =>
    state !== 'Active' && state !== 'Retiring';
  return secret === undefined && credentials.every(isUnseen);
}

/** What is remembered after workloads were restarted, or all of them have `values`. */
export function afterRollout(
  { rollout }: KeyRecord,
  done: { readonly values: string | undefined; readonly restarted: number; readonly nowMs: number },
): RolloutRecord {
  const { told = '', sinceMs, recentMs = [] } = rollout ?? {};
  const now = done.restarted > 0 ? [done.nowMs] : [];
  const recent = [...recentMs.filter((atMs) => atMs > done.nowMs - DAY_MS), ...now];
  return {
    told: done.values ?? told,
    ...(done.values === undefined && sinceMs !== undefined ? { sinceMs } : {}),
    ...(recent.length === 0 ? {} : { recentMs: recent.slice(-RESTARTS_PER_DAY) }),
  };
}

/** The workloads that a key restarts. */
function targetsOf(key: Pick<ApiKeyView, 'spec'>): readonly ApiKeyRestartTarget[] {
  return key.spec.rotation?.restartTargets ?? [];
}

/** The annotation of a pod template that is this key's; long names are told apart by a digest. */
export function restartAnnotation(name: string): string {
  if (name.length <= NAME_PART_MAX) return `${ANNOTATION_RESTART_PREFIX}${name}`;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_LENGTH);
  const cut = name.slice(0, NAME_PART_MAX - DIGEST_LENGTH - 1);
  return `${ANNOTATION_RESTART_PREFIX}${cut}-${digest}`;
}

/** `Deployment checkout`, for people. */
export function targetText({ kind, name }: ApiKeyRestartTarget): string {
  return `${kind} ${name}`;
}
