/**
 * What we publish about a key: World and failure in, status out. Pure.
 *
 * The status is the dearest part of a key for the API server, so it holds what people and tools ask
 * for and nothing else; conditions beside Ready appear only while they say something.
 */
import { apiKeyCondition, apiKeyReady, type ReadyReason } from '../../api/conditions.ts';
import { mergeConditions, type WantedCondition } from '../../api/reasons.ts';
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { DAY_MS, formatTime } from '../../kernel/time.ts';
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import { currentCredential, isOpen } from '../../ledger/transitions.ts';
import { tellQuota } from '../../terms/quotasteps.ts';
import { firstFinding } from './checks.ts';
import { stillThere } from './endingstatus.ts';
import type { Finding } from './finding.ts';
import { afterLoss, clientFacts, grantFacts, offByDecision, pendingChange } from './grantstatus.ts';
import { wantedLayout } from './actions.ts';
import { canMakeAnew } from './loss.ts';
import {
  handledFacts,
  isReplacing,
  remoteFacts,
  remoteTrouble,
  stillOn,
  subscriptionCondition,
} from './remote/status.ts';
import { restartCondition } from './rolloutstatus.ts';
import { previousFacts, rotatingCondition } from './rotatingstatus.ts';
import { isSwitchedOff, switchedOff } from './switchedoff.ts';
import { previousText } from './unused.ts';
import { isOver, rotationDueMs, wantedTerms } from './wanted.ts';
import type { ApiKeyView, World } from './world.ts';

/** The status this world should show; undefined where there is no object to show it on. */
export function wantedStatus(world: World, failure?: KeywardError): ApiKeyStatus | undefined {
  const { key, record } = world;
  if (key === undefined) return undefined;
  if (key.isDeleting) return goingStatus(world, key, failure);
  const { generation } = key;
  const conditions = conditionsOf(world, key, wantedConditions(world, key, failure));
  return { ...facts(world, key, record), observedGeneration: generation, conditions };
}

/**
 * An object that goes at once is not written any more. One that has to wait for a vendor or its store, or whose
 * ending fails, says so: it would go on looking like a key that works, or like one that goes.
 */
function goingStatus(
  world: World,
  key: ApiKeyView,
  failure: KeywardError | undefined,
): ApiKeyStatus | undefined {
  const why = stillThere(world, failure);
  if (why === undefined) return undefined;
  const wanted = [...apiKeyReady(why.reason, why.message), ...storeCondition(world, undefined)];
  return {
    ...key.status,
    observedGeneration: key.generation,
    conditions: conditionsOf(world, key, wanted),
  };
}

function conditionsOf(
  { nowMs }: World,
  { generation, status }: ApiKeyView,
  wanted: readonly WantedCondition[],
): NonNullable<ApiKeyStatus['conditions']> {
  return mergeConditions(status?.conditions ?? [], wanted, { nowMs, generation });
}

/** True when both say the same; then nothing is written. */
export function isSameStatus(a: ApiKeyStatus | undefined, b: ApiKeyStatus): boolean {
  return isSameJson(a, b);
}

function facts(
  world: World,
  key: ApiKeyView,
  record: KeyRecord | undefined,
): Omit<ApiKeyStatus, 'conditions' | 'observedGeneration'> {
  const client = clientFacts(world, key);
  if (record === undefined) return { ...forgottenFacts(world, key), ...client };
  const current = currentCredential(record, world.nowMs);
  const { notBeforeMs, endMs, quota } = record.terms;
  const dueMs = rotationDueMs(key, record);
  return {
    ...client,
    ...grantFacts(world, record),
    ...(current === undefined ? {} : credentialFacts(record, current)),
    storeRef: { kind: record.store.kind, name: record.store.name },
    ...remoteFacts(current),
    ...secretFacts(world, record),
    ...previousFacts(record, current),
    ...(notBeforeMs === undefined ? {} : { notBeforeTime: formatTime(notBeforeMs) }),
    ...(endMs === undefined ? {} : { expirationTime: formatTime(endMs) }),
    ...(dueMs === undefined ? {} : { rotationDueTime: formatTime(dueMs) }),
    ...(quota === undefined
      ? {}
      : { quota: tellQuota(quota.requests, world.quotaUses, key.status?.quota) }),
    ...handledFacts(world, key, record),
  };
}

