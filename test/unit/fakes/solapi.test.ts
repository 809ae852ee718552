/** The fake SOLAPI as a stranger with curl meets it; signatures are made here, not by the driver. */
import { createHmac, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { SolapiFake, type SolapiOptions } from '../../../fakes/solapi/fake.ts';
import { FakeClock } from '../../support/clock.ts';

const START_MS = Date.parse('2026-01-02T03:04:05Z');
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const LIST = '/credentials/getCredentialList';
const CREATE = '/credentials/createCredential';
const INFO = '/credentials/getCredentialInfo';
const UPDATE = '/credentials/updateCredentialStatus';
const REGENERATE = '/credentials/regenerateSecretKey';
const DELETE = '/credentials/deleteCredential';

let running: SolapiFake | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(
  options: SolapiOptions = {},
): Promise<{ readonly fake: SolapiFake; readonly clock: FakeClock }> {
  const clock = new FakeClock(START_MS);
  const fake = await new SolapiFake({ ...options, clock }).start();
  running = fake;
  return { fake, clock };
}

type Parts = {
  readonly method?: string;
  readonly id?: string;
  readonly secret?: string;
  readonly date?: string;
  readonly salt?: string;
};

/** A header of the first account; parts that are given replace its own. */
function authorization(fake: SolapiFake, parts: Parts = {}): string {
  const { method, id, secret, date, salt } = { ...ownParts(fake), ...parts };
  const hash = method === 'HMAC-SHA256' ? 'sha256' : 'md5';
  const signature = createHmac(hash, secret)
    .update(date + salt)
    .digest('hex');
  const name = method === 'USER' ? 'user_id' : 'apiKey';
  return `${method} ${name}=${id}, date=${date}, salt=${salt}, signature=${signature}`;
}

function ownParts(fake: SolapiFake): Required<Parts> {
  const credentials = fake.accounts[0]?.credentials ?? {};
  const [id = '', secret = ''] = Object.values(credentials);
  const method = 'userId' in credentials ? 'USER' : 'HMAC-SHA256';
  const salt = randomBytes(16).toString('hex');
  return { method, id, secret, date: '2026-01-02 12:04:05', salt };
}

type Asked = {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
};
type Answered = { readonly status: number; readonly text: string; readonly body: unknown };

async function ask(fake: SolapiFake, path: string, asked: Asked = {}): Promise<Answered> {
  const { method = 'POST', body = '{}', headers = {} } = asked;
  const response = await fetch(fake.address + path, {
    method,
    headers: { authorization: authorization(fake), ...JSON_TYPE, ...headers },
    ...(method === 'GET' ? {} : { body }),
  });
  const text = await response.text();
  return { status: response.status, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const about = (apiKey: string, more: object = {}): Asked => ({
  body: JSON.stringify({ apiKey, ...more }),
});
const create = (fake: SolapiFake): string => fake.act({ act: 'Create' });

describe('the six calls', () => {
  test('R54: create, read, list, change the state, regenerate and delete', async () => {
    const { fake } = await start();
    const made = await ask(fake, CREATE);
    expect(made).toMatchObject({
      status: 200,
      body: {
        apiKey: expect.stringMatching(/^NCS[0-9A-Z]{13}$/),
        apiSecret: expect.stringMatching(/^[0-9A-Z]{32}$/),
      },
    });
    const { apiKey, apiSecret } = made.body as Readonly<Record<string, string>>;
    const key = apiKey ?? '';
    const dateCreated = '2026-01-02T03:04:05.000Z';
    expect((await ask(fake, INFO, about(key))).body).toEqual({
      apiKey,
      apiSecret,
      credentialStatus: 'active',
      dateCreated,
    });
    const inactive = { credentialStatus: 'inactive' };
    expect((await ask(fake, UPDATE, about(key, inactive))).body).toEqual({
      apiKey,
      resultCode: 'Success',
    });
    expect((await ask(fake, LIST)).body).toEqual({
      credentials: { [key]: { apiSecret, ...inactive, dateCreated } },
    });
    const anew = (await ask(fake, REGENERATE, about(key))).body;
    expect(anew).toEqual({ apiKey, apiSecret: expect.not.stringMatching(apiSecret ?? '') });
    expect(await ask(fake, DELETE, about(key))).toMatchObject({
      status: 200,
      body: { apiKey, resultCode: 'Success' },
    });
    expect((await ask(fake, LIST)).body).toEqual({ credentials: {} });
  });

  test.each([CREATE, INFO, REGENERATE, LIST, UPDATE, DELETE])(
    'R55: %s is POST only; anything else is answered 405',
    async (path) => {
      const { fake } = await start();
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        // oxlint-disable-next-line no-await-in-loop
        expect((await ask(fake, path, { method })).status).toBe(405);
      }
      expect(fake.credentials()).toEqual([]);
    },
  );

  test('are all there are', async () => {
    const { fake } = await start();
    expect((await ask(fake, '/credentials/create')).status).toBe(404);
  });

  test('R65, R66: make keys of NCS and 13, and secrets of 32, capitals and digits alike', async () => {
    const { fake } = await start({ strangers: 400 });
    const all = fake.credentials();
    expect(all.every(({ id }) => /^NCS[0-9A-Z]{13}$/.test(id))).toBe(true);
    const letters = all.map(({ values }) => values.apiSecret ?? '').join('');
    const counts = Map.groupBy(letters, (letter) => letter);
    expect(counts.size).toBe(36);
    const mean = letters.length / 36;
    for (const { length } of counts.values())
      expect(Math.abs(length - mean)).toBeLessThan(mean / 2);
  });
});

describe('bodies', () => {
  test.each([CREATE, LIST])('R62, R75: %s needs none', async (path) => {
    const { fake } = await start();
    for (const asked of [{ body: '' }, { body: '{}' }, { body: '', headers: FORM_TYPE }]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(fake, path, asked)).status).toBe(200);
    }
  });

  test('R91: are taken as forms, too', async () => {
    const { fake } = await start();
    const id = create(fake);
    const body = new URLSearchParams({ apiKey: id, credentialStatus: 'inactive' }).toString();
    expect((await ask(fake, UPDATE, { body, headers: FORM_TYPE })).status).toBe(200);
    expect(fake.credentials()[0]?.enabled).toBe(false);
    const labelledWrong = { ...about(id), headers: FORM_TYPE };
    expect((await ask(fake, INFO, labelledWrong)).status).toBe(200);
  });

  test.each([INFO, REGENERATE, UPDATE, DELETE])(
    'R67, R85, R92: without apiKey, %s is answered MissingRequiredParameter',
    async (path) => {
      const { fake } = await start();
      create(fake);
      for (const body of ['', '{}', '{"apiKey":""}', '{"apiKey":7}', '{"APIKEY":"x"}']) {
        // oxlint-disable-next-line no-await-in-loop
        expect(await ask(fake, path, { body })).toMatchObject({
          status: 400,
          body: { errorCode: 'MissingRequiredParameter', errorMessage: expect.any(String) },
        });
      }
    },
  );

  test.each(['[]', 'null', '{"apiKey":', 'x'])('are refused as %j', async (body) => {
    const { fake } = await start();
    expect((await ask(fake, INFO, { body })).status).toBe(400);
  });

  test('R81: a state is active or inactive in exactly these letters', async () => {
    const { fake } = await start();
    const id = create(fake);
    for (const credentialStatus of ['ACTIVE', 'Inactive', '', 'deleted', ' active']) {
      // oxlint-disable-next-line no-await-in-loop
      const { status } = await ask(fake, UPDATE, about(id, { credentialStatus }));
      expect(status).toBe(400);
    }
    expect((await ask(fake, UPDATE, about(id))).status).toBe(400);
    expect(fake.credentials()[0]?.enabled).toBe(true);
  });
});

