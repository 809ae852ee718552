/** What the driver sends, and what it makes of answers; the vendor is the fake, over HTTP. */
import { describe, expect, test } from 'vitest';
import { OUR_TENANT } from '../../../../fakes/naver/fake.ts';
import { Circuit } from '../../../../src/stores/circuit.ts';
import { StoreFailure, type RemoteStore } from '../../../../src/stores/contract.ts';
import { admitEndpoint, parseEndpointHosts } from '../../../../src/stores/endpoints.ts';
import { naverDriver } from '../../../../src/stores/naver/driver.ts';
import { isSameGeneration, markName, markText } from '../../../../src/stores/mark.ts';
import { aMark, GOING_ON, naverSite, NOW_MS, openNaver, wanted } from './site.ts';

const REF = { credentialsSecretRef: { name: 'account' } };

describe('the settings of a store at NAVER', () => {
  test('lead to the public zone unless they say otherwise, for Classic and VPC alike (R31)', () => {
    const { endpoint, settleMs, deleteGraceMs, onExpiry, credentials } = openNaver();
    expect(endpoint.href).toBe('https://apigateway.apigw.ntruss.com/');
    expect(naverDriver.hosts).toContain(endpoint.hostname);
    expect([settleMs, deleteGraceMs, onExpiry]).toEqual([30_000, 0, 'Disable']);
    expect(credentials).toEqual({ secretName: 'account', entries: ['accessKey', 'secretKey'] });
  });

  test('name an endpoint that operators let through: its own zones, others where they are listed', () => {
    const admit = (endpoint: string, listed = ''): unknown => {
      const hosts = parseEndpointHosts(listed);
      if ('problem' in hosts) throw new Error(hosts.problem);
      const wish = { type: 'Naver', endpoint: openNaver({ endpoint }).endpoint };
      return admitEndpoint({ ...wish, defaults: naverDriver.hosts }, hosts);
    };
    for (const zone of ['', 'gov-', 'fin-']) {
      const endpoint = `https://apigateway.apigw.${zone}ntruss.com/api/v1/`;
      expect(admit(endpoint)).toMatchObject({ reach: 'Public' });
    }
    expect(admit('https://example.com/api/v1')).toHaveProperty('problem');
    expect(admit('https://example.com/api/v1', 'Naver=example.com')).not.toHaveProperty('problem');
    const fake = admit('http://127.0.0.1:8080/api/v1', 'Naver=127.0.0.1:8080');
    expect(fake).toMatchObject({ reach: 'Loopback' });
  });

  test.each([
    [{}, 'credentialsSecretRef'],
    [{ credentialsSecretRef: { name: '' } }, 'credentialsSecretRef'],
    [{ ...REF, endpoint: 'http://apigateway.apigw.ntruss.com/api/v1' }, 'spec.naver.endpoint'],
    [{ ...REF, endpoint: 'http://127.0.0.1.example.com' }, 'spec.naver.endpoint'],
    [{ ...REF, endpoint: 'https://user:word@example.com' }, 'spec.naver.endpoint'],
    [{ ...REF, endpoint: 'https://example.com/?a=b' }, 'spec.naver.endpoint'],
    [{ ...REF, endpoint: 'not an address' }, 'spec.naver.endpoint'],
    [{ ...REF, tenantId: 7 }, 'spec.naver.tenantId'],
    [{ ...REF, onExpiry: 'Keep' }, 'spec.naver.onExpiry'],
    [{ ...REF, settleSeconds: -1 }, 'seconds'],
    [{ ...REF, deleteGraceSeconds: 1.5 }, 'seconds'],
  ])('%j have a problem, said in a sentence that names the field', (member, part) => {
    expect(naverDriver.open(member)).toEqual({ problem: expect.stringContaining(part) });
  });

  test('promise what the vendor keeps: two values, names of 20, descriptions of 50 (R35, R36)', () => {
    expect(openNaver().capabilities).toMatchObject({
      class: 'M',
      formats: ['Dual'],
      displayNameMax: 20,
      descriptionMax: 50,
      suspend: true,
      regeneratePerSlot: true,
      recoverable: true,
      terms: ['productRefs'],
    });
  });
});

