/**
 * Master key and gate key in Secrets, for the Job that an installation begins with: it may run before every
 * upgrade, so an existing master key is never touched and the gate's key follows it.
 */
import { type KubeObject, type Ref, refText } from '../api/meta.ts';
import { SECRETS } from '../api/names.ts';
import type { Entropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import { Sensitive } from '../kernel/sensitive.ts';
import { createGateKeyText } from '../keys/gatekey.ts';
import {
  addMasterKeyText,
  createMasterKeyText,
  parseKeyring,
  type Keyring,
} from '../keys/keyring.ts';
import type { PersonClient } from '../kube/person.ts';

/** An entry of a Secret. */
export type EntryRef = { readonly secret: Ref; readonly entry: string };

/** What of the API server this takes. */
export type SecretClient = Pick<PersonClient, 'get' | 'create' | 'patch'>;

const PART_OF = 'app.kubernetes.io/part-of';

/**
 * Makes a Secret with a new master key where there is none. Repeatable: one that is there is read, to see
 * that it has a key, and left as it is. @throws KeywardError Terminal MasterKeyInvalid or MasterKeyUnreadable
 */
export async function createMasterKeySecret(
  client: SecretClient,
  at: EntryRef,
  entropy: Entropy,
): Promise<'Created' | 'Found'> {
  if ((await findEntry(client, at)) === 'No Secret') {
    const text = createMasterKeyText(entropy);
    try {
      await client.create(SECRETS, draft(at, text), 'Carry out');
      return 'Created';
    } catch (error) {
      // Somebody else made it meanwhile: theirs stands.
      if (!(error instanceof KeywardError) || error.reason !== 'AlreadyExists') throw error;
    } finally {
      text.erase();
    }
  }
  await readMasterKeySecret(client, at);
  return 'Found';
}

/** The keyring in a Secret. @throws KeywardError Terminal MasterKeyUnreadable or MasterKeyInvalid */
export async function readMasterKeySecret(client: SecretClient, at: EntryRef): Promise<Keyring> {
  const found = await findEntry(client, at);
  if (found instanceof Sensitive) return parseKeyring(found);
  throw unreadable(at, found);
}

/**
 * Adds a version to the master key in a Secret; versions that are there stay. @returns the new current version
 *
 * @throws KeywardError Conflict when somebody else writes it, Terminal MasterKeyInvalid or MasterKeyUnreadable
 */
export async function rotateMasterKeySecret(
  client: SecretClient,
  at: EntryRef,
  entropy: Entropy,
): Promise<number> {
  const secret = await client.get(SECRETS, at.secret);
  if (secret === undefined) throw unreadable(at, 'No Secret');
  const before = entryOf(secret, at.entry);
  if (before === undefined) throw unreadable(at, 'No entry');
  const text = addMasterKeyText(before, entropy);
  try {
    const { resourceVersion } = secret.metadata;
    const body = { metadata: { resourceVersion }, data: data(at, text) };
    await client.patch(SECRETS, at.secret, { body, writing: 'Carry out' });
    return parseKeyring(text).currentVersion;
  } finally {
    before.erase();
    text.erase();
  }
}

function unreadable({ secret, entry }: EntryRef, found: 'No Secret' | 'No entry'): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'MasterKeyUnreadable',
    message:
      found === 'No Secret'
        ? `Secret ${refText(secret)} does not exist; make it with: keyward master-key create --secret ${secret.name}`
        : `Secret ${refText(secret)} has no entry '${entry}'; a master key is never written over what is there`,
  });
}

/**
 * Writes what gates need of the keyring into a Secret. Repeatable; only one that Keyward made is changed.
 * @throws KeywardError Conflict when somebody else writes it, Terminal NotOurs
 */
export async function writeGateKeySecret(
  client: SecretClient,
  at: EntryRef,
  keyring: Keyring,
): Promise<'Created' | 'Changed' | 'Unchanged'> {
  const text = createGateKeyText(keyring);
  try {
    const found = await client.get(SECRETS, at.secret);
    if (found === undefined) {
      await client.create(SECRETS, draft(at, text), 'Carry out');
      return 'Created';
    }
    if (entryOf(found, at.entry)?.reveal().equals(text.reveal()) === true) return 'Unchanged';
    if (found.metadata.labels?.[PART_OF] !== 'keyward') throw notOurs(at);
    const { resourceVersion } = found.metadata;
    const body = { metadata: { resourceVersion }, data: data(at, text) };
    await client.patch(SECRETS, at.secret, { body, writing: 'Carry out' });
    return 'Changed';
  } finally {
    text.erase();
  }
}

async function findEntry(
  client: SecretClient,
  { secret, entry }: EntryRef,
): Promise<Sensitive | 'No Secret' | 'No entry'> {
  const found = await client.get(SECRETS, secret);
  return found === undefined ? 'No Secret' : (entryOf(found, entry) ?? 'No entry');
}

function entryOf(secret: KubeObject, entry: string): Sensitive | undefined {
  // Parser: fields that only some kinds have.
  const { data: entries } = secret as KubeObject & { readonly data?: unknown };
  if (typeof entries !== 'object' || entries === null) return undefined;
  const encoded: unknown = Object.entries(entries).find(([name]) => name === entry)?.[1];
  return typeof encoded === 'string' ? new Sensitive(Buffer.from(encoded, 'base64')) : undefined;
}

function draft(at: EntryRef, text: Sensitive): Parameters<SecretClient['create']>[1] {
  return {
    apiVersion: 'v1',
    kind: SECRETS.kind,
    metadata: { ...at.secret, labels: { [PART_OF]: 'keyward' } },
    type: 'Opaque',
    data: data(at, text),
  };
}

function data({ entry }: EntryRef, text: Sensitive): Readonly<Record<string, string>> {
  return { [entry]: text.reveal().toString('base64') };
}

function notOurs({ secret }: EntryRef): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'NotOurs',
    message: `Secret ${refText(secret)} was not made by Keyward, so it is left as it is; take another name, or give it the label ${PART_OF}=keyward`,
  });
}
