/** The story of an API platform: a draft, a complete form, two layers of review for every step. */
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { expect } from '../expect.ts';
import { showSecret, type SecretEntries } from '../secret.ts';
import type { Stage } from '../stage.ts';
import type { Step } from '../step.ts';
import { expectNoKey, formStatus, untilForm, untilProven, untilRound } from './evidence.ts';
import { letJinApply, person } from './people.ts';

const CLIENT = 'crm';
const NAME = 'crm-sync';
const ZONE = 'Asia/Taipei';
const DEAD = ['KeyRevoked', 'InvalidKey'];
/** Calls that no quota stands in the way of; the gate that counts them is not part of this demo. */
const CALL = { productRef: 'orders', quotaRemaining: 1 };
const HERE = ['-n', 'keyward-demo'];

const store: Step = {
  title: 'A store with two layers of review, and two APIs to choose from',
  short: 'store, products, reviewers',
  async run(stage) {
    for (const file of ['00-store', '05-reviewers', '10-client']) {
      await stage.apply(`samples/digirunner/${file}.yaml`);
    }
    await letJinApply(stage);
    await stage.untilSaid('ckst/digirunner', 'Connected');
    stage.screen.proof('Sora decides in layer owner, Theo in layer security');
    await untilProven(stage);
  },
};

const empty: Step = {
  title: 'A client without keys is no error',
  short: '1298 no information found',
  async run(stage) {
    const jin = await person(stage, 'jin');
    await jin.keyward(['clients', 'CRM']);
    const said = await jin.tryKeyward(['keys', '--client', CLIENT]);
    const text = said.stdout + said.stderr;
    expect('it says 1298 and goes on', said.code === 0 && text.includes('1298'), text);
    await jin.keyward(['products', 'orders']);
  },
};

const registered: Step = {
  title: 'A client is registered before keys are applied for on its behalf',
  short: 'client accepted',
  async run(stage) {
    const sora = await person(stage, 'sora');
    await sora.keyward(['approve', `client/${CLIENT}`, ...HERE, '--wait']);
    await stage.ask(['wait', `acl/${CLIENT}`, '--for=condition=Ready', '--timeout=120s']);
    await stage.kubectl(['get', `acl/${CLIENT}`]);
  },
};

const draft: Step = {
  title: 'A draft is saved, and may be incomplete; nobody reviews it',
  short: 'draft',
  async run(stage) {
    const jin = await person(stage, 'jin');
    const sora = await person(stage, 'sora');
    await jin.apply('samples/digirunner/20-draft.yaml');
    await untilForm(stage, NAME, 'Draft');
    const inbox = await sora.keyward(['inbox']);
    expect('the inbox is empty', !inbox.includes(NAME), inbox);
  },
};

const incomplete: Step = {
  title: 'Submitted too early: every problem at once, by the numbers that people know',
  short: 'incomplete, with codes',
  async run(stage) {
    const jin = await person(stage, 'jin');
    await jin.edit(`akapp/${NAME}`, {
      spec: {
        submission: 'Submitted',
        terms: {
          validity: { effectiveDate: '2020-01-01' },
          productRefs: [{ name: 'orders' }, { name: 'weather' }],
        },
      },
    });
    const message = await untilForm(stage, NAME, 'Incomplete');
    for (const part of ['justification', '1127', '1227']) {
      expect(`the message names ${part}`, message.includes(part), message);
    }
    await expectNoKey(stage, NAME);
  },
};

const layers: Step = {
  title: 'Complete: the first layer decides before the second, and may grant less',
  short: 'two layers, narrowed',
  async run(stage) {
    const [jin, sora, theo] = [
      await person(stage, 'jin'),
      await person(stage, 'sora'),
      await person(stage, 'theo'),
    ];
    await jin.edit(`akapp/${NAME}`, {
      spec: {
        justification: 'Replaces the file drop that ends in spring.',
        terms: {
          validity: { effectiveDate: today(), expirationDate: '2099-12-31' },
          quota: { requests: 100_000 },
          productRefs: [{ name: 'orders' }, { name: 'stock' }],
        },
      },
    });
    await untilForm(stage, NAME, 'PendingReview');
    const early = await theo.tryKeyward(['approve', NAME, ...HERE, '--layer=security', '--wait']);
    expect('the second layer cannot decide first', early.code !== 0, early.stdout);
    await sora.keyward(['review', NAME, ...HERE]);
    const narrower = ['--layer=owner', '--narrow', 'quota=50000'];
    await sora.keyward(['approve', NAME, ...HERE, ...narrower, '--wait']);
    await expectNoKey(stage, NAME);
    await theo.keyward(['approve', NAME, ...HERE, '--layer=security', '--wait']);
    await stage.untilReady(NAME);
    await stage.kubectl(['get', 'akapp,akey', NAME]);
    const secret = await showSecret(stage, NAME);
    const { grant } = await formStatus(stage, NAME);
    const requests = grant?.terms?.quota?.requests;
    expect('50 000 calls were granted of 100 000', requests === 50_000, requests);
    stage.screen.proof('50 000 calls were granted of the 100 000 that were asked for');
    await stage.verify('a call of the orders API', pair(secret), 'accepted', CALL);
    await jin.keyward(['keys', '--client', CLIENT]);
  },
};

