/** The calls of a remote store, in the vendor's words. */
import type { SlotName } from '../../keys/mint.ts';
import {
  StoreFailure,
  type Account,
  type Connection,
  type RemoteCredential,
  type RemoteListing,
  type RemoteStore,
} from '../contract.ts';
import { isSameGeneration, markName, markText, parseMark } from '../mark.ts';
import { createCalls, pairOf, type Calls } from './calls.ts';
import { readAll, type PageReader } from './pages.ts';
import type { Settings } from './settings.ts';
import { createSubscriptions } from './subscriptions.ts';
import { decodeKey, decodePage, garbled, isKeyId, type ListedKey, type SingleKey } from './wire.ts';

const KEY_TYPES: Readonly<Partial<Record<SlotName, string>>> = {
  primaryKey: 'PRIMARY',
  secondaryKey: 'SECONDARY',
};
const HINT_LENGTH = 4;

/** A store at the vendor, for as long as its credentials stay what they are. */
export function connectStore(connection: Connection, settings: Settings): RemoteStore {
  // A doubled slash would be signed and sent as it is; no reason to send one.
  const basePath = settings.endpoint.pathname.replace(/\/+$/, '');
  const calls = createCalls(connection, basePath);
  const list = (signal: AbortSignal): Promise<readonly ListedKey[]> =>
    readAll(pageReader(calls, {}, signal));
  const exists = async (id: string, signal: AbortSignal): Promise<boolean> =>
    (await list(signal)).some((key) => key.id === id);
  const show = (key: SingleKey): RemoteCredential => credentialOf(key, settings.tenantId);
  return {
    login: (signal) => login(calls, connection, { tenantId: settings.tenantId, signal }),
    async create({ mark }, signal) {
      const body = { apiKeyName: markName(mark), apiKeyDescription: markText(mark) };
      const text = await calls.send({ method: 'POST', path: '/api-keys', body }, signal);
      const key = decodeKey(text, undefined);
      // Crossed or replayed, the answer is about somebody else's key; the search by mark finds ours.
      if (!isSameGeneration(parseMark(key.description), mark)) {
        throw garbled('the key in it does not bear the mark that was sent');
      }
      // Of a key that was just made the last change is its creation.
      const { modifiedMs: createdMs } = key;
      return { ...show(key), ...(createdMs === undefined ? {} : { createdMs }) };
    },
    async find(mark, signal) {
      const keys = await readAll(pageReader(calls, { apiKeyName: markName(mark) }, signal));
      return keys.map(listingOf).filter((found) => isSameGeneration(found.mark, mark));
    },
    list: async (signal) => (await list(signal)).map(listingOf),
    ...singleCalls(calls, { exists, show }),
    subscriptions: createSubscriptions(calls),
  };
}

type SingleCalls = Pick<RemoteStore, 'read' | 'update' | 'regenerate' | 'delete'>;
type Means = {
  readonly exists: (id: string, signal: AbortSignal) => Promise<boolean>;
  readonly show: (key: SingleKey) => RemoteCredential;
};

function singleCalls(calls: Calls, { exists, show }: Means): SingleCalls {
  const about = async (
    id: string,
    call: { readonly method: 'GET' | 'PUT' | 'PATCH'; readonly body?: Record<string, unknown> },
    signal: AbortSignal,
  ): Promise<RemoteCredential | undefined> => {
    if (!isKeyId(id)) return undefined;
    const request = { path: `/api-keys/${id}`, ...call };
    const text = await calls.sendAbout(request, () => exists(id, signal), signal);
    return text === undefined ? undefined : show(decodeKey(text, id));
  };
  return {
    read: (id, signal) => about(id, { method: 'GET' }, signal),
    async update(id, { enabled, name, description }, signal) {
      // The whole key each time: what a missing member would do is not documented.
      const body = { isEnabled: enabled, apiKeyName: name, apiKeyDescription: description };
      return await about(id, { method: 'PUT', body }, signal);
    },
    async regenerate(id, slot, signal) {
      const keyType = KEY_TYPES[slot];
      if (keyType === undefined) {
        throw new StoreFailure('Refused', { message: `a key of this store has no ${slot}` });
      }
      return await about(id, { method: 'PATCH', body: { keyType } }, signal);
    },
    async delete(id, signal) {
      if (!isKeyId(id)) return 'NotFound';
      // Without a body to check, only the documented status tells the vendor from a page on the way.
      const request = { method: 'DELETE', path: `/api-keys/${id}`, doneStatus: 204 } as const;
      const text = await calls.sendAbout(request, () => exists(id, signal), signal);
      return text === undefined ? 'NotFound' : 'Deleted';
    },
  };
}

/**
 * Shows one key of the account, which needs the credentials and the right to look.
 *
 * The vendor tells a tenant by its keys only, and an account may have none today and some tomorrow. An
 * id must not change with that, so it is the tenant only where the store names it; else the access key
 * stands for the account.
 */
async function login(
  calls: Calls,
  connection: Connection,
  { tenantId, signal }: { readonly tenantId: string | undefined; readonly signal: AbortSignal },
): Promise<Account> {
  const { entries } = await pageReader(calls, {}, signal)({ offset: 0, limit: 1 });
  const shown = entries[0]?.tenantId;
  if (tenantId !== undefined && shown !== undefined && shown !== tenantId) {
    throw new StoreFailure('Denied', {
      message: 'the credentials belong to another tenant than spec.naver.tenantId names',
    });
  }
  const known = tenantId ?? shown;
  return {
    id: tenantId ?? pairOf(connection).accessKey,
    facts: known === undefined ? {} : { tenantId: known },
    ...(tenantId !== undefined && shown === undefined && { isAssumed: true }),
  };
}

function pageReader(
  calls: Calls,
  filter: { readonly apiKeyName?: string },
  signal: AbortSignal,
): PageReader<ListedKey> {
  return async ({ offset, limit }) => {
    const query = new URLSearchParams({ offset: `${offset}`, limit: `${limit}`, ...filter });
    return decodePage(await calls.send({ method: 'GET', path: `/api-keys?${query}` }, signal));
  };
}

function listingOf({ id, enabled, description, modifiedMs }: ListedKey): RemoteListing {
  const mark = parseMark(description);
  return {
    id,
    enabled,
    ...(mark === undefined ? {} : { mark }),
    // Never earlier than the creation, so an age that is counted from it is never too high.
    ...(modifiedMs === undefined ? {} : { createdMs: modifiedMs }),
  };
}

/** @param ourTenantId absent: the access key stands for the account, and no tenant is comparable with it */
function credentialOf(key: SingleKey, ourTenantId: string | undefined): RemoteCredential {
  const { primary, secondary, tenantId, modifier, domainCode, modifiedMs } = key;
  const mark = parseMark(key.description);
  const shown = primary ?? secondary;
  return {
    id: key.id,
    enabled: key.enabled,
    name: key.name,
    description: key.description,
    hint: shown === undefined ? key.id : `...${shown.revealText().slice(-HINT_LENGTH)}`,
    values: {
      ...(primary === undefined ? {} : { primaryKey: primary }),
      ...(secondary === undefined ? {} : { secondaryKey: secondary }),
    },
    facts: {
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(modifier === undefined ? {} : { modifier }),
      ...(domainCode === undefined ? {} : { domainCode }),
    },
    ...(mark === undefined ? {} : { mark }),
    ...(tenantId === undefined || ourTenantId === undefined ? {} : { accountId: tenantId }),
    ...(modifiedMs === undefined ? {} : { modifiedMs }),
  };
}
