/**
 * Bytes on a connection as a gateway, a careless client or an attacker would send them: sound requests, others
 * that are nearly so, both spoilt, several in a row, cut anywhere.
 */
import fc from 'fast-check';

/** What one connection sends. */
export type Sent = {
  /** Latin-1. */
  readonly text: string;
  /** Where the pieces begin that are written one by one, but for the first; ascending. */
  readonly cuts: readonly number[];
};

/** Bounds of the listeners, so low that short texts reach them. */
export const LIMITS = { headerBytes: 1_024, headers: 12 } as const;

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';
const request = (lines: readonly string[], body = ''): string =>
  `${lines.join('\r\n')}\r\n\r\n${body}`;

/** What a gateway asks all day. */
export const PLAIN = request([
  'GET /auth/nginx HTTP/1.1',
  'Host: api.example.com',
  'X-Original-Method: GET',
  'X-Original-URI: /v1/orders?a=1',
  `X-API-Key: ${KEY}`,
]);

/** Requests that make sense. */
export const SOUND: readonly string[] = [
  PLAIN,
  request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Content-Length: 0', 'Connection: Keep-Alive']),
  request([
    'GET /auth/forward?product=maps HTTP/1.1',
    'Host: a',
    'X-Forwarded-Uri: /',
    `Authorization: Bearer ${KEY}`,
    'X-Forwarded-For: 10.0.0.1',
  ]),
  request(['DELETE /auth/haproxy HTTP/1.1', 'host: a', 'X-Keyward-Client: root']),
  request(
    ['POST /auth/envoy/v1?a=1 HTTP/1.1', 'Host: a', `X-API-Key: ${KEY}`, 'Content-Length: 7'],
    '{"a":1}',
  ),
  request(
    ['POST /auth/forward HTTP/1.1', 'Host: a', `X-API-Key: ${KEY}`, 'Transfer-Encoding: chunked'],
    '3\r\nabc\r\n0\r\n\r\n',
  ),
  request(
    ['POST /v1/verify HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Length: 2'],
    '{}',
  ),
  request(['GET /nowhere HTTP/1.1', 'Host: a']),
  request(['GET /auth/nginx HTTP/1.0', 'Host: a']),
  request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Connection: close']),
];

const METHODS =
  'GET GET GET POST PUT PATCH DELETE OPTIONS HEAD TRACE CONNECT PRI get M-SEARCH'.split(' ');
const TARGETS = [
  ...'/auth/nginx /auth/nginx /auth/forward /auth/haproxy?product=maps /auth/envoy/ /auth/envoy/a?b={}|'.split(
    ' ',
  ),
  ...'/auth/envoy/a#b /auth/envoy/\xe9 /auth/envoy/\x7f /auth/envoy/"<>\\^` /auth/nginx?product=A'.split(
    ' ',
  ),
  ...'http://a/auth/nginx * a:80 //auth/nginx /AUTH/nginx /auth/envoy/%00 /auth/ /v1/verify'.split(
    ' ',
  ),
  '/auth/envoy/\t',
  '/auth/envoy/a b',
  '',
];
const VERSIONS = [
  ...'HTTP/1.1 HTTP/1.1 HTTP/1.1 HTTP/1.1 HTTP/1.1 HTTP/1.0 HTTP/0.9 HTTP/1.2 HTTP/2.0 http/1.1'.split(
    ' ',
  ),
  ...'HTTP/01.1 HTTP/1.1\t RTSP/1.0'.split(' '),
  ' HTTP/1.1',
  'HTTP/1.1 ',
  '',
];
const NAMES = [
  ...'Host host HOST X-API-Key x-api-key X_API_Key X.API.Key Authorization Connection connection'.split(
    ' ',
  ),
  ...'Content-Length content-length Transfer-Encoding TE Trailer Upgrade Expect Keep-Alive'.split(
    ' ',
  ),
  ...'Proxy-Connection X-Keyward-Client X~Keyward~Id HTTP2-Settings X-Original-URI Cookie Date'.split(
    ' ',
  ),
  ...'X-Forwarded-For Sec-WebSocket-Key Proxy-Authorization Content_Length Content-Length\x00'.split(
    ' ',
  ),
  "!#$%&'*+-.^_`|~09az",
  'X(Y)',
  'X\xe9',
  '',
];
const CONTENTS = [
  ...'a a a 0 00 +0 -0 0x0 1 5 0,0 close keep-alive Keep-Alive upgrade chunked identity h2c'.split(
    ' ',
  ),
  ...'trailers 100-continue websocket \xe9 \x80 \xff \x7f \x00 \x01 \x0b \x0c'.split(' '),
  KEY,
  `Bearer ${KEY}`,
  'close, X-API-Key',
  'keep-alive, close',
  'gzip, chunked',
  '0, 0',
  '',
];
const COLONS = [':', ': ', ': ', ': ', ':\t', ' :', '\t:', ' : ', '', '::', ':\r\n ', ':\x0b'];
const ENDS = [
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\n\r\n',
  ' \r\n',
  '\r\n ',
];

