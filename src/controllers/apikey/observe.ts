/** Reads everything a decision needs into one World. Changes nothing. */
import type { Ref } from '../../api/meta.ts';
import { SECRETS } from '../../api/names.ts';
import type { Loaded } from '../../ledger/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { isRemote } from '../../ledger/remote.ts';
import { currentCredential } from '../../ledger/transitions.ts';
import { readApplication, readClient } from './behalf.ts';
import type { Deps } from './deps.ts';
import { isShownHandled, requestsOf } from './remote/status.ts';
import { restsOnSecret } from './rotating.ts';
import { outliving } from './unused.ts';
import { viewApiKey } from './view.ts';
import { wantedTerms } from './wanted.ts';
import type { ApiKeyView, SecretSight, StoreFact, World } from './world.ts';

/** Undefined: neither the cluster nor the ledger knows this name. */
export async function observe(
  deps: Deps,
  ref: Ref,
  signal: AbortSignal,
): Promise<World | undefined> {
  const cached = deps.keys.get(ref);
  const written = cached && deps.ownStatus.newest(viewApiKey(cached));
  const loaded = await load(deps, ref, written);
  const record = loaded.record ?? (written === undefined ? loaded.others[0] : undefined);
  const predecessor = written === undefined ? undefined : loaded.others[0];
  if (written === undefined && record === undefined) return undefined;
  // At one moment: an instant that was read in doubt must not be taken for one that can be trusted.
  const nowMs = deps.clock.nowMs();
  const { isClockTrusted } = deps.client;
  const subject = await readSubject(deps, written, record, nowMs);
  const { key } = subject;
  const gone = predecessor ?? (key === undefined ? record : undefined);
  const world: World = {
    ref,
    nowMs,
    isClockTrusted,
    ...subject,
    store: storeFact(deps, key, record ?? predecessor),
    record,
    predecessor,
    mayEndVanished: deps.guard.permits(gone?.phase === 'Live' ? gone : undefined),
    secret: await sight(deps, subject, record, signal),
    isRemoteCheckDue: isCheckDue(deps, record),
    ...remoteFailures(deps, [record, predecessor]),
    lossGraceMs: deps.lossGraceMs,
    debtAfterMs: deps.debtAfterMs,
    ...(await previousUses(deps, record, nowMs)),
    evidence: {},
  };
  return key === undefined || world.store.type !== 'Usable'
    ? world
    : {
        ...world,
        ...vendorProducts(deps, world, key),
        resolution: wantedTerms(world, key, world.store),
      };
}

/** Gates know products by themselves; vendors have to be told. */
function vendorProducts(
  deps: Deps,
  { store, application }: World,
  { spec, ref: { namespace } }: ApiKeyView,
): Pick<World, 'products'> {
  const names = spec.terms?.productRefs?.map(({ name }) => name) ?? [];
  if (names.length === 0 || store.type !== 'Usable' || store.remote === undefined) return {};
  const from = { store, namespace, isGranted: application?.grant !== undefined };
  return { products: names.map((name) => deps.product(name, from)) };
}

async function previousUses(
  deps: Deps,
  record: KeyRecord | undefined,
  nowMs: number,
): Promise<Pick<World, 'previousUses'>> {
  const keyIds = outliving(record, nowMs).map(({ keyId }) => keyId);
  return keyIds.length === 0 ? {} : { previousUses: await deps.previousUses(keyIds) };
}

/** The object as its grant makes it, and on whose behalf it is. */
type Subject = Requests & Pick<World, 'key' | 'application' | 'client' | 'held'>;
type Requests = Pick<World, 'rotationRequest' | 'handledRequests'>;
const NOBODY: Subject = { key: undefined, rotationRequest: undefined };

async function readSubject(
  deps: Deps,
  written: ApiKeyView | undefined,
  record: KeyRecord | undefined,
  nowMs: number,
): Promise<Subject> {
  if (written === undefined) return NOBODY;
  const held = deps.holds.imposedOn(written.uid, written.ref);
  const requests = await readRequests(deps, written, record);
  // Whoever gets around the rule that the field stays does not get rid of the grant.
  const name = written.spec.applicationRef?.name ?? (record?.grant && written.ref.name);
  if (name === undefined) {
    const client = await readClient(deps, written, undefined, record);
    return { key: asAsked(written, requests.rotationRequest), ...requests, client, held };
  }
  const request = requests.rotationRequest;
  const granted = await readApplication(deps, written, name, { record, request, nowMs });
  const { key, application } = granted;
  const { rotationRequest } = await readRequests(deps, key, record);
  const client = await readClient(deps, key, application, record);
  return {
    key: asAsked(key, rotationRequest),
    ...requests,
    rotationRequest,
    application,
    client,
    held,
  };
}

/**
 * Urgency and slot belong to the request that stands beside them, which may have been done long ago when
 * another one comes by annotation.
 */
