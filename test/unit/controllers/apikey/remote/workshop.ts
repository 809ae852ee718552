/**
 * One key, one ledger, one cluster and one vendor in memory, and the passes of the controller over
 * them; for tests of the protocol for vendors.
 */
import { expect } from 'vitest';
import { NAMESPACES, API_KEYS, SECRETS } from '../../../../../src/api/names.ts';
import type { KubeObject } from '../../../../../src/api/meta.ts';
import { apply } from '../../../../../src/controllers/apikey/apply.ts';
import type { Deps } from '../../../../../src/controllers/apikey/deps.ts';
import { createApiKeyMetrics } from '../../../../../src/controllers/apikey/metrics.ts';
import { OwnSecrets } from '../../../../../src/controllers/apikey/ownsecrets.ts';
import { lookAgainAtMs } from '../../../../../src/controllers/apikey/index.ts';
import { payDebt } from '../../../../../src/controllers/debts/pay.ts';
import { nextAction } from '../../../../../src/controllers/apikey/plan.ts';
import { createReporter } from '../../../../../src/controllers/apikey/report.ts';
import { RemoteChecks } from '../../../../../src/controllers/apikey/remote/checks.ts';
import { isOver } from '../../../../../src/controllers/apikey/wanted.ts';
import { VanishedGuard } from '../../../../../src/controllers/apikey/vanished.ts';
import type {
  ApiKeyView,
  UsableStore,
  World,
} from '../../../../../src/controllers/apikey/world.ts';
import { classify, type KeywardError } from '../../../../../src/kernel/errors.ts';
import { silentLogger } from '../../../../../src/kernel/log.ts';
import { createRegistry } from '../../../../../src/kernel/metrics.ts';
import { Sensitive } from '../../../../../src/kernel/sensitive.ts';
import { MINUTE_MS, SECOND_MS } from '../../../../../src/kernel/time.ts';
import { parseKeyring } from '../../../../../src/keys/keyring.ts';
import type { RemoteHandle } from '../../../../../src/stores/contract.ts';
import type { Turn } from '../../../../../src/stores/limits.ts';
import { FakeClock } from '../../../../support/clock.ts';
import { MemoryCluster, MemoryLedger } from '../../../../support/memory.ts';
import { MemoryVendor, type MemoryVendorClass } from '../../../../support/vendor.ts';
import { aStore, aWorld } from '../../../../support/world.ts';
import { seeded } from '../../../keys/seeded.ts';

const KEYRING = parseKeyring(new Sensitive(`v1:${seeded('master')(32).toString('base64')}`));
/** The key; a test may have others beside it. */
export const REF = { namespace: 'team', name: 'web' };
const SIGNAL = new AbortController().signal;
const PASSES_MAX = 60;
const STEPS_MAX = 24;
/** What happens later than this belongs to another test. */
const HORIZON_MS = 20 * MINUTE_MS;

/** Classes of the vendor in memory. */
export type VendorClass = MemoryVendorClass;
/** The process ends here; nothing in memory survives. */
export class Crash extends Error {}

/** Everything around one key; `change` says how the store differs. */
export function workshop(
  vendorClass: VendorClass,
  change: { readonly store?: Partial<UsableStore>; readonly handle?: Partial<RemoteHandle> } = {},
) {
  const clock = new FakeClock();
  const cluster = new MemoryCluster();
  const ledger = new MemoryLedger();
  const vendor = new MemoryVendor(vendorClass, clock);
  cluster.set(NAMESPACES, { namespace: '', name: 'team' }, draft('team'));
  const handle = { ...vendor.handle(), ...change.handle };
  const { capabilities, defaultFormat } = handle;
  const store: UsableStore = aStore({
    capabilities,
    defaultFormat,
    remote: handle,
    ...change.store,
  });
  const resolved = { fact: store, handle };
  const events: string[] = [];
  const turns: Turn[] = [];
  const parts: Partial<Deps> = {
    client: cluster,
    ledger: ledger.port,
    keyring: KEYRING,
    clock,
    entropy: seeded('protocol'),
    log: silentLogger,
    clusterId: 'cluster-1',
    epoch: () => 1,
    stores: { of: () => resolved, bound: () => resolved },
    vendors: {
      session: async (_store, _handle, _signal, turn = 'InOrder') => {
        turns.push(turn);
        const account = { id: 'account-1', facts: {} };
        return {
          account,
          remote: vendor,
          prove: async () => undefined,
          exclusively: (work) => work(),
        };
      },
    },
    remoteChecks: new RemoteChecks(clock, () => 0.5, 600_000),
    ownSecrets: new OwnSecrets(),
    lossGraceMs: 30_000,
    quotaUses: () => undefined,
    debtAfterMs: 600_000,
    guard: new VanishedGuard(clock, 'All'),
    reporter: createReporter({ record: ({ note }) => void events.push(note) }),
    metrics: createApiKeyMetrics(createRegistry()),
  };
  return { clock, cluster, ledger, vendor, handle, store, events, turns, deps: parts as Deps };
}

/** See workshop. */
export type Workshop = ReturnType<typeof workshop>;

function draft(name: string) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** The object as it is from now on. */
export function put({ cluster }: Workshop, key: ApiKeyView): void {
  const { ref, spec, uid, finalizers, isDeleting } = key;
  const going = isDeleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  cluster.set(API_KEYS, ref, {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { ...ref, uid, finalizers: [...finalizers], ...going },
    spec,
  } as never);
}

