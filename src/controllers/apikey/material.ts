/** Key material on its way: minted, digested and sealed for the ledger; opened for the Secret. */
import { Sensitive } from '../../kernel/sensitive.ts';
import { KeywardError } from '../../kernel/errors.ts';
import { digestForeign, equalDigests } from '../../keys/digest.ts';
import {
  open,
  openAtGate,
  seal,
  sealForGate,
  slotContext,
  type Sealed,
} from '../../keys/sealing.ts';
import { credentialToken } from '../../keys/token.ts';
import { mintKeyId, SLOTS, type SlotName } from '../../keys/mint.ts';
import type { KeyFormat } from '../../keys/format.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../ledger/record.ts';
import type { NewValue } from '../../ledger/transitions.ts';
import type { LocalHandle, SlotIdentity, StoreHandle } from '../../stores/contract.ts';
import type { Deps } from './deps.ts';

type Maker = Pick<Deps, 'keyring' | 'entropy' | 'clusterId' | 'clock'>;
type Sealer = Pick<Deps, 'keyring' | 'entropy'>;

/** What a new credential belongs to. */
export type Generation = {
  readonly uid: string;
  readonly storeUid: string;
  readonly format: KeyFormat;
  readonly sequence: number;
};

/** A fresh credential, ready for the ledger: digests, and the values sealed. */
export function mintRecord(
  deps: Maker,
  handle: LocalHandle,
  generation: Generation,
): CredentialRecord {
  const { format, sequence } = generation;
  const minted = handle.mint(format, deps.entropy);
  const token = tokenOf(deps, generation);
  const nowMs = deps.clock.nowMs();
  const slots = SLOTS[format].map((name, index): SlotRecord => {
    const value = minted.values[name] ?? new Sensitive('');
    const made = sealSlot(
      deps,
      handle,
      { token, keyId: minted.keyId, slot: name, generation: 1 },
      value,
    );
    value.erase();
    return {
      name,
      role: index === 0 ? 'Active' : 'Standby',
      generation: 1,
      rotatedAtMs: nowMs,
      ...made,
    };
  });
  return {
    token,
    sequence,
    attempt: 1,
    keyId: minted.keyId,
    hint: format === 'KeyPair' ? minted.publicName : minted.hint,
    state: 'Sealed',
    origin: 'Issued',
    slots,
    createdAtMs: nowMs,
  };
}

/** A credential that a vendor is to make, or a person to import: everything but its values. */
export function intendRecord(
  deps: Maker,
  generation: Generation,
  from: { readonly account: string | undefined; readonly origin: CredentialRecord['origin'] },
): CredentialRecord {
  const { account, origin } = from;
  return {
    token: tokenOf(deps, generation),
    sequence: generation.sequence,
    attempt: 1,
    keyId: mintKeyId(deps.entropy),
    hint: '',
    // Without an account nothing can be begun: only a person knows the values.
    state: account === undefined ? 'Unknown' : 'Intent',
    origin,
    slots: [],
    createdAtMs: deps.clock.nowMs(),
    ...(account === undefined ? {} : { remote: { account, facts: {} } }),
  };
}

/** A fresh value for one slot of a credential that exists. */
export function mintSlotValue(
  deps: Maker,
  handle: LocalHandle,
  credential: CredentialRecord,
  name: SlotName,
): NewValue {
  const identity = { keyId: credential.keyId, slot: name };
  const value = handle.mintSlot(identity, deps.entropy);
  const before = credential.slots.find((slot) => slot.name === name)?.generation ?? 0;
  const place = { token: credential.token, ...identity, generation: before + 1 };
  const made = sealSlot(deps, handle, place, value);
  const shown = handle.hint(identity, value);
  value.erase();
  return {
    name,
    ...made,
    sequence: credential.sequence,
    hint: shown,
    atMs: deps.clock.nowMs(),
  };
}

