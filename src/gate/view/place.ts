/** Pure; what stands around a credential, put together: see `Place`. */
import type { StoreProfile } from '../../ledger/documents.ts';
import type { Standing } from '../../terms/verdict.ts';
import { headerLines, type Allowed, type Caller } from '../decision.ts';
import type { Place, PreparedCredential, PreparedKey } from './prepared.ts';
import type { Surroundings } from './surroundings.ts';

/** The place of a credential as things are now; worked out once for each version of things. */
export function placeOf(credential: PreparedCredential, around: Surroundings): Place {
  const known = credential.place;
  if (known !== undefined && known.version === around.version) return known;
  const place = new FoundPlace(credential, around);
  credential.place = place;
  return place;
}

/** The stricter of everybody's word; a client that nobody knows stands for nobody. */
function standingOf(
  key: PreparedKey,
  around: Surroundings,
): Pick<Standing, 'state' | 'clientState'> {
  const client = key.clientUid === undefined ? undefined : around.client(key.clientUid);
  const held = around.heldState(key.uid);
  if (held === 'Revoked' || client?.state === 'Revoked') return { state: 'Revoked' };
  const state = key.state === 'Active' && held !== undefined ? held : key.state;
  if (key.clientUid === undefined) return { state };
  return { state, clientState: client?.state === 'Active' ? 'Active' : 'Suspended' };
}

/** A place. As a yes it is put into each form for those that want it in this one, and then kept. */
class FoundPlace implements Place {
  readonly type = 'Allowed';
  readonly version: number;
  readonly credential: PreparedCredential;
  /** The strictest of what record, client and reviewers say. */
  readonly state: Standing['state'];
  readonly clientState: Standing['clientState'];
  readonly profile: StoreProfile;
  readonly #client: string | undefined;
  #headers: readonly string[] | undefined;
  #lines: string | undefined;

  constructor(credential: PreparedCredential, around: Surroundings) {
    const { key } = credential;
    const { state, clientState } = standingOf(key, around);
    this.version = around.version;
    this.credential = credential;
    this.state = state;
    this.clientState = clientState;
    this.profile = around.profileOf(key.storeUid);
    this.#client = key.clientUid === undefined ? undefined : around.client(key.clientUid)?.name;
  }

  get validity(): PreparedKey {
    return this.credential.key;
  }

  get caller(): Caller {
    return callerOf(this.credential, this.#client);
  }

  get headers(): readonly string[] {
    return (this.#headers ??= headersOf(this.caller));
  }

  get lines(): string {
    return (this.#lines ??= headerLines(headersOf(this.caller)));
  }

  counted(quotaRemaining: number): Allowed {
    return new Counted(this, quotaRemaining);
  }
}

/** A yes that cost a use. */
class Counted {
  readonly type = 'Allowed';
  readonly quotaRemaining: number;
  readonly #yes: FoundPlace;

  constructor(yes: FoundPlace, quotaRemaining: number) {
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
