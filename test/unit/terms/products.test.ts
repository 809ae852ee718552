import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileProducts, productOf, type ClaimingProduct } from '../../../src/terms/products.ts';
import { loosePath, readTarget, type RequestLine } from '../../../src/terms/target.ts';
import { DOUBTFUL_TARGETS } from './targets.ts';

type Pattern = ClaimingProduct['match'][number];

function product(name: string, ...match: readonly (Partial<Pattern> | string)[]): ClaimingProduct {
  const patterns = match.map((each) => ({
    hosts: [],
    pathPrefix: '/',
    methods: [],
    ...(typeof each === 'string' ? { pathPrefix: each } : each),
  }));
  return { name, phase: 'Live', state: 'Published', match: patterns };
}

/** Name of the product, `none`, or `Doubtful`. */
function find(products: readonly ClaimingProduct[], line: RequestLine): string {
  const target = readTarget({ host: 'api.example', method: 'GET', ...line });
  if (target === 'Doubtful') return 'Doubtful';
  const found = productOf(compileProducts(products), target);
  return found === undefined || found === 'Doubtful' ? (found ?? 'none') : found.name;
}

const SHOP = [
  product('site', '/'),
  product('places', '/v1/places', '/v2/places/'),
  product('place-admin', '/v1/places/admin'),
  product('festivals', '/v1/festivals', '/v1/\ucd95\uc81c'),
  product('written', { pathPrefix: '/v1/notes', methods: ['POST', 'PUT'] }),
  product('read', { pathPrefix: '/v1/notes', methods: ['GET'] }),
  product('inside', { hosts: ['in.example'], pathPrefix: '/v1/places' }),
  product('inside-all', { hosts: ['in.example', '[2001:db8::1]', 'p.example:8443'] }),
];

describe('a call', () => {
  it.each([
    ['/', 'site', 'everything else'],
    ['/v1', 'site', 'above what is claimed'],
    ['/v1/places', 'places', 'the very path'],
    ['/v1/places/', 'places', 'slash at the end'],
    ['/v1/places/3', 'places', 'below it'],
    ['/v1/places?admin', 'places', 'the query does not count'],
    ['/v1/places/admin', 'place-admin', 'the longest path wins'],
    ['/v1/places/admin/x/y', 'place-admin', 'deep below'],
    ['/v1/places/administration', 'places', 'whole segments only'],
    ['/v1/places12', 'site', 'whole segments only'],
    ['/v2/places', 'places', 'claimed with a slash at the end'],
    ['/v1/%70laces', 'places', 'escape of a letter'],
    ['/v1/%EC%B6%95%EC%A0%9C/3', 'festivals', 'claimed in Korean'],
    ['/v1/Places', 'Doubtful', 'a lenient server may take it for another product'],
    ['/V1/places', 'Doubtful', 'capitals above'],
    ['/V1/PLACES/ADMIN', 'Doubtful', 'all in capitals'],
    ['/v1/places/Admin/x', 'Doubtful', 'below a product already'],
    ['/V1/other', 'site', 'capitals where nothing is claimed'],
    ['/v1/places/admin%20', 'Doubtful', 'blank at the end'],
    ['/v1/places/..', 'Doubtful', 'dots'],
  ])('to %s is of %s: %s', (target, name) => {
    expect(find(SHOP, { target })).toBe(name);
  });

  it.each([
    ['GET', 'read', 'listed'],
    ['HEAD', 'read', 'servers answer it like GET'],
    ['POST', 'written', 'listed'],
    ['PUT', 'written', 'listed'],
    ['DELETE', 'site', 'claimed by nobody'],
    ['OPTIONS', 'site', 'claimed by nobody'],
    ['get', 'Doubtful', 'a lenient server may take it for GET'],
    ['', 'Doubtful', 'not said, but it matters'],
  ])('with method %s is of %s (%s)', (method, name) => {
    expect(find(SHOP, { method, target: '/v1/notes/3' })).toBe(name);
  });

  it.each([
    ['in.example', '/v1/places', 'inside', 'a named host wins'],
    ['IN.example.:8080', '/v1/places', 'inside', 'in any spelling, at any port'],
    ['in.example', '/v1/places/admin', 'place-admin', 'but the longest path wins before'],
    ['in.example', '/x', 'inside-all', 'the root of the host'],
    ['[2001:DB8:0::1]:443', '/x', 'inside-all', 'IPv6'],
    ['p.example', '/x', 'inside-all', 'ports of claims are not looked at'],
    ['p.example:9', '/x', 'inside-all', 'nor those of calls'],
    ['sub.in.example', '/x', 'site', 'another host'],
    ['in.example.evil', '/x', 'site', 'another host'],
    ['in_example', '/x', 'site', 'another host'],
    ['in.example..', '/x', 'Doubtful', 'no host'],
    ['', '/x', 'Doubtful', 'not said, but it matters'],
    ['*', '/x', 'Doubtful', 'no host'],
  ])('at %s%s is of %s (%s)', (host, target, name) => {
    expect(find(SHOP, { host, target })).toBe(name);
  });

  it.each(DOUBTFUL_TARGETS)('to %j is of no product for sure: %s (G6)', (target) => {
    expect(find(SHOP, { target })).toBe('Doubtful');
  });

  it('is of none where nobody claims it, and needs no host and no method then', () => {
    expect(find([], { target: '/a' })).toBe('none');
    const one = [product('a', '/a')];
    expect(find(one, { target: '/b', host: '', method: '' })).toBe('none');
    expect(find(one, { target: '/a/b', host: '', method: '' })).toBe('a');
  });
});

