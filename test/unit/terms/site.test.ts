import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSite, parseSite } from '../../../src/terms/site.ts';

function normal(text: string): string {
  const result = parseSite(text);
  return 'site' in result ? formatSite(result.site) : `refused: ${result.problem}`;
}

describe('a registered site', () => {
  it.each([
    ['www.myservice.com', 'www.myservice.com', 'bare host (R12)'],
    ['WWW.MyService.COM', 'www.myservice.com', 'lower case'],
    ['www.myservice.com.', 'www.myservice.com', 'one trailing dot'],
    ['www.myservice.com:8443', 'www.myservice.com:8443', 'port'],
    ['www.myservice.com:443', 'www.myservice.com:443', 'no scheme: no default port to drop'],
    ['https://www.myservice.com:443', 'https://www.myservice.com', 'default port of https'],
    ['http://www.myservice.com:80', 'http://www.myservice.com', 'default port of http'],
    ['http://www.myservice.com:443', 'http://www.myservice.com:443', 'not the default'],
    ['HTTPS://www.myservice.com', 'https://www.myservice.com', 'scheme in capitals'],
    ['https://www.myservice.com/', 'https://www.myservice.com', 'the root is no path'],
    ['https://www.myservice.com/app', 'https://www.myservice.com/app', 'path'],
    ['https://www.myservice.com/app/', 'https://www.myservice.com/app', 'slash at the end'],
    ['https://www.myservice.com/App', 'https://www.myservice.com/App', 'paths keep their case'],
    [
      'https://www.myservice.com/%61pp',
      'https://www.myservice.com/app',
      'escape of a plain letter',
    ],
    [
      'https://www.myservice.com/caf%c3%a9',
      'https://www.myservice.com/caf%C3%A9',
      'escapes in capitals',
    ],
    [
      'https://www.myservice.com/caf\u00e9',
      'https://www.myservice.com/caf%C3%A9',
      'escaped as browsers do',
    ],
    ['*.myservice.com', '*.myservice.com', 'leading wildcard'],
    ['https://*.myservice.com:8443/app', 'https://*.myservice.com:8443/app', 'everything at once'],
    ['localhost', 'localhost', 'single label'],
    ['localhost:3000', 'localhost:3000', 'development'],
    ['\uc11c\uc6b8.\ud55c\uad6d', 'xn--2i4bq6h.xn--3e0b707e', 'Korean, by IDNA'],
    ['b\u00fccher.example', 'xn--bcher-kva.example', 'German, by IDNA'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', 'ASCII form already'],
    ['192.0.2.8', '192.0.2.8', 'IPv4'],
    ['192.0.2.8:8080', '192.0.2.8:8080', 'IPv4 with port'],
    ['https://[2001:DB8::1]:8443', 'https://[2001:db8::1]:8443', 'IPv6'],
    ['[2001:db8:0:0:0:0:0:1]', '[2001:db8::1]', 'IPv6 in its short form'],
    ['my_host.example', 'my_host.example', 'underscore'],
    ['nullable.example', 'nullable.example', 'only begins with null'],
    ['*.seoul.go.kr', '*.seoul.go.kr', 'wildcard over an own domain below a category'],
  ])('%s is stored as %s (%s)', (text, stored) => {
    expect(normal(text)).toBe(stored);
    expect(normal(stored)).toBe(stored);
  });

  it.each([
    ['', 'empty'],
    ['a'.repeat(513), 'too long'],
    [`${'a'.repeat(64)}.example`, 'label too long'],
    [`${'a.'.repeat(127)}example`, 'host too long'],
    ['www.myservice.com/app', 'path without scheme'],
    ['ftp://www.myservice.com', 'other scheme'],
    ['javascript://www.myservice.com', 'other scheme'],
    ['//www.myservice.com', 'scheme-relative'],
    ['https:/www.myservice.com', 'one slash'],
    ['https:www.myservice.com', 'no slash'],
    ['https://', 'no host'],
    ['https:///app', 'no host'],
    ['user@www.myservice.com', 'user information'],
    ['https://user:pw@www.myservice.com', 'user information'],
    ['https://www.myservice.com?a=b', 'query'],
    ['https://www.myservice.com/#top', 'fragment'],
    [' www.myservice.com', 'blank before'],
    ['www.myservice.com ', 'blank behind'],
    ['www.my service.com', 'blank inside'],
    ['www.myservice.com\n', 'line feed'],
    ['www.my\u0000service.com', 'NUL'],
    ['www.my\u00adservice.com', 'soft hyphen, which browsers drop'],
    ['www.my\u200bservice.com', 'zero width space'],
    ['https://www.myservice.com\\app', 'backslash'],
    ['www..myservice.com', 'empty label'],
    ['.myservice.com', 'leading dot'],
    ['www.myservice.com..', 'two trailing dots'],
    ['-a.example', 'label begins with a hyphen'],
    ['a-.example', 'label ends with a hyphen'],
    ['www.myservice%2ecom', 'escape in the host'],
    ['a,b.example', 'comma'],
    ['www.myservice.com:', 'empty port'],
    ['www.myservice.com:0', 'port 0'],
    ['www.myservice.com:65536', 'port above 65535'],
    ['www.myservice.com:080', 'leading zero'],
    ['www.myservice.com:8a', 'no number'],
    ['www.myservice.com:80:80', 'two ports'],
    ['*', 'wildcard alone'],
    ['*.', 'wildcard over nothing'],
    ['*.com', 'wildcard over a single label'],
    ['*.localhost', 'wildcard over a single label'],
    ['*.co.kr', 'wildcard over a public suffix'],
    ['*.go.kr', 'wildcard over a public suffix'],
    ['*.com.tw', 'wildcard over a public suffix'],
    ['*.co.uk', 'wildcard over a public suffix'],
    ['*.github.io', 'wildcard over customers of a host'],
    ['*.vercel.app', 'wildcard over customers of a host'],
    ['*.192.0.2.8', 'wildcard over an address'],
    ['a.*.example.com', 'wildcard inside'],
    ['*a.example.com', 'wildcard in a label'],
    ['**.example.com', 'two wildcards'],
    ['*.*.example.com', 'two wildcards'],
    ['https://www.example.com/*', 'wildcard in the path'],
    ['192.0.2.010', 'octal'],
    ['0300.0.2.8', 'octal'],
    ['0xc0.0.2.8', 'hexadecimal'],
    ['0xc0000208', 'hexadecimal'],
    ['3221225992', 'one number'],
    ['192.0.520', 'three numbers'],
    ['192.0.2.256', 'above 255'],
    ['192.0.2.8.', 'address with trailing dot'],
    ['\uff11\uff19\uff12.0.2.8', 'full-width digits'],
    ['host.1', 'last label numeric'],
    ['[::ffff:192.0.2.8]', 'IPv4 in IPv6'],
    ['[::1%25eth0]', 'IPv6 zone'],
    ['[::1', 'bracket open'],
    ['::1', 'IPv6 without brackets'],
    ['null', 'the literal null'],
    ['NULL', 'the literal null'],
    ['https://null', 'the literal null'],
    ['null:443', 'the literal null'],
    ['https://www.myservice.com/a/../b', 'dot segments'],
    ['https://www.myservice.com/a/%2e%2e/b', 'escaped dot segments'],
    ['https://www.myservice.com/./a', 'dot segment'],
    ['https://www.myservice.com//a', 'empty segment'],
    ['https://www.myservice.com//', 'empty segment'],
    ['https://www.myservice.com/a//', 'empty segment'],
    ['https://www.myservice.com/a%2fb', 'escaped slash'],
    ['https://www.myservice.com/a%5cb', 'escaped backslash'],
    ['https://www.myservice.com/a%00b', 'escaped NUL'],
    ['https://www.myservice.com/a%', 'broken escape'],
    ['https://www.myservice.com/\ud800', 'lone surrogate'],
  ])('"%s" is refused: %s', (text) => {
    expect(normal(text)).toMatch(/^refused: /);
  });

  it('is read without throwing, whatever the text, and its normal form is stable', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.webUrl(),
      fc.stringMatching(/^(https?:\/\/)?(\*\.)?[a-zA-Z0-9.\-[\]:@%]{0,30}(\/[a-z./%]{0,10})?$/),
    );
    fc.assert(
      fc.property(text, (each) => {
        const stored = normal(each);
        expect(stored.startsWith('refused') || normal(stored) === stored).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
