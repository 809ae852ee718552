import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { KubeObject, Ref } from '../../../src/api/meta.ts';
import {
  createMasterKeySecret,
  readMasterKeySecret,
  rotateMasterKeySecret,
  writeGateKeySecret,
  type SecretClient,
} from '../../../src/bin/keysecrets.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { parseGateKeyring } from '../../../src/keys/gatekey.ts';

const MASTER = { secret: { namespace: 'own', name: 'master' }, entry: 'master-key' };
const GATE = { secret: { namespace: 'own', name: 'gate' }, entry: 'gate-key' };

type Stored = KubeObject & { data: Record<string, string> };

/** An API server with nothing but Secrets in it; every write is counted. */
class Secrets implements SecretClient {
  readonly stored = new Map<string, Stored>();
  writes = 0;
  /** Somebody else is faster once. */
  overtaken: (() => void) | undefined;

  get(_: unknown, { name }: Ref): Promise<KubeObject | undefined> {
    const found = this.stored.get(name);
    this.overtaken?.();
    this.overtaken = undefined;
    return Promise.resolve(found);
  }

  create(_: unknown, draft: Parameters<SecretClient['create']>[1]): Promise<KubeObject> {
    const { name } = draft.metadata;
    if (this.stored.has(name)) {
      throw new KeywardError('Conflict', { reason: 'AlreadyExists', message: 'exists' });
    }
    this.writes += 1;
    const secret = { ...draft, metadata: { ...draft.metadata, resourceVersion: '1' } };
    this.stored.set(name, secret as unknown as Stored);
    return Promise.resolve(secret as unknown as KubeObject);
  }

  patch(
    _: unknown,
    { name }: Ref,
    { body }: Parameters<SecretClient['patch']>[2],
  ): Promise<KubeObject | undefined> {
    const change = body as Stored;
    const before = this.stored.get(name);
    if (before?.metadata.resourceVersion !== change.metadata.resourceVersion) {
      throw new KeywardError('Conflict', { reason: 'Conflict', message: 'another version' });
    }
    this.writes += 1;
    const after = { ...before, data: { ...before?.data, ...change.data } } as Stored;
    this.stored.set(name, after);
    return Promise.resolve(after);
  }

  entry(name: string, entry: string): string {
    return Buffer.from(this.stored.get(name)?.data[entry] ?? '', 'base64').toString();
  }

  put(name: string, data: Record<string, string>, labels: Record<string, string> = {}): void {
    const encoded = Object.entries(data).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]);
    const metadata = { name, namespace: 'own', labels, resourceVersion: '7' };
    const secret = { metadata, data: Object.fromEntries(encoded) as Record<string, string> };
    this.stored.set(name, secret as unknown as Stored);
  }
}

test('a master key is made where there is none, and never made again', async () => {
  const secrets = new Secrets();
  expect(await createMasterKeySecret(secrets, MASTER, randomBytes)).toBe('Created');
  const first = secrets.entry('master', 'master-key');
  expect(await createMasterKeySecret(secrets, MASTER, randomBytes)).toBe('Found');
  expect(secrets.entry('master', 'master-key')).toBe(first);
  expect(secrets.writes).toBe(1);
});

test('of two who make it at the same time one is right for both', async () => {
  const secrets = new Secrets();
  const other = new Secrets();
  await createMasterKeySecret(other, MASTER, randomBytes);
  secrets.overtaken = () =>
    secrets.put('master', { 'master-key': other.entry('master', 'master-key') });
  expect(await createMasterKeySecret(secrets, MASTER, randomBytes)).toBe('Found');
  expect(secrets.entry('master', 'master-key')).toBe(other.entry('master', 'master-key'));
});

test('a Secret without the entry, or with something else in it, is left alone and named', async () => {
  const secrets = new Secrets();
  secrets.put('master', { other: 'precious' });
  await expect(createMasterKeySecret(secrets, MASTER, randomBytes)).rejects.toThrow(
    "own/master has no entry 'master-key'",
  );
  secrets.put('master', { 'master-key': 'not a key' });
  await expect(createMasterKeySecret(secrets, MASTER, randomBytes)).rejects.toThrow(KeywardError);
  expect(secrets.writes).toBe(0);
});

test('the gate key follows the master key, and is written only when that has changed', async () => {
  const secrets = new Secrets();
  await createMasterKeySecret(secrets, MASTER, randomBytes);
  const keyring = await readMasterKeySecret(secrets, MASTER);
  expect(await writeGateKeySecret(secrets, GATE, keyring)).toBe('Created');
  expect(await writeGateKeySecret(secrets, GATE, keyring)).toBe('Unchanged');
  const more = `${secrets.entry('master', 'master-key')}v2:${randomBytes(32).toString('base64')}\n`;
  secrets.put('master', { 'master-key': more });
  const renewed = await readMasterKeySecret(secrets, MASTER);
  expect(await writeGateKeySecret(secrets, GATE, renewed)).toBe('Changed');
  const gate = parseGateKeyring(new Sensitive(secrets.entry('gate', 'gate-key')));
  expect(gate.versions).toEqual([1, 2]);
  expect(gate.pepper(2)).toEqual(renewed.pepper(2));
});

test("somebody else's Secret is not written over with a gate key", async () => {
  const secrets = new Secrets();
  await createMasterKeySecret(secrets, MASTER, randomBytes);
  secrets.put('gate', { 'gate-key': 'theirs' });
  const keyring = await readMasterKeySecret(secrets, MASTER);
  await expect(writeGateKeySecret(secrets, GATE, keyring)).rejects.toThrow('not made by Keyward');
  expect(secrets.entry('gate', 'gate-key')).toBe('theirs');
});

test('without a master key no gate key is made, and the command that makes one is named', async () => {
  await expect(readMasterKeySecret(new Secrets(), MASTER)).rejects.toThrow(
    'keyward master-key create --secret master',
  );
});

test('a version is added to a master key, and those that rows need stay as they were', async () => {
  const secrets = new Secrets();
  await createMasterKeySecret(secrets, MASTER, randomBytes);
  const before = await readMasterKeySecret(secrets, MASTER);
  expect(await rotateMasterKeySecret(secrets, MASTER, randomBytes)).toBe(2);
  const after = await readMasterKeySecret(secrets, MASTER);
  expect(after.versions).toEqual([1, 2]);
  expect(after.checkValue(1)).toBe(before.checkValue(1));
});

test('what is no master key is not written over by adding a version', async () => {
  const secrets = new Secrets();
  await expect(rotateMasterKeySecret(secrets, MASTER, randomBytes)).rejects.toThrow(
    'master-key create',
  );
  secrets.put('master', { 'master-key': 'precious' });
  await expect(rotateMasterKeySecret(secrets, MASTER, randomBytes)).rejects.toThrow(KeywardError);
  expect(secrets.entry('master', 'master-key')).toBe('precious');
});
