/** Reads the master key file, and makes one where a trial asks for it. */
import { readFile, writeFile } from 'node:fs/promises';
import { KeywardError } from '../kernel/errors.ts';
import type { Entropy } from '../kernel/entropy.ts';
import type { Logger } from '../kernel/log.ts';
import { Sensitive } from '../kernel/sensitive.ts';
import { createMasterKeyText, parseKeyring, type Keyring } from '../keys/keyring.ts';
import type { Ledger } from '../ledger/port.ts';

/** @throws KeywardError Terminal MasterKeyUnreadable or MasterKeyInvalid, never with its content */
export async function loadKeyring(path: string): Promise<Keyring> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new KeywardError('Terminal', {
      reason: 'MasterKeyUnreadable',
      message: `the master key file '${path}' cannot be read; mount it, or make one with: keyward master-key create ${path}`,
      cause,
    });
  });
  const text = new Sensitive(bytes);
  bytes.fill(0);
  return parseKeyring(text);
}

/** Writes a new master key file, readable by its owner only; false when there was one already. */
export async function createMasterKeyFile(path: string, entropy: Entropy): Promise<boolean> {
  const text = createMasterKeyText(entropy);
  try {
    await writeFile(path, text.reveal(), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw new KeywardError('Terminal', {
      reason: 'MasterKeyUnwritable',
      message: `the master key file '${path}' cannot be written`,
      cause: error,
    });
  } finally {
    text.erase();
  }
}

/**
 * Proves that keyring and database belong together: every version that rows need is there, and no
 * known version has another key behind it.
 * @throws KeywardError Terminal MasterKeyVersionMissing or MasterKeyWrong
 */
export async function matchKeyring(ledger: Ledger, keyring: Keyring, log: Logger): Promise<void> {
  for (const { version, checkValue } of await ledger.versionsInUse()) {
    if (!keyring.versions.includes(version)) {
      throw new KeywardError('Terminal', {
        reason: 'MasterKeyVersionMissing',
        message: `the database holds rows under master key version ${version}, which the master key file lacks; put that line back`,
      });
    }
    if (checkValue !== undefined && checkValue !== keyring.checkValue(version)) {
      throw new KeywardError('Terminal', {
        reason: 'MasterKeyWrong',
        message: `master key version ${version} is not the one this database was written with; mount the right file`,
      });
    }
  }
  await ledger.rememberVersion(keyring.currentVersion, keyring.checkValue(keyring.currentVersion));
  log.debug('master key matches the database', { version: keyring.currentVersion });
}
