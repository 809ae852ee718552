import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/api/meta.ts';
import { API_KEYS, SECRETS } from '../../../../src/api/names.ts';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import { wantedStatus } from '../../../../src/controllers/apikey/status.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { verdict } from '../../../../src/terms/verdict.ts';
import {
  aBlankRecord,
  aKey,
  aRotation,
  aSecretSpec,
  aSpec,
  aStore,
  aWorld,
} from '../../../support/world.ts';
import { draft, KEYRING, look, REF, work, workshop, type Workshop } from './bench.ts';

const rotated = (requestId: string): Partial<World> => ({
  key: aKey({ spec: aSpec({ rotation: aRotation({ requestId }) }) }),
  rotationRequest: requestId,
});

function valueIn({ cluster }: Workshop): string {
  const secret = cluster.find(SECRETS, REF) as KubeObject<{ data: Record<string, string> }>;
  return Buffer.from(secret.data['apiKey'] ?? '', 'base64').toString();
}

function isAccepted({ ledger }: Workshop, value: string): boolean {
  const record = ledger.records.get('uid-1');
  const nowMs = aWorld().nowMs;
  const pepper = (version: number): Buffer => KEYRING.pepper(version);
  return verdict(record, value, { nowMs, pepper }).type === 'Allowed';
}

test.each([
  ['is left alone where others were ended since it was looked at', 'Live', 0],
  ['is ended where few enough were', 'Ended', 1],
])('a key that vanished %s', async (_, phase, admitted) => {
  const at = workshop();
  at.ledger.records.set('uid-1', aBlankRecord({ revision: 1 }));
  let left = admitted;
  const guard = { admits: () => left-- > 0 } as unknown as Deps['guard'];
  const world = look(at, { key: undefined });
  const [after] = await work({ ...at, deps: { ...at.deps, guard } }, world);
  expect(at.ledger.records.get('uid-1')?.phase).toBe(phase);
  expect(after.record?.phase).toBe(phase);
});

describe('an issue', () => {
  test('is one commit, one POST and one commit, and the value works', async () => {
    const at = workshop();
    const calls: string[] = [];
    at.cluster.before = (verb) => calls.push(verb);
    const [, steps] = await work(at, look(at));
    expect(steps).toEqual(['Issue', 'WriteSecret', 'Confirm']);
    expect(calls).toEqual(['create']);
    expect(isAccepted(at, valueIn(at))).toBe(true);
  });

  test('after an earlier object of the name was closed is at the store of the key, not at its', async () => {
    const at = workshop();
    const binding = { kind: 'KeyStore', name: 'theirs', uid: 'store-0', incarnation: 1 } as const;
    const predecessor = aBlankRecord({
      uid: 'uid-0',
      revision: 3,
      phase: 'Ending',
      store: binding,
    });
    at.ledger.records.set('uid-0', predecessor);
    const [, steps] = await work(at, look(at, { predecessor, store: aStore(binding) }));
    expect(steps).toEqual(['Close', 'Issue', 'WriteSecret', 'Confirm']);
    expect(at.ledger.records.get('uid-1')?.store.uid).toBe(aStore().uid);
  });

  test.each([0, 1, 2, 3])('that stops after %i steps ends the same way (C1)', async (steps) => {
    const at = workshop();
    await work(at, look(at), steps);
    await work(at, look(at));
    const [, more] = await work(at, look(at));
    expect(more).toEqual([]);
    expect(at.ledger.records.get('uid-1')).toMatchObject({
      sequence: 1,
      credentials: [{ state: 'Active' }],
    });
    expect(isAccepted(at, valueIn(at))).toBe(true);
  });

  test('never touches a Secret of that name that is not ours (I8)', async () => {
    const at = workshop();
    const foreign = at.cluster.set(SECRETS, REF, { ...draft('web'), data: { apiKey: 'eA==' } });
    await expect(work(at, look(at))).rejects.toMatchObject({ reason: 'SecretConflict' });
    expect(at.cluster.find(SECRETS, REF)).toBe(foreign);
  });
});

describe('a rotation', () => {
  test.each([1, 2, 3])('that stops after %i steps loses no value (C8)', async (steps) => {
    const at = workshop();
    await work(at, look(at));
    const before = valueIn(at);
    await work(at, look(at, rotated('r1')), steps);
    expect(isAccepted(at, valueIn(at))).toBe(true);
    await work(at, look(at));
    expect(valueIn(at)).not.toBe(before);
    expect(isAccepted(at, valueIn(at))).toBe(true);
    expect(isAccepted(at, before)).toBe(true);
  });

  test('of a leader that was frozen does not overwrite its successor (K1)', async () => {
    const at = workshop();
    await work(at, look(at));
    const [frozen] = await work(at, look(at, rotated('r1')), 1);
    // Its successor finishes that rotation and one more.
    await work(at, look(at));
    await work(at, look(at, rotated('r2')));
    const newest = valueIn(at);
    await expect(work(at, frozen)).rejects.toMatchObject({ class: 'Conflict' });
    expect(valueIn(at)).toBe(newest);
  });
});

