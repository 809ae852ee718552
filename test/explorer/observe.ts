/** How an operator sees the model: as `src/controllers/apikey/observe.ts` does, from caches and ledger. */
import type {
  ApiKeyView,
  SecretSight,
  UsableStore,
  World,
} from '../../src/controllers/apikey/world.ts';
import { wantedTerms } from '../../src/controllers/apikey/wanted.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { NOW_MS } from '../support/world.ts';
import {
  put,
  setOperator,
  type Model,
  type Place,
  type StoredKey,
  type StoredSecret,
} from './model.ts';

/** Which watch lags behind by one change. */
export type Lag = 'none' | 'key' | 'secret';

export const NAMESPACE = 'team';

/** The world of this name, and the model after the caches were read; undefined: nothing is known. */
export function observe(
  model: Model,
  at: Place,
  store: UsableStore,
  lag: Lag,
): { readonly model: Model; readonly world: World } | undefined {
  const stored = lag === 'key' ? (model.staleKeys[at.name] ?? undefined) : model.keys[at.name];
  const ref = { namespace: NAMESPACE, name: at.name };
  const key = stored && viewOf(ref, stored);
  const { record, predecessor } = load(model, at.name, key?.uid);
  if (key === undefined && record === undefined) return undefined;
  const seen = sight(model, at, key === undefined ? undefined : record?.secret?.name, lag);
  const world: World = {
    ref,
    nowMs: NOW_MS,
    isClockTrusted: true,
    key,
    store: key === undefined ? { type: 'Missing', name: 'the store' } : store,
    record,
    predecessor,
    mayEndVanished: true,
    rotationRequest: key && newRequest(model, key, record),
    secret: seen.sight,
    isRemoteCheckDue: false,
    lossGraceMs: GRACE_MS,
    debtAfterMs: 600_000,
    evidence: {},
  };
  return { model: seen.model, world: withResolution(world) };
}

/** The terms never change here, so they are read once for all. */
function withResolution(world: World): World {
  const { key, store } = world;
  if (key === undefined || store.type !== 'Usable') return world;
  resolution ??= wantedTerms(world, key, store);
  return { ...world, resolution };
}

let resolution: ReturnType<typeof wantedTerms> | undefined;

/** How long a missing Secret is waited for. */
export const GRACE_MS = 30_000;

function viewOf(ref: ApiKeyView['ref'], stored: StoredKey): ApiKeyView {
  return { ...stored, ref, generation: 1, status: undefined };
}

function load(
  model: Model,
  name: string,
  uid: string | undefined,
): { readonly record: KeyRecord | undefined; readonly predecessor: KeyRecord | undefined } {
  const others = Object.values(model.records).filter(
    (record) =>
      record.name === name &&
      record.uid !== uid &&
      (record.phase === 'Live' || record.phase === 'Ending'),
  );
  if (uid === undefined) return { record: others[0], predecessor: undefined };
  return { record: model.records[uid], predecessor: others[0] };
}

function newRequest(
  model: Model,
  key: ApiKeyView,
  record: KeyRecord | undefined,
): string | undefined {
  const requestId = key.spec.rotation?.requestId;
  if (requestId === undefined || requestId === record?.lastRotationRequestId) return undefined;
  return model.spent.includes(`${key.uid}/${requestId}`) ? undefined : requestId;
}

/** What this process wrote itself counts as seen until the watch shows it; see ownsecrets.ts. */
function sight(
  model: Model,
  at: Place,
  name: string | undefined,
  lag: Lag,
): { readonly sight: SecretSight; readonly model: Model } {
  if (name === undefined) return { sight: { type: 'Unwatched' }, model };
  if (lag !== 'secret')
    return { sight: sightOf(model.secrets[name]), model: forget(model, at, name) };
  const own = model.operators[at.operator]?.own[name];
  return { sight: sightOf(own ?? model.staleSecrets[name] ?? undefined), model };
}

function sightOf(secret: Pick<StoredSecret, 'uid' | 'resourceVersion'> | undefined): SecretSight {
  if (secret === undefined) return { type: 'Absent' };
  return { type: 'Present', uid: secret.uid, resourceVersion: secret.resourceVersion };
}

function forget(model: Model, at: Place, name: string): Model {
  const operator = model.operators[at.operator];
  if (operator?.own[name] === undefined) return model;
  return setOperator(model, at.operator, { ...operator, own: put(operator.own, name, undefined) });
}
