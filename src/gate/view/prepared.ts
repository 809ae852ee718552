/** Pure; a record of the ledger as the gate keeps it: compiled, and without what no call asks for. */
import { quotaSubject } from '../../ledger/gate.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../ledger/record.ts';
import { compileTerms, type CompiledTerms } from '../../terms/compiled.ts';
import type { Standing } from '../../terms/verdict.ts';
import type { Caller, Decision } from '../decision.ts';

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
  /** What its uses are counted under. */
  readonly quotaSubject: string;
  readonly credentials: readonly PreparedCredential[];
  /** Becomes true when the key changes: whoever waited meanwhile must not go on with this. */
  isOutdated: boolean;
};

/** One credential of a key, with what was worked out about it. */
export type PreparedCredential = Pick<
  CredentialRecord,
  'keyId' | 'token' | 'state' | 'retireAtMs'
> & {
  readonly key: PreparedKey;
  readonly slots: readonly SlotRecord[];
  /** As of `Surroundings.version`; absent: not worked out yet. */
  place: Place | undefined;
};

/** What stands around a credential: client, holds, store. Worked out anew when one of those changes. */
export type Place = {
  readonly version: number;
  /** The strictest of what record, client and reviewers say. */
  readonly standing: Standing;
  readonly profile: Extract<Decision, { type: 'Refused' }>['profile'];
  readonly caller: Caller;
  readonly headers: readonly string[];
  /** The answer where no quota has to be told. */
  readonly allowed: Decision;
};

/**
 * Prepares a record.
 *
 * @param application name of the form that its grant speaks of
 */
export function prepareKey(record: KeyRecord, application: string | undefined): PreparedKey {
  const credentials: PreparedCredential[] = [];
  const key: PreparedKey = {
    uid: record.uid,
    namespace: record.namespace,
    name: record.name,
    // Of a key that is ending nothing is to work, whatever its values say.
    state: isThere(record) ? record.state : 'Revoked',
    clientUid: record.clientUid,
    storeUid: record.store.uid,
    application,
    // Products by grant are granted, not written down.
    terms: compileTerms(
      record.grant === undefined ? { ...record.terms, productRefs: [] } : record.terms,
    ),
    quotaSubject: quotaSubject(record),
    credentials,
    isOutdated: false,
  };
  for (const { keyId, token, state, retireAtMs, slots } of record.credentials) {
    const retire = retireAtMs === undefined ? {} : { retireAtMs };
    credentials.push({ keyId, token, state, ...retire, slots, key, place: undefined });
  }
  return key;
}

function isThere({ phase }: KeyRecord): boolean {
  return phase === 'Live' || phase === 'Retained';
}
