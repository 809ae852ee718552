/** Two operators and three gates on PostgreSQL: one may always go, and no call is refused. */
import { kill } from 'node:process';
import { expect } from '../../demo/expect.ts';
import { openDatabase } from '../database.ts';
import { expectSame, identityOf } from '../identity.ts';
import { SHOP, SYSTEM, type Stage } from '../stage.ts';
import type { Step } from '../step.ts';
import { expectKeys, helmFlags } from './install.ts';
import { callsOf } from './workload.ts';

const OPERATORS = 'deploy/keyward-operator';
const GATES = 'deploy/keyward-gate';
const LEASE = 'lease/keyward-operator';
/** Pods that call all the time; kubectl reads the logs of five at once at most. */
const CALLERS = 4;
const HOLDER = '.spec.holderIdentity';

export const installReplicas: Step = {
  title: 'Install: Helm, the chart, two operators and three gates on PostgreSQL',
  short: 'helm install',
  async run(stage) {
    const { figures, settings, screen } = stage;
    await openDatabase(stage);
    const startMs = performance.now();
    await stage.helm('install', 'keyward', settings.chart, ...helmFlags('postgres'));
    figures.time('helm install to Ready', performance.now() - startMs);
    await stage.kubectl('-n', SYSTEM, 'get', 'pods,pdb');
    for (const [name, count] of [
      [OPERATORS, '2'],
      [GATES, '3'],
    ] as const) {
      const ready = await stage.field(SYSTEM, name, '.status.readyReplicas');
      expect(`${count} of ${name} are Ready`, ready === count, ready);
    }
    screen.proof('two operators and three gates are Ready');
    await expectKeys(stage);
  },
};

export const leaderKilled: Step = {
  title: 'The leading operator is killed: the other one leads',
  short: 'leader killed',
  async run(stage) {
    const { screen, figures } = stage;
    const before = await identityOf(stage, 'hello');
    const refusedBefore = (await callsOf(stage)).refused.length;
    const leader = await stage.field(SYSTEM, LEASE, HOLDER);
    const operator = '.status.containerStatuses[?(@.name=="operator")].containerID';
    const container = await stage.field(SYSTEM, `pod/${leader}`, operator);
    const pid = await stage.node.processOf(container);
    screen.command(`kill -9 ${pid}`);
    kill(pid, 'SIGKILL');
    // With its whole pod: a container that is merely started again would take its own Lease back.
    await stage.kubectl('-n', SYSTEM, 'delete', `pod/${leader}`, '--grace-period=0', '--force');
    const ms = await stage.until('another operator holds the Lease', async () => {
      const holder = await stage.field(SYSTEM, LEASE, HOLDER);
      return holder !== '' && holder !== leader;
    });
    figures.time('leader killed to the next leader', ms);
    screen.proof(`${await stage.field(SYSTEM, LEASE, HOLDER)} leads, after ${leader}`);
    await expectSame(stage, 'hello', before);
    await expectNoneRefused(stage, refusedBefore);
  },
};

export const rollingUpgrade: Step = {
  title: 'Upgrade: the next image, pod by pod',
  short: 'helm upgrade',
  async run(stage) {
    const { settings, node, figures, screen } = stage;
    const before = await identityOf(stage, 'hello');
    await stage.kubectl('-n', SHOP, 'scale', 'deploy/checkout', `--replicas=${CALLERS}`);
    await stage.ask(['-n', SHOP, 'rollout', 'status', 'deploy/checkout', '--timeout=120s']);
    const { answered, refused } = await callsOf(stage);
    const tag = `${settings.version}-next`;
    await node.tagImage(`keyward:${settings.version}`, `keyward:${tag}`);
    const startMs = performance.now();
    const flags = [...helmFlags('postgres'), '--set', `image.tag=${tag}`];
    await stage.helm('upgrade', 'keyward', settings.chart, ...flags);
    for (const name of [OPERATORS, GATES]) {
      await stage.ask(['-n', SYSTEM, 'rollout', 'status', name, '--timeout=180s']);
    }
    figures.time('helm upgrade to Ready', performance.now() - startMs);
    await stage.kubectl('-n', SYSTEM, 'get', 'pods', '-o', 'wide');
    await expectSame(stage, 'hello', before);
    await expectNoneRefused(stage, refused.length);
    const during = (await callsOf(stage)).answered - answered;
    figures.count('calls during the upgrade, none refused', during);
    screen.proof(`${during} calls were answered during the upgrade`);
  },
};

async function expectNoneRefused(stage: Stage, refusedBefore: number): Promise<void> {
  const { answered } = await callsOf(stage);
  await stage.until('calls go on', async () => (await callsOf(stage)).answered > answered);
  const { refused } = await callsOf(stage);
  expect('no call was refused', refused.length === refusedBefore, refused.join('\n'));
  stage.screen.proof('no call was refused meanwhile');
}
