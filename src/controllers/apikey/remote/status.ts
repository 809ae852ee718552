/** What status says about the vendor's side of a key. Pure. */
import { apiKeyCondition } from '../../../api/conditions.ts';
import type { WantedCondition } from '../../../api/reasons.ts';
import type { ApiKeyStatus } from '../../../api/generated/apikey.ts';
import type { KeywardError } from '../../../kernel/errors.ts';
import { formatTime, parseTime } from '../../../kernel/time.ts';
import type { CredentialRecord, KeyRecord } from '../../../ledger/record.ts';
import { isPending } from '../../../ledger/remote.ts';
import type { Finding } from '../finding.ts';
import type { ApiKeyView, World } from '../world.ts';
import { debtAtMs, isDebt, isOwing } from './rules.ts';

/** What the vendor told of its copy; never values. */
export function remoteFacts(current: CredentialRecord | undefined): ApiKeyStatus {
  const remote = current?.remote;
  if (remote?.id === undefined) return {};
  const { id, enabled, createdMs, modifiedMs, facts } = remote;
  return {
    remote: {
      id,
      ...(enabled === undefined ? {} : { state: enabled ? 'Enabled' : 'Disabled' }),
      ...(createdMs === undefined ? {} : { createdTime: formatTime(createdMs) }),
      ...(modifiedMs === undefined ? {} : { modifiedTime: formatTime(modifiedMs) }),
      ...shownFacts(facts),
    },
  };
}

/**
 * The last request that was handled, and what else of the object was: two can stand in it. A request that
 * was begun at a vendor is handled when it is done there.
 */
export function handledFacts(
  { handledRequests = [] }: World,
  key: ApiKeyView,
  record: KeyRecord,
): ApiKeyStatus {
  const isOpenThere = record.credentials.some(isPending);
  const last =
    isOpenThere || isForgottenRequest(key, record)
      ? key.status?.lastHandledRotationRequestId
      : record.lastRotationRequestId;
  const begun = isOpenThere ? record.lastRotationRequestId : undefined;
  const others = handledRequests.filter((id) => id !== last && id !== begun);
  return {
    ...(last === undefined ? {} : { lastHandledRotationRequestId: last }),
    ...(others.length === 0 ? {} : { handledRotationRequestIds: others }),
  };
}

