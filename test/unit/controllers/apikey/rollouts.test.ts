import { describe, expect, test } from 'vitest';
import type { ApiKeyRestartTarget, ApiKeySpec } from '../../../../src/api/generated/apikey.ts';
import type { KubeObject } from '../../../../src/api/meta.ts';
import { WORKLOADS } from '../../../../src/api/names.ts';
import { apply } from '../../../../src/controllers/apikey/apply.ts';
import { lookAgainAtMs } from '../../../../src/controllers/apikey/index.ts';
import type { Reporter } from '../../../../src/controllers/apikey/report.ts';
import { RESTARTS_PER_DAY, RESTARTS_PER_HOUR } from '../../../../src/controllers/apikey/rollout.ts';
import { wantedStatus } from '../../../../src/controllers/apikey/status.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { formatTime, HOUR_MS, MINUTE_MS } from '../../../../src/kernel/time.ts';
import { aKey, aRotation, aSpec } from '../../../support/world.ts';
import { look, work, workshop, type Workshop } from './bench.ts';

const CHECKOUT: ApiKeyRestartTarget = { kind: 'Deployment', name: 'checkout' };
const MINE = 'restart.keyward.dev/web';

type Template = { readonly metadata?: { readonly annotations?: Record<string, string> } };

/** A bench with a Deployment whose template says who made it, and everything that is told about restarts. */
function bench() {
  const at = workshop();
  const told: string[] = [];
  const reporter: Partial<Reporter> = {
    ...at.deps.reporter,
    restarted: (_, { kind, name }) => void told.push(`at ${kind} ${name}`),
    rolledOut: (_, restarted, left) => {
      for (const each of restarted) told.push(`restarted ${each}`);
      for (const { reason } of left) told.push(reason);
    },
  };
  const writes: string[] = [];
  at.cluster.before = (verb) => writes.push(verb);
  return { ...at, deps: { ...at.deps, reporter: reporter as Reporter }, told, writes };
}

function deploy(at: Workshop, target: ApiKeyRestartTarget = CHECKOUT, createdMs = 0): void {
  const resource = WORKLOADS[target.kind];
  at.cluster.set(resource, refOf(target), {
    apiVersion: 'apps/v1',
    kind: target.kind,
    metadata: { name: target.name, creationTimestamp: formatTime(createdMs) },
    spec: { replicas: 2, template: { metadata: { labels: { app: 'x' } }, spec: { a: 1 } } },
  });
}

const refOf = ({ name }: ApiKeyRestartTarget) => ({ namespace: 'team', name });

function annotations(at: Workshop, target = CHECKOUT): Record<string, string> | undefined {
  const found = at.cluster.find(WORKLOADS[target.kind], refOf(target)) as
    | KubeObject<{ readonly spec: { readonly template: Template } }>
    | undefined;
  return found?.spec.template.metadata?.annotations;
}

/** The key as it is asked for, and whether a rotation was. */
function asked(
  rotation: Partial<NonNullable<ApiKeySpec['rotation']>> = {},
  rest: Partial<ApiKeySpec> = {},
): Partial<World> {
  const whole = aRotation({ restartTargets: [CHECKOUT], ...rotation });
  return {
    key: aKey({ spec: aSpec({ rotation: whole, ...rest }) }),
    rotationRequest: rotation.requestId,
  };
}

/** A key that was issued, with its workload. */
async function issued(rest: Partial<ApiKeySpec> = {}): Promise<ReturnType<typeof bench>> {
  const at = bench();
  deploy(at);
  await work(at, look(at, asked({}, rest)));
  return at;
}

const now = (at: Workshop) => ({ nowMs: at.clock.nowMs() });
const conditionOf = (world: World) =>
  wantedStatus(world)?.conditions?.find(({ type }) => type === 'WorkloadsRestarted');

