/** Whose a value is that a vendor made: its layout tells nothing, so every key at a vendor is asked. */
import { digestForeign, equalDigests } from '../keys/digest.ts';
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
      const found = findIn(record, keyring, words);
      if (found !== undefined) return found;
    }
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

function findIn(
  record: KeyRecord,
  keyring: Pick<Keyring, 'pepper'>,
  words: readonly string[],
): Found | undefined {
  for (const credential of record.credentials) {
    if (credential.remote === undefined) continue;
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