/**
 * Of a key that the database forgot: what was shown stays. Without the key's id the next look would
 * take it for a new key and issue it, and nobody could find it at its vendor.
 */
function forgottenFacts(world: World, { status }: ApiKeyView): ApiKeyStatus {
  return firstFinding(world)?.reason === 'KeyNotInLedger' ? (status ?? {}) : {};
}

function credentialFacts(record: KeyRecord, current: CredentialRecord): ApiKeyStatus {
  const slots = current.slots.map((slot) => ({
    name: slot.name,
    role: slot.role === 'Active' ? ('Active' as const) : ('Standby' as const),
    rotatedTime: formatTime(slot.rotatedAtMs),
  }));
  return {
    keyId: current.keyId,
    keyHint: current.hint,
    sequence: current.sequence,
    issuedTime: formatTime(current.createdAtMs),
    ...(record.format === 'Dual' ? { slots } : {}),
  };
}

function secretFacts(world: World, record: KeyRecord): ApiKeyStatus {
  if (record.secret === undefined) return {};
  const layout = wantedLayout(world);
  return {
    binding: { name: record.secret.name },
    ...(layout === undefined
      ? keep(world.key?.status?.fields)
      : { fields: [...layout.entries.keys()].toSorted() }),
  };
}

function keep(fields: readonly string[] | undefined): ApiKeyStatus {
  return fields === undefined ? {} : { fields };
}

function wantedConditions(
  world: World,
  key: ApiKeyView,
  failure: KeywardError | undefined,
): readonly WantedCondition[] {
  const ready = readiness(world, key, failure);
  return [
    ...apiKeyReady(ready.reason, ready.message),
    ...secretCondition(world, failure),
    ...storeCondition(world, failure),
    ...supportCondition(world),
    ...endConditions(world, key),
    ...rotatingCondition(world),
    ...restartCondition(world),
  ];
}

/** The one reason of Ready: what stops the key from working, most telling first. */
function readiness(world: World, key: ApiKeyView, failure: KeywardError | undefined): Finding {
  const { record } = world;
  const isSettled = isWorking(world);
  const failed = failure === undefined ? undefined : failureReason(failure, isSettled);
  if (failed !== undefined) return failed;
  const off = offByDecision(world, key);
  if (off !== undefined) return { reason: off.reason, message: off.message + stillOn(record) };
  const finding = firstFinding(world);
  if (isSwitchedOff(key, record)) return switchedOff(record, finding);
  if (finding !== undefined && !(isSettled && isStoreTrouble(finding.reason))) {
    return isSettled ? { ...finding, message: `${finding.message}; ${KEEPS_WORKING}` } : finding;
  }
  if (key.spec.state === 'Suspended') return switchedOff(record, undefined);
  return record === undefined ? beforeIssue(world, key) : afterIssue(world, record);
}

const KEEPS_WORKING = 'until then the key keeps its earlier terms';

function beforeIssue(world: World, key: ApiKeyView): Finding {
  const { store, nowMs } = world;
  if (store.type !== 'Usable') return pending('the store is not known yet');
  const resolution = wantedTerms(world, key, store);
  if (resolution.type !== 'Resolved') return pending('the terms are not known yet');
  const { notBeforeMs, endMs } = resolution.terms;
  if (endMs !== undefined && endMs <= nowMs) return expired(endMs);
  if (notBeforeMs !== undefined && notBeforeMs > nowMs) return notYet(notBeforeMs);
  return pending('the key is being issued');
}