describe('workloads named in restartTargets', () => {
  test('are left alone by the first issue', async () => {
    const at = await issued();
    expect(annotations(at)).toBeUndefined();
    expect(at.writes).toEqual(['create']);
  });

  test('are restarted once by a rotation, after the Secret has the new values', async () => {
    const at = await issued();
    const [, steps] = await work(at, look(at, asked({ requestId: 'r1' })));
    expect(steps).toEqual(['Rotate', 'WriteSecret', 'Confirm', 'RollOut']);
    expect(annotations(at)?.[MINE]).toBe(`${keyIdOf(at)}/apiKey.1`);
    expect(at.told).toEqual(['at Deployment checkout', 'restarted Deployment checkout']);
    const [, more] = await work(at, look(at, asked()));
    expect(more).toEqual([]);
  });

  test('keep everything of theirs but one annotation', async () => {
    const at = await issued();
    const before = at.cluster.find(WORKLOADS.Deployment, refOf(CHECKOUT));
    await work(at, look(at, asked({ requestId: 'r1' })));
    const after = at.cluster.find(WORKLOADS.Deployment, refOf(CHECKOUT));
    const metadata = { labels: { app: 'x' }, annotations: { [MINE]: expect.any(String) } };
    expect(after).toEqual({
      ...before,
      metadata: { ...before?.metadata, resourceVersion: expect.any(String) },
      spec: { replicas: 2, template: { metadata, spec: { a: 1 } } },
    });
  });

  test.each([1, 2, 3, 4])(
    'are restarted once when the operator dies after %i steps (C1)',
    async (steps) => {
      const at = await issued();
      await work(at, look(at, asked({ requestId: 'r1' })), steps);
      await work(at, look(at, asked()));
      await work(at, look(at, asked()));
      expect(at.told.filter((line) => line.startsWith('at '))).toHaveLength(1);
      expect(annotations(at)?.[MINE]).toBe(`${keyIdOf(at)}/apiKey.1`);
    },
  );

  test('are not changed again when the operator died before it noted that they were', async () => {
    const at = await issued();
    const [world] = await work(at, look(at, asked({ requestId: 'r1' })), 3);
    const values = `${keyIdOf(at)}/apiKey.1`;
    const ledger = { ...at.deps.ledger, commit: () => Promise.reject(new Error('died')) };
    const action = { type: 'RollOut', values, targets: [CHECKOUT] } as const;
    const { signal } = new AbortController();
    await expect(apply({ ...at.deps, ledger }, world, action, signal)).rejects.toThrow('died');
    const version = at.cluster.find(WORKLOADS.Deployment, refOf(CHECKOUT))?.metadata;
    const [, steps] = await work(at, look(at, asked()));
    expect(steps).toEqual(['RollOut']);
    expect(at.cluster.find(WORKLOADS.Deployment, refOf(CHECKOUT))?.metadata).toEqual(version);
  });

  test.each<[string, Partial<NonNullable<ApiKeySpec['rotation']>>]>([
    ['in an emergency', { urgency: 'Emergency' }],
    ['without an overlap', { overlapSeconds: 0 }],
  ])('are restarted %s, too', async (_, how) => {
    const at = await issued();
    const [, steps] = await work(at, look(at, asked({ requestId: 'r1', ...how })));
    expect(steps.at(-1)).toBe('RollOut');
    expect(annotations(at)?.[MINE]).toBeDefined();
  });

  test('are not restarted when only what overlapped goes from the Secret', async () => {
    const at = await issued();
    await work(at, look(at, asked({ requestId: 'r1' })));
    at.clock.advance(2 * HOUR_MS);
    const [, steps] = await work(at, look(at, { ...asked(), ...now(at) }));
    expect(steps).toEqual(['RetireDue', 'WriteSecret', 'Confirm']);
  });

  test('follow the value in use of a Dual key, and no value beside it', async () => {
    const at = await issued({ format: 'Dual' });
    const dual = (rotation: Parameters<typeof asked>[0]) => asked(rotation, { format: 'Dual' });
    const [, turned] = await work(at, look(at, dual({ requestId: 'r1' })));
    expect(turned).toEqual(['Regenerate', 'WriteSecret', 'Confirm', 'RollOut']);
    expect(annotations(at)?.[MINE]).toMatch(/\/secondaryKey\.2$/);
    at.clock.advance(2 * HOUR_MS);
    const [, retired] = await work(at, look(at, { ...dual({}), ...now(at) }));
    expect(retired).toEqual(['Regenerate', 'WriteSecret', 'Confirm']);
    const beside = dual({ requestId: 'r2', slot: 'Primary' });
    const [, standby] = await work(at, look(at, { ...beside, ...now(at) }));
    expect(standby).toEqual(['Regenerate', 'WriteSecret', 'Confirm']);
    const active = dual({ requestId: 'r3', slot: 'Secondary' });
    const [, regenerated] = await work(at, look(at, { ...active, ...now(at) }));
    expect(regenerated.at(-1)).toBe('RollOut');
  });

  test('that are named later wait for the next rotation', async () => {
    const at = bench();
    deploy(at);
    await work(at, look(at, asked({ restartTargets: [] })));
    await work(at, look(at, asked({ restartTargets: [], requestId: 'r1' })));
    const [, named] = await work(at, look(at, asked()));
    expect(named).toEqual(['NoteTargets']);
    expect(annotations(at)).toBeUndefined();
    const [, steps] = await work(at, look(at, asked({ requestId: 'r2' })));
    expect(steps.at(-1)).toBe('RollOut');
  });

  test('that are named by the edit that rotates are restarted', async () => {
    const at = bench();
    deploy(at);
    await work(at, look(at, asked({ restartTargets: [] })));
    const [, steps] = await work(at, look(at, asked({ requestId: 'r1' })));
    expect(steps).toEqual(['NoteTargets', 'Rotate', 'WriteSecret', 'Confirm', 'RollOut']);
  });

  test('that are no longer named are forgotten', async () => {
    const at = await issued();
    const none = asked({ restartTargets: [] });
    const [, steps] = await work(at, look(at, none));
    expect(steps).toEqual(['NoteTargets']);
    expect(at.ledger.records.get('uid-1')?.rollout).toBeUndefined();
    expect((await work(at, look(at, none)))[1]).toEqual([]);
  });

  test('of several keys are restarted together after the first', async () => {
    const at = await issued();
    const other = at.deps.pacer.ask(uidOf(at), { 'restart.keyward.dev/other': '1' });
    if (other.type === 'Go') at.deps.pacer.restarted(uidOf(at), other.annotations);
    const [held] = await work(at, look(at, asked({ requestId: 'r1' })));
    expect(conditionOf(held)).toMatchObject({ status: 'False', reason: 'RestartLimited' });
    at.deps.pacer.ask(uidOf(at), { 'restart.keyward.dev/third': '1' });
    at.clock.advance(MINUTE_MS);
    await work(at, look(at, { ...asked(), ...now(at) }));
    expect(Object.keys(annotations(at) ?? {})).toEqual([MINE, 'restart.keyward.dev/third']);
  });

  test('that were made after the Secret had the values are left alone', async () => {
    const at = bench();
    await work(at, look(at, asked()));
    const [missed] = await work(at, look(at, asked({ requestId: 'r1' })));
    expect(conditionOf(missed)?.reason).toBe('TargetMissing');
    at.clock.advance(20 * MINUTE_MS);
    deploy(at, CHECKOUT, at.clock.nowMs());
    at.clock.advance(20 * MINUTE_MS);
    const [world] = await work(at, look(at, { ...asked(), ...now(at) }));
    expect(annotations(at)).toBeUndefined();
    expect(conditionOf(world)).toBeUndefined();
  });
});

