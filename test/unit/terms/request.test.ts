import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  canonicalContent,
  requestHash,
  withTimeZone,
  type RequestContent,
} from '../../../src/terms/request.ts';
import { anyContent, FULL } from './requests.ts';

const hash = (content: RequestContent) =>
  requestHash({ formUid: 'form-1', round: 1, type: 'Issue', content });

/** The canonical form of RFC 8785 written a second time, character by character. */
function independent(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return `${value}`;
  if (typeof value === 'string') return independentText(value);
  if (Array.isArray(value)) return `[${value.map(independent).join(',')}]`;
  const fields = Object.entries(value as object).map(([name, inner]) => ({ name, inner }));
  fields.sort((a, b) => {
    for (let at = 0; at < Math.min(a.name.length, b.name.length); at += 1) {
      const difference = a.name.charCodeAt(at) - b.name.charCodeAt(at);
      if (difference !== 0) return difference;
    }
    return a.name.length - b.name.length;
  });
  return `{${fields.map(({ name, inner }) => `${independentText(name)}:${independent(inner)}`).join(',')}}`;
}

function independentText(text: string): string {
  const short: Record<number, string> = { 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' };
  let written = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isHalf = code >= 0xd800 && code <= 0xdfff;
    if (character === '"' || character === '\\') written += `\\${character}`;
    else if (short[code] !== undefined) written += `\\${short[code]}`;
    else if (code < 0x20 || isHalf) written += `\\u${code.toString(16).padStart(4, '0')}`;
    else written += character;
  }
  return `"${written}"`;
}

/** Every text, number and choice of a form, by its path. */
function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

/** A copy in which the leaf at the path is what `change` makes of it. */
function changed<T>(value: T, path: readonly string[], change: (leaf: unknown) => unknown): T {
  const [name, ...rest] = path;
  if (name === undefined) return change(value) as T;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  copy[name] = changed(copy[name], rest, change);
  return copy as T;
}

/** The same JSON with the fields of every object in the opposite order. */
function backwards(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(backwards);
  const fields = Object.entries(value).map(([name, inner]) => [name, backwards(inner)] as const);
  return Object.fromEntries(fields.toReversed());
}

