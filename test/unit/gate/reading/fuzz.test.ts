import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCall } from '../../../../src/gate/reading/readcall.ts';
import { compileReading } from '../../../../src/gate/reading/reading.ts';
import { ENVOY, FORWARD, NGINX, TOLD } from '../../../../src/gate/reading/ways.ts';

const WAYS = { NGINX, FORWARD, ENVOY, TOLD };
const OPTIONS = {
  keyHeaders: ['X-API-Key', 'VISITSEOUL-API-KEY'],
  keyQuery: 'key',
  productHeader: 'X-Route',
  trustedProxies: ['10.0.0.0/8'],
};

const KNOWN = [
  'Authorization',
  'X-API-Key',
  'VisitSeoul-Api-Key',
  'X-Route',
  'Connection',
  'Host',
  'Origin',
  'Referer',
  'X-Original-URI',
  'X-Original-Method',
  'X-Forwarded-For',
  'X-Forwarded-Uri',
  'X-Real-IP',
  'X-Keyward-Client',
  'Access-Control-Request-Method',
  'Accept',
];
const KEY = fc.stringMatching(/^kw_[0-9A-Za-z]{4}_[0-9A-Za-z]{6}$/);

/** A name that matters, in any case, perhaps with underscores; or any text. */
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KNOWN) },
  { weight: 2, arbitrary: fc.constantFrom(...KNOWN).map((text) => text.toUpperCase()) },
  { weight: 1, arbitrary: fc.constantFrom(...KNOWN).map((text) => text.replaceAll('-', '_')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);
const value = fc.oneof(
  { weight: 4, arbitrary: KEY },
  { weight: 3, arbitrary: KEY.map((key) => `Bearer ${key}`) },
  { weight: 1, arbitrary: KEY.map((key) => `bearer  ${key}, ${key}`) },
  { weight: 2, arbitrary: KEY.map((key) => `/a?key=${key}&b=1`) },
  { weight: 1, arbitrary: fc.constantFrom('OPTIONS', 'close', 'x-api-key', '', ' ', '10.0.0.1') },
  { weight: 1, arbitrary: fc.constantFrom('DGRK a.b', 'HMAC-MD5 a=b', 'Basic x') },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);
const pairs = fc
  .array(fc.tuple(name, value), { maxLength: 8 })
  .map((headers) => headers.flatMap(([n, v]) => [n, v]));
const way = fc.constantFrom(...(['NGINX', 'FORWARD', 'ENVOY', 'TOLD'] as const));

/** What a reader with another plan of work finds: all candidates, by comparing prepared lists. */
function candidates(headers: readonly string[], target: string | undefined): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const lower = headers[i]?.toLowerCase();
    const content = headers[i + 1] ?? '';
    if (lower === 'x-api-key' || lower === 'visitseoul-api-key') found.push(content);
    if (lower === 'authorization' && /^bearer /i.test(content)) found.push(content.slice(7));
  }
  const query = target?.split('?').slice(1).join('?') ?? '';
  for (const part of query.split('&')) if (part.startsWith('key=')) found.push(part.slice(4));
  return found.filter((text) => text.trim() !== '');
}

describe('any headers at all', () => {
  test('are read without an exception, and a value is always the whole content of the only place that shows one', () => {
    fc.assert(
      fc.property(pairs, way, (headers, wayName) => {
        const given = { target: '/given?key=kw_1_2' };
        const call = readCall(headers, compileReading(OPTIONS, WAYS[wayName]), given);
        const { credential } = call;
        if (credential.type !== 'Value') return;
        const targetName = WAYS[wayName].target;
        const at = headers.findIndex((n, i) => i % 2 === 0 && n.toLowerCase() === targetName);
        const target = at < 0 || headers[at + 1] === '' ? given.target : headers[at + 1];
        expect(candidates(headers, target)).toEqual([credential.value]);
        expect(credential.value).toMatch(/^[\x21-\x2b\x2d-\x7e]+$/);
      }),
      { numRuns: 4_000 },
    );
  });

  test('show no value where a name that matters is doubled, in whatever case', () => {
    fc.assert(
      fc.property(
        pairs,
        KEY,
        fc.constantFrom('x-api-key', 'ORIGIN', 'x-original-uri'),
        (headers, key, n) => {
          const doubled = [...headers, n, key, 'X-API-Key', key, n.toLowerCase(), key];
          const call = readCall(doubled, compileReading(OPTIONS, NGINX));
          expect(call.credential.type).not.toBe('Value');
        },
      ),
    );
  });

  test('show a forbidden header wherever it stands, in whatever case', () => {
    const forbidden = fc
      .tuple(fc.mixedCase(fc.constant('x-keyward-')), fc.string())
      .map(([prefix, rest]) => prefix + rest);
    fc.assert(
      fc.property(pairs, forbidden, pairs, way, (before, n, after, wayName) => {
        const call = readCall([...before, n, '', ...after], compileReading(OPTIONS, WAYS[wayName]));
        expect(call.isSpoofed).toBe(true);
      }),
    );
  });

  test('never leave in the target what was taken from it', () => {
    const parameter = fc.oneof(
      KEY.map((key) => `key=${key}`),
      KEY.map((key) => `KEY=${key}`),
      KEY.map((key) => `a;key=${key}`),
      KEY.map((key) => `%6bey=${key}`),
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.constantFrom('a=1', '', '='),
    );
    fc.assert(
      fc.property(fc.array(parameter, { maxLength: 5 }), (parameters) => {
        const target = `/a?${parameters.join('&')}`;
        const call = readCall(['X-Original-URI', target], compileReading(OPTIONS, NGINX));
        expect(call.target).not.toMatch(/key=kw_/i);
      }),
    );
  });
});
