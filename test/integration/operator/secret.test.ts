/** The Secret in other people's hands: taken, deleted, edited, planted, frozen. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ANNOTATION_FINGERPRINT,
  ANNOTATION_MAC,
  API_VERSION,
  KEY_STORES,
  LABEL_API_KEY,
  SECRETS,
} from '../../../src/api/names.ts';
import { mintValue } from '../../../src/keys/mint.ts';
import { systemEntropy } from '../../../src/kernel/entropy.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import type { Loose } from '../../support/operator.api.ts';
import {
  condition,
  decode,
  SEALED,
  Site,
  storeObject,
  type Key,
} from '../../support/operator.site.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), flags: { 'loss-grace-seconds': '1' } });
  await site.start();
});

afterAll(() => site.close());

async function issued(name: string, spec: object = {}): Promise<string> {
  await site.issue(name, spec);
  return await valueOf(name);
}

async function valueOf(name: string): Promise<string> {
  return (await site.values(name))['apiKey'] ?? '';
}

/** Waits until the key works with another value than this. */
async function untilReplaced(name: string, old: string): Promise<string> {
  return await eventually(async () => {
    const value = await valueOf(name);
    expect(value).not.toBe(old);
    expect(await site.verdict(value)).toBe('Allowed');
    expect(condition(await site.key(name), 'Ready')?.status).toBe('True');
    return value;
  });
}

async function patchSecret(name: string, change: object): Promise<Loose> {
  return await site.api.patch(SECRETS, [site.namespace, name], change);
}

async function deleteSecret(name: string): Promise<void> {
  await site.api.remove(SECRETS, site.namespace, name);
}

/** What must not change when a Secret is left alone. */
function identity(secret: Loose | undefined): readonly unknown[] {
  return [secret?.metadata.uid, secret?.metadata.resourceVersion];
}