describe('creating a key', () => {
  test('is a POST of JSON to /api-keys below /api/v1, with three headers of proof (R30, R33, R34)', async () => {
    await using site = await naverSite();
    await site.store.create(wanted(), GOING_ON);
    expect(site.sent).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/api-keys',
        headers: {
          'content-type': 'application/json',
          'x-ncp-apigw-timestamp': expect.stringMatching(/^\d{13}$/),
          'x-ncp-iam-access-key': site.fake.accounts[0]?.credentials['accessKey'],
          'x-ncp-apigw-signature-v2': expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
        },
      },
    ]);
  });

  test('names the key in apiKeyName, not in apiName, and puts the mark there (R37)', async () => {
    await using site = await naverSite();
    const want = wanted();
    await site.store.create(want, GOING_ON);
    expect(JSON.parse(site.sent[0]?.body ?? '')).toEqual({
      apiKeyName: markName(want.mark),
      apiKeyDescription: markText(want.mark),
    });
  });

  test('answers a key that works, with both values and what the vendor says of it (R39, R40, R43, R44, R45, R46, R48)', async () => {
    await using site = await naverSite();
    const want = wanted();
    const made = await site.store.create(want, GOING_ON);
    const [key] = site.fake.credentials();
    expect(made).toMatchObject({
      id: key?.id,
      enabled: true,
      mark: want.mark,
      accountId: OUR_TENANT,
    });
    expect(made.values.primaryKey?.revealText()).toBe(key?.values.primaryKey);
    expect(made.values.secondaryKey?.revealText()).toBe(key?.values.secondaryKey);
    expect(made.facts).toEqual({
      tenantId: OUR_TENANT,
      modifier: 'd12c9fd0-7a3b-4c55-9e21-246e96591a38',
      domainCode: 'PUB',
    });
    expect(made.hint).toBe(`...${key?.values.primaryKey?.slice(-4)}`);
  });
});

describe('a key that exists', () => {
  test('is read bare, by its id, with both values and the time of its last change (R39, R47)', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const read = await site.store.read(id, GOING_ON);
    expect(site.sent[1]).toMatchObject({ method: 'GET', path: `/api/v1/api-keys/${id}` });
    expect(Object.keys(read?.values ?? {})).toEqual(['primaryKey', 'secondaryKey']);
    expect(read?.modifiedMs).toBe(NOW_MS);
  });

  test('is always changed as a whole, and its new name and description are answered (R42)', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const wish = { enabled: false, name: '지도 서비스', description: '' };
    const changed = await site.store.update(id, wish, GOING_ON);
    expect(changed).toMatchObject(wish);
    expect(changed?.mark).toBeUndefined();
    expect(site.sent[1]).toMatchObject({ method: 'PUT', path: `/api/v1/api-keys/${id}` });
    expect(JSON.parse(site.sent[1]?.body ?? '')).toEqual({
      isEnabled: false,
      apiKeyName: '지도 서비스',
      apiKeyDescription: '',
    });
  });

  test.each([
    ['20 Korean syllables', '가'.repeat(20), 'No'],
    ['21 Korean syllables', '가'.repeat(21), 'Refused'],
    ['20 emoji', '🔑'.repeat(20), 'No'],
    ['21 letters', 'a'.repeat(21), 'Refused'],
    ['nothing', '', 'Refused'],
  ])('may have %s as name by the count of characters: %#', async (_, name, refused) => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const call = site.store.update(id, { enabled: true, name, description: '' }, GOING_ON);
    const outcome = await call.then(
      (changed) => changed?.name,
      (err: { kind: string }) => err.kind,
    );
    expect(outcome).toBe(refused === 'No' ? name : 'Refused');
  });

  test('counts characters as people do, in names and descriptions (R35, R36, R38)', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const wish = { enabled: true, name: '키'.repeat(20), description: '🔑'.repeat(50) };
    expect(await site.store.update(id, wish, GOING_ON)).toMatchObject(wish);
    const long = { ...wish, description: '🔑'.repeat(51) };
    await expect(site.store.update(id, long, GOING_ON)).rejects.toMatchObject({
      kind: 'Refused',
      executed: 'No',
    });
  });

  test('is bound by no rule about passwords and first names of people (R53)', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const wish = { enabled: true, name: '7', description: 'no@mail, 1 !' };
    expect(await site.store.update(id, wish, GOING_ON)).toMatchObject(wish);
  });

  test('has its values made anew one by one, also while it is disabled (R44)', async () => {
    await using site = await naverSite();
    const made = await site.store.create(wanted(), GOING_ON);
    await site.store.update(made.id, { enabled: false, name: 'n', description: '' }, GOING_ON);
    const changed = await site.store.regenerate(made.id, 'secondaryKey', GOING_ON);
    expect(JSON.parse(site.sent[2]?.body ?? '')).toEqual({ keyType: 'SECONDARY' });
    expect(site.sent[2]?.method).toBe('PATCH');
    expect(changed?.enabled).toBe(false);
    expect(changed?.values.primaryKey?.revealText()).toBe(made.values.primaryKey?.revealText());
    expect(changed?.values.secondaryKey?.revealText()).not.toBe(
      made.values.secondaryKey?.revealText(),
    );
  });

  test('has no value of another format to be made anew', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    await expect(site.store.regenerate(id, 'apiSecret', GOING_ON)).rejects.toMatchObject({
      kind: 'Refused',
    });
    expect(site.sent).toHaveLength(1);
  });

  test('of a tenant that is not ours is told with its tenant, so that it is never taken for ours (R41, S19)', async () => {
    await using site = await naverSite();
    const id = site.fake.act({ act: 'Create', accountId: site.fake.accounts[1]?.id ?? '' });
    // As if the vendor mixed them up: our settings, their keys.
    const theirs = site.connect(site.fake.accounts[1]?.credentials ?? {});
    const read = await theirs.read(id, GOING_ON);
    expect(read?.accountId).toBe(site.fake.accounts[1]?.id);
    expect(read?.accountId).not.toBe(OUR_TENANT);
  });
});

