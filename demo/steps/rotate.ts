/** New values: planned with an overlap, and at once after a leak. */
import { expect } from '../expect.ts';
import { showSecret } from '../secret.ts';
import type { Step } from '../step.ts';

const NO_LONGER = ['KeyRevoked', 'InvalidKey'];
/** Long enough to look at on a slow machine, short enough to wait for. */
const OVERLAP_SECONDS = 10;

/** Two values take turns, so callers change over without a gap. */
export const plannedRotation: Step = {
  title: 'Planned rotation: the old value works until its overlap is over',
  short: 'Dual key rotated with overlap',
  async run(stage) {
    const { screen } = stage;
    await stage.apply('samples/20-dual-rotation.yaml');
    await stage.untilReady('payments');
    await stage.show('payments');
    const before = await showSecret(stage, 'payments-api-key');
    await stage.verify('primary value', before.value('primaryKey'), 'accepted');
    await stage.verify('secondary value', before.value('secondaryKey'), 'accepted');
    screen.say(
      `A new requestId rotates, once. The overlap is ${OVERLAP_SECONDS} seconds here, not an hour, so that its end can be seen.`,
    );
    const rotation = { requestId: '2', overlapSeconds: OVERLAP_SECONDS };
    await stage.patch('akey/payments', { spec: { rotation } });
    await stage.untilField('payments', '.status.lastHandledRotationRequestId', '2');
    const old = before.value('apiKey');
    await stage.verify('the value used so far', old, 'accepted');
    const after = await showSecret(stage, 'payments-api-key');
    await stage.verify('the value to use now', after.value('apiKey'), 'accepted');
    await stage.verify('the standby it replaced', before.value('secondaryKey'), NO_LONGER);
    expect('apiKey has a new value', !after.isSame('apiKey', before), 'the same value');
    await stage.show('payments');
    screen.say('When the overlap is over, by the retire time in the status:');
    await stage.untilReason('payments', 'Active');
    await stage.verify('the value used before', old, NO_LONGER);
    await stage.verify('the value to use now', after.value('apiKey'), 'accepted');
  },
};

/** Found in a log: whose is it, and how is it stopped? */
export const leak: Step = {
  title: 'A value leaked: find its owner, replace it at once',
  short: 'leak identified, emergency rotation',
  async run(stage) {
    const { screen } = stage;
    const before = await stage.secret('payments-api-key');
    const leaked = before.value('apiKey');
    screen.say('The value goes to standard input; it appears nowhere.');
    const { code, stdout, stderr } = await stage.keyward(['identify', '-'], leaked);
    expect('identify names the owner', code === 0 && stdout.includes('payments'), stdout + stderr);
    const rotation = { urgency: 'Emergency', requestId: 'leak-1' };
    await stage.patch('akey/payments', { spec: { rotation } });
    await stage.untilField('payments', '.status.lastHandledRotationRequestId', 'leak-1');
    await stage.untilReason('payments', 'Active');
    await stage.show('payments');
    const after = await showSecret(stage, 'payments-api-key');
    await stage.verify('the leaked value', leaked, NO_LONGER);
    await stage.verify('its twin', before.value('secondaryKey'), NO_LONGER);
    await stage.verify('the new value', after.value('apiKey'), 'accepted');
  },
};
