/** The operator is killed, deleted and drained, and comes back as it was. */
import { kill } from 'node:process';
import { expect } from '../../demo/expect.ts';
import { NODE_NAME } from '../../control-plane/node/layout.ts';
import { expectSame, identityOf } from '../identity.ts';
import { SHOP, SYSTEM, type Stage } from '../stage.ts';
import type { Step } from '../step.ts';
import type { Calls } from '../calls.ts';
import { callsOf } from './workload.ts';

const POD = 'pod/keyward-0';
const OPERATOR = '.status.containerStatuses[?(@.name=="operator")]';

/** A verdict of the gate about the key; while a part is away there are other answers, or none. */
const VERDICT = /HTTP\/1\.1 4\d\d/;

/** As the kernel does it when memory is short: no signal that could be handled. */
export const killed: Step = {
  title: 'The operator is killed: the kubelet starts it again',
  short: 'operator killed',
  async run(stage) {
    const before = await identityOf(stage, 'hello');
    const container = await stage.field(SYSTEM, POD, `${OPERATOR}.containerID`);
    const restarts = Number(await stage.field(SYSTEM, POD, `${OPERATOR}.restartCount`));
    const pid = await stage.node.processOf(container);
    stage.screen.command(`kill -9 ${pid}`);
    kill(pid, 'SIGKILL');
    const ms = await stage.until('the operator was restarted and is Ready', async () => {
      const count = Number(await stage.field(SYSTEM, POD, `${OPERATOR}.restartCount`));
      const ready = await stage.field(SYSTEM, POD, `${OPERATOR}.ready`);
      return count > restarts && ready === 'true';
    });
    stage.figures.time('operator killed to Ready again', ms);
    await stage.kubectl('-n', SYSTEM, 'get', 'pods');
    await expectSame(stage, 'hello', before);
  },
};

export const deleted: Step = {
  title: "The operator's pod is deleted: another one takes volume and keys over",
  short: 'pod deleted',
  async run(stage) {
    const before = await identityOf(stage, 'hello');
    const callsBefore = await callsOf(stage);
    const uid = await stage.field(SYSTEM, POD, '.metadata.uid');
    const startMs = performance.now();
    await stage.kubectl('-n', SYSTEM, 'delete', POD);
    await untilReplaced(stage, uid);
    stage.figures.time('pod deleted to the next one Ready', performance.now() - startMs);
    await expectSame(stage, 'hello', before);
    await expectCalls(stage, callsBefore);
  },
};

export const drained: Step = {
  title: 'The node is drained while a key is asked for',
  short: 'node drained',
  async run(stage) {
    const before = await identityOf(stage, 'hello');
    const uid = await stage.field(SYSTEM, POD, '.metadata.uid');
    const key = { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKey', metadata: { name: 'late' } };
    const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'];
    const startMs = performance.now();
    await stage.kubectl('cordon', NODE_NAME);
    await stage.ask(['-n', SHOP, 'apply', '-f', '-'], JSON.stringify({ ...key, spec: {} }));
    await stage.kubectl('drain', NODE_NAME, ...flags);
    await stage.kubectl('uncordon', NODE_NAME);
    await untilReplaced(stage, uid);
    stage.figures.time('node drained to the operator Ready again', performance.now() - startMs);
    await stage.wait(SHOP, 'akey/late', '--for=condition=Ready');
    await stage.wait(SHOP, 'deploy/checkout', '--for=condition=Available');
    await expectSame(stage, 'hello', before);
    await expectCalls(stage);
  },
};

/** Waits for a pod of the same name that is another one and Ready. @param uid of the old one */
export async function untilReplaced(stage: Stage, uid: string): Promise<void> {
  await stage.until('another pod keyward-0 that is Ready', async () => {
    const ready = '.status.conditions[?(@.type=="Ready")].status';
    const isNew = (await stage.field(SYSTEM, POD, '.metadata.uid')) !== uid;
    return isNew && (await stage.field(SYSTEM, POD, ready)) === 'True';
  });
}

/**
 * The workload's calls are answered, now.
 *
 * @param before of the step, for the number of calls that were refused; absent: the pod is another
 */
export async function expectCalls(stage: Stage, before?: Calls): Promise<void> {
  const { answered } = await callsOf(stage);
  await stage.until('calls are answered again', async () => {
    return (await callsOf(stage)).answered > answered;
  });
  const refused = (await callsOf(stage)).refused.slice(before?.refused.length ?? 0);
  const verdicts = refused.filter((line) => VERDICT.test(line));
  expect('no call was refused for its key', verdicts.length === 0, verdicts.join('\n'));
  const count = before === undefined ? '' : `; ${refused.length} were refused without a gate`;
  stage.screen.proof(`calls are answered again${count}`);
}
