/** New values at a vendor: planned with an overlap, and at once after a leak. */
import { expect } from '../../expect.ts';
import { showSecret } from '../../secret.ts';
import type { Step } from '../../step.ts';
import type { Vendor } from '../vendor.ts';
import { expectSame } from './issue.ts';

/** Long enough to look at on a slow machine, short enough to wait for. */
const OVERLAP_SECONDS = 10;
const SHORT = `The overlap is ${OVERLAP_SECONDS} seconds here, not a day, so that its end can be seen.`;

/** Two values that take turns: the one nobody uses is made anew, then they change roles. */
export function turns(vendor: Vendor): Step {
  const { key } = vendor.dialect;
  return {
    title: 'Planned rotation: the two values take turns',
    short: 'rotated with overlap',
    async run(stage) {
      const { screen } = stage;
      const before = await stage.secret(`${key}-api-key`);
      const old = before.value('apiKey');
      screen.say(`apiKey is the primary value so far. ${SHORT}`);
      const rotation = { requestId: '2026-q4', overlapSeconds: OVERLAP_SECONDS };
      await stage.patch(`akey/${key}`, { spec: { rotation } });
      await stage.untilField(key, '.status.lastHandledRotationRequestId', '2026-q4');
      await stage.show(key);
      const during = await showSecret(stage, `${key}-api-key`);
      expect(
        'apiKey is the secondary value',
        during.isSame('apiKey', during, 'secondaryKey'),
        'not',
      );
      screen.proof('apiKey is the secondary value now, which was made anew first');
      await vendor.show();
      await vendor.verify('the value used so far', old, 'enabled');
      await vendor.verify('the value to use now', during.value('apiKey'), 'enabled');
      await vendor.verify('the standby it replaced', before.value('secondaryKey'), 'unknown');
      screen.say('When the overlap is over, the primary value is made anew as well:');
      await stage.untilReason(key, 'Active');
      await vendor.show();
      await vendor.verify('the value used before', old, 'unknown');
      const after = await stage.secret(`${key}-api-key`);
      await vendor.verify('the value to use now', after.value('apiKey'), 'enabled');
      await expectSame(stage, vendor, {
        secret: after,
        id: (await stage.key(key)).status.remote?.id,
      });
    },
  };
}

/** Where a credential has one value, a second credential stands beside the first for a while. */
export function secondCredential(vendor: Vendor): Step {
  const { key } = vendor.dialect;
  return {
    title: 'Planned rotation: a second credential beside the first',
    short: 'rotated with overlap',
    async run(stage) {
      const { screen } = stage;
      const before = await stage.secret(`${key}-api-key`);
      const first = before.value('apiKey').revealText();
      screen.say(SHORT);
      const rotation = { requestId: '2026-q4', overlapSeconds: OVERLAP_SECONDS };
      await stage.patch(`akey/${key}`, { spec: { rotation } });
      await stage.untilField(key, '.status.lastHandledRotationRequestId', '2026-q4');
      await stage.untilReason(key, 'Rotating');
      await stage.show(key);
      const during = await showSecret(stage, `${key}-api-key`);
      await vendor.show();
      await vendor.verify('the secret used so far', before.value('apiSecret'), 'enabled');
      await vendor.verify('the secret to use now', during.value('apiSecret'), 'enabled');
      screen.say('When the overlap is over, the first one is made inactive, then deleted:');
      await vendor.until(`${first} is gone`, (all) => all.every(({ id }) => id !== first));
      await stage.untilReason(key, 'Active');
      await stage.show(key);
      await vendor.show();
      const after = await showSecret(stage, `${key}-api-key`);
      await vendor.verify('the secret to use now', after.value('apiSecret'), 'enabled');
    },
  };
}

/** Old values die first. */
export function emergency(vendor: Vendor): Step {
  const { key, inUse } = vendor.dialect;
  return {
    title: 'A value leaked: find its owner, replace it at the vendor at once',
    short: 'leak identified, emergency',
    async run(stage) {
      const before = await stage.secret(`${key}-api-key`);
      stage.screen.say('The leaked value goes to standard input; it appears nowhere.');
      const { code, stdout, stderr } = await stage.keyward(['identify', '-'], before.value(inUse));
      expect('identify names the owner', code === 0 && stdout.includes(key), stdout + stderr);
      const rotation = { urgency: 'Emergency', requestId: 'leak-1' };
      await stage.patch(`akey/${key}`, { spec: { rotation } });
      await stage.untilField(key, '.status.lastHandledRotationRequestId', 'leak-1');
      await stage.untilReason(key, 'Active');
      await stage.show(key);
      const after = await showSecret(stage, `${key}-api-key`);
      await vendor.show();
      await vendor.verify('the leaked value', before.value(inUse), 'unknown');
      if (vendor.dialect.name === 'naver') {
        await vendor.verify('its twin', before.value('primaryKey'), 'unknown');
      }
      await vendor.verify('the new value', after.value(inUse), 'enabled');
      await expectSame(stage, vendor, {
        secret: after,
        id: (await stage.key(key)).status.remote?.id,
      });
    },
  };
}
