/** Values that a vendor made, on their way into the ledger: digested and sealed. */
import { KeywardError } from '../../../kernel/errors.ts';
import type { Sensitive } from '../../../kernel/sensitive.ts';
import { digestForeign } from '../../../keys/digest.ts';
import type { KeyFormat } from '../../../keys/format.ts';
import { SLOTS, type SlotName } from '../../../keys/mint.ts';
import type { CredentialRecord, RemoteRecord, SlotRecord } from '../../../ledger/record.ts';
import type { RemoteCredential, StoreHandle } from '../../../stores/contract.ts';
import type { Deps } from '../deps.ts';
import { sealSlot } from '../material.ts';

type Maker = Pick<Deps, 'keyring' | 'entropy' | 'clock'>;

/** Whether the answer shows a value for each slot of the format. */
export function hasEveryValue(format: KeyFormat, made: RemoteCredential): boolean {
  return SLOTS[format].every((name) => made.values[name] !== undefined);
}

/** The slots of a credential that was just made. */
export function sealRemote(
  deps: Maker,
  at: {
    readonly credential: CredentialRecord;
    readonly handle: StoreHandle;
    readonly format: KeyFormat;
  },
  made: RemoteCredential,
): readonly SlotRecord[] {
  return SLOTS[at.format].map((name, index) => ({
    name,
    role: index === 0 ? ('Active' as const) : ('Standby' as const),
    generation: 1,
    rotatedAtMs: deps.clock.nowMs(),
    ...sealOne(deps, at, { name, generation: 1 }, made),
  }));
}

/** The slots of a credential after some of its values were replaced at the vendor. */
export function replaceSlots(
  deps: Maker,
  at: { readonly credential: CredentialRecord; readonly handle: StoreHandle },
  made: RemoteCredential,
  which: { readonly names: readonly SlotName[]; readonly role?: 'Next' },
): readonly SlotRecord[] {
  return at.credential.slots.map((slot): SlotRecord => {
    if (!which.names.includes(slot.name)) return slot;
    const { retireAtMs: _, ...kept } = slot;
    const generation = slot.generation + 1;
    return {
      ...kept,
      generation,
      role: which.role ?? slot.role,
      rotatedAtMs: deps.clock.nowMs(),
      ...sealOne(deps, at, { name: slot.name, generation }, made),
    };
  });
}

/** The digest that the ledger would hold of this value in this slot. */
export function digestRemote(
  deps: Pick<Deps, 'keyring'>,
  { credential, slot }: { readonly credential: CredentialRecord; readonly slot: SlotRecord },
  value: Sensitive,
): Uint8Array {
  return digestForeign({
    pepper: deps.keyring.pepper(slot.pepperVersion),
    keyId: credential.keyId,
    value: value.revealText(),
  });
}

/** What an answer says about the vendor's copy, for the ledger. */
export function snapshot(
  seen: RemoteCredential,
): Pick<RemoteRecord, 'facts'> & Required<Pick<RemoteRecord, 'id'>> & Partial<RemoteRecord> {
  const { id, enabled, name, description, createdMs, modifiedMs, facts } = seen;
  return {
    id,
    enabled,
    facts,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(createdMs === undefined ? {} : { createdMs }),
    ...(modifiedMs === undefined ? {} : { modifiedMs }),
  };
}

function sealOne(
  deps: Maker,
  { credential, handle }: { readonly credential: CredentialRecord; readonly handle: StoreHandle },
  slot: { readonly name: SlotName; readonly generation: number },
  made: RemoteCredential,
): Pick<SlotRecord, 'digest' | 'pepperVersion' | 'sealed'> {
  const value = made.values[slot.name];
  if (value === undefined) {
    throw new KeywardError('Transient', {
      reason: 'StoreGarbled',
      message: `the vendor did not show the value of ${slot.name}`,
    });
  }
  const { token, keyId } = credential;
  const place = { token, keyId, slot: slot.name, generation: slot.generation };
  return sealSlot(deps, handle, place, value);
}
