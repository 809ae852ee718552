/** Another image, by helm upgrade: keys stay as they are. */
import { expect } from '../../demo/expect.ts';
import { expectSame, identityOf } from '../identity.ts';
import { SYSTEM } from '../stage.ts';
import type { Step } from '../step.ts';
import { helmFlags } from './install.ts';
import { expectCalls, untilReplaced } from './trouble.ts';
import { callsOf } from './workload.ts';

export const upgrade: Step = {
  title: 'Upgrade: the next image',
  short: 'helm upgrade',
  async run(stage) {
    const { settings, node, figures, screen } = stage;
    const before = await identityOf(stage, 'hello');
    const callsBefore = await callsOf(stage);
    const master = await stage.field(SYSTEM, 'secret/keyward-master-key', '.metadata');
    const uid = await stage.field(SYSTEM, 'pod/keyward-0', '.metadata.uid');
    const tag = `${settings.version}-next`;
    await node.tagImage(`keyward:${settings.version}`, `keyward:${tag}`);
    const startMs = performance.now();
    const flags = [...helmFlags('sqlite'), '--set', `image.tag=${tag}`];
    await stage.helm('upgrade', 'keyward', settings.chart, ...flags);
    await untilReplaced(stage, uid);
    figures.time('helm upgrade to Ready', performance.now() - startMs);
    const image = await stage.field(SYSTEM, 'pod/keyward-0', '.spec.containers[0].image');
    expect(`keyward-0 runs ${tag}`, image.endsWith(`:${tag}`), image);
    screen.proof(`the pod runs ${image}`);
    const masterNow = await stage.field(SYSTEM, 'secret/keyward-master-key', '.metadata');
    expect('the hook left the master key alone', masterNow === master, masterNow);
    screen.proof('the hook ran again and left the master key alone');
    await expectSame(stage, 'hello', before);
    await expectCalls(stage, callsBefore);
  },
};
