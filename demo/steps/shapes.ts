/** What else a key can be: a pair, dates, limits, a Secret in the shape that a program wants. */
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { showSecret } from '../secret.ts';
import type { Step } from '../step.ts';

/** Key and secret, in a store that can give the same values again. */
export const keyPair: Step = {
  title: 'A key pair, in a store of its own',
  short: 'key pair',
  async run(stage) {
    await stage.apply('samples/30-keypair.yaml');
    await stage.untilReady('webhook');
    await stage.show('webhook');
    const secret = await showSecret(stage, 'webhook');
    const pair = [secret.value('apiKey'), secret.value('apiSecret')];
    const presented = new Sensitive(pair.map((value) => value.revealText()).join(' '));
    await stage.verify('key and secret together', presented, 'accepted');
  },
};

/** What the gate checks beside the value. */
export const limits: Step = {
  title: 'Dates, sites, networks and a quota',
  short: 'terms of use',
  async run(stage) {
    await stage.apply('samples/40-validity.yaml');
    await stage.apply('samples/50-quota-origins.yaml');
    await stage.untilReady('festival');
    await stage.untilReady('storefront');
    await stage.show('festival', 'storefront');
    const festival = (await stage.secret('festival')).value('apiKey');
    await stage.verify('festival, today', festival, 'accepted');
    const value = (await stage.secret('storefront')).value('apiKey');
    const good = {
      origin: 'https://www.example.com',
      address: '203.0.113.7',
      quotaRemaining: 1_000,
    };
    await stage.verify('storefront, from its site and network', value, 'accepted', good);
    const elsewhere = { ...good, origin: 'https://example.org' };
    await stage.verify('storefront, another site', value, ['OriginNotAllowed'], elsewhere);
    const outside = { ...good, address: '198.51.100.7' };
    await stage.verify('storefront, another network', value, ['IPNotAllowed'], outside);
    const usedUp = { ...good, quotaRemaining: 0 };
    await stage.verify('storefront, after a thousand calls', value, ['QuotaExceeded'], usedUp);
  },
};

/** One configuration file in place of single entries. */
export const template: Step = {
  title: 'A Secret in the shape that a program wants',
  short: 'Secret from a template',
  async run(stage) {
    await stage.apply('samples/60-template.yaml');
    await stage.untilReady('reporting');
    const secret = await showSecret(stage, 'reporting');
    const key = /^key = (\S+)$/m.exec(secret.value('client.ini').revealText())?.[1] ?? '';
    await stage.verify('the value inside the file', new Sensitive(key), 'accepted');
  },
};