describe('the hash of a request (R20)', () => {
  it('is SHA-256 over the canonical JSON of content, form, round and type, for anybody to repeat', () => {
    const text = [
      '{"content":{"apiKeyName":"guide","client":{"name":"shop","uid":"c-1"},"description":"map",',
      '"format":"Opaque","storeRef":{"kind":"KeyStore","name":"s","uid":"s-1"},"terms":{',
      '"originPolicy":{"allowed":["a.example","b.example"],"missing":"Deny","unknownPath":"Allow"},',
      '"quota":{"period":"Lifetime","requests":-1},"validity":{"timeZone":"UTC"}}},',
      '"formUid":"f-1","round":3,"type":"Change"}',
    ].join('');
    const content: RequestContent = {
      storeRef: { kind: 'KeyStore', name: 's', uid: 's-1' },
      client: { name: 'shop', uid: 'c-1' },
      format: 'Opaque',
      apiKeyName: 'guide',
      description: 'map',
      terms: {
        quota: { requests: -1 },
        originPolicy: { allowed: ['b.example', 'a.example'] },
        validity: { timeZone: 'UTC' },
        cidrs: [],
      },
    };
    expect(requestHash({ formUid: 'f-1', round: 3, type: 'Change', content })).toBe(
      `sha256:${createHash('sha256').update(text).digest('hex')}`,
    );
  });

  it('agrees with a second way to write RFC 8785, for any form', () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const whole = {
          type: 'Issue',
          round: 1,
          formUid: 'form-1',
          content: canonicalContent(content),
        };
        const digest = createHash('sha256').update(independent(whole)).digest('hex');
        expect(hash(content)).toBe(`sha256:${digest}`);
      }),
    );
  });

  it('differs with each text, number and choice of the form', () => {
    const seen = new Set([hash(FULL)]);
    const paths = leaves(FULL);
    for (const path of paths) {
      const other = changed(FULL, path, (leaf) =>
        typeof leaf === 'number' ? leaf + 1 : `${String(leaf)}x`,
      );
      seen.add(hash(other));
    }
    expect(paths.length).toBeGreaterThan(30);
    expect(seen.size).toBe(paths.length + 1);
  });

  it.each([
    'displayName',
    'description',
    'service',
    'service.name',
    'service.description',
    'service.url',
    'purpose',
    'justification',
    'terms.validity',
    'terms.validity.effectiveDate',
    'terms.validity.expirationDate',
    'terms.validity.timeZone',
    'terms.quota',
    'terms.originPolicy',
    'terms.originPolicy.allowed.0',
    'terms.cidrs',
    'terms.cidrs.0',
    'terms.productRefs',
    'terms.productRefs.1',
    'reissue',
    'reissue.message',
    'revocation',
    'revocation.effectiveDate',
  ])('differs when %s is taken away', (path) => {
    const parts = path.split('.');
    const isMember = /\d/.test(parts.at(-1) ?? '');
    const without = changed(FULL, isMember ? parts.slice(0, -1) : parts, (value) =>
      isMember ? (value as unknown[]).toSpliced(Number(parts.at(-1)), 1) : undefined,
    );
    expect(hash(without)).not.toBe(hash(FULL));
  });

  it('differs with form, round and type, so that no hash serves another form or round', () => {
    const base = { formUid: 'form-1', round: 1, type: 'Issue', content: FULL } as const;
    const hashes = [
      base,
      { ...base, formUid: 'form-2' },
      { ...base, round: 2 },
      { ...base, type: 'Change' as const },
    ].map(requestHash);
    expect(new Set(hashes).size).toBe(4);
  });

  it('is the same for any order of fields and of the lists that are sets, and for repeated entries', () => {
    const { terms } = FULL;
    const mixed: RequestContent = {
      ...FULL,
      terms: {
        ...terms,
        originPolicy: {
          ...terms.originPolicy,
          allowed: [
            ...(terms.originPolicy?.allowed ?? []).toReversed(),
            ...(terms.originPolicy?.allowed ?? []),
          ],
        },
        cidrs: (terms.cidrs ?? []).toReversed(),
        productRefs: (terms.productRefs ?? []).toReversed(),
      },
    };
    expect(hash(mixed)).toBe(hash(FULL));
    fc.assert(
      fc.property(anyContent, (content) => {
        expect(hash(backwards(content) as RequestContent)).toBe(hash(content));
      }),
    );
  });

  it('is the same for composed and decomposed characters', () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const decomposed: unknown = JSON.parse(JSON.stringify(content).normalize('NFD'));
        const composed: unknown = JSON.parse(JSON.stringify(content).normalize('NFC'));
        expect(hash(decomposed as RequestContent)).toBe(hash(composed as RequestContent));
      }),
    );
    expect(hash({ ...FULL, displayName: FULL.displayName?.normalize('NFD') ?? '' })).toBe(
      hash(FULL),
    );
  });

  it('differs for characters that only look alike', () => {
    const purposes = ['ﬁ', 'fi', 'Å', 'Ａ', 'A', 'А', 'a\u200b', 'a'];
    expect(new Set(purposes.map((purpose) => hash({ ...FULL, purpose }))).size).toBe(8);
  });

  it('does not see unknown fields, __proto__ and constructor among them', () => {
    const text = JSON.stringify(FULL);
    const stuffed = text.replaceAll(
      /\{(?=")/g,
      '{"__proto__":{"purpose":"x","requests":7},"constructor":1,"more":[1],',
    );
    expect(hash(JSON.parse(stuffed) as RequestContent)).toBe(hash(FULL));
    const bare = JSON.parse(text.replace(/"purpose":"[^"]*",/, '')) as RequestContent;
    const forged = JSON.parse(
      text.replace(/"purpose":"[^"]*",/, '"__proto__":{"purpose":"find sights"},'),
    ) as RequestContent;
    expect(hash(forged)).toBe(hash(bare));
  });

  it('is the same for absent and empty lists, texts and objects, and for defaults said or not', () => {
    const { purpose: _, service: __, ...rest } = FULL;
    const bare: RequestContent = {
      ...rest,
      terms: { quota: { requests: 5 }, originPolicy: { allowed: ['a.example'] } },
      reissue: { requestId: 'r', reason: 'Routine', whileWaiting: 'KeepActive' },
    };
    const said: RequestContent = {
      ...rest,
      purpose: '',
      service: { url: '' },
      terms: {
        validity: {},
        quota: { requests: 5, period: 'Lifetime' },
        originPolicy: { allowed: ['a.example'], missing: 'Deny', unknownPath: 'Allow' },
        cidrs: [],
        productRefs: [],
      },
      reissue: { requestId: 'r', reason: 'Routine', message: '', whileWaiting: 'KeepActive' },
    };
    expect(hash(said)).toBe(hash(bare));
    const noOrigins = { ...bare, terms: { originPolicy: { missing: 'Allow' as const } } };
    expect(hash(noOrigins)).toBe(hash({ ...bare, terms: {} }));
  });

  it('tells an unlimited quota, none, and no use at all apart (R109, R110)', () => {
    const quotas = [undefined, -1, 0, 1].map((requests) =>
      hash({ ...FULL, terms: requests === undefined ? {} : { quota: { requests } } }),
    );
    expect(new Set(quotas).size).toBe(4);
  });

  it('never collides by moving text from one field to another', () => {
    const fields = ['displayName', 'description', 'purpose', 'justification'] as const;
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
        fc.nat(11),
        fc.constantFrom(...fields),
        fc.constantFrom(...fields),
        (text, cut, first, second) => {
          fc.pre(first !== second && text.normalize('NFC') === text);
          const at = cut % text.length;
          const whole = { ...FULL, [first]: text, [second]: '' };
          const moved = { ...FULL, [first]: text.slice(0, at), [second]: text.slice(at) };
          expect(hash(moved)).not.toBe(hash(whole));
        },
      ),
    );
    expect(hash({ ...FULL, purpose: 'a","service":{"name":"b"}' })).not.toBe(
      hash({ ...FULL, purpose: 'a', service: { name: 'b' } }),
    );
  });

  it('is equal for two random forms only if their normal forms are', () => {
    fc.assert(
      fc.property(anyContent, anyContent, (a, b) => {
        const isSame = independent(canonicalContent(a)) === independent(canonicalContent(b));
        expect(hash(a) === hash(b)).toBe(isSame);
      }),
    );
  });
});

test('the normal form of a normal form is itself', () => {
  fc.assert(
    fc.property(anyContent, (content) => {
      const once = canonicalContent(content);
      expect(JSON.stringify(canonicalContent(once))).toBe(JSON.stringify(once));
    }),
  );
});

test('the time zone of a request is its own, else that of the store, else UTC', () => {
  const own = { validity: { timeZone: 'Asia/Taipei', durationDays: 3 } };
  expect(withTimeZone(own, 'Asia/Seoul')).toEqual(own);
  expect(withTimeZone({ validity: { durationDays: 3 } }, 'Asia/Seoul')).toEqual({
    validity: { durationDays: 3, timeZone: 'Asia/Seoul' },
  });
  expect(withTimeZone({}, undefined)).toEqual({ validity: { timeZone: 'UTC' } });
});
