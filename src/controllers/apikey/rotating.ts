/** The rules by which values change: on request, by age, by turns. Pure. */
import type { SlotName } from '../../keys/mint.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { isPending } from '../../ledger/remote.ts';
import { currentCredential, isOpen } from '../../ledger/transitions.ts';
import {
  NOTHING,
  withLayout,
  withTerms,
  type Action,
  type Answer,
  type Facts,
  type RotationTrigger,
  type Rule,
} from './actions.ts';
import { isOver, rotationDueMs } from './wanted.ts';
import type { ApiKeyView, UsableStore, World } from './world.ts';

/** In an emergency the old values die first, whatever else is under way. */
export const rotateAtOnce: Rule = (world) =>
  world.rotationRequest !== undefined && world.key?.spec.rotation?.urgency === 'Emergency'
    ? withTerms(world, nextRotation)
    : undefined;

/** New values on request, by age, or for a key that outlived its old ones. */
export const rotate: Rule = (world) => withTerms(world, nextRotation);

/** The standby value of a Dual credential is replaced when its overlap is over. */
export const retireStandby: Rule = ({ record, nowMs, isClockTrusted }) => {
  if (record === undefined || !isClockTrusted) return undefined;
  const due = currentCredential(record, nowMs)?.slots.find(
    (slot) => slot.retireAtMs !== undefined && slot.retireAtMs <= nowMs,
  );
  if (due === undefined) return undefined;
  return { type: 'Regenerate', slot: due.name, trigger: 'Retire', becomesActive: false };
};

/** A step that makes a new credential; the old values overlap. */
export function newValues(
  trigger: RotationTrigger,
  lost: 'Nothing' | 'Values' | 'Secret',
): Extract<Action, { type: 'Rotate' }> {
  return { type: 'Rotate', trigger, oldValuesEnd: 'AtConfirm', lost };
}

function nextRotation({ world, key, store }: Facts): Answer {
  const { record, nowMs, rotationRequest: requestId } = world;
  if (record === undefined) return undefined;
  const current = currentCredential(record, nowMs);
  if (isOver(record, nowMs)) return undefined;
  if (current === undefined) {
    const request = requestId === undefined ? {} : { requestId };
    return { ...newValues('Revival', 'Values'), oldValuesEnd: 'AtOnce', ...request };
  }
  if (requestId !== undefined) return requested({ world, key, store }, requestId);
  const dueMs = rotationDueMs(key, record);
  if (dueMs === undefined || dueMs > nowMs || !world.isClockTrusted) return undefined;
  return planned(record, 'Age');
}

function requested(
  { world, key, store }: Pick<Facts, 'world' | 'key' | 'store'>,
  requestId: string,
): Answer {
  const { record } = world;
  const { rotation } = key.spec;
  if (record === undefined) return undefined;
  const look = inspectFirst(key, record, world);
  if (look !== undefined) return look;
  const one = onlySlot(key, world);
  if (one !== undefined) {
    return { type: 'Regenerate', slot: one, trigger: 'Request', becomesActive: false, requestId };
  }
  if (rotation?.urgency === 'Emergency') return { ...atOnce(record, store), requestId };
  const method = rotation?.method ?? store.capabilities.rotation;
  if (method === 'InPlace' && record.format !== 'Dual') {
    if (!isInPlaceAnnounced(world)) return NOTHING;
    const slot = record.format === 'KeyPair' ? 'apiSecret' : 'apiKey';
    return { type: 'Regenerate', slot, trigger: 'Request', becomesActive: false, requestId };
  }
  return { ...planned(record, 'Request'), requestId };
}

/**
 * The one value that is asked for. An emergency does not wait: where this value cannot be replaced alone, it is
 * all of them.
 */
function onlySlot({ spec: { rotation } }: ApiKeyView, world: World): SlotName | undefined {
  const slot = slotAskedFor(rotation, world.record);
  return rotation?.urgency === 'Emergency' && !isReplaceable(world, slot) ? undefined : slot;
}

function slotAskedFor(
  rotation: ApiKeyView['spec']['rotation'],
  record: KeyRecord | undefined,
): SlotName | undefined {
  if (rotation?.slot === undefined || record?.format !== 'Dual') return undefined;
  return rotation.slot === 'Primary' ? 'primaryKey' : 'secondaryKey';
}

/** No value of an open credential can be replaced alone, and none whose other value nobody can deliver. */
function isReplaceable(world: World, slot: SlotName | undefined): boolean {
  const { credentials = [] } = world.record ?? {};
  if (credentials.some(isOpen) || !isWhole(credentials)) return false;
  return areOthersKept(world.record, slot) || isSecretWhole(world) === 'Yes';
}

/** The ledger can give every value but this one. */
function areOthersKept(record: KeyRecord | undefined, slot: SlotName | undefined): boolean {
  const others = record?.credentials.at(-1)?.slots.filter(({ name }) => name !== slot) ?? [];
  return others.every(({ sealed }) => sealed !== undefined);
}

