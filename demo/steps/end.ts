/** The two ends of a key: revoked for good, and deleted. */
import { expect } from '../expect.ts';
import type { Step } from '../step.ts';

const HOLD = 'demo.keyward.dev/hold';

/** Final, and the API server itself says so. */
export const revocation: Step = {
  title: 'Revoked is final',
  short: 'revoked, not to be undone',
  async run(stage) {
    const secret = await stage.secret('visitor');
    await stage.patch('akey/visitor', { spec: { state: 'Revoked' } });
    await stage.untilReason('visitor', 'Revoked');
    await stage.ask(['wait', '--for=delete', 'secret/visitor', '--timeout=120s']);
    await stage.show('visitor');
    await stage.verify('its value', secret.value('apiKey'), ['KeyRevoked', 'InvalidKey']);
    stage.screen.proof('its Secret is gone');
    stage.screen.say('Nobody can take that back:');
    const { code, stderr } = await stage.tryPatch('akey/visitor', { spec: { state: 'Active' } });
    stage.screen.block(stderr);
    const isRefused = code !== 0 && stderr.includes('Revoked is final');
    expect('the API server refuses', isRefused, stderr);
    stage.screen.proof('the API server refused');
  },
};

/** The order matters: no instant at which a value works that nobody can see any more. */
export const deletion: Step = {
  title: 'Deleted: the value dies first, then the Secret goes',
  short: 'deleted, dead first',
  async run(stage) {
    const { screen } = stage;
    const secret = await stage.secret('hello');
    screen.say('A finalizer of ours holds the Secret back, so that the order can be seen.');
    await stage.patch('secret/hello', { metadata: { finalizers: [HOLD] } });
    await stage.verify('the value, before', secret.value('apiKey'), 'accepted');
    await stage.kubectl(['delete', 'akey', 'hello', '--wait=false']);
    const isGoing = '--for=jsonpath={.metadata.deletionTimestamp}';
    await stage.ask(['wait', 'secret/hello', isGoing, '--timeout=120s']);
    await stage.verify('the value, Secret still there', secret.value('apiKey'), [
      'KeyRevoked',
      'InvalidKey',
    ]);
    await stage.patch('secret/hello', { metadata: { finalizers: [] } });
    const gone = ['akey/hello', 'secret/hello', '--for=delete'];
    screen.command(`kubectl wait ${gone.join(' ')}`);
    await stage.ask(['wait', ...gone, '--timeout=120s']);
    screen.proof('ApiKey and Secret are gone');
  },
};
