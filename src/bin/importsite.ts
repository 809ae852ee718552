/**
 * Where imported values go: into the database, by this process where no operator has it for itself, by
 * the running operator where one has, or nowhere in a dry run.
 */
import { refText } from '../api/meta.ts';
import { judgeImport } from '../controllers/apikey/imports.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Keyring } from '../keys/keyring.ts';
import { openLedgerReader } from '../ledger/open.ts';
import type { Ledger } from '../ledger/port.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { carryOutImport, writeImport, type ImportWish } from './importwish.ts';
import { expectMatching } from './masterkey.ts';
import { askOperator, openOrAsk } from './requests.ts';
import { findByUid } from './resolving.ts';

/** One place; close it. */
export type ImportSite = {
  readonly ledger: Pick<Ledger, 'load' | 'debts' | 'findByKeyId'>;
  /**
   * Brings values to the key of this record; one sentence for people. Not for the same key twice at a
   * time. @throws KeywardError as `importValues`; Waiting NoAnswer
   */
  take(record: KeyRecord, wish: ImportWish): Promise<string>;
  close(): Promise<void>;
};

type Options = { readonly database: string; readonly keyring: Keyring; readonly isDry: boolean };

/** @throws KeywardError of the ledger; Terminal MasterKeyVersionMissing, MasterKeyWrong */
export async function openImportSite(options: Options): Promise<ImportSite> {
  const { database, keyring, isDry } = options;
  if (isDry) return lookOnly(options);
  const opened = await openOrAsk(database);
  if ('folder' in opened) return throughOperator(options, opened.folder);
  const { ledger } = opened;
  try {
    await expectMatching(ledger, keyring);
    const { epoch } = await ledger.identity();
    const { currentVersion } = keyring;
    await ledger.rememberVersion(currentVersion, keyring.checkValue(currentVersion));
    const deps = {
      ledger,
      keyring,
      entropy: systemEntropy,
      clock: systemClock,
      epoch: () => epoch,
    };
    return {
      ledger,
      take: async ({ uid }, wish) => (await carryOutImport(deps, uid, wish)).answer,
      close: () => ledger.close(),
    };
  } catch (thrown) {
    await ledger.close();
    throw thrown;
  }
}

async function lookOnly({ database, keyring }: Options): Promise<ImportSite> {
  const ledger = await openLedgerReader(database);
  try {
    await expectMatching(ledger, keyring);
  } catch (thrown) {
    await ledger.close();
    throw thrown;
  }
  return {
    ledger,
    async take(record, wish) {
      const { type } = await judgeImport({ ledger, keyring }, record, wish);
      const of = `ApiKey ${refText(record)}`;
      return type === 'New' ? `${of}: can be imported` : `${of}: imported before`;
    },
    close: () => ledger.close(),
  };
}

/** The operator alone may write. What is asked of it is sealed, and its answer is not just believed. */
async function throughOperator(options: Options, folder: string): Promise<ImportSite> {
  const { keyring } = options;
  const site = await lookOnly(options);
  return {
    ...site,
    async take(record, wish) {
      const { uid } = record;
      const text = writeImport(wish, uid, { keyring, entropy: systemEntropy });
      const answer = await askOperator(folder, { uid, verb: 'import', text });
      // Somebody else may have asked for the same key at the same moment, and this be his answer.
      const after = await findByUid(site.ledger, uid);
      const { type } = await judgeImport({ ledger: site.ledger, keyring }, after, wish);
      if (type === 'Held') return answer;
      throw new KeywardError('Waiting', {
        reason: 'NoAnswer',
        message: 'the operator answered somebody else; run the command again',
      });
    },
  };
}
