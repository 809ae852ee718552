/** One key `team/web` on a cluster and a ledger in memory, and the loop of plan and apply over it. */
import { NAMESPACES, SECRETS } from '../../../../src/api/names.ts';
import type { Action } from '../../../../src/controllers/apikey/actions.ts';
import { apply } from '../../../../src/controllers/apikey/apply.ts';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import { createApiKeyMetrics } from '../../../../src/controllers/apikey/metrics.ts';
import { OwnSecrets } from '../../../../src/controllers/apikey/ownsecrets.ts';
import { RestartPacer } from '../../../../src/controllers/apikey/pacing.ts';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { createRegistry } from '../../../../src/kernel/metrics.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import { parseKeyring } from '../../../../src/keys/keyring.ts';
import type { Draft } from '../../../../src/kube/port.ts';
import { builtinDriver } from '../../../../src/stores/builtin/driver.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryCluster, MemoryLedger } from '../../../support/memory.ts';
import { aStore, aWorld } from '../../../support/world.ts';
import { seeded } from '../../keys/seeded.ts';

/** Master key of every bench. */
export const KEYRING = parseKeyring(new Sensitive(`v1:${seeded('master')(32).toString('base64')}`));
/** The key. */
export const REF = { namespace: 'team', name: 'web' };
const SIGNAL = new AbortController().signal;

/** One key `team/web` on a cluster and a ledger in memory. */
export function workshop() {
  const cluster = new MemoryCluster();
  const ledger = new MemoryLedger();
  const clock = new FakeClock();
  cluster.set(NAMESPACES, { namespace: '', name: 'team' }, draft('team'));
  const handle = builtinDriver.open({});
  if ('problem' in handle) throw new Error(handle.problem);
  const parts: Partial<Deps> = {
    client: cluster,
    ledger: ledger.port,
    keyring: KEYRING,
    clock,
    entropy: seeded('apply'),
    log: silentLogger,
    clusterId: 'cluster-1',
    epoch: () => 1,
    stores: {
      of: () => ({ fact: aStore(), handle }),
      bound: () => ({ fact: aStore(), handle }),
    },
    ownSecrets: new OwnSecrets(),
    pacer: new RestartPacer(clock),
    lossGraceMs: 30_000,
    quotaUses: () => undefined,
    debtAfterMs: 600_000,
    reporter: {
      rotated: () => undefined,
      retired: () => undefined,
      stillUsed: () => undefined,
      stateChanged: () => undefined,
      remoteChanged: () => undefined,
      remoteNotEnded: () => undefined,
      secretTrouble: () => undefined,
      quotaUsedUp: () => undefined,
      restarted: () => undefined,
      rolledOut: () => undefined,
    },
    metrics: createApiKeyMetrics(createRegistry()),
  };
  // The caches are asked by observe.ts, and worlds are made by hand here.
  return { cluster, ledger, clock, deps: parts as Deps };
}

/** A Namespace, or whatever only needs a name. */
export function draft(name: string): Draft {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** See `workshop`. */
export type Workshop = ReturnType<typeof workshop>;

/** What a fresh look shows. */
export function look({ cluster, ledger }: Workshop, change: Partial<World> = {}): World {
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
export async function work(
  at: Workshop,
  from: World,
  steps = 24,
): Promise<[World, Action['type'][]]> {
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