const mostly = <T>(plain: T, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(plain), weight: 12 }, { arbitrary: odd, weight: 1 });
const end = mostly('\r\n', fc.constantFrom(...ENDS));
const GOOD = [`X-API-Key: ${KEY}\r\n`, 'X-Original-URI: /v1/a\r\n', 'Content-Length: 0\r\n'];
const anyField = fc
  .tuple(
    fc.constantFrom(...NAMES),
    mostly(': ', fc.constantFrom(...COLONS)),
    fc.oneof(
      { arbitrary: fc.constantFrom(...CONTENTS), weight: 8 },
      { arbitrary: fc.nat(600).map((length) => 'l'.repeat(length)), weight: 1 },
    ),
    end,
  )
  .map((parts) => parts.join(''));
const field = fc.oneof(
  { arbitrary: fc.constantFrom(...GOOD), weight: 2 },
  { arbitrary: anyField, weight: 1 },
);
const built = fc
  .tuple(
    mostly('GET', fc.constantFrom(...METHODS)),
    mostly('/auth/nginx', fc.constantFrom(...TARGETS)),
    mostly('HTTP/1.1', fc.constantFrom(...VERSIONS)),
    end,
    mostly('Host: a\r\n', field),
    fc.array(field, { maxLength: 6 }),
    end,
    mostly('', fc.constantFrom(PLAIN, 'abcde', '0\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n', '\r\n', 'x')),
  )
  .map(([method, target, version, lineEnd, host, fields, last, rest]) =>
    [`${method} ${target} ${version}${lineEnd}`, host, ...fields, last, rest].join(''),
  );

type Change = { readonly at: number; readonly removed: number; readonly put: string };
/** Pieces that parsers argue about, and any bytes. */
const piece = fc.oneof(
  fc.constantFrom('\r', '\n', '\r\n', '\0', ' ', '\t', ':', ',', '\r\n ', 'Content-Length: 5\r\n'),
  fc.constantFrom('\r\n\r\n', 'X-API-Key: x\r\n', '_', '\xff', 'Transfer-Encoding: chunked\r\n'),
  fc.string({ unit: 'binary', maxLength: 3 }).map((text) => Buffer.from(text).toString('latin1')),
);
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat(3),
  put: piece,
});

function spoil(text: string, { at, removed, put }: Change): string {
  const index = Math.floor(at * text.length);
  return text.slice(0, index) + put + text.slice(index + removed);
}

const one = fc
  .tuple(
    fc.oneof(fc.constantFrom(...SOUND), built, built),
    mostly<readonly Change[]>([], fc.array(change, { minLength: 1, maxLength: 3 })),
  )
  .map(([text, changes]) => changes.reduce(spoil, text));
const texts = fc.oneof(
  { arbitrary: one, weight: 4 },
  {
    arbitrary: fc.array(one, { minLength: 2, maxLength: 4 }).map((all) => all.join('')),
    weight: 1,
  },
);

/** Where to cut, as parts of the whole length; `Crumbs`: everywhere. */
const places = fc.oneof(
  { arbitrary: fc.constant<readonly number[]>([]), weight: 4 },
  { arbitrary: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), weight: 4 },
  { arbitrary: fc.constant('Crumbs' as const), weight: 1 },
);

/** Any of it. */
export const anySent: fc.Arbitrary<Sent> = fc.tuple(texts, places).map(([text, at]) => {
  if (at === 'Crumbs') return { text, cuts: Array.from({ length: text.length }, (_, i) => i) };
  const cuts = at.map((part) => Math.floor(part * text.length)).toSorted((a, b) => a - b);
  return { text, cuts };
});