describe('two products that claim the same', () => {
  const first = product('first', { pathPrefix: '/v1', hosts: ['a.example', 'b.example'] });
  const second = product('second', { pathPrefix: '/v1/', hosts: ['b.example:8443'] });

  it('make calls doubtful, and only those', () => {
    expect(find([first, second], { host: 'b.example', target: '/v1/x' })).toBe('Doubtful');
    expect(find([first, second], { host: 'a.example', target: '/v1/x' })).toBe('first');
  });

  it('do not when they differ in the method, or in how closely they name it', () => {
    const any = product('any', '/v1');
    const get = product('get', { pathPrefix: '/v1', methods: ['GET', 'POST'] });
    const head = product('head', { pathPrefix: '/v1', methods: ['HEAD'] });
    expect(find([any, get, head], { method: 'GET', target: '/v1' })).toBe('get');
    expect(find([any, get, head], { method: 'HEAD', target: '/v1' })).toBe('head');
    expect(find([any, get, head], { method: 'PUT', target: '/v1' })).toBe('any');
    const alsoGet = product('also', { pathPrefix: '/v1', methods: ['GET'] });
    expect(find([any, get, alsoGet], { method: 'GET', target: '/v1' })).toBe('Doubtful');
    expect(find([any, get, alsoGet], { method: 'POST', target: '/v1' })).toBe('get');
  });

  it('do not when one of them is retired; without a rival it keeps its calls', () => {
    const old = { ...product('old', '/v1'), state: 'Retired' as const };
    expect(find([old, product('new', '/v1')], { target: '/v1/x' })).toBe('new');
    expect(find([old, product('site', '/')], { target: '/v1/x' })).toBe('old');
  });

  it('do not when it is one product that says it twice', () => {
    expect(find([product('a', '/v1', '/v1/', '/%76%31')], { target: '/v1' })).toBe('a');
  });

  it('may differ in capitals only, if both are named so', () => {
    const both = [product('small', '/v1'), product('large', '/V1')];
    expect(find(both, { target: '/v1/x' })).toBe('small');
    expect(find(both, { target: '/V1/x' })).toBe('large');
  });
});