function asAsked(key: ApiKeyView, requestId: string | undefined): ApiKeyView {
  const { rotation } = key.spec;
  if (requestId === undefined || rotation?.requestId === undefined) return key;
  if (rotation.requestId === requestId) return key;
  const { slot: _, ...others } = rotation;
  return { ...key, spec: { ...key.spec, rotation: { ...others, urgency: 'Planned' } } };
}

const NOTHING: Loaded = { record: undefined, others: [] };

/**
 * A name that the ledger cannot hold is not asked for while its object lives: all that follows from
 * "no record" is the first issue, whose commit the ledger refuses when there is one.
 */
function load(deps: Deps, ref: Ref, key: ApiKeyView | undefined): Promise<Loaded> {
  const isGuarded = key !== undefined && !key.isDeleting;
  if (isGuarded && !deps.known.mayHold(ref)) return Promise.resolve(NOTHING);
  return deps.ledger.load(key?.uid ?? '', ref);
}

function remoteFailures(
  deps: Deps,
  records: readonly (KeyRecord | undefined)[],
): Pick<World, 'remoteFailures'> {
  const credentials = records.flatMap((record) => record?.credentials ?? []).filter(isRemote);
  if (credentials.length === 0) return {};
  return { remoteFailures: deps.remoteChecks.failures(credentials.map(({ token }) => token)) };
}

function isCheckDue(deps: Deps, record: KeyRecord | undefined): boolean {
  // Of others the instant passes unheeded, or each pass of an overlap would compare again.
  const current = record && currentCredential(record, deps.clock.nowMs());
  return current?.remote !== undefined && deps.remoteChecks.isDue(current.token);
}

function storeFact(
  deps: Deps,
  key: ApiKeyView | undefined,
  record: KeyRecord | undefined,
): StoreFact {
  if (key !== undefined) return deps.stores.of(key, record?.store).fact;
  return record === undefined
    ? { type: 'Missing', name: 'the store' }
    : deps.stores.bound(record).fact;
}

/** The first rotation request of the object that was never handled, and all that were. */
async function readRequests(
  deps: Deps,
  key: ApiKeyView,
  record: KeyRecord | undefined,
): Promise<Requests> {
  const handledRequests: string[] = [];
  let rotationRequest: string | undefined;
  for (const requestId of requestsOf(key)) {
    // One query at a time, and none for most keys.
    // oxlint-disable-next-line no-await-in-loop
    if (await isHandled(deps, key, record, requestId)) handledRequests.push(requestId);
    else rotationRequest ??= requestId;
  }
  return { rotationRequest, ...(handledRequests.length === 0 ? {} : { handledRequests }) };
}

/** The ledger keeps them all, but for those that a restored one does not know any more. */
async function isHandled(
  { ledger }: Deps,
  key: ApiKeyView,
  record: KeyRecord | undefined,
  requestId: string,
): Promise<boolean> {
  if (requestId === record?.lastRotationRequestId) return true;
  if (isShownHandled(key, record, requestId)) return true;
  return record !== undefined && (await ledger.isRequestSpent(key.uid, requestId));
}

async function sight(
  deps: Deps,
  { key, rotationRequest }: Subject,
  record: KeyRecord | undefined,
  signal: AbortSignal,
): Promise<SecretSight> {
  if (record?.secret === undefined || key === undefined) return { type: 'Unwatched' };
  const secretRef = { namespace: key.ref.namespace, name: record.secret.name };
  // Whether a value can be replaced alone is decided neither by a watch that may lag nor by an earlier look.
  const isDemanded = rotationRequest !== undefined && !key.isDeleting && restsOnSecret(key, record);
  if (deps.secrets !== undefined && !isDemanded) {
    return deps.ownSecrets.sight(secretRef, deps.secrets.get(secretRef));
  }
  // What is missing is waited for, and found or given up at a look of its own.
  const isMissed = record.secret.missingSinceMs !== undefined;
  if (!isDemanded && !deps.ownSecrets.isLookDue(secretRef, deps.clock.nowMs()) && !isMissed) {
    return { type: 'Unwatched' };
  }
  const seen = readLive(deps, secretRef, signal);
  if (!isDemanded) return seen;
  return seen.catch((thrown: unknown) => {
    if (signal.aborted) throw thrown;
    // Suspending, revoking and ending do not wait for it. The emergency looks once more, and says why it cannot.
    return { type: 'Unwatched' };
  });
}

async function readLive(deps: Deps, ref: Ref, signal: AbortSignal): Promise<SecretSight> {
  const secret = await deps.client.get(SECRETS, ref, { signal });
  deps.metrics.liveReads.inc();
  if (secret === undefined) return { type: 'Absent' };
  const { uid, resourceVersion } = secret.metadata;
  return { type: 'Present', uid, resourceVersion };
}
