/** The ends of a key at a vendor: its validity is over, or it is deleted. */
import { showSecret } from '../../secret.ts';
import type { Step } from '../../step.ts';
import { END_IN_MS, endingAt, HOUR_MS } from '../../steps/validity.ts';
import type { Vendor } from '../vendor.ts';
import { apiKey } from './store.ts';

const HOLD = 'demo.keyward.dev/hold';

/** The vendor knows no dates, so the operator switches the credential off at the instant. */
export function expiry(vendor: Vendor): Step {
  const { name, inUse } = vendor.dialect;
  return {
    title: 'Expiry: switched off at the vendor at the instant, revived by a later end',
    short: 'expired and revived',
    async run(stage) {
      await stage.applyObject(apiKey('visitor', name, endingAt(HOUR_MS)));
      await stage.untilReady('visitor');
      await stage.show('visitor');
      const secret = await showSecret(stage, 'visitor');
      await vendor.verify('its value', secret.value(inUse), 'enabled');
      stage.screen.say(`The end is moved to ${END_IN_MS / 1_000} seconds from now:`);
      await stage.patch('akey/visitor', { spec: endingAt(END_IN_MS) });
      await stage.untilReason('visitor', 'Expired');
      await stage.show('visitor');
      await vendor.until('the credential is disabled', (all) =>
        all.some(({ values, enabled }) => {
          return !enabled && Object.values(values).includes(secret.value(inUse).revealText());
        }),
      );
      stage.screen.say('And to an hour from now:');
      await stage.patch('akey/visitor', { spec: endingAt(HOUR_MS) });
      await stage.untilReady('visitor');
      await stage.show('visitor');
      await vendor.verify('the same value', secret.value(inUse), 'enabled');
    },
  };
}

/** The vendor first, then the Secret; a store goes after its last key. */
export function deletion(vendor: Vendor): Step {
  const { key, inUse } = vendor.dialect;
  return {
    title: 'Deleted: gone at the vendor first, then the Secret',
    short: 'deleted, gone first',
    async run(stage) {
      const { screen } = stage;
      const secret = await stage.secret(`${key}-api-key`);
      screen.say('A finalizer of ours holds the Secret back, so that the order can be seen.');
      await stage.patch(`secret/${key}-api-key`, { metadata: { finalizers: [HOLD] } });
      await stage.kubectl(['delete', 'akey', key, '--wait=false']);
      const isGoing = '--for=jsonpath={.metadata.deletionTimestamp}';
      await stage.ask(['wait', `secret/${key}-api-key`, isGoing, '--timeout=120s']);
      await vendor.verify('the value, Secret still there', secret.value(inUse), 'unknown');
      await stage.patch(`secret/${key}-api-key`, { metadata: { finalizers: [] } });
      const gone = [`akey/${key}`, `secret/${key}-api-key`, '--for=delete'];
      screen.command(`kubectl wait ${gone.join(' ')}`);
      await stage.ask(['wait', ...gone, '--timeout=120s']);
      screen.proof('ApiKey and Secret are gone');
      screen.say('A store that still has a key stays until that is gone:');
      await stage.kubectl(['delete', 'kst', 'typo', '--wait=false']);
      const reason = '{.status.conditions[?(@.type=="Ready")].reason}';
      const isHeld = `--for=jsonpath=${reason}=KeysRemain`;
      await stage.ask(['wait', 'kst/typo', isHeld, '--timeout=120s']);
      await stage.kubectl(['get', 'kst', 'typo', '-o', 'wide']);
      await stage.kubectl(['delete', 'akey', 'waiting', 'orders', 'visitor']);
      await stage.ask(['wait', 'kst/typo', '--for=delete', '--timeout=120s']);
      screen.proof('KeyStore typo is gone');
      await vendor.show();
      await vendor.expectStrangerOnly();
    },
  };
}