describe('finding a key whose create call had no answer', () => {
  test('asks for the name and believes only the description (R51)', async () => {
    await using site = await naverSite();
    const mark = aMark();
    const { id } = await site.store.create(wanted(mark), GOING_ON);
    const namesake = { name: markName(mark), description: 'somebody else' };
    site.fake.act({ act: 'Create', ...namesake });
    site.fake.act({ act: 'Create', ...namesake, description: markText(aMark()) });
    const found = await site.store.find(mark, GOING_ON);
    expect(found.map((one) => one.id)).toEqual([id]);
    expect(site.sent[1]?.path).toBe(
      `/api/v1/api-keys?offset=0&limit=100&apiKeyName=${markName(mark)}`,
    );
  });

  test('finds it twice when the network doubled the call, and after other attempts', async () => {
    await using site = await naverSite({ pageMax: 2 });
    const mark = aMark();
    for (const attempt of [1, 2, 7]) {
      // oxlint-disable-next-line no-await-in-loop
      await site.store.create(wanted({ ...mark, attempt }), GOING_ON);
    }
    const found = await site.store.find(mark, GOING_ON);
    expect(new Set(found.map((one) => one.mark?.attempt))).toEqual(new Set([1, 2, 7]));
    expect(found.every((one) => isSameGeneration(one.mark, mark))).toBe(true);
  });
});

describe('an id that may be gone', () => {
  test.each([
    ['404 with code 300', {}, 1],
    ['400, so that a list must tell', { missing: 400 }, 2],
  ] as const)('is answered with %s', async (_, quirks, calls) => {
    await using site = await naverSite(quirks);
    expect(await site.store.read('gone123456', GOING_ON)).toBeUndefined();
    expect(site.sent).toHaveLength(calls);
    const wish = { enabled: true, name: 'n', description: '' };
    expect(await site.store.update('gone123456', wish, GOING_ON)).toBeUndefined();
    expect(await site.store.regenerate('gone123456', 'primaryKey', GOING_ON)).toBeUndefined();
    expect(await site.store.delete('gone123456', GOING_ON)).toBe('NotFound');
  });

  test('is not believed gone when a 400 was about the request', async () => {
    await using site = await naverSite({ missing: 400 });
    const { id } = await site.store.create(wanted(), GOING_ON);
    const wish = { enabled: true, name: 'a'.repeat(21), description: '' };
    await expect(site.store.update(id, wish, GOING_ON)).rejects.toMatchObject({ kind: 'Refused' });
  });

  test('is not believed gone when a proxy answers 404 to everything', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const fault = { kind: 'Status', status: 404, body: '<html>no route</html>' } as const;
    site.fake.inject({ operation: '*', times: 9, fault });
    await expect(site.store.read(id, GOING_ON)).rejects.toMatchObject({ kind: 'Garbled' });
    await expect(site.store.delete(id, GOING_ON)).rejects.toMatchObject({ kind: 'Garbled' });
  });

  test('needs no call when the vendor cannot have made it', async () => {
    await using site = await naverSite();
    expect(await site.store.read('../products', GOING_ON)).toBeUndefined();
    expect(await site.store.delete('', GOING_ON)).toBe('NotFound');
    expect(site.sent).toEqual([]);
  });
});

