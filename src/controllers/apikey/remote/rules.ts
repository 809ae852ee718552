/**
 * The rules for credentials that live at a vendor (docs/protocol.md). Pure.
 *
 * What was begun is finished before anything else is begun; how, depends on the class of the driver,
 * never on who the vendor is. "Not found" counts only when a search is settled.
 */
import { MINUTE_MS, SECOND_MS } from '../../../kernel/time.ts';
import type { CredentialRecord, KeyRecord, RemoteRecord } from '../../../ledger/record.ts';
import { isRemote, type RemoteCredentialRecord } from '../../../ledger/remote.ts';
import { currentCredential } from '../../../ledger/transitions.ts';
import type { RemoteWish } from '../../../stores/contract.ts';
import { endingStep } from '../../../stores/ending.ts';
import type { CreateSearch } from '../../../stores/searching.ts';
import { isLive } from '../../../terms/verdict.ts';
import {
  NOTHING,
  type Action,
  type Answer,
  type RemoteStep,
  type RemoteStepOf,
  type Rule,
} from '../actions.ts';
import { firstFinding } from '../checks.ts';
import { newValues } from '../rotating.ts';
import { isOver, isRevivedBySpec, onLoss, wantedState } from '../wanted.ts';
import type { ApiKeyView, RemoteRules, UsableStore, World } from '../world.ts';
import { actOf, inTurn, mayTake } from './trouble.ts';

/** Times a credential of class O is made anew because its values were lost with the answer. */
const ATTEMPTS_MAX = 5;
const RETRY_MIN_MS = 5 * SECOND_MS;
/** The longest pause before a vendor is asked again that failed or refused. */
export const RETRY_MAX_MS = 10 * MINUTE_MS;

type RemoteStoreFact = UsableStore & { readonly remote: RemoteRules };

/** Finishes a create call whose outcome is open, and makes the first for a new intent. */
export const createRemote: Rule = (world) => {
  const { record, store } = world;
  const credential = record?.credentials.filter(isRemote).find(isUnmade);
  if (record === undefined || credential === undefined || !isAtVendor(store)) return undefined;
  // What waits for a person, and old values that must not wait: see awaitPerson and rotateAtOnce.
  if (credential.state !== 'Intent' || isEmergency(world)) return undefined;
  // Which one it is, only a person can say: `keyward import`.
  if (credential.origin === 'Imported') {
    return take({ type: 'Stop', sequence: credential.sequence, state: 'Unknown' });
  }
  return createIntended(world, store, record, credential);
};

/** A creation that only a person can finish: until then nothing else is made. */
export const awaitPerson: Rule = ({ record }) =>
  record?.credentials.some(({ state }) => state !== 'Intent' && isUnmade({ state })) === true
    ? NOTHING
    : undefined;

/** Values whose replacement was begun: the vendor tells whether it was done. */
export const finishRegenerate: Rule = ({ record, store }) => {
  const begun = record?.credentials.filter(isRemote).find(
    ({ state, remote }) =>
      state !== 'Disabled' &&
      remote.regenerating !== undefined &&
      // Of one that is gone nothing is replaced; replaceMissing goes on.
      remote.missingSinceMs === undefined,
  );
  if (begun === undefined || !isAtVendor(store)) return undefined;
  return take({ type: 'Regenerate', sequence: begun.sequence });
};

/**
 * What is to be off goes off before everything else that the vendor is asked for: that may fail, and
 * fail again.
 */
export const switchOff: Rule = (world) =>
  firstWish(world, ({ remote }, wish) => remote.enabled !== false && !wish.enabled);

/**
 * Does what finishRegenerate does, before a credential is switched on: the value that is replaced
 * because it was exposed must not work again in between.
 */
export const finishWhileOff: Rule = (world) => {
  const isOff = world.record?.credentials.some(
    ({ state, remote }) =>
      state !== 'Disabled' && remote?.enabled === false && remote.regenerating !== undefined,
  );
  return isOff === true ? finishRegenerate(world) : undefined;
};

/** The vendor's credential works exactly while the key is active and valid. */
export const syncEnabled: Rule = (world) =>
  firstWish(world, ({ remote }, wish) => remote.enabled !== wish.enabled);

