/** Keys that begin later, and keys that end. */
import { expect } from '../expect.ts';
import { showSecret } from '../secret.ts';
import type { Stage } from '../stage.ts';
import type { Step } from '../step.ts';

/** Far enough for the patch to arrive before it, near enough to wait for. */
export const END_IN_MS = 4_000;
/** Far enough to see no end. */
export const HOUR_MS = 3_600_000;

/** Nothing exists before the first day. */
export const notYetValid: Step = {
  title: 'A key that begins later has no Secret yet',
  short: 'not yet valid',
  async run(stage) {
    const validity = { effectiveDate: '2099-05-01', timeZone: 'Asia/Seoul' };
    await stage.applyObject(apiKey('exhibition', { terms: { validity } }));
    await stage.untilReason('exhibition', 'NotYetValid');
    await stage.show('exhibition');
    await stage.showMessage('exhibition');
    const found = await stage.ask(['get', 'secret', 'exhibition', '--ignore-not-found']);
    expect('there is no Secret', found === '', found);
    stage.screen.proof('there is no Secret and no value');
  },
};

/** The gate goes by the instant; a later end brings the same value back for 30 days. */
export const expiry: Step = {
  title: 'Expiry, and a later end that revives the same value',
  short: 'expired and revived',
  async run(stage) {
    await stage.applyObject(apiKey('visitor', endingAt(HOUR_MS)));
    await stage.untilReady('visitor');
    await stage.show('visitor');
    const before = await showSecret(stage, 'visitor');
    await stage.verify('its value', before.value('apiKey'), 'accepted');
    stage.screen.say(`The end is moved to ${END_IN_MS / 1_000} seconds from now:`);
    await stage.patch('akey/visitor', { spec: endingAt(END_IN_MS) });
    await stage.untilReason('visitor', 'Expired');
    await stage.show('visitor');
    await stage.verify('the value', before.value('apiKey'), ['KeyExpired']);
    stage.screen.say('And to an hour from now:');
    await stage.patch('akey/visitor', { spec: endingAt(HOUR_MS) });
    await stage.untilReady('visitor');
    await stage.show('visitor');
    await stage.verify('the same value', before.value('apiKey'), 'accepted');
    await isUnchanged(stage, before.uid);
  },
};

async function isUnchanged(stage: Stage, uid: string): Promise<void> {
  const { uid: now } = await stage.secret('visitor');
  expect('it is the same Secret', now === uid, `${uid}, then ${now}`);
  stage.screen.proof('it is the same Secret');
}

function apiKey(name: string, spec: object): object {
  return { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKey', metadata: { name }, spec };
}

/** The first instant at which the key is no longer valid, in whole seconds. */
export function endingAt(inMs: number): object {
  const expirationTime = `${new Date(Date.now() + inMs).toISOString().slice(0, 19)}Z`;
  return { terms: { validity: { expirationTime } } };
}
