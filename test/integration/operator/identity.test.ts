/** The proof of the admission policies, on a real API server whose policies come and go. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import type { Chain } from '../../../src/controllers/identity/chain.ts';
import { SETTLE_MS } from '../../../src/controllers/identity/chain.ts';
import type { ProofState } from '../../../src/controllers/identity/proof.ts';
import { PolicyProver } from '../../../src/controllers/identity/prover.ts';
import { sleep, systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { openAccess } from '../../../src/kube/auth.ts';
import { createClients } from '../../../src/kube/client.ts';
import type { KubeClient } from '../../../src/kube/port.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { eventually } from '../../support/eventually.ts';
import { Site } from '../../support/operator.site.ts';

const end = new AbortController();
let plane: ControlPlane;
let transport: Transport;
let client: KubeClient;
let prover: PolicyProver;

beforeAll(async () => {
  plane = await startControlPlane();
  await installKeyward(plane);
  const file = await plane.kubeconfigFor('keyward-system', 'keyward-operator');
  const source = { kind: 'Kubeconfig', file } as const;
  const access = await openAccess({ clock: systemClock, log: silentLogger, source });
  transport = new Transport({ access, clock: systemClock, version: 'test' });
  client = createClients({ transport, clock: systemClock }).ordinary;
  prover = makeProver();
  void prover.run(end.signal);
});

afterAll(async () => {
  end.abort();
  transport.close();
  await plane.stop();
});

function makeProver(): PolicyProver {
  let kept: Chain | undefined;
  return new PolicyProver({
    client,
    namespace: 'keyward-system',
    store: {
      load: async () => kept,
      save: async (chain) => {
        kept = chain;
      },
    },
    clock: systemClock,
    metrics: { state: () => undefined },
    log: silentLogger,
  });
}

const untilState = (state: ProofState['state']): Promise<void> =>
  eventually(async () => {
    expect(await prover.prove()).toMatchObject({ state });
  });

const reasonNow = async (): Promise<string> => {
  const state = await prover.prove();
  return state.state === 'Proven' ? '' : state.reason;
};

const isCoveredNow = async (): Promise<boolean> => {
  const atMs = Date.now();
  await sleep(systemClock, 1);
  await prover.prove();
  return prover.covers(atMs, atMs);
};

const kubectl = (...args: readonly string[]): Promise<string> => plane.mustKubectl(args);

test('policies in force are proven, and what is created from then on is covered', async () => {
  const beforeMs = Date.now();
  await untilState('Proven');
  expect(await isCoveredNow()).toBe(true);
  expect(prover.covers(beforeMs - SETTLE_MS, Date.now() - 1_000)).toBe(false);
});

test.each([
  { policy: 'keyward-reviews', kind: 'validatingadmissionpolicybinding' },
  { policy: 'keyward-applications', kind: 'validatingadmissionpolicybinding' },
  { policy: 'keyward-reviews', kind: 'validatingadmissionpolicy' },
])(
  'without $kind $policy the next look says so; put back, only what comes later is covered',
  async ({ policy, kind }) => {
    await untilState('Proven');
    const earlyMs = Date.now();
    await kubectl('delete', kind, policy);
    expect(await reasonNow()).toContain(`${policy} does not exist`);
    const gapMs = Date.now();
    expect(prover.covers(earlyMs, earlyMs)).toBe(false);
    await installKeyward(plane);
    await untilState('Proven');
    expect(prover.covers(earlyMs, earlyMs)).toBe(false);
    expect(prover.covers(gapMs, gapMs)).toBe(false);
    expect(await isCoveredNow()).toBe(true);
  },
);

test.each([
  { why: 'only warns', spec: { validationActions: ['Warn'] }, reason: 'does not deny' },
  {
    why: 'leaves other namespaces out',
    spec: {
      matchResources: {
        namespaceSelector: { matchLabels: { 'app.kubernetes.io/part-of': 'keyward' } },
      },
    },
    reason: 'leaves requests out',
  },
])('a binding that $why proves nothing', async ({ spec, reason }) => {
  await untilState('Proven');
  const patch = ['patch', 'validatingadmissionpolicybinding', 'keyward-reviews', '--type=merge'];
  await kubectl(...patch, '-p', JSON.stringify({ spec }));
  expect(await reasonNow()).toContain(reason);
  const whole = { validationActions: ['Deny'], matchResources: null };
  await kubectl(...patch, '-p', JSON.stringify({ spec: whole }));
  await untilState('Proven');
});

test('a policy that lets a single user pass proves nothing, though it refuses all forgeries', async () => {
  await untilState('Proven');
  const path = '/spec/validations/2/expression';
  const patch = JSON.stringify([{ op: 'replace', path, value: "variables.user == 'mallory'" }]);
  await kubectl(
    'patch',
    'validatingadmissionpolicy',
    'keyward-reviews',
    '--type=json',
    '-p',
    patch,
  );
  expect(await reasonNow()).toContain('has other rules');
  await installKeyward(plane);
  await untilState('Proven');
});

test('a policy that was edited and put back between two looks leaves a gap', async () => {
  await untilState('Proven');
  const patch = ['patch', 'validatingadmissionpolicy', 'keyward-reviews', '--type=merge'];
  const gapMs = Date.now();
  await kubectl(...patch, '-p', '{"spec":{"failurePolicy":"Ignore"}}');
  await kubectl(...patch, '-p', '{"spec":{"failurePolicy":"Fail"}}');
  await untilState('Proven');
  expect(prover.covers(gapMs, gapMs)).toBe(false);
});

test('mutating policies alone prove nothing; the checking ones are proven without them', async () => {
  await kubectl('delete', '-f', 'deploy/admission/');
  expect(await reasonNow()).not.toBe('');
  await kubectl('delete', '-f', 'deploy/admission/mutating/');
  expect(await reasonNow()).not.toBe('');
  await installKeyward(plane, { mutatingPolicies: 'leave out' });
  await untilState('Proven');
  await installKeyward(plane);
  await untilState('Proven');
});

test('the operator says it, remembers it over a restart, and stores nothing by it', async () => {
  const site = await Site.open({ access: plane, account: 'Own' });
  try {
    await site.start();
    const isProven = (): Promise<void> =>
      eventually(async () => {
        expect(await site.operator.metric('keyward_admission_policies_proven')).toBe(1);
      });
    await isProven();
    const lines = async (): Promise<number> =>
      (await (await site.ledger()).auditLines({ limit: 10 })).filter(
        ({ action }) => action === 'PoliciesProven',
      ).length;
    expect(await lines()).toBe(1);
    await site.restart();
    await isProven();
    expect(await lines()).toBe(1);
    const made = ['apikeyapplications,apikeyreviews', '-A', '-o', 'name'];
    expect(await kubectl('get', ...made)).toBe('');
  } finally {
    await site.close();
  }
});