/** Name and description are what the spec says; a mark in the name has done its service. */
export const syncNames: Rule = (world) =>
  firstWish(
    world,
    ({ remote }, wish) =>
      (remote.name !== undefined && remote.name !== wish.name) ||
      (remote.description !== undefined && remote.description !== wish.description),
  );

/** A store that deletes on expiry does so at the instant. */
export const dropExpiredRemote: Rule = (world) => {
  const { record, store, nowMs, isClockTrusted } = world;
  if (record === undefined || !isAtVendor(store) || !isClockTrusted) return undefined;
  if (store.remote.onExpiry !== 'Delete' || !isOver(record, nowMs)) return undefined;
  if (isRevivedBySpec(world)) return undefined;
  return record.credentials.some((each) => each.state !== 'Disabled')
    ? { type: 'DropExpired' }
    : undefined;
};

/** Credentials whose time is over end at the vendor, too, while the key goes on. */
export const endRemote: Rule = (world) =>
  world.record === undefined ? undefined : endNext(world, world.record);

/** Compares the vendor's copy with ours now and then. */
export const checkRemote: Rule = (world) => {
  const { record, store, evidence, isRemoteCheckDue, nowMs } = world;
  if (record === undefined || !isAtVendor(store) || !isRemoteCheckDue) return undefined;
  if (evidence.remoteChecked === true) return undefined;
  const current = currentCredential(record, nowMs);
  if (current === undefined || !isRemote(current) || !isReadable(store)) return undefined;
  return mayTake(world, current, 'Read')
    ? take({ type: 'Read', sequence: current.sequence })
    : undefined;
};

/** The vendor has it no more, and nobody here has ended it; where nothing follows, it may come back. */
export const replaceMissing: Rule = (world) => {
  const { record, key, store, nowMs } = world;
  if (record === undefined || key === undefined || store.type !== 'Usable') return undefined;
  const current = currentCredential(record, nowMs);
  if (current?.remote?.missingSinceMs === undefined) return undefined;
  // A dead key needs no values; the same rule answers when a later end revives it.
  if (isOver(record, nowMs)) return NOTHING;
  const { rotationRequest: requestId } = world;
  // A request that was spent on replacing values which turned out to be gone is still owed new ones.
  const isAsked = requestId !== undefined || current.remote.regenerating?.trigger === 'Request';
  if (onLoss(key, store) !== 'Rotate' && !isAsked) return checkRemote(world) ?? NOTHING;
  const request = requestId === undefined ? {} : { requestId };
  return { ...newValues('RemoteLost', 'Values'), oldValuesEnd: 'AtOnce', ...request };
};

/**
 * The next step towards a record that owes its vendor nothing; undefined: none is left, or none can
 * be taken now. The credential is switched off first, which can be undone, and deleted after the
 * grace time, or at once when the whole key has ended. All that the vendor can switch off are off before
 * one is deleted.
 */
export function endNext(world: World, record: KeyRecord): Action | undefined {
  const { store } = world;
  if (!isAtVendor(store)) return undefined;
  // An earlier object of the name may have been in another store; what it owes is paid as a debt.
  if (store.uid !== record.store.uid) return undefined;
  const doomed = record.credentials.filter(isRemote).filter(({ state }) => state === 'Disabled');
  const steps = inTurn(world, doomed).flatMap((credential) => {
    const step = endStep(world, store, record, credential);
    return step !== undefined && mayTake(world, credential, actOf(step)) ? [step] : [];
  });
  const step = steps.find((each) => actOf(each) === 'Disable') ?? steps[0];
  return step && take(step);
}

/** Whether a record still owes its vendor something. */
export function isOwing(record: KeyRecord): boolean {
  return record.credentials.some((each) => isRemote(each) && each.state === 'Disabled');
}

type Patience = Pick<World, 'nowMs' | 'debtAfterMs'>;

/** True when the vendor had its time: from here on the debt waits in the ledger alone. */
export function isDebt(patience: Patience, record: KeyRecord): boolean {
  return debtAtMs(patience, record) <= patience.nowMs;
}

/** When an object that is being deleted goes without its vendor. */
export function debtAtMs({ nowMs, debtAfterMs }: Patience, record: KeyRecord): number {
  const since = record.credentials.map(({ remote }) => remote?.doomedAtMs ?? nowMs);
  return Math.min(nowMs, ...since) + debtAfterMs;
}

