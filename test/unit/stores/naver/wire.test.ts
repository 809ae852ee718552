/** The vendor's answers as it documents them, and as it does not. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { decodeKey, decodePage, decodeProductPage } from '../../../../src/stores/naver/wire.ts';

const ID = 'abc12vg079';
const PRIMARY = 'pYVk37ZE39kJcZScH50cYsJiYf1EJUQ7haPjQ1x2';
const SECONDARY = 'sWKmt1IVMAlXtg0yJ5jelwwiltuJBFKBDW9R3y4z';
const KEY = {
  apiKeyId: ID,
  tenantId: '0123402f55ae4436913a6e2c65bab47c',
  apiKeyName: '키 이름',
  apiKeyDescription: 'what for',
  primaryKey: PRIMARY,
  secondaryKey: SECONDARY,
  modifier: 'd12c9fd0-1111-4222-8333-246e96591a38',
  isEnabled: true,
  modTime: '2024-05-07T07:08:12Z',
  domainCode: 'PUB',
};
const json = (fields: object): string => JSON.stringify({ ...KEY, ...fields });

const GARBLED = { kind: 'Garbled', executed: 'Unknown' };

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (err) {
    return err;
  }
}

describe('a key', () => {
  test.each([
    ['wrapped in apiKey, as created', JSON.stringify({ apiKey: KEY })],
    ['bare, as read by id', JSON.stringify(KEY)],
  ])('%s, has all ten fields (R39, R40, R41, R42, R43, R45, R46, R48)', (_, body) => {
    const { primary, secondary, ...facts } = decodeKey(body, ID);
    expect(facts).toEqual({
      id: ID,
      tenantId: KEY.tenantId,
      name: '키 이름',
      description: 'what for',
      modifier: KEY.modifier,
      enabled: true,
      modifiedMs: Date.UTC(2024, 4, 7, 7, 8, 12),
      domainCode: 'PUB',
    });
    expect(primary?.revealText()).toBe(PRIMARY);
    expect(secondary?.revealText()).toBe(SECONDARY);
  });

  test('shows nothing of its values to whoever prints it (R49)', () => {
    const printed =
      inspect(decodeKey(json({}), ID), { depth: 9 }) + JSON.stringify(decodeKey(json({}), ID));
    expect(printed).not.toContain(PRIMARY.slice(0, 8));
    expect(printed).not.toContain(SECONDARY.slice(0, 8));
  });

  test.each([
    ['2024-05-07T07:08:12Z', Date.UTC(2024, 4, 7, 7, 8, 12)],
    ['2000-01-23T04:56:07.000+00:00', Date.UTC(2000, 0, 23, 4, 56, 7)],
    ['2000-01-23T13:56:07.500+09:00', Date.UTC(2000, 0, 23, 4, 56, 7, 500)],
    ['yesterday', undefined],
    ['2024-05-07', undefined],
    ['2024-13-07T07:08:12Z', undefined],
  ])('was changed at %s: %s (R47)', (modTime, modifiedMs) => {
    expect(decodeKey(json({ modTime }), ID).modifiedMs).toBe(modifiedMs);
  });

  test('may have fields that nobody knows, and names that mean something to JavaScript (R52)', () => {
    const strange = '{"__proto__":{"isEnabled":false},"constructor":7,"new":[{}],';
    const body = JSON.stringify({ apiKey: KEY }).replaceAll('{', strange);
    expect(decodeKey(body, ID)).toMatchObject({ id: ID, enabled: true });
    expect(decodeKey(json({ domainCode: 'NEW_ZONE' }), ID).domainCode).toBe('NEW_ZONE');
  });

  test('inherits nothing from a member called __proto__', () => {
    const body = `{"__proto__":${JSON.stringify(KEY)}}`;
    expect(thrownBy(() => decodeKey(body, undefined))).toMatchObject(GARBLED);
  });

  test('may lack what the vendor calls optional', () => {
    const bare = { apiKeyId: ID, apiKeyName: 'n', isEnabled: false, apiKeyDescription: null };
    expect(decodeKey(JSON.stringify(bare), ID)).toEqual({
      id: ID,
      name: 'n',
      description: '',
      enabled: false,
    });
  });

  test.each([
    ['no JSON', '<html>'],
    ['empty', ''],
    ['torn', JSON.stringify(KEY).slice(0, 80)],
    ['null', 'null'],
    ['a list', '[]'],
    ['nested without end', '['.repeat(9_000) + ']'.repeat(9_000)],
    ['a wrapped text', '{"apiKey":"x"}'],
    ['without id', json({ apiKeyId: undefined })],
    ['with an id that is a number', json({ apiKeyId: 7 })],
    ['with an id that leads elsewhere', json({ apiKeyId: '../products' })],
    ['with an id of dots', json({ apiKeyId: '..' })],
    ['without name', json({ apiKeyName: undefined })],
    ['with a name that is an object', json({ apiKeyName: {} })],
    ['without state', json({ isEnabled: undefined })],
    ['with a state that is a text', json({ isEnabled: 'true' })],
    ['with a value that is a number', json({ primaryKey: 1234 })],
    ['with a value that was masked', json({ primaryKey: `*****${PRIMARY.slice(5)}` })],
    ['with a value of several lines', json({ secondaryKey: `${SECONDARY}\nx` })],
    ['with a tenant that is no id', json({ tenantId: 'a b' })],
    ['with a date that is a number', json({ modTime: 1 })],
  ])('%s, is refused without a word of the answer', (_, body) => {
    const failure = thrownBy(() => decodeKey(body, undefined));
    expect(failure).toMatchObject(GARBLED);
    const message = String(failure);
    expect(message).not.toContain(PRIMARY.slice(5));
    expect(message).not.toContain(SECONDARY.slice(5));
  });

  test('that is another one than was asked for is refused (S19)', () => {
    expect(thrownBy(() => decodeKey(json({}), 'other12345'))).toMatchObject(GARBLED);
  });
});

describe('a list', () => {
  test('drops the values that older interfaces show', () => {
    const body = JSON.stringify({ apiKeys: [KEY], total: 1, initialCount: 0 });
    expect(JSON.stringify(decodePage(body))).not.toMatch(/primary|secondary|pYVk|sWKm/);
    expect(decodePage(body)).toMatchObject({ total: 1, entries: [{ id: ID, enabled: true }] });
  });

  test('needs neither values nor a total', () => {
    const { primaryKey: _, secondaryKey: __, ...listed } = KEY;
    expect(decodePage(JSON.stringify({ apiKeys: [listed] }))).toMatchObject({
      entries: [{ id: ID, description: 'what for' }],
    });
  });

  test.each([
    ['without apiKeys', '{"total":0}'],
    ['whose apiKeys are an object', '{"apiKeys":{}}'],
    ['with an entry that is null', '{"apiKeys":[null]}'],
    ['whose total is a text', '{"apiKeys":[],"total":"7"}'],
    ['whose total is negative', '{"apiKeys":[],"total":-1}'],
  ])('%s is refused', (_, body) => {
    expect(thrownBy(() => decodePage(body))).toMatchObject(GARBLED);
  });

  test('of a product tells the state of each key there (R32)', () => {
    const apiKeys = [{ apiKeyId: ID, status: 'REQUEST' }, { apiKeyId: 'other12345' }];
    expect(decodeProductPage(JSON.stringify({ apiKeys, total: 2 })).entries).toEqual([
      { id: ID, status: 'REQUEST' },
      { id: 'other12345', status: undefined },
    ]);
  });
});
