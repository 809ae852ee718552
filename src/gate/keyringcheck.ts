/** Do key file and database belong together? */
import { KeywardError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { GateLedger } from '../ledger/gate.ts';

/**
 * Refuses a key file whose known versions are not those of the database. A version that is missing is
 * told and tolerated: keys under it are StateUnknown, all others go on.
 *
 * @throws KeywardError Terminal MasterKeyWrong; errors of the ledger
 */
export async function checkKeyring(
  ledger: Pick<GateLedger, 'versionsInUse'>,
  keyring: Pick<Keyring, 'versions' | 'checkValue'>,
  log: Logger,
): Promise<void> {
  for (const { version, checkValue } of await ledger.versionsInUse()) {
    if (!keyring.versions.includes(version)) {
      log.error("the gate's key file lacks a version that the database uses; write it anew", {
        version,
      });
    } else if (checkValue !== undefined && checkValue !== keyring.checkValue(version)) {
      throw new KeywardError('Terminal', {
        reason: 'MasterKeyWrong',
        message: `the gate's key file is of another master key (version ${version}) than this database; write it anew with keyward keys derive-gate from its operator's file, or look at --database`,
      });
    }
  }
}
