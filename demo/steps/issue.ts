/** A store, and the first key in it. */
import { expect } from '../expect.ts';
import { showSecret } from '../secret.ts';
import type { Step } from '../step.ts';
import { countWrites } from '../writes.ts';

/** Keys without a storeRef live in the ClusterKeyStore `default`. */
export const defaultStore: Step = {
  title: 'A store: where keys live, and the rules for them',
  short: 'default ClusterKeyStore',
  async run(stage) {
    await stage.apply('samples/00-store.yaml');
    stage.screen.command('kubectl wait --for=condition=Ready ckst/default');
    await stage.ask(['wait', '--for=condition=Ready', 'ckst/default', '--timeout=120s']);
    const row = await stage.kubectl(['get', 'ckst']);
    expect('ClusterKeyStore default is Connected', row.includes('Connected'), row);
    stage.screen.proof('the built-in store answers');
  },
};

/** From two lines of YAML to a Secret, in two writes. */
export const firstKey: Step = {
  title: 'The first key: an empty spec is enough',
  short: 'first key issued',
  async run(stage) {
    const { screen } = stage;
    const before = await countWrites(stage);
    await stage.apply('samples/10-quickstart.yaml');
    await stage.untilReady('hello');
    const after = await countWrites(stage);
    await stage.show('hello');
    const secret = await showSecret(stage, 'hello');
    await stage.verify('the value in the Secret', secret.value('apiKey'), 'accepted');
    if (before === undefined || after === undefined) {
      screen.say('(Writes are counted only on a control plane where nobody else writes.)');
      return;
    }
    // One of them is our own: the ApiKey itself.
    const writes = after - before - 1;
    expect('2 writes to the API server: the Secret and the status', writes === 2, String(writes));
    stage.findings.push(`${writes} API writes for the first key`);
    screen.proof(`the operator made ${writes} writes to the API server: Secret and status`);
  },
};
