/** What only a person can decide: two new credentials, and no answer that says which one is ours. */
import { DEMO_NAMESPACE } from '../../cluster.ts';
import { expect } from '../../expect.ts';
import { showSecret } from '../../secret.ts';
import type { Step } from '../../step.ts';
import type { Vendor } from '../vendor.ts';
import { expectSame } from './issue.ts';
import { apiKey } from './store.ts';

/** Nothing is adopted by guess; the command that decides is audited. */
export function doubt(vendor: Vendor): Step {
  const { name, title, type } = vendor.dialect;
  return {
    title: 'The answer is lost while somebody else makes one: a person decides',
    short: 'doubt resolved by a person',
    async run(stage) {
      const { screen } = stage;
      const release = await vendor.holdCreate();
      await stage.applyObject(apiKey('twins', name));
      const ours = await release.arrived();
      const theirs = await vendor.act(
        'While the answer is on its way, somebody makes one in the console; then the answer is lost.',
        { act: 'Create' },
      );
      await release.cut();
      await stage.untilReason('twins', 'OwnershipAmbiguous');
      await stage.show('twins');
      await stage.showMessage('twins');
      await vendor.show();
      screen.say(`${title} keeps no names, so nothing is guessed. Whoever knows better says so:`);
      const { host } = new URL(vendor.endpoint);
      const isShared = stage.installation.database.startsWith('postgres');
      const more = isShared ? [`--endpoint-hosts=${type}=${host}`] : [];
      const args = ['keys', 'resolve', `${DEMO_NAMESPACE}/twins`, '--adopt', ours, ...more];
      const { code, stdout, stderr } = await stage.keyward(args);
      expect('the command succeeds', code === 0, stdout + stderr);
      // On SQLite the running operator was asked; on PostgreSQL it looks when there is a reason to.
      if (isShared) await stage.patch('akey/twins', { spec: { description: 'decided' } });
      await stage.untilReady('twins');
      await stage.show('twins');
      await expectSame(stage, vendor, { secret: await showSecret(stage, 'twins'), id: ours });
      await vendor.act('Whoever made the other one deletes it:', { act: 'Delete', id: theirs });
      await stage.kubectl(['delete', 'akey', 'twins']);
    },
  };
}