describe('who is believed', () => {
  const denied = (errorCode: string): object => ({ status: 403, body: { errorCode } });

  test('R57: a user by his signing secret, and a credential of the account by its own', async () => {
    const { fake } = await start();
    const id = create(fake);
    const secret = fake.credentials()[0]?.values.apiSecret ?? '';
    for (const method of ['HMAC-MD5', 'HMAC-SHA256']) {
      const headers = { authorization: authorization(fake, { method, id, secret }) };
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(fake, LIST, { headers })).status).toBe(200);
    }
    expect((await ask(fake, LIST)).status).toBe(200);
  });

  test('R84: no credential that is inactive; back to active it is believed again', async () => {
    const { fake } = await start();
    const id = create(fake);
    const secret = fake.credentials()[0]?.values.apiSecret ?? '';
    const signed = (): Asked => ({
      headers: { authorization: authorization(fake, { method: 'HMAC-SHA256', id, secret }) },
    });
    fake.act({ act: 'Disable', id });
    expect(await ask(fake, LIST, signed())).toMatchObject(denied('InvalidAPIKey'));
    fake.act({ act: 'Enable', id });
    expect((await ask(fake, LIST, signed())).status).toBe(200);
    fake.act({ act: 'Delete', id });
    expect(await ask(fake, LIST, signed())).toMatchObject(denied('InvalidAPIKey'));
  });

  test('R74: no secret that was replaced', async () => {
    const { fake } = await start();
    const id = create(fake);
    const old = fake.credentials()[0]?.values.apiSecret ?? '';
    await ask(fake, REGENERATE, about(id));
    const parts = { method: 'HMAC-SHA256', id, secret: old };
    const headers = { authorization: authorization(fake, parts) };
    expect(await ask(fake, LIST, { headers })).toMatchObject(denied('SignatureDoesNotMatch'));
    const secret = fake.credentials()[0]?.values.apiSecret ?? '';
    const anew = { authorization: authorization(fake, { ...parts, secret }) };
    expect((await ask(fake, LIST, { headers: anew })).status).toBe(200);
  });

  test('nobody unknown, with a wrong secret, or without a header that can be read', async () => {
    const { fake } = await start();
    const tries: readonly (readonly [string, string])[] = [
      [authorization(fake, { id: 'nobody' }), 'InvalidAPIKey'],
      [authorization(fake, { secret: 'wrong' }), 'SignatureDoesNotMatch'],
      ['', 'SignatureDoesNotMatch'],
      ['Bearer abc', 'SignatureDoesNotMatch'],
    ];
    for (const [header, code] of tries) {
      // oxlint-disable-next-line no-await-in-loop
      const answer = await ask(fake, CREATE, { headers: { authorization: header } });
      expect(answer).toMatchObject(denied(code));
    }
    expect(fake.credentials()).toEqual([]);
  });

  test.each([
    ['11', 403],
    ['12', 200],
    ['64', 200],
    ['65', 403],
  ])('R59: a salt of %s characters is answered %i', async (length, status) => {
    const { fake } = await start();
    const headers = { authorization: authorization(fake, { salt: 'a'.repeat(Number(length)) }) };
    expect((await ask(fake, LIST, { headers })).status).toBe(status);
  });

  test('R61: the doubled "salt=" of the samples is read as a salt that begins so', async () => {
    const { fake } = await start();
    const headers = { authorization: authorization(fake, { salt: 'salt=597fe0e36daeb' }) };
    expect(headers.authorization).toContain('salt=salt=');
    expect((await ask(fake, LIST, { headers })).status).toBe(200);
  });

  test.each([
    ['14:59 ago', 'Z', -899, 200],
    ['15:01 ago', 'Z', -901, 403],
    ['14:59 ahead', 'Z', 899, 200],
    ['15:01 ahead', 'Z', 901, 403],
  ])('a date %s is answered so', async (_, zone, seconds, status) => {
    const { fake } = await start();
    const date = new Date(START_MS + seconds * 1_000).toISOString().slice(0, 19) + zone;
    const headers = { authorization: authorization(fake, { date }) };
    const answer = await ask(fake, LIST, { headers });
    expect(answer.status).toBe(status);
    const code = status === 403 ? 'RequestTimeTooSkewed' : undefined;
    expect((answer.body as { errorCode?: string }).errorCode).toBe(code);
  });

  test('R58: a date without zone is Korean; the same letters in UTC are nine hours off', async () => {
    const { fake } = await start();
    const tries: readonly (readonly [string, number])[] = [
      ['2026-01-02 12:04:05', 200],
      ['2026-01-02 03:04:05', 403],
      ['2026-01-02T12:04:05.32400Z', 403],
      ['2026-01-02T12:04:05.123456+09:00', 200],
    ];
    for (const [date, status] of tries) {
      const headers = { authorization: authorization(fake, { date }) };
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(fake, LIST, { headers })).status).toBe(status);
    }
  });

  test('the same header twice is a duplicate; the same salt with another date is none', async () => {
    const { fake } = await start();
    const salt = '597fe0e36daeb';
    const headers = { authorization: authorization(fake, { salt }) };
    expect((await ask(fake, CREATE, { headers })).status).toBe(200);
    const again = await ask(fake, CREATE, { headers });
    expect(again).toMatchObject(denied('DuplicatedSignature'));
    expect(fake.credentials()).toHaveLength(1);
    const other = { authorization: authorization(fake, { salt, date: '2026-01-02 12:04:06' }) };
    expect((await ask(fake, CREATE, { headers: other })).status).toBe(200);
  });

  test('a duplicate stays one for as long as its date could be believed', async () => {
    const { fake, clock } = await start();
    const headers = { authorization: authorization(fake, { date: '2026-01-02 12:19:05' }) };
    expect((await ask(fake, LIST, { headers })).status).toBe(200);
    clock.step(30 * 60_000);
    expect(await ask(fake, LIST, { headers })).toMatchObject(denied('DuplicatedSignature'));
    clock.step(1_000);
    expect(await ask(fake, LIST, { headers })).toMatchObject(denied('RequestTimeTooSkewed'));
  });
});

