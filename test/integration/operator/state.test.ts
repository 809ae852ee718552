/** Switching off, ending, deleting, coming back: a dead value stays dead, and nothing is trapped. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_KEYS, EVENTS, NAMESPACES } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { runKeyward } from '../../support/operator.ts';
import { condition, Site } from '../../support/operator.site.ts';

let site: Site;
/** An installation whose key was torn out behind its back; what becomes of it takes half a minute. */
let bereft: Site;
let vanished: { readonly uid: string; readonly value: string };

beforeAll(async () => {
  const access = sharedControlPlane();
  site = await Site.open({ access, namespaces: 2 });
  bereft = await Site.open({ access });
  await Promise.all([site.start(), bereft.start()]);
  vanished = await tearOut('torn-out');
});

afterAll(async () => {
  await Promise.all([site.close(), bereft.close()]);
});

/** Deletes an ApiKey for good while no operator runs, by taking the finalizer away. */
async function tearOut(name: string): Promise<{ readonly uid: string; readonly value: string }> {
  const { uid } = (await bereft.issue(name)).metadata;
  const { apiKey: value = '' } = await bereft.values(name);
  await bereft.issue('neighbour');
  await bereft.operator.terminate();
  await bereft.remove(name);
  const where = [bereft.namespace, name] as const;
  await bereft.api.patch(API_KEYS, where, { metadata: { finalizers: null } });
  await bereft.untilGone(name);
  await bereft.start();
  return { uid, value };
}

async function issued(name: string, spec: object = {}, namespace?: string): Promise<string> {
  await site.issue(name, spec, namespace);
  return (await site.values(name, namespace))['apiKey'] ?? '';
}

async function untilNoSecret(name: string): Promise<void> {
  await eventually(async () => expect(await site.secret(name)).toBeUndefined());
}

/** The reasons of the events about this object. */
async function eventsAbout(uid: string): Promise<readonly string[]> {
  const events = await site.api.list(EVENTS, site.namespace);
  // Objects of events.k8s.io/v1.
  const known = events as unknown as { regarding?: { uid?: string }; reason: string }[];
  return known.filter(({ regarding }) => regarding?.uid === uid).map(({ reason }) => reason);
}

describe('states', () => {
  test('a suspended value is refused and works again, unchanged, when it is resumed', async () => {
    const value = await issued('switched');
    await site.edit('switched', { state: 'Suspended' });
    const off = await site.until('switched', 'Suspended');
    expect(condition(off, 'Ready')?.status).toBe('False');
    expect(condition(off, 'Stalled')).toBeUndefined();
    expect(await site.verdict(value)).toBe('KeySuspended');
    await site.edit('switched', { state: 'Active' });
    await site.until('switched', 'Active');
    expect(await site.verdict(value)).toBe('Allowed');
    expect((await site.values('switched'))['apiKey']).toBe(value);
    await eventually(async () =>
      expect(await eventsAbout(off.metadata.uid)).toEqual(
        expect.arrayContaining(['KeySuspended', 'KeyResumed']),
      ),
    );
  });

  test('a key that is born suspended has a Secret whose value is refused', async () => {
    await site.create('born-off', { state: 'Suspended' });
    await site.until('born-off', 'Suspended');
    await eventually(async () => {
      expect(await site.verdict((await site.values('born-off'))['apiKey'] ?? '')).toBe(
        'KeySuspended',
      );
    });
  });

  test('a revoked value is dead and its Secret is gone', async () => {
    const value = await issued('revoked');
    await site.edit('revoked', { state: 'Revoked' });
    await site.until('revoked', 'Revoked');
    expect(await site.verdict(value)).not.toBe('Allowed');
    await untilNoSecret('revoked');
  });

  test('a key that is born revoked gets neither a credential nor a Secret', async () => {
    await site.create('born-dead', { state: 'Revoked' });
    const key = await site.until('born-dead', 'Revoked');
    expect(await site.secret('born-dead')).toBeUndefined();
    expect(await site.record(key.metadata.uid)).toBeUndefined();
  });

  test.for(['Active', 'Suspended'])(
    'Revoked is final: the API refuses %s after it',
    async (state) => {
      const name = `final-${state.toLowerCase()}`;
      await issued(name);
      await site.edit(name, { state: 'Revoked' });
      await site.until(name, 'Revoked');
      await expect(site.edit(name, { state })).rejects.toThrow('Revoked');
    },
  );
});

