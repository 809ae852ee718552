import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  minifyJson,
  parseBodySigned,
  verifyBodySigned,
} from '../../../../src/gate/schemes/bodysigned.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';

const KEY = 'NGFiY2QxMjM0NTY3ODkwYWJjZA==';
const SECRET = new Sensitive('c2VjcmV0LWtleS1mb3ItdGVzdGluZw==');
const OF_A = 'YDTNARM2T8kCP9b3FJuOh06Buhv/w7j56ZYobs7tQEY=';
const OF_EMPTY = 'oGbHGTN/R7dZ1YiliGUJOQ/5mlpj6e6F8yrlcWy1N2Y=';

function verify(header: string, body: string | Uint8Array | undefined, secret = SECRET): string {
  const read = parseBodySigned(header);
  if (read === undefined) throw new Error('the header was not understood');
  return verifyBodySigned(read, secret, typeof body === 'string' ? Buffer.from(body) : body);
}

describe('a signed body', () => {
  it.each([
    [OF_A, '{"a":1}', 'Ok', 'as digiRunner signs it'],
    [OF_A, '{ "a" : 1 }', 'Ok', 'blanks do not count'],
    [OF_A, '\r\n{\t"a"\n:\r1 }\n', 'Ok', 'nor do line ends and tabs'],
    [OF_EMPTY, '', 'Ok', 'no body'],
    [OF_EMPTY, ' ', 'WrongSignature', 'a blank is a body, and no JSON'],
    [OF_EMPTY, '{}', 'WrongSignature', 'another body'],
    [OF_A, '', 'WrongSignature', 'no body'],
    [OF_A, '{"a":1.0}', 'WrongSignature', 'numbers stay as they are written'],
    [OF_A, '{"\\u0061":1}', 'WrongSignature', 'escapes stay as they are written'],
    [OF_A, '{"a":1,"a":1}', 'WrongSignature', 'doubled field'],
    [OF_A, '{"a":1}{}', 'WrongSignature', 'no JSON'],
    [OF_A, '\ufeff{"a":1}', 'WrongSignature', 'byte order mark'],
    [OF_A, '{\u00a0"a":1}', 'WrongSignature', 'a blank that JSON does not know'],
  ])('%s for %j: %s (%s)', (signature, body, answer) => {
    expect(verify(`DGRK ${KEY}.${signature}`, body)).toBe(answer);
  });

  it('that the gateway did not pass on cannot be verified, not even as an empty one', () => {
    expect(verify(`DGRK ${KEY}.${OF_EMPTY}`, undefined)).toBe('WrongSignature');
  });

  it('is not verified with another secret or under another key', () => {
    expect(verify(`DGRK ${KEY}.${OF_A}`, '{"a":1}', new Sensitive('x'))).toBe('WrongSignature');
    expect(verify(`DGRK ${KEY.slice(2)}.${OF_A}`, '{"a":1}')).toBe('WrongSignature');
  });

  it('is not verified when it is no UTF-8, or larger than 1 MiB', () => {
    expect(verify(`DGRK ${KEY}.${OF_A}`, Buffer.from([0x22, 0xff, 0x22]))).toBe('WrongSignature');
    expect(verify(`DGRK ${KEY}.${OF_A}`, `{"a":1}${' '.repeat(2 ** 20)}`)).toBe('WrongSignature');
  });

  it('has one signature only: the spare bits of Base64 are no second spelling', () => {
    expect(verify(`DGRK ${KEY}.${OF_A.replace('EY=', 'EZ=')}`, '{"a":1}')).toBe('WrongSignature');
  });
});

describe('reading a DGRK header', () => {
  it('takes the scheme in any case and blanks around', () => {
    expect(parseBodySigned(`dgrk  ${KEY}.${OF_A} `)).toEqual({
      type: 'BodySigned',
      apiKey: KEY,
      signature: OF_A,
    });
  });

  it.each([
    ['', 'empty'],
    [`DGRK ${KEY}`, 'no signature'],
    [`DGRK .${OF_A}`, 'no key'],
    [`DGRK ${KEY}.x.${OF_A}`, 'three parts'],
    [`DGRK ${KEY}.${OF_A.slice(0, -1)}`, 'no padding'],
    [`DGRK ${KEY}.${OF_A}=`, 'too much padding'],
    [`DGRK ${KEY}.${OF_A.replace('/', '_')}`, 'the alphabet of URLs'],
    [`DGRK ${'k'.repeat(257)}.${OF_A}`, 'key too long'],
    [`DGRK ${KEY}.${OF_A}${' '.repeat(1024)}`, 'too long'],
    [`DGRK ${KEY}.${OF_A}\n`, 'line end'],
    [`DGRKX ${KEY}.${OF_A}`, 'another scheme'],
    [`DGRK ${KEY}.${OF_A}, DGRK ${KEY}.${OF_A}`, 'twice'],
    [`DGRK k\u00e9y.${OF_A}`, 'not ASCII'],
  ])('refuses case %#: %s', (text) => {
    expect(parseBodySigned(text)).toBeUndefined();
  });
});

describe('JSON without blanks', () => {
  it('is the same value, and what JSON.stringify wrote is not changed', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 1, 4, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text);
        const plain = JSON.stringify(value);
        expect(minifyJson(plain)).toBe(plain);
        expect(minifyJson(JSON.stringify(value, undefined, indent))).toBe(plain);
      }),
    );
  });

  it('keeps every character of strings', () => {
    const text = String.raw`{"a \" b\\" :"\\\" , \u0020 ",  "c" : [ "  " , "" ] }`;
    const plain = String.raw`{"a \" b\\":"\\\" , \u0020 ","c":["  ",""]}`;
    expect(minifyJson(text)).toBe(plain);
  });

  it('takes any text, and nothing that JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(minifyJson(text) !== undefined).toBe(isJson);
      }),
    );
  });
});