describe('a claim', () => {
  it('of a product that was deleted is none', () => {
    expect(find([{ ...product('gone', '/'), phase: 'Ended' }], { target: '/' })).toBe('none');
  });

  it.each([
    ['/a%2fb', 'escaped slash'],
    ['/a;b', 'semicolon'],
    ['/a%zz', 'broken escape'],
    ['/100%', 'broken escape'],
    ['/a/../b', 'dots'],
    ['/a.', 'dot at the end'],
    ['/cafe\u0301', 'detached accent'],
    ['/\ud800', 'half of a surrogate pair', '/%EF%BF%BD'],
    ['a', 'no slash'],
    ['', 'nothing'],
  ])('that no call can meet is named: %j (%s)', (pathPrefix, _why, becomes?: string) => {
    const { unusable, claims } = compileProducts([product('odd', pathPrefix), product('b', '/b')]);
    expect(unusable).toEqual(becomes === undefined ? [`odd: ${pathPrefix}`] : []);
    expect(claims.size).toBe(becomes === undefined ? 1 : 2);
  });

  it('whose hosts cannot be read does not become one for any host', () => {
    const odd = product('odd', { hosts: ['1.2.3'], pathPrefix: '/' });
    expect(compileProducts([odd]).unusable).toEqual(['odd: /']);
    expect(find([odd, product('b', '/b')], { target: '/x' })).toBe('none');
  });
});

describe('random products', () => {
  const segment = fc.constantFrom('a', 'b', 'A', 'c%2Cd', 'c,d');
  const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
  const hosts = fc.subarray(['x.example', 'y.example']);
  const methods = fc.subarray(['GET', 'HEAD', 'POST']);
  const products = fc.array(
    fc
      .record({
        patterns: fc.array(fc.record({ hosts, pathPrefix: path, methods }), { maxLength: 3 }),
        state: fc.constantFrom('Published', 'Deprecated', 'Retired'),
      })
      .map(({ patterns, state }) => ({ ...product('', ...patterns), state })),
    { maxLength: 6 },
  );
  const lines = fc.record({
    host: fc.constantFrom('x.example', 'y.example', 'z.example'),
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
    target: fc
      .tuple(path, fc.constantFrom('', '/', '?q'))
      .map((parts) => parts.join('').replace('//', '/')),
  });

  it('are found as a search through all claims finds them', () => {
    fc.assert(
      fc.property(products, lines, (unnamed, line) => {
        const named = unnamed.map((each, at) => ({ ...each, name: `p${at}` }));
        expect(find(named, line)).toBe(search(named, line));
      }),
      { numRuns: 3_000 },
    );
  });
});

type Candidate = { readonly name: string; readonly closeness: string; readonly isExact: boolean };

/** The rule as a sentence says it: all claims that cover the call, sorted by how closely they do. */
function search(products: readonly ClaimingProduct[], line: RequestLine): string {
  const candidates = products.flatMap((each) =>
    each.match.flatMap((pattern) => candidateOf(each, pattern, line)),
  );
  const best = candidates
    .map(({ closeness }) => closeness)
    .toSorted()
    .at(-1);
  const first = candidates.filter(({ closeness }) => closeness === best);
  if (first.length === 0) return 'none';
  const names = new Set(first.map(({ name }) => name));
  return first.every(({ isExact }) => isExact) && names.size === 1 ? [...names].join() : 'Doubtful';
}

function candidateOf(
  { name, state }: ClaimingProduct,
  { hosts, pathPrefix, methods }: Pattern,
  { host = '', method = '', target = '' }: RequestLine,
): readonly Candidate[] {
  const claimed = segmentsOf(pathPrefix);
  const call = segmentsOf(target.replace(/\?.*/, ''));
  const isExact = covers(claimed, call);
  const listed = methods.includes(method) ? 2 : 0;
  const closest = method === 'HEAD' && methods.includes('GET') ? Math.max(listed, 1) : listed;
  if (!covers(claimed.map(loosePath), call.map(loosePath))) return [];
  if (hosts.length > 0 && !hosts.includes(host)) return [];
  if (methods.length > 0 && closest === 0) return [];
  const ranks = [claimed.length, isExact, hosts.length > 0, closest, state !== 'Retired'];
  return [{ name, closeness: ranks.map(Number).join(' '), isExact }];
}

function segmentsOf(text: string): readonly string[] {
  return text.split('/').filter(Boolean);
}

function covers(shorter: readonly string[], longer: readonly string[]): boolean {
  return shorter.every((each, at) => each === longer[at]);
}
