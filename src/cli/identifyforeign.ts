/** Whose a value is that we did not make: its layout tells nothing, so every key at a vendor is asked. */
import { digestForeign, equalDigests } from '../keys/digest.ts';
import { isForeignName, isForeignValue, lookupOf } from '../keys/foreign.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Ledger } from '../ledger/port.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../ledger/record.ts';

const PAGE = 500;

/** The slot of a credential that holds the value. */
export type Found = {
  readonly record: KeyRecord;
  readonly credential: CredentialRecord;
  readonly slot: SlotRecord;
};

/**
 * Looks through the whole ledger, some microseconds for each key at a vendor.
 * @param words parts of the input, each of which may be a value
 * @returns undefined: no key at a vendor has any of them now
 * @throws KeywardError Terminal MasterKeyVersionMissing
 */
export async function findForeign(
  ledger: Pick<Ledger, 'scan'>,
  keyring: Pick<Keyring, 'pepper'>,
  words: readonly string[],
): Promise<Found | undefined> {
  let after: string | undefined;
  do {
    const page = await ledger.scan(PAGE, after);
    for (const record of page.records) {
      const found = findIn(record, keyring, words, 'AtVendor');
      if (found !== undefined) return found;
    }
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

/**
 * Whose it is among the values that were imported, which are found by their lookups.
 * @param words a value, or both halves of a pair
 * @throws KeywardError Terminal MasterKeyVersionMissing
 */
export async function findImported(
  ledger: Pick<Ledger, 'findByKeyId'>,
  keyring: Pick<Keyring, 'pepper' | 'versions'>,
  words: readonly string[],
): Promise<Found | undefined> {
  const ids = words.flatMap((word) =>
    keyring.versions.flatMap((version) => lookupsOf(keyring.pepper(version), word)),
  );
  const records = await Promise.all(ids.map((id) => ledger.findByKeyId(id)));
  for (const record of records) {
    const found = record && findIn(record, keyring, words, 'Imported');
    if (found !== undefined) return found;
  }
  return undefined;
}

function lookupsOf(pepper: Readonly<Uint8Array>, word: string): readonly string[] {
  return [
    ...(isForeignValue(word) ? [lookupOf(pepper, 'Value', word)] : []),
    ...(isForeignName(word) ? [lookupOf(pepper, 'Name', word)] : []),
  ];
}

function findIn(
  record: KeyRecord,
  keyring: Pick<Keyring, 'pepper'>,
  words: readonly string[],
  where: 'AtVendor' | 'Imported',
): Found | undefined {
  for (const credential of record.credentials) {
    if ((credential.remote === undefined) === (where === 'AtVendor')) continue;
    const { keyId } = credential;
    const slot = credential.slots.find(({ pepperVersion, digest }) =>
      words.some((value) => {
        const pepper = keyring.pepper(pepperVersion);
        return equalDigests(digest, digestForeign({ pepper, keyId, value }));
      }),
    );
    if (slot !== undefined) return { record, credential, slot };
  }
  return undefined;
}
