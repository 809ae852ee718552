/** Pure; a record of the ledger as the gate keeps it: compiled, and without what no call asks for. */
import { textOfDigest } from '../../keys/digest.ts';
import { quotaSubject, usageOf } from '../../ledger/gate.ts';
import type { StoreProfile } from '../../ledger/documents.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../ledger/record.ts';
import type { CompiledTerms } from '../../terms/compiled.ts';
import type { ProvableSlot, Standing } from '../../terms/verdict.ts';
import type { Allowed } from '../decision.ts';
import type { Counted, Used } from '../usage.ts';
import { Sharing } from './sharing.ts';

/** One key, for as long as nothing about it changes. */
export type PreparedKey = {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: KeyRecord['state'];
  readonly clientUid: string | undefined;
  readonly storeUid: string;
  /** Name of the form that it was granted by. */
  readonly application: string | undefined;
  readonly terms: CompiledTerms;
  /** What its uses are counted under; empty: they are not. */
  readonly quotaSubject: string;
  readonly credentials: readonly PreparedCredential[];
  /** Becomes true when the key changes: whoever waited meanwhile must not go on with this. */
  isOutdated: boolean;
  /** Where its usage was counted last. */
  used: Used | undefined;
};

/** One credential of a key, with what was worked out about it. */
export type PreparedCredential = Pick<
  CredentialRecord,
  'keyId' | 'token' | 'state' | 'retireAtMs'
> & {
  readonly key: PreparedKey;
  readonly slots: readonly PreparedSlot[];
  /** Under which it was found besides its keyId: lookups of values that were imported. */
  aliases: readonly string[];
  /** Present while it retires: its uses are counted beside those of the key. */
  readonly retiring?: Counted;
  /** As of `Surroundings.version`; absent: not worked out yet. */
  place: Place | undefined;
  /** Since somebody looked for what could be let go. */
  wasUsed: boolean;
};

/** One for all: hardly any credential has some. */
const NO_ALIASES: readonly string[] = [];

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What proving takes of a value. */
export type PreparedSlot = ProvableSlot & Pick<SlotRecord, 'generation' | 'sealed'>;

/** What stands around a credential: client, holds, store. Worked out anew when one of those changes. */
export type Place = {
  readonly version: number;
  /** The strictest of what record, client and reviewers say. */
  readonly standing: Standing;
  readonly profile: StoreProfile;
  /** The answer where no quota has to be told. */
  readonly allowed: Allowed & { readonly counted: (quotaRemaining: number) => Allowed };
};

/**
 * Prepares a record.
 *
 * @param application name of the form that its grant speaks of
 */
export function prepareKey(
  record: KeyRecord,
  application: string | undefined,
  sharing = new Sharing(),
): PreparedKey {
  // Products by grant are granted, not written down.
  const terms = sharing.terms(
    record.grant === undefined ? { ...record.terms, productRefs: [] } : record.terms,
  );
  const key: Writable<PreparedKey> = {
    uid: record.uid,
    namespace: sharing.text(record.namespace),
    name: record.name,
    // Of a key that is ending nothing is to work, whatever its values say.
    state: isThere(record) ? sharing.text(record.state) : 'Revoked',
    clientUid: sharing.text(record.clientUid),
    storeUid: sharing.text(record.store.uid),
    application: sharing.text(application),
    terms,
    quotaSubject: terms.quota === undefined ? '' : quotaSubject(record),
    credentials: [],
    isOutdated: false,
    used: undefined,
  };
  // Not by pushing, which leaves room for sixteen more.
  key.credentials = record.credentials.map(({ keyId, token, state, retireAtMs, slots }) => ({
    keyId,
    token,
    state: sharing.text(state),
    ...(retireAtMs === undefined ? {} : { retireAtMs }),
    ...(state === 'Retiring' ? { retiring: { uid: usageOf(keyId), used: undefined } } : {}),
    slots: slots.map((slot) => prepareSlot(slot, sharing)),
    key,
    aliases: NO_ALIASES,
    place: undefined,
    wasUsed: false,
  }));
  return key;
}

/**
 * With bytes of its own: those of a database are often a view into something a thousand times larger,
 * which would stay as long as the record does.
 */
function prepareSlot(
  { name, generation, digest, pepperVersion, sealed }: SlotRecord,
  sharing: Sharing,
): PreparedSlot {
  return {
    name: sharing.text(name),
    generation,
    // As text it takes a quarter of the memory, and two fetches less each time.
    digest: textOfDigest(digest),
    pepperVersion,
    // Only pairs sign; what else is sealed is not the gate's to open.
    ...(sealed === undefined || name !== 'apiSecret'
      ? {}
      : { sealed: { version: sealed.version, blob: new Uint8Array(sealed.blob) } }),
  };
}

function isThere({ phase }: KeyRecord): boolean {
  return phase === 'Live' || phase === 'Retained';
}