/** A value that looks like ours in every way and was made by somebody else. */
function forgedValue(keyId = 'AAAAAAAAAAAAAAAA'): string {
  return mintValue(systemEntropy, { prefix: 'kw', keyId, slot: 'apiKey' }).revealText();
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

describe("somebody else's Secret", () => {
  test.for([
    ['Opaque', { password: encode('x') }],
    ['kubernetes.io/tls', { 'tls.crt': encode('x'), 'tls.key': encode('y') }],
    ['helm.sh/release.v1', { release: encode('x') }],
  ] as const)(
    'of type %s is not touched, and the key says SecretConflict',
    async ([type, data]) => {
      const name = `taken-${type.replaceAll(/[^a-z]/gi, '').toLowerCase()}`;
      const metadata = { name, namespace: site.namespace };
      const before = await site.api.create(SECRETS, { metadata, type, data });
      await site.create(name);
      const key = await site.until(name, 'SecretConflict');
      expect(condition(key, 'SecretSynced')).toMatchObject({ status: 'False', reason: 'Conflict' });
      expect(condition(key, 'Stalled')?.status).toBe('True');
      expect(identity(await site.secret(name))).toEqual(identity(before));
    },
  );

  test('when it is out of the way the key is issued at the next look', async () => {
    const metadata = { name: 'cleared', namespace: site.namespace };
    await site.api.create(SECRETS, { metadata, data: {} });
    await site.create('cleared');
    await site.until('cleared', 'SecretConflict');
    await deleteSecret('cleared');
    await site.edit('cleared', { description: 'look again' });
    await site.until('cleared', 'Active');
    expect(await site.verdict(await valueOf('cleared'))).toBe('Allowed');
  });

  test('two ApiKeys with one Secret name: the first works, the second says so, nobody writes', async () => {
    const value = await issued('first', { secret: { name: 'common' } }).catch(() => '');
    const before = await site.secret('common');
    expect(value).toBe('');
    await site.create('second', { secret: { name: 'common' } });
    const key = await site.until('second', 'SecretConflict');
    expect(condition(key, 'Ready')?.message).toContain("ApiKey 'first'");
    await site.edit('first', { description: 'look again' });
    await site.until('first', 'Active');
    expect(identity(await site.secret('common'))).toEqual(identity(before));
    expect(await site.verdict(decode(before)['apiKey'] ?? '')).toBe('Allowed');
  });
});

describe('key fixation (R14)', () => {
  /** An ApiKey that exists, so that its UID is known, and waits for its store. */
  async function waiting(name: string): Promise<Key> {
    await site.create(name, { storeRef: { kind: 'KeyStore', name: `store-of-${name}` } });
    return await site.until(name, 'StoreNotAvailable');
  }

  test('a planted Secret with our label, owner and copied annotations is not taken over', async () => {
    await issued('model');
    const model = await site.secret('model');
    const key = await waiting('victim');
    const planted = forgedValue();
    const before = await site.api.create(SECRETS, {
      metadata: {
        name: 'victim',
        namespace: site.namespace,
        labels: { ...model?.metadata.labels, [LABEL_API_KEY]: 'victim' },
        annotations: model?.metadata.annotations,
        ownerReferences: [
          {
            apiVersion: API_VERSION,
            kind: 'ApiKey',
            name: 'victim',
            uid: key.metadata.uid,
            controller: true,
          },
        ],
      },
      type: 'servicebinding.io/api-key',
      data: { ...model?.data, apiKey: encode(planted), keyId: encode('AAAAAAAAAAAAAAAA') },
    });
    await site.api.create(KEY_STORES, storeObject(site.namespace, 'store-of-victim', {}));
    await site.until('victim', 'SecretConflict');
    expect(identity(await site.secret('victim'))).toEqual(identity(before));
    expect(await site.verdict(planted)).not.toBe('Allowed');
  });

  test('annotations of one key of ours do not make the Secret of another one ours', async () => {
    const value = await issued('owner-a', { secret: { onLoss: 'Wait' } });
    await issued('owner-b');
    const { annotations } = (await site.secret('owner-b'))?.metadata ?? {};
    const planted = forgedValue();
    await patchSecret('owner-a', { metadata: { annotations }, data: { apiKey: encode(planted) } });
    await site.until('owner-a', 'SecretLost');
    expect(await site.verdict(planted)).not.toBe('Allowed');
    expect(await site.verdict(value)).toBe('Allowed');
  });
});

describe('a deleted Secret', () => {
  test('with onLoss Rotate a new value is made, and the key works again', async () => {
    const old = await issued('lost-rotate');
    await deleteSecret('lost-rotate');
    await untilReplaced('lost-rotate', old);
    expect((await site.key('lost-rotate')).status.sequence).toBe(2);
  });

  test('with onLoss Wait nothing is made; the value goes on and the loss is said', async () => {
    const old = await issued('lost-wait', { secret: { onLoss: 'Wait' } });
    await deleteSecret('lost-wait');
    const key = await site.until('lost-wait', 'SecretLost');
    expect(condition(key, 'SecretSynced')?.reason).toBe('Missing');
    expect(await site.verdict(old)).toBe('Allowed');
    expect(key.status.sequence).toBe(1);
    await site.edit('lost-wait', { secret: { onLoss: 'Rotate' } });
    await untilReplaced('lost-wait', old);
  });

  test('with onLoss Restore a store that keeps values gives the same one again', async () => {
    const old = await issued('lost-restore', { storeRef: SEALED, secret: { onLoss: 'Restore' } });
    const before = await site.secret('lost-restore');
    await deleteSecret('lost-restore');
    await eventually(async () => {
      const after = await site.secret('lost-restore');
      expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
      expect(decode(after)['apiKey']).toBe(old);
    });
    const key = await site.until('lost-restore', 'Active');
    expect(key.status.sequence).toBe(1);
  });

  test('onLoss Restore is refused by name where the store keeps no values', async () => {
    await site.create('no-restore', { secret: { onLoss: 'Restore' } });
    const key = await site.until('no-restore', 'UnsupportedByStore');
    expect(condition(key, 'SpecSupported')?.message).toContain('spec.secret.onLoss');
  });

  test('a Secret that a backup tool puts back as it was is taken as ours', async () => {
    const old = await issued('backup', { secret: { onLoss: 'Wait' } });
    const { metadata, type, data } = (await site.secret('backup')) ?? {};
    await deleteSecret('backup');
    await site.until('backup', 'SecretLost');
    const { labels, annotations, ownerReferences } = metadata ?? {};
    const restored = { name: 'backup', namespace: site.namespace, labels, annotations };
    await site.api.create(SECRETS, { metadata: { ...restored, ownerReferences }, type, data });
    const key = await site.until('backup', 'Active');
    expect(key.status.sequence).toBe(1);
    expect(await valueOf('backup')).toBe(old);
  });
});

describe('an edited Secret', () => {
  test('with onLoss Rotate an edited value is replaced, and what was put in never works (R15)', async () => {
    const old = await issued('edited');
    const forged = forgedValue(old.slice(3, 19));
    await patchSecret('edited', { data: { apiKey: encode(forged) } });
    await untilReplaced('edited', forged);
    expect(await site.verdict(forged)).toBe('WrongSecret');
    expect(await valueOf('edited')).not.toBe(old);
  });

  test('with onLoss Wait an edited value is said and left alone', async () => {
    const old = await issued('edited-wait', { secret: { onLoss: 'Wait' } });
    const after = await patchSecret('edited-wait', { data: { apiKey: encode('my own') } });
    const key = await site.until('edited-wait', 'SecretLost');
    expect(condition(key, 'SecretSynced')?.reason).toBe('Tampered');
    expect(identity(await site.secret('edited-wait'))).toEqual(identity(after));
    expect(await site.verdict(old)).toBe('Allowed');
    await patchSecret('edited-wait', { data: { apiKey: encode(old) } });
    await site.until('edited-wait', 'Active');
  });

  test('with onLoss Restore the old value is written again', async () => {
    const old = await issued('edited-back', { storeRef: SEALED, secret: { onLoss: 'Restore' } });
    await patchSecret('edited-back', { data: { apiKey: encode('my own') } });
    await eventually(async () => expect(await valueOf('edited-back')).toBe(old));
    expect((await site.until('edited-back', 'Active')).status.sequence).toBe(1);
  });

  test('our labels, annotations and owner are put back, and the value stays', async () => {
    const old = await issued('undressed', { secret: { labels: { team: 'maps' } } });
    await patchSecret('undressed', {
      metadata: {
        labels: { team: 'other' },
        annotations: { [ANNOTATION_FINGERPRINT]: null, [ANNOTATION_MAC]: null },
        ownerReferences: null,
      },
    });
    await eventually(async () => {
      const { metadata } = (await site.secret('undressed')) ?? {};
      expect(metadata?.labels?.['team']).toBe('maps');
      expect(metadata?.annotations?.[ANNOTATION_MAC]).toBeDefined();
      expect(metadata?.ownerReferences).toHaveLength(1);
    });
    expect(await valueOf('undressed')).toBe(old);
    expect((await site.until('undressed', 'Active')).status.sequence).toBe(1);
  });

  test('labels and annotations that others added survive a rotation', async () => {
    await issued('decorated');
    await patchSecret('decorated', {
      metadata: { labels: { theirs: 'a' }, annotations: { 'example.com/theirs': 'b' } },
    });
    await site.edit('decorated', { rotation: { requestId: 'one' } });
    await site.untilRotated('decorated', 'one');
    const { labels, annotations } = (await site.secret('decorated'))?.metadata ?? {};
    expect(labels).toMatchObject({ theirs: 'a', [LABEL_API_KEY]: 'decorated' });
    expect(annotations).toMatchObject({ 'example.com/theirs': 'b' });
  });

  test('a Secret that was made immutable is made anew with a new value once it is deleted', async () => {
    const old = await issued('frozen');
    await patchSecret('frozen', { immutable: true });
    await site.edit('frozen', { rotation: { requestId: 'one' } });
    await site.until('frozen', 'SecretConflict');
    await deleteSecret('frozen');
    const key = await site.untilRotated('frozen', 'one');
    expect(key.status.sequence).toBeGreaterThan(1);
    expect(await untilReplaced('frozen', old)).not.toBe(old);
  });

  test('its layout follows the spec, and the value stays', async () => {
    const old = await issued('relaid');
    await site.edit('relaid', { secret: { layout: 'Env', envPrefix: 'X' } });
    await site.until('relaid', 'Active');
    const values = await site.values('relaid');
    expect(values['X_API_KEY']).toBe(old);
    expect(Object.keys(values)).not.toContain('apiKey');
  });
});

test('another Secret name after the first issue is refused by the API', async () => {
  await issued('settled', { secret: { name: 'settled-1' } }).catch(() => '');
  await expect(site.edit('settled', { secret: { name: 'settled-2' } })).rejects.toThrow('name');
});

describe('without watching Secrets (--secret-watch=none)', () => {
  let blind: Site;
  beforeAll(async () => {
    const flags = { 'secret-watch': 'none', 'loss-grace-seconds': '0' };
    const secretVerbs = ['get', 'create', 'update', 'delete'];
    blind = await Site.open({ access: sharedControlPlane(), secretVerbs, flags });
    await blind.start();
  });
  afterAll(() => blind.close());

  test('keys are issued and rotated without the rights to list and watch', async () => {
    await blind.issue('unseen');
    await blind.edit('unseen', { rotation: { requestId: 'one', overlapSeconds: 0 } });
    await blind.untilRotated('unseen', 'one');
    expect(await blind.verdict((await blind.values('unseen'))['apiKey'] ?? '')).toBe('Allowed');
    expect(blind.operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a Secret that is gone is found at the next look, which a restart brings', async () => {
    await blind.issue('looked-for');
    const old = (await blind.values('looked-for'))['apiKey'];
    await blind.api.remove(SECRETS, blind.namespace, 'looked-for');
    await blind.restart();
    await eventually(async () => {
      const { apiKey = '' } = await blind.values('looked-for');
      expect(apiKey).not.toBe(old);
      expect(await blind.verdict(apiKey)).toBe('Allowed');
    });
  });
});

test('no key of this file made the operator stumble', () => {
  const stumbles = site.operator.log.filter(({ level }) => level === 'error');
  expect(stumbles).toEqual([]);
});