describe('deletion', () => {
  test('a deleted key is dead when the object is gone, and its Secret goes', async () => {
    const value = await issued('deleted');
    await site.remove('deleted');
    await site.untilGone('deleted');
    expect(await site.verdict(value)).not.toBe('Allowed');
    await untilNoSecret('deleted');
  });

  test('a key deleted while the operator is down works until it is back, then it is dead and gone', async () => {
    const value = await issued('meanwhile');
    await site.operator.terminate();
    await site.remove('meanwhile');
    expect((await site.key('meanwhile')).metadata.deletionTimestamp).toBeDefined();
    await site.start();
    await site.untilGone('meanwhile');
    expect(await site.verdict(value)).not.toBe('Allowed');
    await untilNoSecret('meanwhile');
  });

  test('an ApiKey recreated under the same name gets a new value, and the old one stays dead', async () => {
    const value = await issued('phoenix');
    const { uid } = (await site.key('phoenix')).metadata;
    await site.remove('phoenix');
    await site.untilGone('phoenix');
    const again = await issued('phoenix');
    expect((await site.key('phoenix')).metadata.uid).not.toBe(uid);
    expect(again).not.toBe(value);
    expect(await site.verdict(value)).not.toBe('Allowed');
    expect(await site.verdict(again)).toBe('Allowed');
  });

  test('a key that was never issued can be deleted', async () => {
    await site.create('never', { storeRef: { kind: 'KeyStore', name: 'nowhere' } });
    const key = await site.until('never', 'StoreNotAvailable');
    await site.remove('never');
    await site.untilGone('never');
    expect(await site.record(key.metadata.uid)).toBeUndefined();
  });

  test('a key whose Secret name somebody else holds can be deleted', async () => {
    await site.issue('holder', { secret: { name: 'held' } });
    await site.create('blocked', { secret: { name: 'held' } });
    await site.until('blocked', 'SecretConflict');
    await site.remove('blocked');
    await site.untilGone('blocked');
    expect(await site.verdict((await site.values('held'))['apiKey'] ?? '')).toBe('Allowed');
  });

  test('Kubernetes can delete a namespace with keys in it, and all of them are dead', async () => {
    const doomed = site.namespaces[1] ?? '';
    const values = await Promise.all([issued('a', {}, doomed), issued('b', {}, doomed)]);
    await site.api.remove(NAMESPACES, '', doomed);
    await eventually(async () => {
      expect(await site.api.get(NAMESPACES, '', doomed)).toBeUndefined();
    }, 60_000);
    for (const value of values) expect(await site.verdict(value)).not.toBe('Allowed');
  });
});

describe('retained keys', () => {
  test('a key with deletionPolicy Retain outlives its object, is listed, and can be ended by command', async () => {
    const value = await issued('kept', { deletionPolicy: 'Retain' });
    const { uid } = (await site.key('kept')).metadata;
    await site.remove('kept');
    await site.untilGone('kept');
    expect(await site.verdict(value)).toBe('Allowed');
    const database = `--database=${site.database}`;
    const listed = await runKeyward(['keys', '--retained', database]);
    expect(listed.stdout).toContain(uid);
    expect(listed.stdout).not.toContain(value);
    const ended = await runKeyward(['keys', 'revoke', uid, database]);
    expect(ended.code).toBe(0);
    await eventually(async () => expect(await site.verdict(value)).not.toBe('Allowed'));
    expect((await runKeyward(['keys', '--retained', database])).stderr).toContain('no retained');
  });

  test('an object that takes the name of a retained key gets a key of its own', async () => {
    const value = await issued('heir', { deletionPolicy: 'Retain' });
    await site.remove('heir');
    await site.untilGone('heir');
    const heir = await issued('heir');
    expect(heir).not.toBe(value);
    expect([await site.verdict(value), await site.verdict(heir)]).toEqual(['Allowed', 'Allowed']);
  });
});

test('an ApiKey that names an application issues nothing, in the ledger neither', async () => {
  const { namespace } = site;
  const spec = { applicationRef: { name: 'form' } };
  await site.api.create(API_KEYS, { metadata: { name: 'formal', namespace }, spec });
  const key = await site.until('formal', 'ApplicationNotFound');
  expect(condition(key, 'Ready')?.message).toContain("'form'");
  expect(await site.secret('formal')).toBeUndefined();
  expect(await site.record(key.metadata.uid)).toBeUndefined();
  await site.remove('formal');
  await site.untilGone('formal');
});

describe('a key whose object was torn out while the operator was down', () => {
  test('it is ended after two sightings, and only it', async () => {
    await eventually(
      async () => expect(await bereft.verdict(vanished.value)).not.toBe('Allowed'),
      90_000,
    );
    expect((await bereft.record(vanished.uid))?.credentials).toEqual([]);
    const { apiKey = '' } = await bereft.values('neighbour');
    expect(await bereft.verdict(apiKey)).toBe('Allowed');
  });
});
