/** Somebody works in the vendor's console: corrected where the YAML says otherwise, else taken over. */
import { expect } from '../../expect.ts';
import { showSecret } from '../../secret.ts';
import type { Stage } from '../../stage.ts';
import type { Step } from '../../step.ts';
import type { Vendor } from '../vendor.ts';
import { expectSame } from './issue.ts';

const EVENT_COLUMNS = '-o=custom-columns=TYPE:.type,REASON:.reason,NOTE:.note';

/** The YAML says what it is called. */
export function driftOfNames(vendor: Vendor): Step {
  const { key } = vendor.dialect;
  return {
    title: "Renamed in the vendor's console: set back",
    short: 'foreign name corrected',
    async run(stage) {
      const id = await remoteId(stage, key);
      await vendor.act('Somebody renames it in the console:', { act: 'Rename', id, name: 'test2' });
      await vendor.show();
      await vendor.until('the name of the YAML is back', (all) =>
        all.some((each) => each.id === id && each.name === 'Maps 2027'),
      );
      await vendor.show();
      await showEvent(stage, key, 'RemoteChanged');
    },
  };
}

/** The YAML says whether it works. */
export function driftOfState(vendor: Vendor): Step {
  const { key } = vendor.dialect;
  return {
    title: "Switched off in the vendor's console: switched on again",
    short: 'foreign switch corrected',
    async run(stage) {
      const id = await remoteId(stage, key);
      await vendor.act('Somebody switches it off in the console:', { act: 'Disable', id });
      await vendor.show();
      await vendor.until('it is enabled again', (all) =>
        all.some((each) => each.id === id && each.enabled),
      );
    },
  };
}

/** A value cannot be set back, so the Secret follows. */
export function replacedByHand(vendor: Vendor): Step {
  const { key, inUse, slots } = vendor.dialect;
  return {
    title: "A value replaced in the vendor's console: the Secret follows",
    short: 'foreign value taken over',
    async run(stage) {
      const before = await stage.secret(`${key}-api-key`);
      const id = await remoteId(stage, key);
      const slot = slots.find((name) => before.isSame(inUse, before, name)) ?? 'apiSecret';
      await vendor.act(`Somebody makes ${slot} anew in the console:`, {
        act: 'Regenerate',
        id,
        slot,
      });
      await vendor.verify('the value in the Secret', before.value(inUse), 'unknown');
      await untilOther(stage, `${key}-api-key`, inUse, before);
      const after = await showSecret(stage, `${key}-api-key`);
      await vendor.show();
      await vendor.verify('the value in the Secret', after.value(inUse), 'enabled');
      await expectSame(stage, vendor, { secret: after, id });
      await showEvent(stage, key, 'RemoteValuesChanged');
    },
  };
}

/** What is gone there is replaced, as a lost Secret would be. */
export function lostAtVendor(vendor: Vendor): Step {
  const { key, inUse } = vendor.dialect;
  return {
    title: "Deleted in the vendor's console: a new one takes its place",
    short: 'foreign deletion repaired',
    async run(stage) {
      const before = await stage.secret(`${key}-api-key`);
      const id = await remoteId(stage, key);
      await vendor.act('Somebody deletes it in the console:', { act: 'Delete', id });
      await vendor.show();
      await untilOther(stage, `${key}-api-key`, inUse, before);
      await stage.untilReason(key, 'Active');
      await stage.show(key);
      const after = await showSecret(stage, `${key}-api-key`);
      await vendor.show();
      const now = await remoteId(stage, key);
      expect('another credential at the vendor', now !== id, now);
      await vendor.verify('the new value', after.value(inUse), 'enabled');
      stage.screen.say(
        'With spec.secret.onLoss: Wait it would have been reported, and nothing made.',
      );
    },
  };
}

async function remoteId(stage: Stage, name: string): Promise<string> {
  const { remote } = (await stage.key(name)).status;
  expect(`ApiKey ${name} has status.remote.id`, remote?.id !== undefined, remote ?? 'none');
  return remote?.id ?? '';
}

/** Shows what was said about the key. */
async function showEvent(stage: Stage, name: string, reason: string): Promise<void> {
  const about = `regarding.kind=ApiKey,regarding.name=${name},reason=${reason}`;
  const events = ['get', 'events.events.k8s.io', `--field-selector=${about}`];
  await stage.kubectl([...events, '--sort-by=.eventTime', EVENT_COLUMNS]);
}

async function untilOther(
  stage: Stage,
  secret: string,
  entry: string,
  before: Awaited<ReturnType<Stage['secret']>>,
): Promise<void> {
  await stage.until(`Secret ${secret} has another ${entry}`, async () => {
    const now = await stage.secret(secret);
    return !now.isSame(entry, before);
  });
}
