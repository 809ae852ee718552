/** Off and on again at the vendor, with the same values. */
import { expect } from '../../expect.ts';
import type { Step } from '../../step.ts';
import type { Vendor } from '../vendor.ts';

/** The Secret stays as it is. */
export function suspension(vendor: Vendor): Step {
  const { key, inUse } = vendor.dialect;
  return {
    title: 'Suspend and resume: switched off and on at the vendor',
    short: 'suspended and resumed',
    async run(stage) {
      const before = await stage.secret(`${key}-api-key`);
      await stage.patch(`akey/${key}`, { spec: { state: 'Suspended' } });
      await stage.untilReason(key, 'Suspended');
      await stage.show(key);
      await vendor.show();
      await vendor.verify('the value', before.value(inUse), 'disabled');
      await stage.patch(`akey/${key}`, { spec: { state: 'Active' } });
      await stage.untilReason(key, 'Active');
      await stage.show(key);
      await vendor.verify('the same value', before.value(inUse), 'enabled');
      const after = await stage.secret(`${key}-api-key`);
      expect('the Secret is the same', after.isSame(inUse, before), 'another value');
      stage.screen.proof('the Secret was not touched');
    },
  };
}
