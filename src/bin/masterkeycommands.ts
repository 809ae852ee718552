/** Composition of `keyward master-key` and `keyward keys derive-gate`: to files and to Secrets. */
import { usageError } from '../cli/exit.ts';
import { masterKeyConfig } from '../config/commands.ts';
import type { Flags } from '../config/layers.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import type { Keyring } from '../keys/keyring.ts';
import {
  createMasterKeySecret,
  readMasterKeySecret,
  rotateMasterKeySecret,
  writeGateKeySecret,
  type EntryRef,
} from './keysecrets.ts';
import {
  createMasterKeyFile,
  loadKeyring,
  rotateMasterKeyFile,
  writeGateKeyFile,
} from './masterkey.ts';
import { withSession } from './session.ts';
import { output } from './streams.ts';

/** `keyward master-key create FILE|--secret NAME` */
export async function runMasterKeyCreate(flags: Flags, path: string | undefined): Promise<void> {
  const secret = target(flags, path, 'master-key');
  if (typeof secret === 'string') {
    if (!(await createMasterKeyFile(secret, systemEntropy))) {
      throw usageError(`'${secret}' exists; a master key is never overwritten`);
    }
    output.note(`wrote ${secret}; keep a copy of it, without it no key can be verified\n`);
    return;
  }
  await withSession(flags, async ({ client, namespace }) => {
    const at = { ...secret, secret: { ...secret.secret, namespace } };
    const done = await createMasterKeySecret(client, at, systemEntropy);
    const name = `Secret ${namespace}/${at.secret.name}`;
    output.note(
      done === 'Created'
        ? `made ${name}; keep a copy of it, without it no key can be verified\n`
        : `${name} has a master key, which is left as it is\n`,
    );
  });
}

/** `keyward master-key rotate FILE|--secret NAME` */
export async function runMasterKeyRotate(flags: Flags, path: string | undefined): Promise<void> {
  const secret = target(flags, path, 'master-key');
  if (typeof secret === 'string') {
    noteRotated(await rotateMasterKeyFile(secret, systemEntropy), secret);
    return;
  }
  await withSession(flags, async ({ client, namespace }) => {
    const at = { ...secret, secret: { ...secret.secret, namespace } };
    const version = await rotateMasterKeySecret(client, at, systemEntropy);
    noteRotated(version, `Secret ${namespace}/${at.secret.name}`);
  });
}

function noteRotated(version: number, where: string): void {
  output.note(
    `added v${version} to ${where}; keep a copy of all of it: older rows need the versions before\n`,
  );
  output.note(
    'next: derive the key of gates anew, start gates again, and after them the operator\n',
  );
}

/** `keyward keys derive-gate FILE|--secret NAME` */
export async function runDeriveGate(flags: Flags, path: string | undefined): Promise<void> {
  const to = target(flags, path, 'gate-key');
  const { masterKeySecret: from, masterKeyEntry = 'master-key' } = flags;
  if (typeof to === 'string' && from === undefined) {
    const keyring = await loadKeyring(await masterKeyConfig(flags));
    await writeGateKeyFile(to, keyring);
    noteDerived('wrote', keyring);
    return;
  }
  await withSession(flags, async ({ client, namespace }) => {
    const source = { secret: { namespace, name: String(from) }, entry: String(masterKeyEntry) };
    const keyring =
      from === undefined
        ? await loadKeyring(await masterKeyConfig(flags))
        : await readMasterKeySecret(client, source);
    if (typeof to === 'string') {
      await writeGateKeyFile(to, keyring);
      noteDerived('wrote', keyring);
      return;
    }
    const at = { ...to, secret: { ...to.secret, namespace } };
    const done = await writeGateKeySecret(client, at, keyring);
    noteDerived(`${done.toLowerCase()} Secret ${namespace}/${at.secret.name}:`, keyring);
  });
}

/** A file, or a Secret in the namespace that is yet to be found out. */
function target(flags: Flags, path: string | undefined, usual: string): string | EntryRef {
  const { secret, entry = usual } = flags;
  if (typeof secret === 'string' && path === undefined) {
    return { secret: { namespace: '', name: secret }, entry: String(entry) };
  }
  if (path !== undefined && secret === undefined) return path;
  throw usageError('say either a file or --secret NAME');
}

function noteDerived(done: string, { versions }: Keyring): void {
  output.note(
    `${done} what gates need of master key ${versions.map((each) => `v${each}`).join(', ')}\n`,
  );
}
