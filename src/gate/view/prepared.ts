/**
 * Pure; a record of the ledger as the gate keeps it: compiled, and without what no call asks for. In few
 * objects, with what calls ask for in front: of many records none is in the processor's caches, and each
 * piece is fetched on its own.
 */
import { joinDigests } from '../../keys/digest.ts';
import type { Sealed } from '../../keys/sealing.ts';
import { quotaSubject, type RecordAtGate, usageOf } from '../../ledger/gate.ts';
import type { StoreProfile } from '../../ledger/documents.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../ledger/record.ts';
import type { CompiledTerms } from '../../terms/compiled.ts';
import type { ProvableSlots, SlotKind, Standing } from '../../terms/verdict.ts';
import type { Allowed } from '../decision.ts';
import { Use } from '../usage.ts';
import { Sharing } from './sharing.ts';

/** One key, for as long as nothing about it changes. */
export class PreparedKey {
  readonly use: Use;
  readonly terms: CompiledTerms;
  readonly notBeforeMs: number | undefined;
  readonly endMs: number | undefined;
  /** Becomes true when the key changes: whoever waited meanwhile must not go on with this. */
  isOutdated = false;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: KeyRecord['state'];
  readonly clientUid: string | undefined;
  readonly storeUid: string;
  /** Name of the form that it was granted by. */
  readonly application: string | undefined;
  /** What its uses are counted under; empty: they are not. */
  readonly quotaSubject: string;
  readonly credentials: readonly PreparedCredential[];

  /** See `prepareKey`. */
  constructor(record: RecordAtGate, sharing: Sharing) {
    this.use = new Use(record.uid);
    // Products by grant are granted, not written down.
    this.terms = sharing.terms(
      record.grant === undefined ? { ...record.terms, productRefs: [] } : record.terms,
    );
    this.notBeforeMs = record.terms.notBeforeMs;
    this.endMs = record.terms.endMs;
    this.uid = record.uid;
    this.namespace = sharing.text(record.namespace);
    this.name = record.name;
    // Of a key that is ending nothing is to work, whatever its values say.
    this.state = isThere(record) ? sharing.text(record.state) : 'Revoked';
    this.clientUid = sharing.text(record.clientUid);
    this.storeUid = sharing.text(record.store.uid);
    this.application = sharing.text(record.application);
    this.quotaSubject = this.terms.quota === undefined ? '' : quotaSubject(record);
    // Not by pushing, which leaves room for sixteen more.
    this.credentials = record.credentials.map(
      (credential) => new PreparedCredential(this, credential, sharing),
    );
  }
}

/** One for all: hardly any credential has some. */
const NO_ALIASES: readonly string[] = [];

type EndingSlot = Pick<SlotRecord, 'name' | 'retireAtMs'>;
const NO_ENDING_SLOTS: readonly EndingSlot[] = [];

/** One credential of a key, with what was worked out about it. */
export class PreparedCredential implements ProvableSlots {
  readonly key: PreparedKey;
  /** As of `Surroundings.version`; undefined: not worked out yet. */
  place: Place | undefined = undefined;
  readonly kinds: readonly SlotKind[];
  readonly digests: string;
  /** Those of a Dual key whose value ends at an instant. */
  readonly endingSlots: readonly EndingSlot[];
  readonly state: CredentialRecord['state'];
  /** Since somebody looked for what could be let go. */
  wasUsed = false;
  /** Defined while it retires: its uses are counted beside those of the key. */
  readonly retiring: Use | undefined;
  readonly retireAtMs: number | undefined;
  readonly keyId: string;
  /** Under which it was found besides its keyId: lookups of values that were imported. */
  aliases: readonly string[] = NO_ALIASES;
  /** Undefined: it cannot sign. */
  readonly signing: SigningSecret | undefined;

  constructor(key: PreparedKey, record: CredentialRecord, sharing: Sharing) {
    const { keyId, state, slots } = record;
    this.key = key;
    this.kinds = sharing.kinds(slots);
    this.digests = joinDigests(slots.map(({ digest }) => digest));
    this.endingSlots = endingOf(slots);
    this.state = sharing.text(state);
    this.retiring = state === 'Retiring' ? new Use(usageOf(keyId)) : undefined;
    this.retireAtMs = record.retireAtMs;
    this.keyId = keyId;
    this.signing = findSigning(record);
  }
}

function endingOf(slots: readonly SlotRecord[]): readonly EndingSlot[] {
  const ending = slots.filter(({ retireAtMs }) => retireAtMs !== undefined);
  if (ending.length === 0) return NO_ENDING_SLOTS;
  return ending.map(({ name, retireAtMs = 0 }) => ({ name, retireAtMs }));
}

/** The secret of a pair, and what opening it takes. */
type SigningSecret = {
  /** The public half of the pair, exactly as its holder has it. */
  readonly publicName: string;
  readonly token: string;
  readonly generation: number;
  readonly sealed: Sealed;
};

/** Only pairs sign, and only where the store keeps their secrets; what else is sealed is not the gate's to open. */
function findSigning({ token, hint, slots }: CredentialRecord): SigningSecret | undefined {
  const slot = slots.find(({ name }) => name === 'apiSecret');
  if (slot?.sealed === undefined) return undefined;
  const { generation, sealed } = slot;
  // With bytes of its own: those of a database are often a view into something a thousand times
  // larger, which would stay as long as the record does.
  const blob = new Uint8Array(sealed.blob);
  return { publicName: hint, token, generation, sealed: { version: sealed.version, blob } };
}

/**
 * What stands around a credential: client, holds, store. Worked out anew when one of those changes. It is also the
 * answer where no quota has to be told.
 */
export type Place = Standing &
  Allowed & {
    readonly version: number;
    readonly profile: StoreProfile;
    /** The same yes with what is left of its quota. */
    readonly counted: (quotaRemaining: number) => Allowed;
  };

/** Prepares a record. */
export function prepareKey(record: RecordAtGate, sharing = new Sharing()): PreparedKey {
  return new PreparedKey(record, sharing);
}

function isThere({ phase }: KeyRecord): boolean {
  return phase === 'Live' || phase === 'Retained';
}