describe('trouble with a workload', () => {
  const refuse = (at: Workshop, reason: string, errorClass: 'Terminal' | 'Transient') => {
    at.cluster.before = (verb) => {
      if (verb !== 'patch') return;
      throw new KeywardError(errorClass, { reason, message: 'the API server answered 403: no' });
    };
  };

  test('is told, tried again later, and holds up nothing of the key', async () => {
    const at = await issued();
    refuse(at, 'Forbidden', 'Terminal');
    const [world, steps] = await work(at, look(at, asked({ requestId: 'r1' })));
    expect(steps).toEqual(['Rotate', 'WriteSecret', 'Confirm', 'RollOut']);
    expect(wantedStatus(world)?.conditions?.[0]).toMatchObject({ status: 'True' });
    expect(conditionOf(world)).toMatchObject({
      status: 'False',
      reason: 'TargetRefused',
      message: expect.stringMatching(/Deployment checkout.*deploy\/rbac\/restart/),
    });
    expect(lookAgainAtMs(world)).toBe(at.clock.nowMs() + 10 * MINUTE_MS);
    at.clock.advance(10 * MINUTE_MS);
    at.cluster.before = () => undefined;
    const [healed] = await work(at, look(at, { ...asked(), ...now(at) }));
    expect(annotations(at)?.[MINE]).toBeDefined();
    expect(conditionOf(healed)).toBeUndefined();
  });

  test('of one does not keep the others from being restarted once', async () => {
    const at = await issued();
    const typo: ApiKeyRestartTarget = { kind: 'StatefulSet', name: 'nowhere' };
    const both = { restartTargets: [typo, CHECKOUT] };
    await work(at, look(at, asked({ requestId: 'r1', ...both })));
    expect(at.told).toEqual([
      'at Deployment checkout',
      'restarted Deployment checkout',
      'TargetMissing',
    ]);
    const [world] = await work(at, look(at, asked(both)));
    expect(at.told.filter((line) => line.startsWith('at '))).toHaveLength(1);
    expect(conditionOf(world)?.message).toMatch(/StatefulSet nowhere does not exist/);
    const [corrected, steps] = await work(at, look(at, asked()));
    expect(steps).toEqual(['RollOut']);
    expect(conditionOf(corrected)).toBeUndefined();
  });

  test('with the API server is tried again within a minute', async () => {
    const at = await issued();
    refuse(at, 'ServerError', 'Transient');
    const [world] = await work(at, look(at, asked({ requestId: 'r1' })));
    expect(conditionOf(world)?.reason).toBe('TargetUnavailable');
    expect(lookAgainAtMs(world)).toBe(at.clock.nowMs() + MINUTE_MS);
  });

  test('a workload that changes all the time is read again', async () => {
    const at = await issued();
    let conflicts = 2;
    at.cluster.before = (verb) => {
      if (verb !== 'patch' || conflicts === 0) return;
      conflicts -= 1;
      throw new KeywardError('Conflict', { reason: 'Conflict', message: 'changed' });
    };
    await work(at, look(at, asked({ requestId: 'r1' })));
    expect(annotations(at)?.[MINE]).toBeDefined();
  });

  test('a leader that was frozen does not undo what its successor restarted (K1)', async () => {
    const at = await issued();
    const [frozen] = await work(at, look(at, asked({ requestId: 'r1' })), 3);
    let isThawing = true;
    at.cluster.before = (verb) => {
      if (verb !== 'patch' || !isThawing) return;
      isThawing = false;
      // Its successor restarts for the next values while it is about to for the last.
      const found = at.cluster.find(WORKLOADS.Deployment, refOf(CHECKOUT));
      const template = { metadata: { annotations: { [MINE]: 'newer' } } };
      at.cluster.set(WORKLOADS.Deployment, refOf(CHECKOUT), {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        ...found,
        metadata: { ...found?.metadata, name: 'checkout' },
        spec: { template },
      });
    };
    await expect(work(at, frozen, 1)).rejects.toMatchObject({ class: 'Conflict' });
    expect(annotations(at)?.[MINE]).toBe('newer');
  });
});

