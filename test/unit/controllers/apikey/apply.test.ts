import { describe, expect, test } from 'vitest';
import type { Draft } from '../../../../src/kube/port.ts';
import { API_KEYS, NAMESPACES, SECRETS } from '../../../../src/api/names.ts';
import type { KubeObject } from '../../../../src/api/meta.ts';
import type { Action } from '../../../../src/controllers/apikey/actions.ts';
import { apply } from '../../../../src/controllers/apikey/apply.ts';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import { createApiKeyMetrics } from '../../../../src/controllers/apikey/metrics.ts';
import { OwnSecrets } from '../../../../src/controllers/apikey/ownsecrets.ts';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { createRegistry } from '../../../../src/kernel/metrics.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import { parseKeyring } from '../../../../src/keys/keyring.ts';
import { builtinDriver } from '../../../../src/stores/builtin/driver.ts';
import { verdict } from '../../../../src/terms/verdict.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryCluster, MemoryLedger } from '../../../support/memory.ts';
import { aBlankRecord, aKey, aRotation, aSpec, aStore, aWorld } from '../../../support/world.ts';
import { seeded } from '../../keys/seeded.ts';

const KEYRING = parseKeyring(new Sensitive(`v1:${seeded('master')(32).toString('base64')}`));
const REF = { namespace: 'team', name: 'web' };
const SIGNAL = new AbortController().signal;

/** One key `team/web` on a cluster and a ledger in memory. */
function workshop() {
  const cluster = new MemoryCluster();
  const ledger = new MemoryLedger();
  cluster.set(NAMESPACES, { namespace: '', name: 'team' }, draft('team'));
  const handle = builtinDriver.open({});
  if ('problem' in handle) throw new Error(handle.problem);
  const parts: Partial<Deps> = {
    client: cluster,
    ledger: ledger.port,
    keyring: KEYRING,
    clock: new FakeClock(),
    entropy: seeded('apply'),
    log: silentLogger,
    clusterId: 'cluster-1',
    epoch: () => 1,
    stores: {
      of: () => ({ fact: aStore(), handle }),
      bound: () => ({ fact: aStore(), handle }),
    },
    ownSecrets: new OwnSecrets(),
    lossGraceMs: 30_000,
    quotaUses: () => undefined,
    debtAfterMs: 600_000,
    reporter: {
      rotated: () => undefined,
      retired: () => undefined,
      stateChanged: () => undefined,
      remoteChanged: () => undefined,
      remoteNotEnded: () => undefined,
      secretTrouble: () => undefined,
      quotaUsedUp: () => undefined,
    },
    metrics: createApiKeyMetrics(createRegistry()),
  };
  // The caches are asked by observe.ts, and worlds are made by hand here.
  return { cluster, ledger, deps: parts as Deps };
}

function draft(name: string): Draft {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

type Workshop = ReturnType<typeof workshop>;

/** What a fresh look shows. */
function look({ cluster, ledger }: Workshop, change: Partial<World> = {}): World {
  const record = ledger.records.get('uid-1');
  const secret = cluster.find(SECRETS, REF)?.metadata;
  return aWorld({
    record,
    secret:
      secret === undefined
        ? { type: 'Absent' }
        : { type: 'Present', uid: secret.uid, resourceVersion: secret.resourceVersion },
    ...change,
  });
}

/** Carries out what the plan says, at most `steps` steps; answers them. */
async function work(at: Workshop, from: World, steps = 24): Promise<[World, Action['type'][]]> {
  const done: Action['type'][] = [];
  let world = from;
  for (let action = nextAction(world); action !== undefined; action = nextAction(world)) {
    if (done.length === steps) break;
    done.push(action.type);
    // Each step needs the world of the one before.
    // oxlint-disable-next-line no-await-in-loop
    world = await apply(at.deps, world, action, SIGNAL);
  }
  return [world, done];
}

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

  test('and that lost its value gets a new one', async () => {
    const at = workshop();
    await work(at, look(at));
    touch(at, { data: { apiKey: 'eA==' } });
    const [, steps] = await work(at, look(at));
    expect(steps).toContain('Rotate');
    expect(isAccepted(at, valueIn(at))).toBe(true);
  });

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
