/** Pure; what stands around a credential, put together: see `Place`. */
import { headerLines, type Allowed, type Caller } from '../decision.ts';
import type { Place, PreparedCredential, PreparedKey } from './prepared.ts';
import type { Surroundings } from './surroundings.ts';

/** The place of a credential as things are now; worked out once for each version of things. */
export function placeOf(credential: PreparedCredential, around: Surroundings): Place {
  const known = credential.place;
  if (known !== undefined && known.version === around.version) return known;
  const place = findPlace(credential, around);
  credential.place = place;
  return place;
}

function findPlace(credential: PreparedCredential, around: Surroundings): Place {
  const { key } = credential;
  const client = key.clientUid === undefined ? undefined : around.client(key.clientUid)?.name;
  return {
    version: around.version,
    standing: { ...standingOf(key, around), credential },
    profile: around.profileOf(key.storeUid),
    allowed: new Admitted(credential, client),
  };
}

/** The stricter of everybody's word; a client that nobody knows stands for nobody. */
function standingOf(
  key: PreparedKey,
  around: Surroundings,
): Pick<Place['standing'], 'state' | 'clientState'> {
  const client = key.clientUid === undefined ? undefined : around.client(key.clientUid);
  const held = around.heldState(key.uid);
  if (held === 'Revoked' || client?.state === 'Revoked') return { state: 'Revoked' };
  const state = key.state === 'Active' && held !== undefined ? held : key.state;
  if (key.clientUid === undefined) return { state };
  return { state, clientState: client?.state === 'Active' ? 'Active' : 'Suspended' };
}

/** A yes. It is put into each form for those that want it in this one, and then kept. */
class Admitted {
  readonly type = 'Allowed';
  readonly #credential: PreparedCredential;
  readonly #client: string | undefined;
  #headers: readonly string[] | undefined;
  #lines: string | undefined;

  constructor(credential: PreparedCredential, client: string | undefined) {
    this.#credential = credential;
    this.#client = client;
  }

  get caller(): Caller {
    return callerOf(this.#credential, this.#client);
  }

  get headers(): readonly string[] {
    return (this.#headers ??= headersOf(this.caller));
  }

  get lines(): string {
    return (this.#lines ??= headerLines(headersOf(this.caller)));
  }

  /** The same yes with what is left of its quota. */
  counted(quotaRemaining: number): Allowed {
    return new Counted(this, quotaRemaining);
  }
}

/** A yes that cost a use. */
class Counted {
  readonly type = 'Allowed';
  readonly quotaRemaining: number;
  readonly #yes: Admitted;

  constructor(yes: Admitted, quotaRemaining: number) {
    this.#yes = yes;
    this.quotaRemaining = quotaRemaining;
  }

  get caller(): Caller {
    return this.#yes.caller;
  }

  get headers(): readonly string[] {
    return this.#yes.headers;
  }

  get lines(): string {
    return this.#yes.lines;
  }
}

function callerOf({ keyId, key }: PreparedCredential, client: string | undefined): Caller {
  const { namespace, name, application } = key;
  return {
    keyId,
    namespace,
    name,
    ...(client === undefined ? {} : { client }),
    ...(application === undefined ? {} : { application }),
  };
}

function headersOf({ keyId, namespace, name, client, application }: Caller): readonly string[] {
  // Not by spreading, which makes arrays with room for more: there may be one for each record.
  const always = ['X-Keyward-Key-Id', keyId, 'X-Keyward-Namespace', namespace];
  return always.concat(
    ['X-Keyward-Name', name],
    client === undefined ? [] : ['X-Keyward-Client', client],
    application === undefined ? [] : ['X-Keyward-Application', application],
  );
}