describe('a Secret that lost label and MAC', () => {
  /** What admission then says to each write of ours. */
  const refuse = (verb: string): void => {
    if (verb !== 'delete' && verb !== 'replace') return;
    throw new KeywardError('Terminal', { reason: 'Forbidden', message: `cannot ${verb}` });
  };

  async function stripped(data?: object): Promise<Workshop> {
    const at = workshop();
    await work(at, look(at));
    const secret = at.cluster.find(SECRETS, REF)!;
    const metadata = { name: 'web', namespace: 'team', uid: secret.metadata.uid };
    const changed = data === undefined ? {} : { data };
    at.cluster.set(SECRETS, REF, {
      apiVersion: 'v1',
      kind: 'Secret',
      ...secret,
      ...changed,
      metadata,
    });
    at.cluster.before = refuse;
    return at;
  }

  test('keeps no key from being deleted, and stays with values that are dead', async () => {
    const at = await stripped();
    const value = valueIn(at);
    const object = at.cluster.set(API_KEYS, REF, draft('web'));
    const { resourceVersion } = object?.metadata ?? aKey();
    const key = aKey({ isDeleting: true, resourceVersion });
    const [, steps] = await work(at, look(at, { key }));
    expect(steps).toEqual(['End', 'DeleteSecret', 'ReleaseFinalizer', 'Close']);
    expect(isAccepted(at, value)).toBe(false);
    expect(at.ledger.records.get('uid-1')?.phase).toBe('Ended');
    expect(at.cluster.find(SECRETS, REF)).toBeDefined();
  });

  test('is called so when it should be written, with what to do', async () => {
    const at = await stripped({ apiKey: 'eA==' });
    await expect(work(at, look(at))).rejects.toMatchObject({
      reason: 'SecretConflict',
      message: expect.stringContaining('stripped of our mark'),
    });
  });

  test('is told from one that we may not delete for another reason', async () => {
    const at = workshop();
    await work(at, look(at));
    at.cluster.before = refuse;
    const key = aKey({ isDeleting: true });
    await expect(work(at, look(at, { key }))).rejects.toMatchObject({ reason: 'Forbidden' });
    const failure = new KeywardError('Terminal', { reason: 'Forbidden', message: 'cannot delete' });
    const [ready] = wantedStatus(look(at, { key }), failure)?.conditions ?? [];
    expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'Revoked' });
    expect(ready?.message).toContain('cannot delete');
  });
});

describe('a Secret that somebody touched', () => {
  const touch = (at: Workshop, change: object): void => {
    const secret = at.cluster.find(SECRETS, REF);
    at.cluster.set(SECRETS, REF, { apiVersion: 'v1', kind: 'Secret', ...secret!, ...change });
  };

  test('between watch and look is noted once, whichever version the watch showed', async () => {
    const at = workshop();
    await work(at, look(at));
    touch(at, {});
    const seen = look(at);
    touch(at, {});
    const [, steps] = await work(at, seen);
    expect(steps).toEqual(['InspectSecret', 'NoteSecret']);
  });

  test('and that lost its value and our annotations gets a new one once', async () => {
    const at = workshop();
    await work(at, look(at));
    const metadata = { ...at.cluster.find(SECRETS, REF)?.metadata, annotations: {} };
    touch(at, { metadata, data: { apiKey: 'eA==' } });
    const [, steps] = await work(at, look(at));
    expect(steps.filter((step) => step === 'Rotate')).toHaveLength(1);
    expect(isAccepted(at, valueIn(at))).toBe(true);
    expect((await work(at, look(at)))[1]).toEqual([]);
  });

  test('and that lost its value gets a new one', async () => {
    const at = workshop();
    await work(at, look(at));
    touch(at, { data: { apiKey: 'eA==' } });
    const [, steps] = await work(at, look(at));
    expect(steps).toContain('Rotate');
    expect(isAccepted(at, valueIn(at))).toBe(true);
  });

  test.each(['constructor', '__proto__', 'toString'])(
    'and that lost an entry called %s gets it again',
    async (entry) => {
      const at = workshop();
      const template = { apiKey: '{{ .apiKey }}', [entry]: '{{ .keyId }}' };
      const key = aKey({ spec: aSpec({ secret: aSecretSpec({ layout: 'Template', template }) }) });
      await work(at, look(at, { key }));
      const { data } = at.cluster.find(SECRETS, REF) as KubeObject<{ data: object }>;
      const whole = Object.entries(data);
      touch(at, { data: Object.fromEntries(whole.filter(([name]) => name !== entry)) });
      await work(at, look(at, { key }));
      const mended = at.cluster.find(SECRETS, REF) as KubeObject<{ data: object }>;
      expect(Object.entries(mended.data)).toEqual(whole);
    },
  );

  test('and removed during a rotation comes back from the ledger alone', async () => {
    const at = workshop();
    at.cluster.set(API_KEYS, REF, { ...draft('web'), metadata: { name: 'web', uid: 'uid-1' } });
    await work(at, look(at));
    await work(at, look(at, rotated('r1')), 1);
    at.cluster.set(SECRETS, REF, undefined);
    const [, missed] = await work(at, look(at));
    const [, later] = await work(at, look(at, { nowMs: aWorld().nowMs + 30_000 }));
    expect([...missed, ...later]).toEqual([
      'NoteMissing',
      'ProveLoss',
      'ForgetSecret',
      'WriteSecret',
      'Confirm',
    ]);
    expect(isAccepted(at, valueIn(at))).toBe(true);
  });
});
