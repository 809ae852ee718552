/** A key at a vendor comes to be, once, whatever becomes of the answer. */
import { expect } from '../../expect.ts';
import { showSecret, type SecretEntries } from '../../secret.ts';
import type { Stage } from '../../stage.ts';
import type { Step } from '../../step.ts';
import type { Vendor } from '../vendor.ts';
import { apiKey } from './store.ts';

const REMOTE_COLUMNS =
  '-o=custom-columns=NAME:.metadata.name,REMOTE-ID:.status.remote.id,STATE:.status.remote.state,CREATED:.status.remote.createdTime';

/** The key of samples/. */
export function firstKey(vendor: Vendor): Step {
  const { name, key, title } = vendor.dialect;
  return {
    title: `A key at ${title}, its values in a Secret`,
    short: 'key issued at the vendor',
    async run(stage) {
      await stage.apply(`samples/${name}/20-key.yaml`);
      await stage.untilReady(key);
      await stage.show(key);
      await stage.kubectl(['get', 'akey', key, REMOTE_COLUMNS]);
      const { spec, status } = await stage.key(key);
      const secret = await showSecret(stage, `${key}-api-key`);
      if (name === 'naver') {
        const wanted = String(spec['displayName']);
        await vendor.until(`it is called ${wanted}`, (all) => all.some((c) => c.name === wanted));
      }
      await vendor.show();
      await expectSame(stage, vendor, { secret, id: status.remote?.id });
    },
  };
}

/** Created, and the answer lost on the way: looked for and taken over, not made twice. */
export function lostAnswer(vendor: Vendor): Step {
  const { name } = vendor.dialect;
  return {
    title: 'The answer to a creation is lost: no second key, no orphan',
    short: 'lost answer at create',
    async run(stage) {
      const before = await vendor.credentials();
      await vendor.forgetCalls();
      await vendor.inject({ operation: 'create', fault: { kind: 'LostAnswer' } });
      stage.screen.say(
        'The vendor makes the next key and the connection breaks before it says so.',
      );
      await stage.applyObject(apiKey('orders', name));
      await stage.untilReady('orders');
      await stage.show('orders');
      const { remote } = (await stage.key('orders')).status;
      const secret = await showSecret(stage, 'orders');
      const calls = (await vendor.calls()).map(({ operation, fault }) =>
        fault === undefined ? operation : `${operation} (answer lost)`,
      );
      stage.screen.say(`Calls that reached the vendor: ${calls.join(', ')}.`);
      await vendor.show();
      const made = (await vendor.credentials()).length - before.length;
      expect('exactly one more credential', made === 1, String(made));
      stage.screen.proof('exactly one credential more than before');
      await expectSame(stage, vendor, { secret, id: remote?.id });
    },
  };
}

/** The Secret holds what the vendor has for this id. @throws Unmet when it does not */
export async function expectSame(
  stage: Stage,
  vendor: Vendor,
  { secret, id }: { readonly secret: SecretEntries; readonly id: string | undefined },
): Promise<void> {
  const { slots, title } = vendor.dialect;
  const { values } = await vendor.one(id);
  const differing = slots.filter((slot) => values[slot] !== secret.value(slot).revealText());
  expect(`the Secret holds the values of ${id}`, differing.length === 0, differing.join(', '));
  stage.screen.proof(`Secret ${secret.name} holds what ${title} has for ${id}`);
}