/** What a fresh look shows. */
export function look(at: Workshop, key: ApiKeyView): World {
  const { cluster, ledger, clock, store, deps } = at;
  const record = ledger.records.get(key.uid);
  const predecessor = [...ledger.records.values()].find(
    ({ uid, name, phase }) =>
      uid !== key.uid && name === key.ref.name && (phase === 'Live' || phase === 'Ending'),
  );
  const secret = cluster.find(SECRETS, key.ref)?.metadata;
  const live = cluster.find(API_KEYS, key.ref);
  const requestId = key.spec.rotation?.requestId;
  return aWorld({
    nowMs: clock.nowMs(),
    key: {
      ...key,
      resourceVersion: live?.metadata.resourceVersion ?? '0',
      finalizers: live?.metadata.finalizers ?? [],
    },
    store,
    record,
    predecessor,
    rotationRequest: requestId === record?.lastRotationRequestId ? undefined : requestId,
    isRemoteCheckDue:
      record?.credentials.some((each) => deps.remoteChecks.isDue(each.token)) === true,
    remoteFailures: deps.remoteChecks.failures(
      [record, predecessor].flatMap((each) => each?.credentials ?? []).map(({ token }) => token),
    ),
    secret:
      record?.secret === undefined
        ? { type: 'Unwatched' }
        : secret === undefined
          ? { type: 'Absent' }
          : { type: 'Present', uid: secret.uid, resourceVersion: secret.resourceVersion },
  });
}

/** How one pass ended; `world` as it was last known. */
export type Pass = {
  readonly steps: number;
  readonly world: World;
  readonly thrown?: KeywardError;
};

/**
 * Passes as the queue would have them: again when one says so, a minute later when it failed; until
 * one has nothing to do and nothing to wait for. Answers how many there were.
 */
export async function settle(at: Workshop, key: ApiKeyView): Promise<number> {
  for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const { thrown, world, steps } = await onePass(at, key);
    const againMs = lookAgainAtMs(world) ?? Infinity;
    const waitMs = againMs - at.clock.nowMs();
    if (thrown !== undefined) at.clock.advance(Math.min(MINUTE_MS, Math.max(waitMs, SECOND_MS)));
    else if (waitMs <= HORIZON_MS) at.clock.advance(Math.max(waitMs, SECOND_MS));
    else if (steps === 0 && !isOwing(at)) return pass;
    else at.clock.advance(SECOND_MS);
    // oxlint-disable-next-line no-await-in-loop
    await payDebts(at);
  }
  throw new Error('the key does not come to rest');
}

/** What ended keys still owe, as the worker pays it. */
async function payDebts(at: Workshop): Promise<void> {
  const { vendor, handle, ledger, deps } = at;
  const session = {
    handle,
    remote: vendor,
    account: { id: 'account-1', facts: {} },
    prove: async () => undefined,
    exclusively: <T>(work: () => Promise<T>) => work(),
  };
  for (const record of ledger.records.values()) {
    if (record.phase !== 'Ended' && record.phase !== 'Retained') continue;
    // oxlint-disable-next-line no-await-in-loop
    await payDebt(
      { deps: { ...deps, onPaid: () => undefined }, session, signal: SIGNAL },
      record,
    ).catch((error: unknown) => {
      if (classify(error).class === 'Bug') throw error;
    });
  }
}

/** Something that goes away by itself; what a person must decide about stays. */
function isOwing({ ledger }: Workshop): boolean {
  return [...ledger.records.values()].some(
    ({ phase, credentials }) =>
      (phase === 'Ended' || phase === 'Retained') &&
      credentials.some(
        ({ state, remote }) => state === 'Disabled' && remote?.candidates === undefined,
      ),
  );
}

/** Step after step until none is left. */
export async function onePass(at: Workshop, key: ApiKeyView): Promise<Pass> {
  let world = look(at, key);
  let steps = 0;
  try {
    for (let action = nextAction(world); action !== undefined; action = nextAction(world)) {
      if (steps === STEPS_MAX) throw new Error(`too many steps in one pass: ${action.type}`);
      // oxlint-disable-next-line no-await-in-loop
      world = await apply(at.deps, world, action, SIGNAL);
      steps += 1;
    }
    return { steps, world };
  } catch (error) {
    const thrown = classify(error);
    if (!(error instanceof Crash) && thrown.class === 'Bug') throw error;
    return { steps, world, thrown };
  }
}

/** What must hold whenever a key is at rest. */
export function expectWhole(at: Workshop, uid = 'uid-1'): void {
  const { vendor, ledger, cluster } = at;
  const record = ledger.records.get(uid);
  const known = [...ledger.records.values()].flatMap(({ credentials }) =>
    credentials.map(({ remote }) => remote?.id),
  );
  expect(new Set(vendor.credentials.keys())).toEqual(new Set(known));
  const secret = cluster.find(SECRETS, REF) as
    | KubeObject<{ data: Record<string, string> }>
    | undefined;
  const current = record?.credentials.findLast(({ state }) => state === 'Active');
  expect(secret === undefined).toBe(current === undefined);
  if (record === undefined || secret === undefined || current === undefined) return;
  const made = vendor.credentials.get(current.remote?.id ?? '');
  for (const slot of current.slots) {
    const shown = Buffer.from(secret.data[slot.name] ?? '', 'base64').toString();
    expect(shown).toBe(made?.values.get(slot.name));
  }
  expect(made?.enabled).toBe(record.state === 'Active' && !isOver(record, at.clock.nowMs()));
}
