/** The story of a developer centre: sign up, apply with the exact site, be refused, correct, be approved. */
import { expect } from '../expect.ts';
import { showSecret } from '../secret.ts';
import type { Step } from '../step.ts';
import { expectNoKey, untilForm, untilProven, untilRound } from './evidence.ts';
import { letJinApply, person } from './people.ts';

const NAME = 'weekend-trip';
const SITE = 'https://www.myservice.com';
const SECOND_SITE = 'https://m.myservice.com';
const DEAD = ['KeyRevoked', 'InvalidKey'];

const store: Step = {
  title: 'A store that gives keys only on application, and who decides there',
  short: 'store and reviewers',
  async run(stage) {
    await stage.apply('samples/visitseoul/00-store.yaml');
    await stage.apply('samples/visitseoul/05-reviewers.yaml');
    await letJinApply(stage);
    await stage.untilSaid('ckst/visitseoul', 'Connected');
    stage.screen.proof('the store answers; Jin may apply, Sora is one of its administrators');
    await untilProven(stage);
  },
};

const incomplete: Step = {
  title: 'Jin applies before signing up: everything that is missing is named at once',
  short: 'incomplete form',
  async run(stage) {
    const jin = await person(stage, 'jin');
    await jin.keyward([
      'apply-for',
      NAME,
      '--client',
      NAME,
      '--store',
      'ClusterKeyStore/visitseoul',
    ]);
    const message = await untilForm(stage, NAME, 'Incomplete');
    for (const missing of ['clientRef', 'service', 'purpose', 'originPolicy']) {
      expect(`the message names ${missing}`, message.includes(missing), message);
    }
    await expectNoKey(stage, NAME);
  },
};

const submitted: Step = {
  title: 'He signs up and completes the form: it waits for a person',
  short: 'account and form',
  async run(stage) {
    const jin = await person(stage, 'jin');
    await jin.apply('samples/visitseoul/10-client.yaml');
    await jin.apply('samples/visitseoul/20-application.yaml');
    await untilForm(stage, NAME, 'PendingReview');
    await expectNoKey(stage, NAME);
    const own = await jin.tryKeyward(['approve', NAME]);
    expect('Jin cannot approve his own form', own.code !== 0, own.stdout);
    stage.screen.proof('who applies does not decide');
  },
};

const refused: Step = {
  title: 'Sora reads it and refuses; Jin sees why',
  short: 'refused with a reason',
  async run(stage) {
    const sora = await person(stage, 'sora');
    await sora.keyward(['inbox']);
    await sora.keyward(['review', NAME, '-n', 'keyward-demo']);
    await sora.keyward([
      'deny',
      NAME,
      '-n',
      'keyward-demo',
      '--reason=InsufficientInformation',
      '--message=Please say which data you show and how often you fetch it.',
      '--wait',
    ]);
    const message = await untilForm(stage, NAME, 'Denied');
    expect('the reason is shown', message.includes('which data you show'), message);
    await expectNoKey(stage, NAME);
  },
};

const approved: Step = {
  title: 'He corrects the form, which opens a second round, and she approves',
  short: 'corrected, approved, issued',
  async run(stage) {
    const jin = await person(stage, 'jin');
    const sora = await person(stage, 'sora');
    const justification = 'Some 2 000 views a day; the data is fetched once an hour and cached.';
    await jin.edit(`akapp/${NAME}`, { spec: { justification } });
    await untilRound(stage, NAME, 'Issue');
    await sora.keyward(['approve', NAME, '-n', 'keyward-demo', '--wait']);
    await stage.untilReady(NAME);
    await stage.kubectl(['get', 'akapp,akey', NAME]);
    const value = (await showSecret(stage, NAME)).value('apiKey');
    await stage.verify(`a call from ${SITE}`, value, 'accepted', { origin: SITE });
    await stage.verify('one from another site', value, ['OriginNotAllowed'], {
      origin: 'https://myservice.com',
    });
    await stage.verify('one that says no site', value, ['OriginMissing']);
  },
};

const reissued: Step = {
  title: 'The key was exposed: off at once, new values after approval',
  short: 'reissued after exposure',
  async run(stage) {
    const jin = await person(stage, 'jin');
    const sora = await person(stage, 'sora');
    const before = (await stage.secret(NAME)).value('apiKey');
    const origin = { origin: SITE };
    await jin.apply('samples/visitseoul/30-reissue.yaml');
    await stage.untilReason(NAME, 'Suspended');
    await stage.verify('the exposed value', before, ['KeyDisabled'], origin);
    await sora.keyward(['review', NAME, '-n', 'keyward-demo']);
    await sora.keyward(['approve', NAME, '-n', 'keyward-demo', '--wait']);
    await stage.untilField(NAME, '.status.sequence', '2');
    await stage.untilReady(NAME);
    const after = (await showSecret(stage, NAME)).value('apiKey');
    await stage.verify('the exposed value', before, DEAD, origin);
    await stage.verify('the new value', after, 'accepted', origin);
  },
};

const changed: Step = {
  title: 'A second site: what was granted goes on until the change is decided',
  short: 'change reviewed',
  async run(stage) {
    const jin = await person(stage, 'jin');
    const sora = await person(stage, 'sora');
    const value = (await stage.secret(NAME)).value('apiKey');
    const allowed = [SITE, SECOND_SITE].map((site) => new URL(site).host);
    await jin.edit(`akapp/${NAME}`, { spec: { terms: { originPolicy: { allowed } } } });
    await untilRound(stage, NAME, 'Change');
    const [first, second] = [SITE, SECOND_SITE].map((origin) => ({ origin }));
    await stage.verify(SITE, value, 'accepted', first);
    await stage.verify(SECOND_SITE, value, ['OriginNotAllowed'], second);
    await sora.keyward(['review', NAME, '-n', 'keyward-demo']);
    await sora.keyward(['approve', NAME, '-n', 'keyward-demo', '--wait']);
    await stage.untilReason(NAME, 'Active');
    await stage.until('the second site is let in', async () => stage.isAccepted(value, second));
    await stage.verify(SECOND_SITE, value, 'accepted', second);
    await stage.verify(SITE, value, 'accepted', first);
  },
};

const withdrawn: Step = {
  title: 'The grant is withdrawn: every value is dead, and no edit brings it back',
  short: 'grant withdrawn',
  async run(stage) {
    const sora = await person(stage, 'sora');
    const value = (await stage.secret(NAME)).value('apiKey');
    await sora.keyward([
      'withdraw-grant',
      NAME,
      '-n',
      'keyward-demo',
      '--reason=Security',
      '--message=The site serves malware.',
    ]);
    await stage.untilReason(NAME, 'GrantWithdrawn');
    await stage.kubectl(['get', 'akapp,akey', NAME]);
    await stage.verify('the value', value, DEAD, { origin: SITE });
    await stage.until('the Secret is gone', async () => {
      return (await stage.ask(['get', 'secret', NAME, '--ignore-not-found'])) === '';
    });
    stage.screen.proof('the Secret is gone');
  },
};

/** All of it, in order. */
export const visitSeoul: readonly Step[] = [
  store,
  incomplete,
  submitted,
  refused,
  approved,
  reissued,
  changed,
  withdrawn,
];
