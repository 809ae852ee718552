/** A workload that reads its key once is restarted when the key has a new value. */
import { expect } from '../../demo/expect.ts';
import { SHOP, type Stage } from '../stage.ts';
import type { Step } from '../step.ts';
import { callsOf } from './workload.ts';

const RESTART_TARGETS = [{ kind: 'Deployment', name: 'report' }];

export const restart: Step = {
  title: 'A workload that reads its key only once is restarted',
  short: 'workload restarted',
  async run(stage) {
    const { screen, figures } = stage;
    await stage.wait(SHOP, 'deploy/report', '--for=condition=Available');
    await stage.patch('akey/hello', { spec: { rotation: { restartTargets: RESTART_TARGETS } } });
    await untilSeen(stage);
    const oldId = await stage.field(SHOP, 'akey/hello', '.status.keyId');
    const { keyIds } = await callsOf(stage, 'report');
    const [firstId] = keyIds;
    const isFirst = keyIds.length === 1 && firstId !== oldId;
    expect('report has only the key that it was started with', isFirst, keyIds.join());
    screen.proof(`report still calls with ${firstId}, which the rotation before has replaced`);
    const refusedBefore = (await callsOf(stage)).refused.length;
    const startMs = performance.now();
    await stage.patch('akey/hello', {
      spec: { rotation: { requestId: '2', overlapSeconds: 600 } },
    });
    await stage.wait(SHOP, 'akey/hello', '--for=jsonpath={.status.lastHandledRotationRequestId}=2');
    const newId = await stage.field(SHOP, 'akey/hello', '.status.keyId');
    expect('the key has a new value', newId !== oldId && newId !== '', newId);
    // Its values are looked for at the end.
    await stage.secret('hello');
    await untilCalling(stage, newId);
    figures.time('rotation: asked to the restarted workload calling', performance.now() - startMs);
    await stage.kubectl('-n', SHOP, 'get', 'pods', '-l', 'app=report');
    await stage.kubectl('-n', SHOP, 'rollout', 'history', 'deploy/report');
    screen.proof(`report was restarted and calls with ${newId}, which it has from its environment`);
    const { refused } = await callsOf(stage, 'report');
    expect('no call of the new pod was refused', refused.length === 0, refused.join('\n'));
    const newlyRefused = (await callsOf(stage)).refused.slice(refusedBefore);
    expect('no call of checkout was refused', newlyRefused.length === 0, newlyRefused.join('\n'));
    const restarts = await stage.field(SHOP, 'deploy/checkout', '.metadata.generation');
    expect('checkout, which nobody named, was left alone', restarts === '1', restarts);
    screen.proof('checkout, which nobody named, was not restarted; no call was refused');
  },
};

/** Waits until status is about the spec as it is now. */
async function untilSeen(stage: Stage): Promise<void> {
  await stage.until('the operator has seen the targets', async () => {
    const seen = await stage.field(SHOP, 'akey/hello', '.status.observedGeneration');
    return seen === (await stage.field(SHOP, 'akey/hello', '.metadata.generation'));
  });
}

/** Waits until the only pod of the report calls with this key. */
async function untilCalling(stage: Stage, keyId: string): Promise<void> {
  await stage.until(`the report calls with ${keyId}`, async () => {
    const { keyIds, answered } = await callsOf(stage, 'report');
    return answered > 0 && keyIds.length === 1 && keyIds[0] === keyId;
  });
}