function afterIssue(world: World, record: KeyRecord): Finding {
  const { notBeforeMs, endMs } = record.terms;
  if (endMs !== undefined && isOver(record, world.nowMs)) {
    const { reason, message } = expired(endMs);
    return { reason, message: message + stillOn(record) };
  }
  if (notBeforeMs !== undefined && notBeforeMs > world.nowMs) return notYet(notBeforeMs);
  const remote = remoteTrouble(record);
  if (remote !== undefined) return remote;
  const trouble = secretTrouble(world);
  if (trouble !== undefined) return { reason: trouble.ready, message: trouble.message };
  const current = currentCredential(record, world.nowMs);
  if (current === undefined || isOpen(current) || isReplacing(current)) {
    return pending(`new values are being made${stillOn(record)}`);
  }
  const change = pendingChange(world);
  if (change !== undefined) return change;
  const retireMs = previousFacts(record, current).previous?.retireTime;
  if (retireMs === undefined) return { reason: 'Active', message: '' };
  return { reason: 'Rotating', message: previousText(world, retireMs) };
}

/** True when the value in the Secret works, whatever else may be wrong. */
function isWorking(world: World): boolean {
  const { record } = world;
  if (record === undefined || record.state !== 'Active' || record.phase !== 'Live') return false;
  const current = currentCredential(record, world.nowMs);
  if (current?.state !== 'Active' || isReplacing(current)) return false;
  return record.secret !== undefined && !secretTrouble(world);
}

function isStoreTrouble(reason: ReadyReason): boolean {
  return reason === 'StoreNotAvailable' || reason === 'StoreUnavailable';
}

function failureReason(failure: KeywardError, isSettled: boolean): Finding | undefined {
  const { message } = failure;
  switch (failure.reason) {
    case 'SecretConflict':
    case 'SecretImmutable':
      return { reason: 'SecretConflict', message };
    case 'Forbidden':
    case 'QuotaExceeded':
      return { reason: 'SecretForbidden', message };
    case 'SecretTooLarge':
      return { reason: 'InvalidSpec', message: `spec.secret: ${message}` };
    case 'LimitExceeded':
      return { reason: 'LimitExceeded', message };
    case 'SecretLost':
      return { reason: 'SecretLost', message };
    case 'OwnershipMismatch':
      return { reason: 'OwnershipMismatch', message };
    default:
      return isSettled ? undefined : { reason: 'StoreUnavailable', message };
  }
}

type SecretTrouble = {
  readonly ready: ReadyReason;
  readonly reason: 'Missing' | 'Tampered' | 'Conflict';
  readonly message: string;
};

function secretTrouble(world: World): SecretTrouble | undefined {
  const { record, evidence } = world;
  const secret = record?.secret;
  if (record === undefined || secret === undefined) return undefined;
  const name = `Secret '${record.namespace}/${secret.name}'`;
  if (evidence.inspection?.type === 'Foreign') {
    const message = `${name} was replaced by an object that is not ours; delete it to have it made anew`;
    return { ready: 'SecretConflict', reason: 'Conflict', message };
  }
  if (secret.missingSinceMs !== undefined) {
    const next = afterLoss(world, whyNotRestored(world) ?? 'spec.secret.onLoss says what follows');
    const message = `${name} was deleted; ${next}`;
    return { ready: 'SecretLost', reason: 'Missing', message };
  }
  if (secret.health === 'Tampered') {
    const next = afterLoss(world, whyNotRestored(world) ?? 'delete it or set onLoss to Rotate');
    const message = `${name} was edited and no longer holds the key; ${next}`;
    return { ready: 'SecretLost', reason: 'Tampered', message };
  }
  return undefined;
}

/** Of values of which no copy was kept, as before the store began to; undefined: what holds for all. */
function whyNotRestored(world: World): string | undefined {
  return world.key?.spec.secret?.onLoss === 'Restore' && !canMakeAnew(world)
    ? 'no copy of its values was kept, so they cannot be restored; set spec.secret.onLoss to Rotate, or ask for new ones with a new spec.rotation.requestId'
    : undefined;
}

