/** Reads the master key file, makes one where a trial asks for it, and derives the gate's from it. */
import { readFile, rm } from 'node:fs/promises';
import { KeywardError } from '../kernel/errors.ts';
import type { Entropy } from '../kernel/entropy.ts';
import type { Logger } from '../kernel/log.ts';
import { Sensitive } from '../kernel/sensitive.ts';
import { createGateKeyText, parseGateKeyring, type GateKeyring } from '../keys/gatekey.ts';
import {
  addMasterKeyText,
  createMasterKeyText,
  parseKeyring,
  type Keyring,
} from '../keys/keyring.ts';
import type { Ledger } from '../ledger/port.ts';
import { createKeyFile, replaceKeyFile } from './keyfile.ts';

/** @throws KeywardError Terminal MasterKeyUnreadable or MasterKeyInvalid, never with its content */
export async function loadKeyring(path: string): Promise<Keyring> {
  return parseKeyring(await readMasterKeyFile(path));
}

function readMasterKeyFile(path: string): Promise<Sensitive> {
  return readKeyFile(path, {
    reason: 'MasterKeyUnreadable',
    message: `the master key file '${path}' cannot be read; mount it, or make one with: keyward master-key create ${path}`,
  });
}

/** @throws KeywardError Terminal GateKeyUnreadable, GateKeyInvalid or MasterKeyInvalid, never with its content */
export async function loadGateKeyring(path: string): Promise<GateKeyring> {
  return parseGateKeyring(
    await readKeyFile(path, {
      reason: 'GateKeyUnreadable',
      message: `the gate's key file '${path}' cannot be read; mount it, or write it with: keyward keys derive-gate`,
    }),
  );
}

/**
 * Makes the key file of gates, readable by its owner only; `-`: to standard output. What was there is replaced
 * as a whole. @throws KeywardError Terminal GateKeyUnwritable
 */
export async function writeGateKeyFile(path: string, keyring: GateKeyring): Promise<void> {
  const text = createGateKeyText(keyring);
  try {
    if (path === '-') {
      process.stdout.write(text.revealText());
      return;
    }
    // It can always be derived anew, so what is left of an earlier try is in nobody's way.
    await rm(`${path}.new`, { force: true });
    await replaceKeyFile(path, text);
  } catch (cause) {
    throw new KeywardError('Terminal', {
      reason: 'GateKeyUnwritable',
      message: `the gate's key file '${path}' cannot be written`,
      cause,
    });
  } finally {
    text.erase();
  }
}

async function readKeyFile(
  path: string,
  trouble: { readonly reason: string; readonly message: string },
): Promise<Sensitive> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new KeywardError('Terminal', { ...trouble, cause });
  });
  const text = new Sensitive(bytes);
  bytes.fill(0);
  return text;
}

/** Writes a new master key file, readable by its owner only; false when there was one already. */
export async function createMasterKeyFile(path: string, entropy: Entropy): Promise<boolean> {
  const text = createMasterKeyText(entropy);
  try {
    return await createKeyFile(path, text);
  } catch (error) {
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
 * Adds a version to a master key file, which is replaced as a whole once the new one is on the disk; owner and
 * mode stay.
 *
 * @returns the new current version
 * @throws KeywardError Terminal MasterKeyUnreadable, MasterKeyInvalid or MasterKeyUnwritable
 */
export async function rotateMasterKeyFile(path: string, entropy: Entropy): Promise<number> {
  const before = await readMasterKeyFile(path);
  const text = addMasterKeyText(before, entropy);
  try {
    await replaceKeyFile(path, text);
    return parseKeyring(text).currentVersion;
  } catch (cause) {
    throw new KeywardError('Terminal', {
      reason: 'MasterKeyUnwritable',
      message: `the master key file '${path}' cannot be replaced; run this as its owner, and look whether '${path}.new' is left from an earlier try`,
      cause,
    });
  } finally {
    before.erase();
    text.erase();
  }
}

/**
 * Proves that keyring and database belong together: every version that rows need is there, and no
 * known version has another key behind it.
 * @throws KeywardError Terminal MasterKeyVersionMissing or MasterKeyWrong
 */
export async function matchKeyring(ledger: Ledger, keyring: Keyring, log: Logger): Promise<void> {
  await expectMatching(ledger, keyring);
  await ledger.rememberVersion(keyring.currentVersion, keyring.checkValue(keyring.currentVersion));
  log.debug('master key matches the database', { version: keyring.currentVersion });
}

/** The same, and writes nothing. @throws KeywardError as `matchKeyring` */
export async function expectMatching(
  ledger: Pick<Ledger, 'versionsInUse'>,
  keyring: Keyring,
): Promise<void> {
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
}