describe('what is not there', () => {
  test.each([INFO, REGENERATE, DELETE, UPDATE])(
    'R87, R88, R89: is answered 404 by %s, in either form',
    async (path) => {
      const { fake } = await start();
      const asked = about('NCS0000000000000', { credentialStatus: 'active' });
      expect(await ask(fake, path, asked)).toMatchObject({
        status: 404,
        body: { apiKey: 'NCS0000000000000', resultCode: 'ResourceNotFound' },
      });
      fake.quirks.absence = 'ErrorCode';
      expect(await ask(fake, path, asked)).toMatchObject({
        status: 404,
        body: { errorCode: 'ResourceNotFound' },
      });
    },
  );

  test('is also what belongs to another account', async () => {
    const { fake } = await start();
    const id = fake.act({ act: 'Create', accountId: fake.accounts[1]?.id ?? '' });
    expect((await ask(fake, DELETE, about(id))).status).toBe(404);
    expect(fake.credentials().map((credential) => credential.id)).toEqual([id]);
    expect((await ask(fake, LIST)).body).toEqual({ credentials: {} });
  });
});

describe('the quirks', () => {
  test('R68: tell the owner or not', async () => {
    const { fake } = await start();
    const id = create(fake);
    expect((await ask(fake, INFO, about(id))).body).not.toHaveProperty('accountId');
    fake.quirks.owner = 'Told';
    expect((await ask(fake, INFO, about(id))).body).toMatchObject({
      accountId: expect.any(String),
      userId: fake.accounts[0]?.id,
    });
  });

  test('R82: answer another state as the sample does, or as the table', async () => {
    const { fake } = await start();
    const id = create(fake);
    const asked = about(id, { credentialStatus: 'inactive' });
    expect((await ask(fake, UPDATE, asked)).body).toEqual({ apiKey: id, resultCode: 'Success' });
    fake.quirks.update = 'Table';
    expect((await ask(fake, UPDATE, asked)).body).toEqual({
      apiKey: id,
      apiSecret: expect.any(String),
    });
  });

  test('R90: write the commas of the samples, which are no JSON', async () => {
    const { fake } = await start();
    const id = create(fake);
    expect((await ask(fake, INFO, about(id))).body).toBeDefined();
    fake.quirks.json = 'TrailingCommas';
    const answer = await ask(fake, INFO, about(id));
    expect(answer.text).toContain(',}');
    expect(answer.body).toBeUndefined();
  });
});