const changed: Step = {
  title: 'A change is a new round: the old terms hold until both layers agree',
  short: 'change, values kept',
  async run(stage) {
    const jin = await person(stage, 'jin');
    const before = await stage.secret(NAME);
    await jin.edit(`akapp/${NAME}`, { spec: { terms: { quota: { requests: 200_000 } } } });
    await untilRound(stage, NAME, 'Change');
    await stage.untilReason(NAME, 'ChangePending');
    await stage.verify('the values meanwhile', pair(before), 'accepted', CALL);
    await approveBoth(stage);
    await stage.until('the change is in force', async () => {
      return (await formStatus(stage, NAME)).grant?.terms?.quota?.requests === 200_000;
    });
    await stage.untilReason(NAME, 'Active');
    const after = await stage.secret(NAME);
    const isSame = after.isSame('apiKey', before) && after.isSame('apiSecret', before);
    expect('key and secret are the same', isSame, 'other values');
    stage.screen.proof('key and secret are the same, the quota is full again: 200 000 calls');
  },
};

const reissued: Step = {
  title: 'Exposed: new values after review, without overlap',
  short: 'reissued after exposure',
  async run(stage) {
    const jin = await person(stage, 'jin');
    const before = await stage.secret(NAME);
    await jin.edit(`akapp/${NAME}`, {
      spec: { reissue: { requestId: 'leak-1', reason: 'Exposed', whileWaiting: 'KeepActive' } },
    });
    await untilRound(stage, NAME, 'Reissue');
    await stage.verify('the values meanwhile', pair(before), 'accepted', CALL);
    await approveBoth(stage);
    await stage.untilField(NAME, '.status.sequence', '2');
    await stage.untilReason(NAME, 'Active');
    const after = await showSecret(stage, NAME);
    await stage.verify('the exposed values', pair(before), DEAD, CALL);
    await stage.verify('the new ones', pair(after), 'accepted', CALL);
  },
};

const revoked: Step = {
  title: 'Revocation is reviewed, too; until then the key works',
  short: 'revoked through review',
  async run(stage) {
    const [jin, sora] = [await person(stage, 'jin'), await person(stage, 'sora')];
    const values = await stage.secret(NAME);
    const justification = 'The file drop is back.';
    await jin.edit(`akapp/${NAME}`, { spec: { revocation: { justification } } });
    await untilRound(stage, NAME, 'Revoke');
    await stage.verify('the values meanwhile', pair(values), 'accepted', CALL);
    await sora.keyward(['inbox']);
    await approveBoth(stage);
    await stage.untilReason(NAME, 'Revoked');
    await stage.kubectl(['get', 'akapp,akey', NAME]);
    await stage.verify('the values', pair(values), DEAD, CALL);
    await jin.keyward(['keys', '--client', CLIENT]);
    await stage.keyward(['audit', 'list', '--limit=12']);
  },
};

async function approveBoth(stage: Stage): Promise<void> {
  const [sora, theo] = [await person(stage, 'sora'), await person(stage, 'theo')];
  await sora.keyward(['approve', NAME, ...HERE, '--layer=owner', '--wait']);
  await theo.keyward(['approve', NAME, ...HERE, '--layer=security', '--wait']);
}

/** Key and secret as the gate's decision takes them. */
function pair(secret: SecretEntries): Sensitive {
  const [key, value] = ['apiKey', 'apiSecret'].map((name) => secret.value(name).revealText());
  return new Sensitive(`${key} ${value}`);
}

/** The date in the store's zone. */
function today(): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: ZONE }).format(new Date());
}

/** All of it, in order. */
export const digirunner: readonly Step[] = [
  store,
  empty,
  registered,
  draft,
  incomplete,
  layers,
  changed,
  reissued,
  revoked,
];