describe('logging in', () => {
  test('costs one entry of a list and tells the tenant that the store names, assumed while no key shows it', async () => {
    await using site = await naverSite();
    const account = { id: OUR_TENANT, facts: { tenantId: OUR_TENANT } };
    expect(await site.store.login(GOING_ON)).toEqual({ ...account, isAssumed: true });
    expect(site.sent).toMatchObject([{ method: 'GET', path: '/api/v1/api-keys?offset=0&limit=1' }]);
    site.fake.act({ act: 'Create' });
    expect(await site.store.login(GOING_ON)).toEqual(account);
  });

  test('to a store that names no tenant goes by the access key, with and without keys', async () => {
    await using site = await naverSite({}, {});
    const id = 'OurAccessKey00000001';
    expect(await site.store.login(GOING_ON)).toEqual({ id, facts: {} });
    const made = await site.store.create(wanted(), GOING_ON);
    expect(made.accountId).toBeUndefined();
    expect(made.facts['tenantId']).toBe(OUR_TENANT);
    const facts = { tenantId: OUR_TENANT };
    expect(await site.store.login(GOING_ON)).toEqual({ id, facts });
  });

  test('with the credentials of another tenant than the one that was named is Denied (R41)', async () => {
    await using site = await naverSite();
    const [, other] = site.fake.accounts;
    site.fake.act({ act: 'Create', accountId: other?.id ?? '' });
    const theirs = site.connect(other?.credentials ?? {});
    await expect(theirs.login(GOING_ON)).rejects.toMatchObject({ kind: 'Denied', executed: 'No' });
  });

  test('works with credentials that have a line end, as files do', async () => {
    await using site = await naverSite();
    const [account] = site.fake.accounts;
    const { accessKey, secretKey } = account?.credentials ?? {};
    const store = site.connect({ accessKey: `${accessKey}\n`, secretKey: `${secretKey}\r\n` });
    expect((await store.login(GOING_ON)).id).toBe(OUR_TENANT);
  });

  test.each([
    ['missing', {}],
    ['empty', { accessKey: '', secretKey: '' }],
    ['with a line end in the middle', { accessKey: 'a\nb', secretKey: 'c' }],
    ['not ASCII', { accessKey: '열쇠', secretKey: 'c' }],
  ])('with credentials that are %s is Denied without a call', async (_, credentials) => {
    await using site = await naverSite();
    const store = site.connect(credentials as Readonly<Record<string, string>>);
    await expect(store.login(GOING_ON)).rejects.toMatchObject({ kind: 'Denied' });
    expect(site.sent).toEqual([]);
  });

  test('without the right to look is Denied, with the code of the vendor (R50)', async () => {
    await using site = await naverSite({ forbidden: ['list'] });
    await expect(site.store.login(GOING_ON)).rejects.toMatchObject({
      kind: 'Denied',
      message: expect.stringContaining('vendor code 210'),
    });
  });

  test('without the right to search the list of keys by name is Denied, as at a login', async () => {
    await using site = await naverSite({ forbidden: ['list'] });
    await expect(site.store.find(aMark(), GOING_ON)).rejects.toMatchObject({ kind: 'Denied' });
    await expect(site.store.list(GOING_ON)).rejects.toMatchObject({ kind: 'Denied' });
  });

  test.each([-299_999, 299_999])('works when the clocks differ by %i ms', async (offsetMs) => {
    await using site = await naverSite();
    site.fake.clockOffsetMs = offsetMs;
    expect((await site.store.login(GOING_ON)).id).toBe(OUR_TENANT);
  });

  test.each([-3_600_000, -300_000, 300_000, 3_600_000])(
    'when the clocks differ by %i ms is ClockSkew, not Denied',
    async (clockOffsetMs) => {
      await using site = await naverSite();
      site.fake.clockOffsetMs = clockOffsetMs;
      await expect(site.store.login(GOING_ON)).rejects.toMatchObject({ kind: 'ClockSkew' });
    },
  );
});

