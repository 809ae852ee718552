/** The steps for keys at a vendor, in order. */
import type { Step } from '../step.ts';
import { driftOfNames, driftOfState, lostAtVendor, replacedByHand } from './steps/console.ts';
import { doubt } from './steps/doubt.ts';
import { deletion, expiry } from './steps/end.ts';
import { firstKey, lostAnswer } from './steps/issue.ts';
import { names, tooLong } from './steps/names.ts';
import { emergency, secondCredential, turns } from './steps/rotate.ts';
import { store, wrongCredentials } from './steps/store.ts';
import { suspension } from './steps/suspend.ts';
import type { Vendor } from './vendor.ts';

/** What this vendor can do, shown one after the other. */
export function vendorSteps(vendor: Vendor): readonly Step[] {
  const isNamed = vendor.dialect.name === 'naver';
  const steps = isNamed
    ? [names, tooLong, suspension, turns, emergency, driftOfNames]
    : [suspension, secondCredential, emergency];
  // Where keys bear a mark, nothing is ever in doubt.
  const doubts = isNamed ? [] : [doubt];
  return [store, firstKey, ...steps, driftOfState, replacedByHand, lostAtVendor, lostAnswer]
    .concat([...doubts, expiry, wrongCredentials, deletion])
    .map((make) => make(vendor));
}
