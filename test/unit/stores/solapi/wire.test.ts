import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StoreFailure } from '../../../../src/stores/contract.ts';
import {
  checkDeleted,
  codeOf,
  decodeCredential,
  decodeList,
  decodeUpdated,
} from '../../../../src/stores/solapi/wire.ts';

const KEY = 'NCSOGH0TB3PDIGV1';
const SECRET = 'UDWMZBDEQOTXNU1K2HOUJ2ZCVELFF49B';

const info = (more: object = {}): string =>
  JSON.stringify({
    apiKey: KEY,
    apiSecret: SECRET,
    credentialStatus: 'active',
    dateCreated: '2017-07-02T13:20:22.784Z',
    ...more,
  });

function failureOf(act: () => unknown): StoreFailure {
  try {
    act();
  } catch (err) {
    if (err instanceof StoreFailure) return err;
  }
  throw new Error('it did not fail as it should');
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (err) {
    return err;
  }
}

describe('a credential in an answer', () => {
  test('R63, R70, R71: has key, secret, state and instant of creation', () => {
    const read = decodeCredential(info(), KEY);
    expect(read).toMatchObject({
      apiKey: KEY,
      enabled: true,
      createdMs: Date.parse('2017-07-02T13:20:22.784Z'),
    });
    expect(read.apiSecret.revealText()).toBe(SECRET);
    expect(inspect(read)).not.toContain(SECRET);
  });

  test('R68: names account and user where it does, and does without', () => {
    expect(decodeCredential(info(), KEY)).not.toHaveProperty('accountId');
    expect(decodeCredential(info({ accountId: '1801', userId: 'kim' }), KEY)).toMatchObject({
      accountId: '1801',
      userId: 'kim',
    });
    expect(decodeCredential(info({ accountId: 'a b\n', userId: 7 }), KEY)).not.toHaveProperty(
      'accountId',
    );
  });

  test('R70: without state says nothing about it; with another word it is not understood', () => {
    expect(decodeCredential(info({ credentialStatus: undefined }), KEY).enabled).toBeUndefined();
    expect(decodeCredential(info({ credentialStatus: 'inactive' }), KEY).enabled).toBe(false);
    for (const credentialStatus of ['ACTIVE', 'Active', '', true, 'deleted']) {
      const body = info({ credentialStatus });
      expect(failureOf(() => decodeCredential(body, KEY)).kind).toBe('Garbled');
    }
  });

  test('R65, R66: may have another form than the known one, but nothing that breaks elsewhere', () => {
    const other = info({ apiKey: 'k-1', apiSecret: 'abcdefghijklmnop' });
    expect(decodeCredential(other, undefined).apiKey).toBe('k-1');
    for (const bad of [
      { apiKey: '' },
      { apiKey: 'a,b' },
      { apiKey: 'a\nb' },
      { apiKey: 'k'.repeat(129) },
      { apiSecret: '' },
      { apiSecret: '****************' },
      { apiSecret: 'UDWM****************************' },
      { apiSecret: 'with a blank in the middle' },
      { apiSecret: 42 },
    ]) {
      expect(failureOf(() => decodeCredential(info(bad), undefined)).kind).toBe('Garbled');
    }
  });

  test('has unknown members, and some called like parts of a prototype, without effect', () => {
    const body = info().replace('{', '{"__proto__":{"apiSecret":"x"},"constructor":{},"new":[1],');
    expect(decodeCredential(body, KEY).apiSecret.revealText()).toBe(SECRET);
    expect({}).not.toHaveProperty('apiSecret');
  });

  test('members of a prototype are none of its own', () => {
    expect(failureOf(() => decodeCredential('{"__proto__":{"apiKey":"K"}}', 'K')).kind).toBe(
      'Garbled',
    );
  });

  test('about another credential is not understood', () => {
    expect(failureOf(() => decodeCredential(info(), 'NCSRPB685VXTOWLA')).kind).toBe('Garbled');
  });

  test('R90: with the commas of the samples is not understood, and not a word of it is shown', () => {
    const body = `{"apiKey":"${KEY}","apiSecret":"${SECRET}","credentialStatus":"active",}`;
    const failure = failureOf(() => decodeCredential(body, KEY));
    expect(failure.kind).toBe('Garbled');
    expect(inspect(failure, { showHidden: true })).not.toContain(SECRET.slice(0, 8));
  });
});