describe('subscriptions: a key alone opens no protected product (R32)', () => {
  const productId = 'protected1';

  test('are asked for, accepted or refused by the publisher, and given up', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const { subscriptions } = site.store;
    const state = (): unknown => subscriptions?.state(id, productId, GOING_ON);
    expect(await state()).toBe('None');
    await subscriptions?.request(id, productId, GOING_ON);
    expect(await state()).toBe('Requested');
    const answers = ['ACCEPTED', 'REJECTED', 'DENY', 'BLOCKED_REQUEST'] as const;
    const states: unknown[] = [];
    for (const answer of answers) {
      site.fake.decide(productId, id, answer);
      // oxlint-disable-next-line no-await-in-loop
      states.push(await state());
    }
    expect(states).toEqual(['Accepted', 'Rejected', 'Denied', 'Denied']);
    await subscriptions?.withdraw(id, productId, GOING_ON);
    expect(await state()).toBe('None');
  });

  test('are found among those of many keys', async () => {
    await using site = await naverSite({ pageMax: 2 });
    const made = await Promise.all(
      Array.from({ length: 7 }, () => site.store.create(wanted(), GOING_ON)),
    );
    for (const { id } of made) site.fake.decide(productId, id, 'REQUEST');
    site.fake.decide(productId, made[3]?.id ?? '', 'ACCEPTED');
    const { subscriptions } = site.store;
    expect(await subscriptions?.state(made[3]?.id ?? '', productId, GOING_ON)).toBe('Accepted');
    expect(await subscriptions?.state(made[6]?.id ?? '', productId, GOING_ON)).toBe('Requested');
  });

  test('of a public product, or asked for twice, are refused by the vendor', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const request = (product: string): Promise<void> | undefined =>
      site.store.subscriptions?.request(id, product, GOING_ON);
    await expect(request('public0001')).rejects.toMatchObject({ kind: 'Refused' });
    await request(productId);
    await expect(request(productId)).rejects.toMatchObject({ kind: 'Refused' });
  });

  test('of a key that cannot be are refused without a call', async () => {
    await using site = await naverSite();
    const call = site.store.subscriptions?.request('../x', productId, GOING_ON);
    await expect(call).rejects.toMatchObject({ kind: 'Refused' });
    expect(site.sent).toEqual([]);
  });
});

describe('no value of a key', () => {
  test('stands in what a list keeps, even where the vendor shows it (R49)', async () => {
    await using site = await naverSite({ listedValues: 'Shown' });
    const { id } = await site.store.create(wanted(), GOING_ON);
    const listed = JSON.stringify(await site.store.list(GOING_ON));
    expect(listed).toContain(id);
    for (const value of Object.values(site.fake.credentials()[0]?.values ?? {})) {
      expect(listed).not.toContain(value.slice(0, 8));
    }
  });
});

describe('a right that one call lacks', () => {
  const WISH = { enabled: false, name: 'name', description: '' };
  const CALLS: readonly (readonly [string, string, (store: RemoteStore, id: string) => unknown])[] =
    [
      ['create', 'may not create keys', (store) => store.create(wanted(), GOING_ON)],
      ['read', 'may not look at this key', (store, id) => store.read(id, GOING_ON)],
      ['update', 'may not change', (store, id) => store.update(id, WISH, GOING_ON)],
      [
        'regenerate',
        'may not regenerate this key',
        (store, id) => store.regenerate(id, 'primaryKey', GOING_ON),
      ],
      ['delete', 'may not delete this key', (store, id) => store.delete(id, GOING_ON)],
      [
        'search',
        'may not search the keys',
        (store, id) => store.subscriptions?.state(id, 'p', GOING_ON),
      ],
      [
        'subscribe',
        'may not subscribe this key',
        (store, id) => store.subscriptions?.request(id, 'p', GOING_ON),
      ],
      [
        'unsubscribe',
        'may not unsubscribe this key',
        (store, id) => store.subscriptions?.withdraw(id, 'p', GOING_ON),
      ],
    ];

  describe.each([
    [401, '210'],
    [403, '230'],
  ])('told by %i with code %s', (status, errorCode) => {
    test.each(CALLS)('stops %s alone, by its name', async (operation, lacking, call) => {
      await using site = await naverSite();
      const { id } = await site.store.create(wanted(), GOING_ON);
      const body = JSON.stringify({ error: { errorCode, message: 'secret words' } });
      site.fake.inject({ operation, fault: { kind: 'Status', status, body } });
      await expect(call(site.store, id)).rejects.toMatchObject({
        kind: 'Refused',
        executed: 'No',
        class: 'Waiting',
        retryAfterMs: 600_000,
        message: expect.stringMatching(
          new RegExp(
            `${lacking}.* give it that right .*HTTP ${status} .vendor code ${errorCode}.$`,
          ),
        ),
      });
    });
  });

  test('leaves the store open for all others', async () => {
    await using site = await naverSite({ forbidden: ['subscribe'] });
    const { id } = await site.store.create(wanted(), GOING_ON);
    const circuit = new Circuit();
    const failure: unknown = await site.store.subscriptions
      ?.request(id, 'p', GOING_ON)
      .catch((error: unknown) => error);
    if (!(failure instanceof StoreFailure)) throw new Error('no failure', { cause: failure });
    circuit.failed(failure, 0);
    expect(circuit.refusal(0)).toBeUndefined();
  });
});
