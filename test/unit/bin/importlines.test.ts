import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readLine, readTexts } from '../../../src/bin/importlines.ts';
import { parseImport, writeImport } from '../../../src/bin/importwish.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { aKeyring } from '../../support/gate.keys.ts';
import { bring } from '../../support/imports.ts';

const VALUE = 'Zk3qVw9tYbN2mXc8LrPf5sHd7Ga4Je6U1oTi0EvC';

function texts(input: string): readonly string[] {
  return readTexts(new Sensitive(input)).map((text) => text.revealText());
}

describe('the values of one key on standard input', () => {
  it('are its lines, less one line end, and nothing else is taken away', () => {
    expect(texts(VALUE)).toEqual([VALUE]);
    expect(texts(`${VALUE}\n`)).toEqual([VALUE]);
    expect(texts(`${VALUE}\r\n`)).toEqual([VALUE]);
    expect(texts(`a\nb\n`)).toEqual(['a', 'b']);
    expect(texts(`${VALUE}\n\n`)).toEqual([VALUE, '']);
    expect(texts(` ${VALUE} `)).toEqual([` ${VALUE} `]);
    expect(texts(`\ufeff${VALUE}`)).toEqual([`\ufeff${VALUE}`]);
  });

  it('are there, and bearable', () => {
    expect(() => texts('')).toThrow(/holds no key/);
    expect(() => texts('x'.repeat(4_097))).toThrow(/holds no key/);
  });
});

describe('one line of many', () => {
  it('names a key and its values, whatever the order of its members', () => {
    const pair = { apiSecret: 'b', name: 'web', apiKey: 'a', namespace: 'shop' };
    const { namespace, name, members, texts: read } = readLine(JSON.stringify(pair));
    expect([namespace, name, members]).toEqual(['shop', 'web', ['apiKey', 'apiSecret']]);
    expect(read.map((text) => text.revealText())).toEqual(['a', 'b']);
  });

  it.each([
    ['no JSON', `{"namespace":"${VALUE}`],
    ['a list', `["${VALUE}"]`],
    ['a text', `"${VALUE}"`],
    ['nothing', 'null'],
    ['a value that is a number', `{"namespace":"a","name":"b","value":7,"x":"${VALUE}"}`],
    ['terms', `{"namespace":"a","name":"b","value":"${VALUE}","terms":"${VALUE}"}`],
    ['one half of a pair', `{"namespace":"a","name":"b","apiSecret":"${VALUE}"}`],
    ['no name', `{"namespace":"a","value":"${VALUE}"}`],
    ['a prototype', `{"namespace":"a","name":"b","__proto__":"${VALUE}"}`],
    ['a line without end', `{"namespace":"a","name":"b","value":"${VALUE.repeat(200)}"}`],
  ])('that is %s is refused, and not a letter of it is told', (_, line) => {
    let told = '';
    try {
      readLine(line);
    } catch (thrown) {
      told = String(thrown);
    }
    expect(told).not.toBe('');
    expect(told).not.toContain(VALUE.slice(0, 6));
  });
});

describe('what the operator is asked through a file', () => {
  const deps = { keyring: aKeyring(), entropy: randomBytes };

  it('holds no value in the clear, and comes out as it went in', () => {
    const text = writeImport(bring([VALUE, 'other'], 'Any'), 'uid-1', deps);
    expect(text).not.toContain(VALUE);
    expect(Buffer.from(text, 'base64').toString()).not.toContain(VALUE);
    const { texts: read, strength, actor } = parseImport(text, 'uid-1', deps);
    expect(read.map((each) => each.revealText())).toEqual([VALUE, 'other']);
    expect([strength, actor]).toEqual(['Any', 'alice']);
  });

  it('opens for its key alone, and with its master key alone', () => {
    const text = writeImport(bring([VALUE]), 'uid-1', deps);
    expect(() => parseImport(text, 'uid-2', deps)).toThrow(/does not open/);
    const other = aKeyring(
      `v1:${Buffer.from([...Array(32).keys()].toReversed()).toString('base64')}`,
    );
    expect(() => parseImport(text, 'uid-1', { keyring: other })).toThrow(/does not open/);
  });

  it.each(['', '{}', 'null', '{"actor":"a","strength":"None","sealed":[]}', '[1]'])(
    'is refused when it is %j',
    (text) => {
      expect(() => parseImport(text, 'uid-1', deps)).toThrow(/another version/);
    },
  );
});
