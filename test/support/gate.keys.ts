/** Keys as an operator would have issued them, with their values, for tests of the gate. */
import { randomBytes } from 'node:crypto';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { buildPairSecret, buildValue, publicName } from '../../src/keys/format.ts';
import { digestSecret } from '../../src/keys/digest.ts';
import { parseKeyring, type Keyring } from '../../src/keys/keyring.ts';
import { sealForGate, slotContext } from '../../src/keys/sealing.ts';
import type { CredentialRecord, KeyRecord } from '../../src/ledger/record.ts';
import { randomBase62 } from '../../src/keys/base62.ts';

/** Version 1 of a master key that only tests have. */
export const KEY_FILE = `v1:${Buffer.from([...Array(32).keys()]).toString('base64')}\n`;

/** The keyring of that file, or of another one. */
export function aKeyring(file: string = KEY_FILE): Keyring {
  return parseKeyring(new Sensitive(file));
}

/** A key with what its holder has. */
export type IssuedKey = {
  readonly record: KeyRecord;
  readonly keyId: string;
  /** The whole value. */
  readonly value: string;
  /** Of a KeyPair. */
  readonly apiKey: string;
  readonly apiSecret: string;
};

/** Makes a key; `uid` is its UID and, with "key-" before it, its name. */
export function issueKey(
  uid: string,
  changes: Partial<KeyRecord> = {},
  keyring: Keyring = aKeyring(),
): IssuedKey {
  const keyId = randomBase62(randomBytes, 16);
  const parts = { prefix: 'kw', keyId, secret: randomBase62(randomBytes, 43) };
  const version = keyring.currentVersion;
  const token = `token-${uid}-${keyId}`;
  const isPair = changes.format === 'KeyPair';
  const name = isPair ? 'apiSecret' : 'apiKey';
  const apiSecret = buildPairSecret(parts);
  const context = slotContext({ token, slot: name, generation: 1 });
  const credential: CredentialRecord = {
    token,
    sequence: 1,
    attempt: 1,
    keyId,
    hint: isPair ? publicName(parts) : 'kw_...',
    state: 'Active',
    origin: 'Issued',
    createdAtMs: 0,
    slots: [
      {
        name,
        role: 'Active',
        generation: 1,
        digest: digestSecret({ ...parts, pepper: keyring.pepper(version) }),
        pepperVersion: version,
        ...(isPair
          ? { sealed: sealForGate(keyring, new Sensitive(apiSecret), context, randomBytes) }
          : {}),
        rotatedAtMs: 0,
      },
    ],
  };
  const record: KeyRecord = {
    clusterId: 'cluster-1',
    uid,
    namespace: 'shop',
    name: `key-${uid}`,
    revision: 0,
    phase: 'Live',
    state: 'Active',
    store: { kind: 'ClusterKeyStore', name: 'default', uid: 'store-1', incarnation: 1 },
    format: 'Opaque',
    terms: { timeZone: 'UTC', cidrs: [], productRefs: [] },
    firstIssuedMs: 0,
    sequence: 1,
    credentials: [credential],
    ...changes,
  };
  return { record, keyId, value: buildValue(parts), apiKey: publicName(parts), apiSecret };
}
