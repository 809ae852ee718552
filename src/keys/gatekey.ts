/**
 * Pure; the keys of a gate: what verifying takes and nothing more. Who has this file can neither forge
 * the proof that we wrote a Secret nor open what waits for its publication.
 *
 *     # comments and blank lines are allowed
 *     gate-v1:<base64 of pepper and sealing key, 64 bytes>:<check value>
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { KeywardError } from '../kernel/errors.ts';
import { Sensitive } from '../kernel/sensitive.ts';
import { parseKeyring, type Keyring } from './keyring.ts';

/** What a gate has of a keyring. */
export type GateKeyring = Pick<Keyring, 'versions' | 'pepper' | 'sealing' | 'checkValue'>;

const KEY_BYTES = 32;
const PREFIX = 'gate-v';

type GateKeys = {
  readonly pepper: Buffer;
  readonly sealing: KeyObject;
  readonly checkValue: string;
};

/** Text of the gate's key file, with all versions. Repeatable, the same keyring gives the same text. */
export function createGateKeyText(keyring: GateKeyring): Sensitive {
  const lines = keyring.versions.map((version) => {
    const keys = Buffer.concat([keyring.pepper(version), keyring.sealing(version).export()]);
    const line = `${PREFIX}${version}:${keys.toString('base64')}:${keyring.checkValue(version)}\n`;
    keys.fill(0);
    return line;
  });
  return new Sensitive(lines.join(''));
}

/**
 * The keyring of a gate's key file, or of a whole master key file, which works too and gives the gate
 * more than it needs.
 *
 * @throws KeywardError Terminal GateKeyInvalid, naming the line, or MasterKeyInvalid; never the content
 */
export function parseGateKeyring(file: Sensitive): GateKeyring {
  const lines = file.revealText().split('\n');
  if (!lines.some((line) => line.trim().startsWith(PREFIX))) {
    if (!lines.some((line) => /^\s*v\d/.test(line))) throw invalid('it has no line of a key');
    return parseKeyring(file);
  }
  const byVersion = new Map<number, GateKeys>();
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const parsed = parseLine(line);
    if (parsed === undefined) throw invalid(`line ${index + 1} is not one of a gate's key file`);
    if (byVersion.has(parsed.version)) {
      throw invalid(`line ${index + 1} repeats version v${parsed.version}`);
    }
    byVersion.set(parsed.version, parsed.keys);
  }
  const find = (version: number): GateKeys => {
    const found = byVersion.get(version);
    if (found === undefined) throw versionMissing(version);
    return found;
  };
  return {
    versions: [...byVersion.keys()].toSorted((a, b) => a - b),
    pepper: (version) => find(version).pepper,
    sealing: (version) => find(version).sealing,
    checkValue: (version) => find(version).checkValue,
  };
}

function parseLine(line: string): { version: number; keys: GateKeys } | undefined {
  const match = /^gate-v([1-9]\d{0,8}):([A-Za-z0-9+/]{86}==):([\w-]{43})$/.exec(line);
  if (match === null) return undefined;
  const bytes = Buffer.from(match[2] ?? '', 'base64');
  if (bytes.toString('base64') !== match[2]) return undefined;
  const sealing = createSecretKey(bytes.subarray(KEY_BYTES));
  const pepper = bytes.subarray(0, KEY_BYTES);
  return { version: Number(match[1]), keys: { pepper, sealing, checkValue: match[3] ?? '' } };
}

function invalid(message: string): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'GateKeyInvalid',
    message: `the gate's key file cannot be used: ${message}; write it anew: keyward keys derive-gate`,
  });
}

function versionMissing(version: number): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'MasterKeyVersionMissing',
    message: `the gate's key file has no version v${version}, which stored data needs; write it anew: keyward keys derive-gate`,
  });
}