/** The value of a slot from its sealed copy; undefined when the ledger keeps none. */
export function openSlot(
  deps: Pick<Deps, 'keyring'>,
  credential: CredentialRecord,
  slot: SlotRecord,
): Sensitive | undefined {
  if (slot.sealed === undefined) return undefined;
  const context = slotContext({
    token: credential.token,
    slot: slot.name,
    generation: slot.generation,
  });
  return slot.name === 'apiSecret'
    ? openAtGate(deps.keyring, slot.sealed, context)
    : open(deps.keyring, slot.sealed, context);
}

/** A slot of a credential, as the ledger has both. */
export type SlotPlace = { readonly credential: CredentialRecord; readonly slot: SlotRecord };

/** Who made the value that the slot has now, at a store with this handle. */
export function makerOf(handle: StoreHandle, { credential, slot }: SlotPlace): ValueMaker {
  return isImportedValue(credential, slot) ? FOREIGN : handle;
}

/**
 * True when the text is the value whose digest the ledger holds. Of a value of ours only the secret
 * part is in the digest: the text has to be sound as `parseValue` and `parsePair` say.
 */
export function isValueOf(
  deps: Pick<Deps, 'keyring'>,
  maker: ValueMaker,
  { credential, slot }: SlotPlace,
  text: string,
): boolean {
  const pepper = deps.keyring.pepper(slot.pepperVersion);
  const identity = { keyId: credential.keyId, slot: slot.name };
  const digest = digestOf(maker, identity, new Sensitive(text), pepper);
  return digest !== undefined && equalDigests(digest, slot.digest);
}

/** The credential of this sequence in the record. */
export function credentialOf(record: KeyRecord, sequence: number): CredentialRecord | undefined {
  return record.credentials.find((credential) => credential.sequence === sequence);
}

/** Who made a value decides how it is digested: only our own ones have a layout of ours. */
export type ValueMaker = Pick<LocalHandle, 'type' | 'digest'> | { readonly type: 'Remote' };
/** Values that were made elsewhere. */
export const FOREIGN: ValueMaker = { type: 'Remote' };

/** Whether the slot of a store of ours still has the value that was imported into it. */
function isImportedValue(
  { origin, remote }: CredentialRecord,
  { generation }: SlotRecord,
): boolean {
  return origin === 'Imported' && remote === undefined && generation === 1;
}

/** Which value of which generation. */
type Place = SlotIdentity & { readonly token: string; readonly generation: number };

/** Digest and sealed copy of a value, as a slot of the ledger holds them. */
export function sealSlot(
  deps: Sealer,
  handle: ValueMaker,
  place: Place,
  value: Sensitive,
): { digest: Uint8Array; pepperVersion: number; sealed: Sealed } {
  const pepperVersion = deps.keyring.currentVersion;
  const digest = digestOf(handle, place, value, deps.keyring.pepper(pepperVersion));
  if (digest === undefined) {
    throw new KeywardError('Bug', {
      reason: 'MintedValueInvalid',
      message: 'the store driver minted a value that is not of its own shape',
    });
  }
  const context = slotContext(place);
  // The secret of a pair signs requests, so the gate opens it; all other values only the operator.
  const sealed =
    place.slot === 'apiSecret'
      ? sealForGate(deps.keyring, value, context, deps.entropy)
      : seal(deps.keyring, value, context, deps.entropy);
  return { digest, pepperVersion, sealed };
}

function tokenOf({ clusterId }: Pick<Maker, 'clusterId'>, generation: Generation): string {
  const { storeUid, uid: apiKeyUid, sequence } = generation;
  return credentialToken({ clusterId, storeUid, apiKeyUid, sequence });
}

function digestOf(
  handle: ValueMaker,
  identity: SlotIdentity,
  value: Sensitive,
  pepper: Readonly<Uint8Array>,
): Uint8Array | undefined {
  return handle.type === 'Local'
    ? handle.digest(identity, value, pepper)
    : digestForeign({ pepper, keyId: identity.keyId, value: value.revealText() });
}