/** Instants at which a date alone changes what these rules say. */
export function remoteInstants(world: World): readonly (number | undefined)[] {
  const { record, store, evidence } = world;
  if (record === undefined) return [];
  const remote = store.type === 'Usable' ? store.remote : undefined;
  return [
    evidence.remoteTrouble?.retryAtMs,
    ...record.credentials
      .filter(isRemote)
      .flatMap(({ remote: { doomedAtMs, disabledAtMs, createBegunAtMs } }) => [
        plus(disabledAtMs, remote?.deleteGraceMs),
        plus(doomedAtMs, world.debtAfterMs),
        plus(createBegunAtMs, remote?.settleMs),
      ]),
  ];
}

/** Pauses grow with the age of the trouble: 5 s at first, 10 minutes at last. */
export function retryPauseMs(sinceMs: number, nowMs: number): number {
  return Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, nowMs - sinceMs));
}

function createIntended(
  world: World,
  store: RemoteStoreFact,
  record: KeyRecord,
  credential: RemoteCredentialRecord,
): Answer {
  const { sequence, attempt, remote, token } = credential;
  const isFound = searchOf(world, token)?.ids.length ?? 0;
  if (remote.createBegunAtMs !== undefined || isFound > 0)
    return finishCreate(world, store, credential);
  if (isGoing(world)) return undefined;
  // Of two open calls in one account nobody could tell which one made what.
  if (store.capabilities.class === 'D' && record.credentials.some(isSought)) return NOTHING;
  if (firstFinding(world) !== undefined) return undefined;
  return take({ type: 'Create', sequence, attempt });
}

function finishCreate(
  world: World,
  store: RemoteStoreFact,
  credential: RemoteCredentialRecord,
): Answer {
  const { sequence, attempt, token } = credential;
  const record = world.record;
  const driverClass = store.capabilities.class;
  if (record === undefined) return undefined;
  if (driverClass === 'X') return take({ type: 'Stop', sequence, state: 'Unknown' });
  if (driverClass === 'I') {
    return isGoing(world) ? undefined : take({ type: 'Create', sequence, attempt });
  }
  const search = searchOf(world, token);
  if (search === undefined) return take({ type: 'Search', sequence, record });
  const [first, ...others] = search.ids;
  // Without marks, one is alone, and several are all, when lists have settled.
  if (first !== undefined && (search.isOurs || search.isSettled))
    return finishFound(driverClass, credential, { ...search, ids: [first, ...others] });
  if (!search.isSettled) {
    const begunAtMs = credential.remote.createBegunAtMs ?? world.nowMs;
    return take({ type: 'AwaitSettled', untilMs: begunAtMs + store.remote.settleMs });
  }
  // An open call keeps others of class D from the account; this one may wait for its spec for ever.
  if (isGoing(world) || firstFinding(world) !== undefined) {
    return take({ type: 'NothingMade', sequence });
  }
  return take({ type: 'Create', sequence, attempt });
}

/** What is open is cleared up for an object that is being deleted, and nothing is made for it any more. */
function isGoing({ key }: World): boolean {
  return key?.isDeleting === true;
}

function finishFound(
  driverClass: 'M' | 'D' | 'O' | 'Local',
  credential: RemoteCredentialRecord,
  { ids, isOurs }: Pick<CreateSearch, 'isOurs'> & { readonly ids: readonly [string, ...string[]] },
): Answer {
  const { sequence, attempt } = credential;
  const [id] = ids;
  if (driverClass === 'O') {
    return attempt >= ATTEMPTS_MAX
      ? take({ type: 'Stop', sequence, state: 'Blocked', candidates: ids })
      : take({ type: 'Burn', sequence, id });
  }
  if (!isOurs) {
    return take({ type: 'Stop', sequence, state: 'Ambiguous', candidates: ids });
  }
  // Class M with several: each bears our mark. The oldest is taken, the sweep ends the others.
  return take({ type: 'Adopt', sequence, id });
}

function endStep(
  world: World,
  rules: RemoteStoreFact,
  record: KeyRecord,
  credential: RemoteCredentialRecord,
): RemoteStepOf<'Search' | 'End'> | undefined {
  const { capabilities, remote } = rules;
  const { nowMs } = world;
  const search = searchOf(world, credential.token);
  const { deleteGraceMs } = remote;
  const { sequence } = credential;
  const step = endingStep({
    record,
    credential,
    rules: { capabilities, deleteGraceMs },
    search,
    nowMs,
  });
  if (step === undefined) return undefined;
  if (step.how === 'Search') return { type: 'Search', sequence, record };
  return { type: 'End', sequence, record, ...step, how: step.how };
}

