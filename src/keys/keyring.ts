/**
 * Pure; the master keys of an installation and what is derived from them. The operator parses the
 * mounted file once; rows of the database say which version they need.
 *
 *     # comments and blank lines are allowed
 *     v1:<base64 of 32 bytes>
 *     v2:<base64 of 32 bytes>      the highest version is the current one
 *     <base64 of 32 bytes>         without a version: v1
 */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Entropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import { Sensitive } from '../kernel/sensitive.ts';

/**
 * What derived keys are for. A purpose is part of the derivation, so a key for one purpose tells
 * nothing about another. Changing a label makes every existing row unreadable.
 *
 * - pepper: digests of secrets; operator and gate.
 * - sealing: secrets that the gate must be able to open (KeyPair with recovery); operator and gate.
 * - mac: proof that we wrote a Secret; operator only.
 * - publication: values sealed until they are published, and vendor credentials; operator only.
 * - check: tells a wrong master key from the right one; written beside the version.
 */
const PURPOSES = ['pepper', 'sealing', 'mac', 'publication', 'check'] as const;
type Purpose = (typeof PURPOSES)[number];
type Derived = { readonly bytes: Buffer; readonly object: KeyObject };

const KEY_BYTES = 32;
/** More than a rotation every week for a year; a longer file is a mistake. */
const VERSIONS_MAX = 64;
/** Nine digits; nobody counts so far. */
const VERSION_MAX = 999_999_999;
const SALT = 'keyward.dev/master-key';

/** Derived keys by purpose and version; see `parseKeyring`. Printing one shows no key. */
export type Keyring = {
  /** The version that new rows get. */
  readonly currentVersion: number;
  /** All versions, ascending. */
  readonly versions: readonly number[];
  /**
   * 32 bytes, the same Buffer at each call: do not change it.
   *
   * @throws KeywardError Terminal MasterKeyVersionMissing when the file has no such version
   */
  readonly pepper: (version: number) => Buffer;
  /**
   * Secrets of 32 bytes, made into key objects once: a cipher or MAC that is handed plain bytes
   * makes one for each use, which takes four times as long as the use itself. Errors as `pepper`.
   */
  readonly sealing: (version: number) => KeyObject;
  readonly mac: (version: number) => KeyObject;
  readonly publication: (version: number) => KeyObject;
  /**
   * Public text that stands for the master key of this version. The ledger keeps it; a different
   * one at the next start means that somebody mounted a wrong key under a known version.
   */
  readonly checkValue: (version: number) => string;
};

/**
 * The keyring of a master key file.
 *
 * @throws KeywardError Terminal MasterKeyInvalid, naming the line, never its content
 */
export function parseKeyring(file: Sensitive): Keyring {
  const masters = new Map<number, Buffer>();
  for (const [index, raw] of file.revealText().split('\n').entries()) {
    const line = raw.trim();
    if (line !== '' && !line.startsWith('#')) addLine(masters, line, index + 1);
  }
  if (masters.size === 0) throw invalid('the master key file contains no key');
  if (masters.size > VERSIONS_MAX) {
    throw invalid(`the master key file contains more than ${VERSIONS_MAX} versions`);
  }
  return createKeyring(masters);
}

/** The text of a new master key file with one version, v1. */
export function createMasterKeyText(entropy: Entropy): Sensitive {
  return new Sensitive(`v1:${entropy(KEY_BYTES).toString('base64')}\n`);
}

/**
 * The text of a master key file with one more version, which becomes the current one. What was there stays as
 * it was, comments included, because rows go on needing it.
 *
 * @throws KeywardError Terminal MasterKeyInvalid, also when the file has all the versions it may have
 */
export function addMasterKeyText(file: Sensitive, entropy: Entropy): Sensitive {
  const { versions, currentVersion } = parseKeyring(file);
  if (versions.length >= VERSIONS_MAX) {
    throw invalid(
      `the master key file has ${VERSIONS_MAX} versions already; remove those that no row needs`,
    );
  }
  if (currentVersion >= VERSION_MAX) {
    throw invalid(
      `the master key file ends with v${currentVersion}, and there is no higher version`,
    );
  }
  const text = file.revealText();
  const end = text.endsWith('\n') ? '' : '\n';
  const key = entropy(KEY_BYTES).toString('base64');
  return new Sensitive(`${text}${end}v${currentVersion + 1}:${key}\n`);
}

function addLine(masters: Map<number, Buffer>, line: string, lineNumber: number): void {
  const where = `line ${lineNumber} of the master key file`;
  const match = /^(?:v([1-9][0-9]{0,8}):\s*)?([A-Za-z0-9+/]{43}=)$/.exec(line);
  if (match === null) {
    throw invalid(`${where} is not of the form "v<N>:<base64 of 32 bytes>"`);
  }
  const version = Number(match[1] ?? '1');
  const bytes = Buffer.from(match[2] ?? '', 'base64');
  if (bytes.toString('base64') !== match[2]) throw invalid(`${where} is not canonical base64`);
  if (bytes.every((byte) => byte === bytes[0])) throw invalid(`${where} is not random`);
  if (masters.has(version)) throw invalid(`${where} repeats version v${version}`);
  if ([...masters.values()].some((other) => other.equals(bytes))) {
    throw invalid(`${where} repeats the key of another version`);
  }
  masters.set(version, bytes);
}

function createKeyring(masters: ReadonlyMap<number, Buffer>): Keyring {
  // All at once (some 10 us each): no state to guard, and the master keys themselves are let go.
  const derived = new Map<string, Derived>();
  for (const [version, master] of masters) {
    for (const purpose of PURPOSES) derived.set(`${purpose}/${version}`, derive(master, purpose));
    master.fill(0);
  }
  const find = (purpose: Purpose, version: number): Derived => {
    const found = derived.get(`${purpose}/${version}`);
    if (found === undefined) throw versionMissing(version);
    return found;
  };
  const versions = [...masters.keys()].toSorted((a, b) => a - b);
  return {
    currentVersion: versions.at(-1) ?? 1,
    versions,
    pepper: (version) => find('pepper', version).bytes,
    sealing: (version) => find('sealing', version).object,
    mac: (version) => find('mac', version).object,
    publication: (version) => find('publication', version).object,
    checkValue: (version) => find('check', version).bytes.toString('base64url'),
  };
}

function derive(master: Buffer, purpose: Purpose): Derived {
  const bytes = Buffer.from(hkdfSync('sha256', master, SALT, `keyward/1/${purpose}`, KEY_BYTES));
  return { bytes, object: createSecretKey(bytes) };
}

function invalid(message: string): KeywardError {
  return new KeywardError('Terminal', { reason: 'MasterKeyInvalid', message });
}

function versionMissing(version: number): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'MasterKeyVersionMissing',
    message: `the master key file has no version v${version}, which stored data needs`,
  });
}