describe('a key that rotates in a loop', () => {
  test('restarts its workloads a bounded number of times, and with its newest values', async () => {
    const at = await issued();
    let restarts = 0;
    const reasons: unknown[] = [];
    for (let hour = 0; hour < 48; hour += 1) {
      for (let turn = 0; turn < 6; turn += 1) {
        const requestId = `r${hour}-${turn}`;
        // One rotation after the other.
        // oxlint-disable-next-line no-await-in-loop
        const [world] = await work(at, look(at, { ...asked({ requestId }), ...now(at) }));
        reasons.push(conditionOf(world)?.reason);
        at.clock.advance(10 * MINUTE_MS);
      }
      const held = at.told.filter((line) => line.startsWith('at ')).length - restarts;
      expect(held).toBeLessThanOrEqual(RESTARTS_PER_HOUR + 1);
      restarts += held;
    }
    expect(reasons).toContain('RestartLimited');
    expect(restarts).toBeLessThanOrEqual(2 * RESTARTS_PER_DAY);
    at.clock.advance(24 * HOUR_MS);
    await work(at, look(at, { ...asked(), ...now(at) }));
    expect(annotations(at)?.[MINE]).toBe(`${keyIdOf(at)}/apiKey.1`);
  });
});

function keyIdOf({ ledger }: Workshop): string | undefined {
  return ledger.records.get('uid-1')?.credentials.at(-1)?.keyId;
}

function uidOf(at: Workshop): string {
  return at.cluster.find(WORKLOADS.Deployment, refOf(CHECKOUT))?.metadata.uid ?? '';
}