/** The first living credential about which the vendor is to be told something. */
function firstWish(
  world: World,
  differs: (credential: RemoteCredentialRecord, wish: RemoteWish) => boolean,
): Answer {
  const { key, record, store, nowMs } = world;
  if (key === undefined || record === undefined || !isAtVendor(store)) return undefined;
  for (const each of inTurn(world, record.credentials.filter(isRemote))) {
    if (!isLive(each, nowMs) || each.remote.missingSinceMs !== undefined) continue;
    if (!mayTake(world, each, 'Update')) continue;
    const wish = wishOf(world, key, store, each);
    if (differs(each, wish)) return take({ type: 'Update', sequence: each.sequence, wish });
  }
  return undefined;
}

/** What the vendor should have for a living credential. */
function wishOf(
  world: World,
  key: ApiKeyView,
  store: UsableStore,
  { remote }: RemoteCredentialRecord,
): RemoteWish {
  const isWanted = wantedState(world, key) === 'Active' && isInForce(world, remote);
  return {
    // A store that cannot switch off is said to be so in a condition.
    enabled: isWanted || !store.capabilities.suspend,
    ...namesOf(key),
  };
}

/** Whether the vendor has a living credential on or off as it should be; one that went has no state. */
export function isTold(world: World, key: ApiKeyView, credential: CredentialRecord): boolean {
  const { store } = world;
  if (!isRemote(credential) || !isAtVendor(store)) return true;
  const { missingSinceMs, enabled } = credential.remote;
  if (missingSinceMs !== undefined) return true;
  return wishOf(world, key, store, credential).enabled === enabled;
}

/** By its dates; a clock that was put back must not bring an expired key to life. */
function isInForce({ record, nowMs, isClockTrusted }: World, { enabled }: RemoteRecord): boolean {
  const { notBeforeMs = nowMs, endMs = Infinity } = record?.terms ?? {};
  const mayEnable = isClockTrusted || endMs === Infinity || enabled !== false;
  return notBeforeMs <= nowMs && nowMs < endMs && mayEnable;
}

/** What the vendor is to call it. */
export function namesOf(key: ApiKeyView): Pick<RemoteWish, 'name' | 'description'> {
  return {
    name: key.spec.displayName ?? key.ref.name,
    description: key.spec.description ?? '',
  };
}

function take(step: RemoteStep): Action {
  return { type: 'Remote', step };
}

function isUnmade({ state }: Pick<CredentialRecord, 'state'>): boolean {
  return state === 'Intent' || state === 'Unknown' || state === 'Ambiguous' || state === 'Blocked';
}

/** It is not known yet whether anything of it exists. */
function isSought({ state, remote }: CredentialRecord): boolean {
  return state === 'Disabled' && remote?.id === undefined && remote?.createBegunAtMs !== undefined;
}

/** Whether rotateAtOnce has something to do once it is reached: of a dead key it replaces nothing. */
function isEmergency(world: World): boolean {
  return isEmergencyAsked(world) && firstFinding(world) === undefined;
}

/** Values of a key that is not over were exposed, and their replacement has not begun. */
export function isEmergencyAsked({ key, record, rotationRequest, nowMs }: World): boolean {
  if (record !== undefined && isOver(record, nowMs)) return false;
  return rotationRequest !== undefined && key?.spec.rotation?.urgency === 'Emergency';
}

function searchOf({ evidence }: World, token: string): CreateSearch | undefined {
  return evidence.searches?.find((search) => search.token === token);
}

/** True for classes whose values can be read again, so that a difference means something. */
export function isReadable({ capabilities }: UsableStore): boolean {
  return capabilities.class === 'M' || capabilities.class === 'D';
}

function isAtVendor(store: World['store']): store is RemoteStoreFact {
  return store.type === 'Usable' && store.remote !== undefined;
}

function plus(atMs: number | undefined, deltaMs: number | undefined): number | undefined {
  return atMs === undefined || deltaMs === undefined ? undefined : atMs + deltaMs;
}
