/** The ApiKey controller: its four steps, and when it looks again. */
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import type { Ref } from '../../api/meta.ts';
import { API_KEYS } from '../../api/names.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { DAY_MS, earlier, MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import { statusDraft } from '../../kube/statusdraft.ts';
import { isHeldBack } from '../../runtime/heldback.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import { apply } from './apply.ts';
import type { Deps } from './deps.ts';
import { observe } from './observe.ts';
import { awaitsValues, currentCredential } from '../../ledger/transitions.ts';
import { LOOK_PAUSE_MS } from './ownsecrets.ts';
import type { Action } from './actions.ts';
import { nextAction } from './plan.ts';
import { isReadable, remoteInstants } from './remote/rules.ts';
import { heldUntilMs, owedValues } from './rollout.ts';
import { inPlaceAnnouncement, isInPlaceAnnounced } from './rotating.ts';
import { isSameStatus, wantedStatus } from './status.ts';
import { quietInstants } from './unused.ts';
import { REVIVAL_MS, rotationDueMs, wantedTerms } from './wanted.ts';
import type { World } from './world.ts';

/** Between saying that a value changes in place and doing it: long enough for a watch to see it. */
const ANNOUNCEMENT_MS = SECOND_MS;
/** Values may be imported by another process, of which only the ledger tells. */
const IMPORT_LOOK_MS = 30 * SECOND_MS;

/** The steps for the pipeline. */
export function apiKeySteps(deps: Deps): Steps<World, Action> {
  return {
    name: 'apikey',
    observe: (ref: Ref, signal) => observe(deps, ref, signal),
    next: nextAction,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs: (world) => earlier(lookAgainAtMs(world), nextLookAtMs(deps, world)),
    // What only a date changes may wait behind what people asked for.
    lookAgainLane: (world) => (world.record === undefined ? 'normal' : 'bulk'),
  };
}

/** The one status write, and only if something differs. */
async function report(
  deps: Deps,
  world: World,
  failure: KeywardError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { key } = world;
  // Read last: what this pass has committed may have begun a new count.
  const quotaUses = key && deps.quotaUses(key.uid, world.nowMs);
  const status = wantedStatus({ ...world, quotaUses }, failure);
  if (key === undefined || status === undefined || isSameStatus(key.status, status)) return;
  const written = await deps.client.replaceStatus(API_KEYS, statusDraft(API_KEYS, key, status), {
    signal,
  });
  if (written === undefined) return;
  const own = { resourceVersion: written.resourceVersion, status };
  deps.ownStatus.wrote(key.uid, own, deps.keys.get(key.ref)?.resourceVersion);
  if (isStillUsed(status) && !isStillUsed(key.status)) deps.reporter.stillUsed(world);
  if (isUsedUp(status) && !isUsedUp(key.status)) deps.reporter.quotaUsedUp(world);
}

/** Told once for each overlap: worked out from what is published, as below. */
function isStillUsed(status: ApiKeyStatus | undefined): boolean {
  const rotating = status?.conditions?.find(({ type }) => type === 'Rotating');
  return rotating?.reason === 'PreviousStillUsed';
}

/** Told once per window: worked out from what is published, so that a restart repeats nothing. */
function isUsedUp(status: ApiKeyStatus | undefined): boolean {
  const { limit = 0, remaining } = status?.quota ?? {};
  return limit > 0 && remaining === 0;
}

/**
 * The next instant at which a date alone changes what is wanted. Pure.
 * Instants that have passed are left out: what they asked for was done in this pass, if the clock is believed.
 */
export function lookAgainAtMs(world: World): number | undefined {
  const { record, nowMs } = world;
  const instants = [
    ...termInstants(world),
    ...remoteInstants(world),
    ...formInstants(world),
    ...(record?.credentials ?? []).flatMap((credential) => [
      credential.retireAtMs,
      ...credential.slots.map((slot) => slot.retireAtMs),
    ]),
    world.key === undefined || record === undefined ? undefined : rotationDueMs(world.key, record),
    plus(record?.secret?.missingSinceMs, world.lossGraceMs),
    ...rolloutInstants(world),
    ...quietInstants(world),
    isToBeAnnounced(world) ? nowMs + ANNOUNCEMENT_MS : undefined,
    // Where Secrets are watched by label, nobody tells when this one goes.
    world.evidence.inspection?.type === 'Foreign' ? nowMs + MINUTE_MS : undefined,
    record?.credentials.some(awaitsValues) === true ? nowMs + IMPORT_LOOK_MS : undefined,
  ];
  return [...instants, isHeldBack(world, nextAction) ? nowMs + MINUTE_MS : undefined]
    .filter((atMs) => atMs !== undefined && atMs > nowMs)
    .reduce<number | undefined>(earlier, undefined);
}

/** What acts is the pass that finds it in the status; once it stands there, what holds the act up wakes the key. */
function isToBeAnnounced(world: World): boolean {
  return inPlaceAnnouncement(world) !== undefined && !isInPlaceAnnounced(world);
}

/** Where Secrets are not watched, each is looked at now and then. */
function nextLookAtMs(
  deps: Pick<Deps, 'secrets' | 'remoteChecks'>,
  world: World,
): number | undefined {
  const { record, store, nowMs } = world;
  const isPaced = deps.secrets === undefined && record?.secret !== undefined;
  const current = record && currentCredential(record, nowMs);
  const isChecked = current?.remote !== undefined && store.type === 'Usable' && isReadable(store);
  const checkMs = isChecked ? deps.remoteChecks.dueMs(current.token) : undefined;
  return earlier(isPaced ? nowMs + LOOK_PAUSE_MS : undefined, checkMs);
}

/** From these instants on the form means something else, whether or not it was committed anew. */
function formInstants({ application }: World): readonly (number | undefined)[] {
  const form = application?.form;
  if (form === undefined) return [];
  return [form.grant?.effectiveMs, form.nextGrant?.effectiveMs, form.revocation?.atMs];
}

/** When workloads that could not be restarted are tried again. */
function rolloutInstants(world: World): readonly (number | undefined)[] {
  const { record, evidence, nowMs } = world;
  if (record === undefined || owedValues(world) === undefined) return [];
  const { troubles = [] } = evidence.rollout ?? {};
  return [heldUntilMs(record, nowMs), ...troubles.map(({ retryAtMs }) => retryAtMs)];
}

function termInstants(world: World): readonly (number | undefined)[] {
  const { key, store } = world;
  const wanted =
    key === undefined || store.type !== 'Usable' ? undefined : wantedTerms(world, key, store);
  const terms = world.record?.terms ?? (wanted?.type === 'Resolved' ? wanted.terms : undefined);
  if (terms === undefined) return [];
  const { notBeforeMs, endMs } = terms;
  const notices = store.type === 'Usable' ? store.expiryNoticeDays : [];
  return [
    notBeforeMs,
    endMs,
    plus(endMs, REVIVAL_MS),
    ...notices.map((days) => plus(endMs, -days * DAY_MS)),
  ];
}

function plus(atMs: number | undefined, deltaMs: number): number | undefined {
  return atMs === undefined ? undefined : atMs + deltaMs;
}