/** The rotation requests that stand in an object, whether or not they were handled. */
export function requestsOf(key: ApiKeyView): readonly string[] {
  const ids = [key.spec.rotation?.requestId, key.rotateRequestId];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/**
 * True when status says that a request was handled, whatever the ledger says: a restored database does
 * not know the rotations since, and each one done twice leaves one more credential at the vendor. The
 * admission policy lets nobody but the operator write status; were it wrong, a rotation would not be
 * done, and a new id does it. Not believed where the older value works again and must not: after an
 * emergency, and at a store of our own, where doing it twice leaves nothing behind. Where the database
 * does not know the key at all, or knows the last request, no older value works again.
 */
export function isShownHandled(
  { spec, status = {} }: ApiKeyView,
  record: KeyRecord | undefined,
  requestId: string,
): boolean {
  const { lastHandledRotationRequestId: last, handledRotationRequestIds: others = [] } = status;
  if (requestId !== last && !others.includes(requestId)) return false;
  if (record === undefined && status.keyId !== undefined) return true;
  if (last !== undefined && record?.lastRotationRequestId === last) return true;
  return status.remote?.id !== undefined && spec.rotation?.urgency !== 'Emergency';
}

/** Only status remembers this request; were it not said again, the request would be a new one. */
function isForgottenRequest(key: ApiKeyView, record: KeyRecord): boolean {
  const requests = requestsOf(key);
  const { lastRotationRequestId } = record;
  if (lastRotationRequestId !== undefined && requests.includes(lastRotationRequestId)) return false;
  return requests.some((requestId) => isShownHandled(key, record, requestId));
}

const REMOTE_FACTS = ['modifier', 'tenantId', 'domainCode', 'accountId', 'userId'] as const;
const FACT_LENGTH_MAX = 256;
const CANDIDATES_SHOWN_MAX = 10;

/** The fields that the schema has: another one would be dropped and written again for ever. */
function shownFacts(facts: Readonly<Record<string, string>>): ApiKeyStatus['remote'] {
  const shown = REMOTE_FACTS.filter((name) => Object.hasOwn(facts, name));
  return Object.fromEntries(
    shown.map((name) => [name, (facts[name] ?? '').slice(0, FACT_LENGTH_MAX)]),
  );
}

/** A vendor that was not told yet, or does not answer, goes on accepting what is dead here. */
export function stillOn(record: KeyRecord | undefined): string {
  const isOn = record?.credentials.some(
    ({ state, remote }) =>
      remote?.id !== undefined &&
      remote.enabled !== false &&
      (state === 'Disabled' || remote.regenerating !== undefined || record.state !== 'Active'),
  );
  return isOn === true ? '; at the vendor old values may still work' : '';
}

/**
 * Why an object that is being deleted is still there; undefined while it only takes its turn, and
 * when its finalizer has gone.
 */
export function whyStillThere(world: World, failure?: KeywardError): string | undefined {
  const { record, evidence } = world;
  const { remoteTrouble: trouble, finalizerReleased } = evidence;
  if (record?.phase !== 'Ending' || finalizerReleased === true) return undefined;
  if (failure !== undefined) {
    return `the key is being deleted and its values no longer work${stillOn(record)}, but what is left to do fails: ${failure.message}`;
  }
  if (!isOwing(record) || isDebt(world, record)) return undefined;
  if (trouble === undefined || trouble.reason === 'StoreThrottled') return undefined;
  const until = formatTime(debtAtMs(world, record));
  return `the key is being deleted and must still be ended at the vendor, where it may still work; at ${until} the object goes all the same`;
}

/** The value in use is being replaced at the vendor; until that is done it must not look as if it were. */
export function isReplacing({ slots, remote }: CredentialRecord): boolean {
  const names = remote?.regenerating?.slots ?? [];
  return slots.some(({ name, role }) => role === 'Active' && names.includes(name));
}

/** What only a person can decide about the vendor's side. */
export function remoteTrouble({ namespace, name, credentials }: KeyRecord): Finding | undefined {
  const command = `keyward keys resolve ${namespace}/${name}`;
  for (const { state, remote, origin } of credentials) {
    if (state === 'Unknown' && origin === 'Imported') {
      const message = `it waits for ${importCommand(remote)} --apikey ${namespace}/${name}`;
      return { reason: 'Pending', message };
    }
    if (state === 'Ambiguous' || state === 'Unknown') {
      const ids = remote?.candidates?.slice(0, CANDIDATES_SHOWN_MAX).join(', ') ?? 'not known';
      const message = `it is not known which key at the vendor is this one (candidates: ${ids}); look there, then run ${command}`;
      return { reason: 'OwnershipAmbiguous', message };
    }
    if (state === 'Blocked') {
      const message = `the vendor's answers with the values were lost too often; look there, then run ${command}`;
      return { reason: 'CreateBlocked', message };
    }
    if (remote?.missingSinceMs !== undefined && state !== 'Disabled') {
      const message = `the vendor has no key ${remote.id ?? ''} any more; set spec.secret.onLoss to Rotate for a new one`;
      return { reason: 'RemoteMissing', message };
    }
  }
  return undefined;
}

/** A vendor shows its values; those of a store of ours a person has to bring. */
function importCommand(remote: CredentialRecord['remote']): string {
  return remote === undefined ? 'keyward import -' : 'keyward import';
}

/** What publishers at the vendor decided, or have not yet, about products that the key is to open. */
export function subscriptionCondition({ credentials }: KeyRecord): readonly WantedCondition[] {
  const all = credentials
    .filter(({ state }) => state !== 'Disabled')
    .flatMap(({ remote }) => remote?.subscriptions ?? []);
  const named = (states: readonly string[]): string =>
    all
      .filter(({ state }) => states.includes(state))
      .map(({ product, productId }) => `'${product}' (${productId})`)
      .join(', ');
  const refused = named(['Rejected', 'Denied']);
  if (refused !== '') {
    const message = `refused at the vendor: ${refused}; take them out of the terms, or ask their publisher`;
    return [apiKeyCondition('StoreSynced', 'SubscriptionRefused', message)];
  }
  const open = named(['Begun', 'Requested']);
  if (open === '') return [];
  const message = `waiting for their publisher at the vendor: ${open}`;
  return [apiKeyCondition('StoreSynced', 'SubscriptionPending', message)];
}

/** A store that does not answer may let it live longer than it should. */
export function overlapText(retireTime: string, nowMs: number): string {
  return (parseTime(retireTime) ?? nowMs) <= nowMs
    ? `the previous value should have ended at ${retireTime}; the store has yet to do it`
    : `the previous value works until ${retireTime}`;
}
