/** A new value reaches the mounted file, and no call is refused meanwhile. */
import { expect } from '../../demo/expect.ts';
import { SHOP } from '../stage.ts';
import type { Step } from '../step.ts';
import { callsOf } from './workload.ts';

const READ_FILE = ['-n', SHOP, 'exec', 'deploy/checkout', '--', 'cat', '/keys/keyId'];

export const rotation: Step = {
  title: 'Rotation reaches the mounted file',
  short: 'rotation in the file',
  async run(stage) {
    const { screen, figures } = stage;
    const before = await stage.secret('hello');
    const oldId = await stage.field(SHOP, 'akey/hello', '.status.keyId');
    const refusedBefore = (await callsOf(stage)).refused.length;
    const startMs = performance.now();
    await stage.patch('akey/hello', {
      spec: { rotation: { requestId: '1', overlapSeconds: 600 } },
    });
    await stage.wait(SHOP, 'akey/hello', '--for=jsonpath={.status.lastHandledRotationRequestId}=1');
    figures.time('rotation: asked to Secret written', performance.now() - startMs);
    const newId = await stage.field(SHOP, 'akey/hello', '.status.keyId');
    expect('the key has a new value', newId !== oldId && newId !== '', newId);
    await stage.until(`the mounted file has ${newId}`, async () => {
      return (await stage.try(READ_FILE)).stdout === newId;
    });
    figures.time('rotation: asked to the mounted file', performance.now() - startMs);
    screen.proof(`the pod's file has the value of ${newId}, without a restart`);
    const after = await stage.secret('hello');
    expect('apiKey differs', !after.isSame('apiKey', before), 'the same value');
    await stage.until('calls with the new value', async () => {
      return (await callsOf(stage)).keyIds.at(-1) === newId;
    });
    const { answered, refused } = await callsOf(stage);
    const newlyRefused = refused.slice(refusedBefore);
    expect('no call was refused', newlyRefused.length === 0, newlyRefused.join('\n'));
    screen.proof(`checkout calls with it; ${answered} calls so far, none refused`);
  },
};