function secretCondition(
  world: World,
  failure: KeywardError | undefined,
): readonly WantedCondition[] {
  const trouble = secretTrouble(world);
  if (trouble !== undefined)
    return [apiKeyCondition('SecretSynced', trouble.reason, trouble.message)];
  switch (failure?.reason) {
    case 'SecretConflict':
      return [apiKeyCondition('SecretSynced', 'Conflict', failure.message)];
    case 'SecretImmutable':
      return [apiKeyCondition('SecretSynced', 'Immutable', failure.message)];
    case 'Forbidden':
    case 'QuotaExceeded':
      return [apiKeyCondition('SecretSynced', 'Forbidden', failure.message)];
    default:
      return [];
  }
}

function storeCondition(
  world: World,
  failure: KeywardError | undefined,
): readonly WantedCondition[] {
  if (failure?.reason === 'LimitExceeded') {
    return [apiKeyCondition('StoreSynced', 'StoreLimitReached', failure.message)];
  }
  if (failure?.reason === 'StoreRefused') {
    return [apiKeyCondition('StoreSynced', 'StoreRejected', failure.message)];
  }
  const atVendor = vendorCondition(world, failure);
  if (atVendor.length > 0) return atVendor;
  const finding = firstFinding(world);
  return finding !== undefined && isStoreTrouble(finding.reason) && world.record !== undefined
    ? [apiKeyCondition('StoreSynced', 'StoreUnavailable', finding.message)]
    : [];
}

function vendorCondition(
  { record, evidence: { remoteTrouble: trouble } }: World,
  failure: KeywardError | undefined,
): readonly WantedCondition[] {
  if (record === undefined) return [];
  const missing = remoteTrouble(record);
  if (missing?.reason === 'RemoteMissing') {
    return [apiKeyCondition('StoreSynced', 'RemoteMissing', missing.message)];
  }
  const message = trouble?.message ?? storeFailure(failure);
  if (message === undefined) return subscriptionCondition(record);
  const reason = trouble?.reason === 'StoreRefused' ? 'StoreRejected' : 'StoreUnavailable';
  return [apiKeyCondition('StoreSynced', reason, message)];
}

function storeFailure(failure: KeywardError | undefined): string | undefined {
  return failure?.reason.startsWith('Store') === true ? failure.message : undefined;
}

function supportCondition(world: World): readonly WantedCondition[] {
  const finding = firstFinding(world);
  return finding?.reason === 'UnsupportedByStore' || finding?.reason === 'InvalidSpec'
    ? [apiKeyCondition('SpecSupported', finding.reason, finding.message)]
    : [];
}

function endConditions(world: World, key: ApiKeyView): readonly WantedCondition[] {
  const { store, nowMs, record } = world;
  const endMs = record?.terms.endMs ?? endBeforeIssue(world, key);
  if (endMs === undefined || record?.state === 'Revoked') return [];
  if (endMs <= nowMs) {
    return [apiKeyCondition('Expired', 'Expired', `the validity ended at ${formatTime(endMs)}`)];
  }
  const days = store.type === 'Usable' ? Math.max(0, ...store.expiryNoticeDays) : 0;
  return record !== undefined && endMs - days * DAY_MS <= nowMs
    ? [
        apiKeyCondition(
          'ExpiringSoon',
          'WithinNoticeWindow',
          `the validity ends at ${formatTime(endMs)}; set a later end to go on`,
        ),
      ]
    : [];
}

function endBeforeIssue(world: World, key: ApiKeyView): number | undefined {
  if (world.store.type !== 'Usable') return undefined;
  const resolution = wantedTerms(world, key, world.store);
  return resolution.type === 'Resolved' ? resolution.terms.endMs : undefined;
}

function pending(message: string): Finding {
  return { reason: 'Pending', message };
}

function expired(endMs: number): Finding {
  const message = `the validity ended at ${formatTime(endMs)}; set a later end to use the key again`;
  return { reason: 'Expired', message };
}

function notYet(notBeforeMs: number): Finding {
  return { reason: 'NotYetValid', message: `the validity begins at ${formatTime(notBeforeMs)}` };
}
