/** Off and on again, with the same value. */
import { expect } from '../expect.ts';
import type { Step } from '../step.ts';

/** The Secret stays as it is; only the verdict changes. */
export const suspension: Step = {
  title: 'Suspend and resume: the verdict changes, the value does not',
  short: 'suspended and resumed',
  async run(stage) {
    const before = await stage.secret('hello');
    await stage.patch('akey/hello', { spec: { state: 'Suspended' } });
    await stage.untilReason('hello', 'Suspended');
    await stage.show('hello');
    await stage.verify('the value', before.value('apiKey'), ['KeyDisabled']);
    await stage.patch('akey/hello', { spec: { state: 'Active' } });
    await stage.untilReason('hello', 'Active');
    await stage.show('hello');
    await stage.verify('the same value', before.value('apiKey'), 'accepted');
    const after = await stage.secret('hello');
    expect('the Secret is the same', after.isSame('apiKey', before), 'another value');
    stage.screen.proof('the Secret was not touched');
  },
};