describe('a list', () => {
  const entry = {
    apiSecret: SECRET,
    credentialStatus: 'active',
    dateCreated: '2017-07-02T13:19:46.702Z',
  };

  test('R76: is a map by apiKey', () => {
    const body = JSON.stringify({
      credentials: { [KEY]: entry, NCSRPB685VXTOWLA: { ...entry, credentialStatus: 'inactive' } },
    });
    expect(decodeList(body)).toEqual([
      { id: KEY, enabled: true, createdMs: Date.parse('2017-07-02T13:19:46.702Z') },
      {
        id: 'NCSRPB685VXTOWLA',
        enabled: false,
        createdMs: Date.parse('2017-07-02T13:19:46.702Z'),
      },
    ]);
  });

  test('R77: leaves its secrets behind', () => {
    const listed = decodeList(JSON.stringify({ credentials: { [KEY]: entry } }));
    expect(inspect(listed, { depth: 9 })).not.toContain(SECRET);
  });

  test('may be empty, as a map or as a list', () => {
    expect(decodeList('{"credentials":{}}')).toEqual([]);
    expect(decodeList('{"credentials":[]}')).toEqual([]);
  });

  test('R79: shows strangers of every form, and entries called like parts of a prototype', () => {
    const body = `{"credentials":{"__proto__":${JSON.stringify(entry)},"constructor":${JSON.stringify(entry)},"열쇠 !":{"apiSecret":"x"}}}`;
    expect(decodeList(body).map(({ id }) => id)).toEqual(['__proto__', 'constructor', '열쇠 !']);
    expect({}).not.toHaveProperty('apiSecret');
  });

  test('passes over what is no credential', () => {
    const body = `{"credentials":{"a":null,"b":[],"c":7,"d":{},"${KEY}":${JSON.stringify(entry)}}}`;
    expect(decodeList(body).map(({ id }) => id)).toEqual([KEY]);
  });

  test.each(['', 'null', '[]', '{}', '{"credentials":null}', '{"credentials":["a"]}', '<html>'])(
    'is not understood: %j',
    (body) => {
      expect(failureOf(() => decodeList(body)).kind).toBe('Garbled');
    },
  );
});

describe('the answer to a change', () => {
  test('R82: of the state is believed by its resultCode, and without one by its apiKey', () => {
    decodeUpdated(JSON.stringify({ apiKey: KEY, resultCode: 'Success' }), KEY);
    decodeUpdated(JSON.stringify({ apiKey: KEY, apiSecret: SECRET }), KEY);
    for (const body of [
      '{}',
      JSON.stringify({ resultCode: 'Success' }),
      JSON.stringify({ apiKey: KEY, resultCode: 'Failure' }),
      JSON.stringify({ apiKey: 'NCSRPB685VXTOWLA', resultCode: 'Success' }),
    ]) {
      expect(failureOf(() => decodeUpdated(body, KEY)).kind).toBe('Garbled');
    }
  });

  test('of the state tells the state where it shows one, in exactly the two words', () => {
    const answer = (credentialStatus?: string): string =>
      JSON.stringify({ apiKey: KEY, resultCode: 'Success', credentialStatus });
    expect(decodeUpdated(answer('inactive'), KEY)).toEqual({ enabled: false });
    expect(decodeUpdated(answer('active'), KEY)).toEqual({ enabled: true });
    expect(decodeUpdated(answer(), KEY)).toEqual({});
    expect(failureOf(() => decodeUpdated(answer('Active'), KEY)).kind).toBe('Garbled');
  });

  test('R86: of a deletion is believed with Success for this apiKey only', () => {
    checkDeleted(JSON.stringify({ apiKey: KEY, resultCode: 'Success' }), KEY);
    for (const body of [
      '{}',
      JSON.stringify({ apiKey: KEY }),
      JSON.stringify({ apiKey: KEY, resultCode: 'success' }),
      JSON.stringify({ apiKey: 'NCSRPB685VXTOWLA', resultCode: 'Success' }),
    ]) {
      expect(failureOf(() => checkDeleted(body, KEY)).kind).toBe('Garbled');
    }
  });
});

describe('the word for what went wrong', () => {
  test.each([
    ['{"errorCode":"InvalidAPIKey","errorMessage":"x"}', 'InvalidAPIKey'],
    [`{"apiKey":"${KEY}","resultCode":"ResourceNotFound"}`, 'ResourceNotFound'],
    ['{"errorCode":"","resultCode":"ResourceNotFound"}', 'ResourceNotFound'],
    ['{"errorCode":7}', undefined],
    ['{"__proto__":{"errorCode":"InvalidAPIKey"}}', undefined],
    ['[]', undefined],
    ['', undefined],
    ['<html>', undefined],
  ])('R88: in %j is %j', (body, code) => {
    expect(codeOf(body)).toBe(code);
  });
});

test('nothing that arrives is anything but a value or the failure Garbled', () => {
  const readers = [
    (body: string) => decodeCredential(body, KEY),
    (body: string) => decodeCredential(body, undefined),
    decodeList,
    (body: string) => decodeUpdated(body, KEY),
    (body: string) => checkDeleted(body, KEY),
  ];
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(
        fc.constantFrom('apiKey', 'apiSecret', 'credentials', '__proto__'),
        fc.jsonValue(),
      )
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(anything, (body) => {
      for (const reader of readers) {
        expect(thrownBy(() => reader(body))).toSatisfy(
          (err) => err === undefined || err instanceof StoreFailure,
        );
      }
    }),
  );
});