/** Whether the Secret holds the values in use, as far as this pass knows. */
function isSecretWhole({ record, secret, evidence }: World): 'Yes' | 'No' | 'Unknown' {
  const known = record?.secret;
  if (known?.missingSinceMs !== undefined || known?.health === 'Tampered') return 'No';
  if (evidence.inspection !== undefined) {
    return evidence.inspection.type === 'Intact' ? 'Yes' : 'No';
  }
  if (secret.type === 'Absent') return 'No';
  const isAsWritten =
    secret.type === 'Present' &&
    secret.uid === known?.uid &&
    secret.resourceVersion === known.resourceVersion;
  return isAsWritten ? 'Yes' : 'Unknown';
}

/**
 * An emergency of one value, while the other one is in the Secret and nowhere else: a Secret that went or
 * changed unnoticed would leave that one working and delivered to nobody.
 */
export function restsOnSecret({ spec: { rotation } }: ApiKeyView, record: KeyRecord): boolean {
  const slot = slotAskedFor(rotation, record);
  return rotation?.urgency === 'Emergency' && slot !== undefined && !areOthersKept(record, slot);
}

/** The look without which nobody can tell whether one value can be replaced alone. */
function inspectFirst(key: ApiKeyView, record: KeyRecord, world: World): Answer {
  const isDecided = record.credentials.some(isOpen) || !isWhole(record.credentials);
  if (isDecided || !restsOnSecret(key, record) || isSecretWhole(world) !== 'Unknown') {
    return undefined;
  }
  return withLayout(world, (layout) => ({ type: 'InspectSecret', layout }));
}

function atOnce(
  record: KeyRecord,
  store: UsableStore,
): Extract<Action, { type: 'Rotate' | 'Regenerate' }> {
  return isRegenerable(store) && isWhole(record.credentials)
    ? everySlot(record)
    : { ...newValues('Request', 'Nothing'), oldValuesEnd: 'AtOnce' };
}

/** Nothing that was begun at the vendor is unfinished, and nobody deleted there what it has. */
function isWhole(credentials: KeyRecord['credentials']): boolean {
  return !credentials.some((each) => isPending(each) || each.remote?.missingSinceMs !== undefined);
}

/** A vendor that can replace values kills the old ones by that, at once and for certain. */
function isRegenerable({ remote, capabilities }: UsableStore): boolean {
  return remote !== undefined && capabilities.regeneratePerSlot;
}

/** The value in use first: it is the one that leaked. */
function everySlot(record: KeyRecord): Extract<Action, { type: 'Regenerate' }> {
  const slots = record.credentials.at(-1)?.slots ?? [];
  const active = slots.find(({ role }) => role === 'Active') ?? slots[0];
  return {
    type: 'Regenerate',
    slot: active?.name ?? 'apiKey',
    also: slots.filter((slot) => slot !== active).map(({ name }) => name),
    trigger: 'Request',
    becomesActive: false,
    urgency: 'Emergency',
  };
}

/** Dual keys take turns; others get a new credential beside the old one. */
function planned(
  record: KeyRecord,
  trigger: 'Request' | 'Age',
): Extract<Action, { type: 'Rotate' | 'Regenerate' }> {
  const standby = record.credentials.at(-1)?.slots.find((slot) => slot.role === 'Standby');
  if (record.format === 'Dual' && standby !== undefined) {
    return { type: 'Regenerate', slot: standby.name, trigger, becomesActive: true };
  }
  return newValues(trigger, 'Nothing');
}

/**
 * A value that changes in place stops working before anybody has the new one, so it is said first:
 * status names the request, and only a pass that finds it there acts.
 */
export function inPlaceAnnouncement(world: World): string | undefined {
  const { key, store, record, rotationRequest, nowMs } = world;
  if (key === undefined || record === undefined || store.type !== 'Usable') return undefined;
  if (record.state === 'Revoked' || isOver(record, nowMs)) return undefined;
  if (rotationRequest === undefined || !isInPlace(key, store, record)) return undefined;
  return `rotation '${rotationRequest}' changes the value in place: the old one stops at once`;
}

function isInPlace({ spec }: ApiKeyView, store: UsableStore, record: KeyRecord): boolean {
  const { rotation } = spec;
  const method = rotation?.method ?? store.capabilities.rotation;
  const isPlanned = rotation?.slot === undefined && rotation?.urgency !== 'Emergency';
  return method === 'InPlace' && record.format !== 'Dual' && isPlanned;
}

/** Whether status says it already; `inPlaceAnnouncement` must have something to say. */
export function isInPlaceAnnounced(world: World): boolean {
  const message = inPlaceAnnouncement(world);
  return (
    world.key?.status?.conditions?.some(
      (condition) => condition.type === 'Rotating' && condition.message === message,
    ) === true
  );
}