describe('the account', () => {
  test('R78, R79: holds credentials of strangers from the beginning where it is told to', async () => {
    const { fake } = await start({ strangers: 3 });
    const { body } = await ask(fake, LIST);
    const { credentials } = body as { readonly credentials: object };
    expect(Object.keys(credentials)).toEqual(fake.credentials().map(({ id }) => id));
    expect(fake.credentials()).toHaveLength(3);
  });

  test('in scheme HMAC signs with one of its own credentials', async () => {
    const { fake } = await start({ scheme: 'HMAC' });
    const own = fake.accounts[0]?.credentials['apiKey'] ?? '';
    const { body } = await ask(fake, LIST);
    expect(body).toMatchObject({ credentials: { [own]: { credentialStatus: 'active' } } });
  });

  test('has a console for tests that act behind our back', async () => {
    const { fake } = await start();
    const id = create(fake);
    const before = fake.credentials()[0]?.values.apiSecret;
    fake.act({ act: 'Disable', id });
    expect(fake.credentials()[0]?.enabled).toBe(false);
    fake.act({ act: 'Enable', id });
    fake.act({ act: 'Regenerate', id, slot: 'apiSecret' });
    expect(fake.credentials()[0]).toMatchObject({ id, enabled: true });
    expect(fake.credentials()[0]?.values.apiSecret).not.toBe(before);
    expect(() => fake.act({ act: 'Rename', id, name: 'n' })).toThrow('keeps no names');
    fake.act({ act: 'Delete', id });
    expect(() => fake.act({ act: 'Delete', id })).toThrow('no such credential');
  });
});
