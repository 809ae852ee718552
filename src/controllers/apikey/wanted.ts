/**
 * What the spec asks for, worked out against store and record: the target the plan steers to.
 * Pure.
 */
import { DAY_MS, SECOND_MS } from '../../kernel/time.ts';
import type { FormRecord, Grant, TermBounds } from '../../ledger/form.ts';
import { firstIssuedMs, termBounds } from '../../ledger/grants.ts';
import type { KeyRecord, KeyState } from '../../ledger/record.ts';
import type { KeyFormat } from '../../keys/format.ts';
import { resolveTerms, type Resolution } from '../../terms/resolve.ts';
import { imposed } from './standing.ts';
import type { ApiKeyView, UsableStore, World } from './world.ts';

/** A key stays revivable with the same value this long after its end. */
export const REVIVAL_MS = 30 * DAY_MS;

/** The format of a key: fixed at the first issue, else the spec's, else the store's. */
export function wantedFormat(key: ApiKeyView, store: UsableStore, record?: KeyRecord): KeyFormat {
  return record?.format ?? key.spec.format ?? store.defaultFormat;
}

/** The terms of the spec as instants, or every problem in them at once. */
export function wantedTerms(world: World, key: ApiKeyView, store: UsableStore): Resolution {
  if (world.resolution !== undefined) return world.resolution;
  const { application, record, nowMs } = world;
  const { form, grant } = application ?? {};
  if (record !== undefined && grant !== undefined && follows(record, form, grant)) {
    // What was worked out for a grant stays as it is, whatever becomes of its store.
    return { type: 'Resolved', terms: record.terms, alreadyOver: isOver(record, nowMs) };
  }
  const issuedMs = firstIssuedMs(form ?? {}) ?? record?.firstIssuedMs;
  const context = {
    nowMs,
    ...(issuedMs === undefined ? {} : { firstIssuedMs: issuedMs }),
    ...(store.timeZone === undefined ? {} : { storeTimeZone: store.timeZone }),
    ...(grant === undefined ? boundsOf(store) : termBounds(grant.rules)),
  };
  return resolveTerms(key.spec.terms ?? {}, context);
}

function boundsOf({ durationDays, ...store }: UsableStore): TermBounds {
  const storeDurationDays = durationDays === undefined ? {} : { storeDurationDays: durationDays };
  return { ...termBounds(store), ...storeDurationDays };
}

function follows(
  { grant: bound }: KeyRecord,
  form: FormRecord | undefined,
  grant: Pick<Grant, 'round'>,
): boolean {
  return bound?.formUid === form?.uid && bound?.round === grant.round;
}

/** The stricter of the spec, what was final before, what others impose, and the store's consent. */
export function wantedState(world: World, key: ApiKeyView): KeyState {
  if (world.record?.state === 'Revoked' || key.spec.state === 'Revoked') return 'Revoked';
  const by = imposed(world);
  if (by !== undefined) return by.state;
  // A store that cannot be read may be one that shuts the namespace out: then nothing is switched on.
  const isShutOut =
    world.store.type === 'Usable'
      ? !world.store.allowsNamespace
      : world.record?.state === 'Suspended';
  return key.spec.state === 'Suspended' || isShutOut ? 'Suspended' : 'Active';
}

/** How long old values go on beside new ones; 0: they end when the new ones are in place. */
export function overlapMs(key: ApiKeyView, store: UsableStore): number {
  return (key.spec.rotation?.overlapSeconds ?? store.overlapSeconds) * SECOND_MS;
}

/**
 * What follows the loss of a Secret. Restore says that copies are kept now; whether there is one of these
 * very values, loss.ts finds out.
 */
export function onLoss(key: ApiKeyView, store: UsableStore): 'Restore' | 'Rotate' | 'Wait' {
  const wish = key.spec.secret?.onLoss ?? 'Rotate';
  return wish === 'Restore' && !store.capabilities.recoverable ? 'Wait' : wish;
}

/** The instant at which the value is due to change by age; undefined: never. */
export function rotationDueMs(key: ApiKeyView, record: KeyRecord): number | undefined {
  const days = key.spec.rotation?.maxAgeDays;
  const current = record.credentials.at(-1);
  if (days === undefined || current === undefined) return undefined;
  const active = current.slots.find((slot) => slot.role === 'Active') ?? current.slots[0];
  return (active?.rotatedAtMs ?? current.createdAtMs) + days * DAY_MS;
}

/** True once the validity of the record is over. */
export function isOver(record: KeyRecord, nowMs: number): boolean {
  return record.terms.endMs !== undefined && record.terms.endMs <= nowMs;
}

/** The spec now names a later end than the one that passed. */
export function isRevivedBySpec(world: World): boolean {
  const { key, store, nowMs } = world;
  if (key === undefined || store.type !== 'Usable') return false;
  const resolution = wantedTerms(world, key, store);
  if (resolution.type !== 'Resolved') return false;
  return resolution.terms.endMs === undefined || resolution.terms.endMs > nowMs;
}
