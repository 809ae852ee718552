/**
 * A vendor that misbehaves, over HTTP: whatever it does, there is one key for each ApiKey in the end,
 * and none of what it says in anger is ever shown.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NaverFake } from '../../../fakes/naver/fake.ts';
import type { Fault } from '../../../kit/fake.ts';
import { eventually } from '../../support/eventually.ts';
import { condition } from '../../support/operator.site.ts';
import { VendorSite } from '../../support/vendor.site.ts';

const MINUTE_MS = 60_000;
const fake = new NaverFake();
/** Where redirects lead; nobody may ever come. */
const elsewhere = new NaverFake();
let vendor: VendorSite<NaverFake>;

beforeAll(async () => {
  await elsewhere.start();
  vendor = await VendorSite.open(fake, { flags: { 'log-level': 'debug' } });
});

afterEach(() => fake.clear());

afterAll(async () => {
  await vendor.close();
  await elsewhere.stop();
});

/** Calls of an operation since the last `clear`. */
function callsOf(operation: string) {
  return fake.calls.filter((call) => call.operation === operation);
}

/** Issues a key while calls meet the fault; there must be exactly one more at the vendor. */
async function issueDespite(name: string, operation: string, fault: Fault, times = 1) {
  const before = vendor.ids.length;
  fake.inject({ operation, fault, times });
  await vendor.issue(name);
  const values = await vendor.untilSame(name);
  expect(vendor.ids).toHaveLength(before + 1);
  return values;
}

describe('when the call that makes a key', () => {
  test('is redirected, nobody follows', async () => {
    const location = `${elsewhere.address}/api/v1/api-keys`;
    await issueDespite('redirected', 'create', { kind: 'Redirect', location });
    expect(elsewhere.calls).toEqual([]);
  });

  test('is answered with 50 MB, the key is found and taken over', async () => {
    await issueDespite('huge', 'create', { kind: 'Huge', bytes: 50 * 1_048_576 });
    expect(callsOf('create')).toHaveLength(1);
  });

  test('is answered with half a body, or with none, the key is found and taken over', async () => {
    await issueDespite('torn', 'create', { kind: 'Torn' });
    await issueDespite('lost', 'create', { kind: 'LostAnswer' });
    expect(callsOf('create')).toHaveLength(2);
  });

  test('is refused with a page of HTML, it is made again', async () => {
    await issueDespite('proxy', 'create', {
      kind: 'Status',
      status: 502,
      body: '<html>bad gateway</html>',
    });
    expect(callsOf('create')).toHaveLength(2);
  });

  test('has strange members in its answer, they are ignored (R52)', async () => {
    await issueDespite('strange', '*', { kind: 'StrangeMembers' }, 10);
    expect(callsOf('create')).toHaveLength(1);
  });

  test('is answered 429, the next one waits as long as Retry-After says (R50)', async () => {
    const headers = { 'retry-after': '2' };
    await issueDespite('throttled', 'create', { kind: 'Status', status: 429, headers });
    const [first, second] = callsOf('create');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(2_000);
  });
});

describe('when lists show a new key only later', () => {
  test('a key whose creation was answered is not looked for there', async () => {
    fake.listLagMs = 60 * MINUTE_MS;
    await vendor.issue('unlisted');
    await vendor.untilSame('unlisted');
    expect(callsOf('create')).toHaveLength(1);
  });

  test('a key whose answer was lost is waited for until lists have settled, not made twice', async () => {
    await vendor.putStore('slow', { settleSeconds: 5 });
    await vendor.untilStore('slow', 'Connected');
    fake.listLagMs = 2_500;
    const before = vendor.ids.length;
    fake.inject({ operation: 'create', fault: { kind: 'LostAnswer' } });
    await vendor.issue('lagging', {}, 'slow');
    await vendor.untilSame('lagging');
    expect(vendor.ids).toHaveLength(before + 1);
    expect(callsOf('create')).toHaveLength(1);
  });
});

describe('when the vendor', () => {
  test('does not answer for a while, a new key waits and the others go on', async () => {
    await vendor.issue('steady');
    const before = await vendor.site.values('steady');
    fake.inject({ operation: '*', fault: { kind: 'Cut' } });
    // The second attempt stands still, so that what the first one left can be looked at.
    const second = fake.holds.add('*', 'Before', 2);
    await vendor.create('patient');
    const key = await vendor.site.until('patient', 'StoreUnavailable');
    expect(condition(key, 'StoreSynced')).toMatchObject({ reason: 'StoreUnavailable' });
    expect(condition(await vendor.site.key('steady'), 'Ready')).toMatchObject({ status: 'True' });
    expect(await vendor.site.values('steady')).toEqual(before);
    second.release();
    await vendor.site.until('patient', 'Active');
    await vendor.untilStore('vendor', 'Connected');
  });

  test('says that our clock is wrong, the store says so, and its keys go on', async () => {
    fake.clockOffsetMs = 20 * MINUTE_MS;
    await vendor.create('early');
    const message = await vendor.untilStore('vendor', 'ClockSkew');
    expect(message).toContain('clock');
    expect(condition(await vendor.site.key('steady'), 'Ready')).toMatchObject({ status: 'True' });
    fake.clockOffsetMs = 0;
    await vendor.editStore('vendor', { settleSeconds: 2 });
    await vendor.untilStore('vendor', 'Connected');
    await vendor.site.until('early', 'Active');
  });

  test('refuses a key, its condition says so without a word of the vendor (R49)', async () => {
    fake.inject({ operation: 'create', times: 100, fault: { kind: 'EchoSecrets', status: 400 } });
    await vendor.create('refused');
    const key = await eventually(async () => {
      const seen = await vendor.site.key('refused');
      expect(condition(seen, 'StoreSynced')).toMatchObject({ reason: 'StoreRejected' });
      return seen;
    });
    expect(condition(key, 'StoreSynced')?.message).toContain('HTTP 400');
  });
});

test('secrets in bodies of errors never reach status, events, logs, metrics or database (R49)', async () => {
  const { site } = vendor;
  for (const operation of ['create', 'update', 'list', 'read', 'regenerate', 'delete']) {
    fake.inject({ operation, fault: { kind: 'EchoSecrets', status: 500 } });
  }
  await vendor.issue('angry');
  await site.edit('angry', { rotation: { requestId: 'one', urgency: 'Emergency' } });
  await site.untilRotated('angry', 'one');
  await vendor.issue('gone');
  await site.remove('gone');
  await site.untilGone('gone');
  expect(new Set(fake.calls.flatMap(({ fault }) => fault ?? []))).toEqual(new Set(['EchoSecrets']));
  expect(site.operator.log.some(({ level }) => level === 'debug')).toBe(true);
  expect(await vendor.leaks()).toEqual([]);
});
