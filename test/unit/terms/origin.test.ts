import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchOrigin, type OriginHeaders } from '../../../src/terms/origin.ts';
import { parseSite } from '../../../src/terms/site.ts';
import type { OriginPolicy } from '../../../src/terms/terms.ts';

function policy(
  texts: string | readonly string[],
  change: Partial<OriginPolicy> = {},
): OriginPolicy {
  const allowed = [texts].flat().map((text) => {
    const result = parseSite(text);
    if ('problem' in result) throw new Error(`${text} ${result.problem}`);
    return result.site;
  });
  return { allowed, missing: 'Deny', unknownPath: 'Allow', ...change };
}

const origin = (text: string): OriginHeaders => ({ origin: text });
const referer = (text: string): OriginHeaders => ({ referer: text });
const both = (o: string, r: string): OriginHeaders => ({ origin: o, referer: r });
const WWW = 'www.myservice.com';
const APP = 'https://www.myservice.com/app';

describe('the origin matcher (R10, R11, R12)', () => {
  it.each([
    [WWW, origin('https://www.myservice.com'), 'Allowed', 'https'],
    [WWW, origin('http://www.myservice.com'), 'Allowed', 'http'],
    [WWW, origin('https://WWW.MYSERVICE.COM'), 'Allowed', 'case'],
    [WWW, origin('HTTPS://www.myservice.com'), 'Allowed', 'case of the scheme'],
    [WWW, origin('https://www.myservice.com:443'), 'Allowed', 'default port written'],
    [WWW, origin('http://www.myservice.com:80'), 'Allowed', 'default port written'],
    [WWW, origin('https://www.myservice.com.'), 'Allowed', 'trailing dot'],
    [WWW, origin('https://myservice.com'), 'NotAllowed', 'www. is significant'],
    [WWW, origin('https://a.www.myservice.com'), 'NotAllowed', 'no implied subdomain'],
    [WWW, origin('https://www.myservice.com.evil.example'), 'NotAllowed', 'longer host'],
    [WWW, origin('https://evilwww.myservice.com'), 'NotAllowed', 'longer label'],
    [WWW, origin('https://evil-www.myservice.com'), 'NotAllowed', 'longer label'],
    [WWW, origin('https://wwwxmyservice.com'), 'NotAllowed', 'a dot is a dot'],
    [WWW, origin('https://www.myservice.com:8443'), 'NotAllowed', 'other port'],
    [WWW, origin('https://www.myservice.com:80'), 'NotAllowed', 'default port of the other scheme'],
    [WWW, origin('http://www.myservice.com:443'), 'NotAllowed', 'default port of the other scheme'],
    [WWW, origin('https://www.myservice.co'), 'NotAllowed', 'shorter host'],
    ['myservice.com', origin('https://www.myservice.com'), 'NotAllowed', 'www. is significant'],
    ['www.myservice.com:8443', origin('https://www.myservice.com:8443'), 'Allowed', 'port'],
    ['www.myservice.com:8443', origin('http://www.myservice.com:8443'), 'Allowed', 'both schemes'],
    ['www.myservice.com:8443', origin('https://www.myservice.com'), 'NotAllowed', 'port missing'],
    ['www.myservice.com:443', origin('https://www.myservice.com'), 'Allowed', 'the port in effect'],
    ['https://www.myservice.com', origin('https://www.myservice.com'), 'Allowed', 'scheme'],
    ['https://www.myservice.com', origin('http://www.myservice.com'), 'NotAllowed', 'other scheme'],
    ['http://www.myservice.com', origin('https://www.myservice.com'), 'NotAllowed', 'other scheme'],
    ['https://www.myservice.com', origin('https://www.myservice.com:443'), 'Allowed', 'default'],
    // paths
    [APP, referer('https://www.myservice.com/app/x'), 'Allowed', 'below'],
    [APP, referer('https://www.myservice.com/app'), 'Allowed', 'equal'],
    [APP, referer('https://www.myservice.com/app/'), 'Allowed', 'equal but for the slash'],
    [
      APP,
      referer('https://www.myservice.com/app?x=1#y'),
      'Allowed',
      'query and fragment do not count',
    ],
    [APP, referer('https://www.myservice.com/%61pp/x'), 'Allowed', 'escape of a plain letter'],
    [APP, referer('https://www.myservice.com/application'), 'NotAllowed', 'whole segments'],
    [APP, referer('https://www.myservice.com/App'), 'NotAllowed', 'paths have case'],
    [APP, referer('https://www.myservice.com/other'), 'NotAllowed', 'other path'],
    [APP, referer('https://www.myservice.com/x/app'), 'NotAllowed', 'not at the front'],
    [APP, referer('https://www.myservice.com//app'), 'NotAllowed', 'empty segment'],
    [APP, referer('https://www.myservice.com/app/../admin'), 'NotAllowed', 'dot segments'],
    [APP, referer('https://www.myservice.com/app/%2e%2e/admin'), 'NotAllowed', 'escaped dots'],
    [APP, referer('https://www.myservice.com/app%2fx'), 'NotAllowed', 'escaped slash'],
    [APP, referer('https://www.myservice.com/app/x%5cy'), 'NotAllowed', 'escaped backslash'],
    [APP, referer('https://www.myservice.com/app/%zz'), 'NotAllowed', 'broken escape'],
    [APP, origin('https://www.myservice.com'), 'PathUnknown', 'origin only'],
    [APP, referer('https://www.myservice.com/'), 'PathUnknown', 'the root says no path'],
    [APP, referer('https://www.myservice.com'), 'PathUnknown', 'no path'],
    [APP, referer('https://www.myservice.com?x=/app'), 'PathUnknown', 'no path but a query'],
    [APP, referer('http://www.myservice.com/app'), 'NotAllowed', 'other scheme'],
    [APP, both('https://www.myservice.com', 'https://www.myservice.com/app/x'), 'Allowed', 'both'],
    [
      APP,
      both('https://www.myservice.com', 'https://www.myservice.com/other'),
      'NotAllowed',
      'both',
    ],
    [
      APP,
      both('https://www.myservice.com', 'http://www.myservice.com/app'),
      'PathUnknown',
      'the page lies in another origin: its path says nothing',
    ],
    // wildcards
    ['*.myservice.com', origin('https://a.myservice.com'), 'Allowed', 'one below'],
    ['*.myservice.com', origin('https://a.b.myservice.com'), 'Allowed', 'any depth'],
    ['*.myservice.com', origin('https://myservice.com'), 'NotAllowed', 'never the parent'],
    ['*.myservice.com', origin('https://.myservice.com'), 'NotAllowed', 'empty label'],
    ['*.myservice.com', origin('https://evilmyservice.com'), 'NotAllowed', 'needs the dot'],
    ['*.myservice.com', origin('https://a.myservice.com.evil.example'), 'NotAllowed', 'longer'],
    ['*.myservice.com', origin('https://a.myservice.com:8443'), 'NotAllowed', 'port'],
    [
      'https://*.myservice.com:8443',
      origin('https://a.myservice.com:8443'),
      'Allowed',
      'all parts',
    ],
    // null, nothing, doubt
    [WWW, origin('null'), 'NotAllowed', 'null (R13)'],
    [WWW, {}, 'Missing', 'nothing said (R13)'],
    [WWW, both('', ''), 'Missing', 'empty headers say nothing'],
    [WWW, both('null', 'https://www.myservice.com/x'), 'Allowed', 'null gives way to the Referer'],
    [WWW, both('null', 'https://evil.example/'), 'NotAllowed', 'null gives way to the Referer'],
    [WWW, origin('https://null'), 'NotAllowed', 'a host of that name'],
    [WWW, origin('NULL'), 'NotAllowed', 'no such literal'],
    [WWW, both('https://www.myservice.com', 'https://www.myservice.com/x'), 'Allowed', 'both'],
    [
      WWW,
      both('https://www.myservice.com', 'https://evil.example/x'),
      'NotAllowed',
      'hosts differ',
    ],
    [
      WWW,
      both('https://evil.example', 'https://www.myservice.com/x'),
      'NotAllowed',
      'hosts differ',
    ],
    [WWW, both('https://www.myservice.com', 'about:blank'), 'NotAllowed', 'Referer is no site'],
    [WWW, both('nonsense', 'https://www.myservice.com/'), 'NotAllowed', 'Origin is no site'],
    [WWW, referer('https://www.myservice.com/any/page'), 'Allowed', 'Referer alone'],
    [
      WWW,
      referer('https://www.myservice.com/a/../%2f'),
      'Allowed',
      'no path registered: none compared',
    ],
    // tricks
    [WWW, referer('https://www.myservice.com@evil.example/'), 'NotAllowed', 'host is evil.example'],
    [WWW, referer('https://evil.example@www.myservice.com/'), 'NotAllowed', 'user information'],
    [WWW, referer('https://www.myservice.com:x@evil.example/'), 'NotAllowed', 'password'],
    [WWW, referer('https://evil.example/@www.myservice.com'), 'NotAllowed', 'in the path'],
    [WWW, referer('https://evil.example?www.myservice.com'), 'NotAllowed', 'in the query'],
    [WWW, referer('https://evil.example#www.myservice.com'), 'NotAllowed', 'in the fragment'],
    [WWW, referer('https://evil.example\\@www.myservice.com/'), 'NotAllowed', 'backslash'],
    [WWW, referer('https://www.myservice.com\\.evil.example/'), 'NotAllowed', 'backslash'],
    [WWW, referer('https:\\\\www.myservice.com\\'), 'NotAllowed', 'backslashes'],
    [WWW, referer('https:www.myservice.com/'), 'NotAllowed', 'no slashes'],
    [WWW, referer('//www.myservice.com/'), 'NotAllowed', 'no scheme'],
    [WWW, referer('www.myservice.com'), 'NotAllowed', 'no scheme'],
    [WWW, referer(' https://www.myservice.com/'), 'NotAllowed', 'blank before'],
    [WWW, referer('ftp://www.myservice.com/'), 'NotAllowed', 'other scheme'],
    [WWW, referer('data:text/html,https://www.myservice.com/'), 'NotAllowed', 'data'],
    [WWW, origin('https://www.myservice.com/'), 'NotAllowed', 'an Origin has no path'],
    [WWW, origin('https://www.myservice.com https://evil.example'), 'NotAllowed', 'a list'],
    [WWW, origin('https://www.myservice.com,https://evil.example'), 'NotAllowed', 'a joined list'],
    [
      WWW,
      origin('https://www.myservice.com, https://www.myservice.com'),
      'NotAllowed',
      'a joined list',
    ],
    [WWW, origin('https://www.myservice.com\r\nX: y'), 'NotAllowed', 'line feed'],
    [WWW, origin('https://www.myservice.com\u0000'), 'NotAllowed', 'NUL'],
    [WWW, origin('https://www.myservice.com%00.evil.example'), 'NotAllowed', 'escape in the host'],
    [WWW, origin('https://www%2emyservice.com'), 'NotAllowed', 'escape in the host'],
    [WWW, origin('https://www.myservice.com:'), 'NotAllowed', 'empty port'],
    [WWW, origin('https://www.myservice.com:0443'), 'NotAllowed', 'leading zero'],
    [WWW, origin('https://www.myservice.com:443:443'), 'NotAllowed', 'two ports'],
    [WWW, origin('https://www.myservice.com..'), 'NotAllowed', 'two trailing dots'],
    [WWW, origin('https://\uff57\uff57\uff57.myservice.com'), 'NotAllowed', 'full-width letters'],
    [WWW, origin('https://www.mys\u0435rvice.com'), 'NotAllowed', 'a Cyrillic letter'],
    [WWW, origin('https://www.my\u00adservice.com'), 'NotAllowed', 'soft hyphen'],
    [WWW, origin('file://'), 'NotAllowed', 'file'],
    [WWW, origin('chrome-extension://abcdefghijklmnop'), 'NotAllowed', 'extension'],
    [WWW, origin('*'), 'NotAllowed', 'a star is no site'],
    // addresses and other names
    ['192.0.2.8', origin('http://192.0.2.8'), 'Allowed', 'IPv4'],
    ['192.0.2.8', origin('http://192.0.2.010'), 'NotAllowed', 'octal'],
    ['192.0.2.8', origin('http://3221225992'), 'NotAllowed', 'one number'],
    ['192.0.2.8', origin('http://0xc0.0.2.8'), 'NotAllowed', 'hexadecimal'],
    ['192.0.2.8', origin('http://[::ffff:192.0.2.8]'), 'NotAllowed', 'IPv4 in IPv6'],
    ['[2001:db8::1]:8443', origin('https://[2001:db8::1]:8443'), 'Allowed', 'IPv6'],
    ['[2001:db8::1]', origin('https://[2001:DB8::1]'), 'Allowed', 'IPv6 in capitals'],
    ['[2001:db8::1]', origin('https://[2001:db8::2]'), 'NotAllowed', 'other IPv6'],
    ['[2001:db8::1]', origin('https://2001:db8::1'), 'NotAllowed', 'no brackets'],
    ['localhost:3000', origin('http://localhost:3000'), 'Allowed', 'development'],
    ['b\u00fccher.example', origin('https://xn--bcher-kva.example'), 'Allowed', 'IDNA'],
  ] as const)('%s, %j: %s (%s)', (registered, headers, expected, _why) => {
    expect(matchOrigin(policy(registered), headers)).toBe(expected);
  });

  it.each([
    [{ missing: 'Allow' }, {}, 'Allowed', 'nothing said'],
    [{ missing: 'Allow' }, origin('null'), 'NotAllowed', 'null is said, and is not nothing'],
    [{ missing: 'Allow' }, origin('https://evil.example'), 'NotAllowed', 'another site'],
    [{ missing: 'Allow' }, origin('nonsense'), 'NotAllowed', 'doubt'],
    [{ unknownPath: 'Deny' }, origin('https://www.myservice.com'), 'NotAllowed', 'path not said'],
    [{ unknownPath: 'Deny' }, referer('https://www.myservice.com/'), 'NotAllowed', 'root'],
    [{ unknownPath: 'Deny' }, referer('https://www.myservice.com/app'), 'Allowed', 'path said'],
  ] as const)('with %j, %j: %s (%s)', (change, headers, expected, _why) => {
    expect(matchOrigin(policy(APP, change), headers)).toBe(expected);
  });

  it('needs one of several sites, and prefers a proven path to an unknown one', () => {
    const several = policy([APP, 'https://other.example']);
    expect(matchOrigin(several, origin('https://other.example'))).toBe('Allowed');
    expect(matchOrigin(several, origin('https://third.example'))).toBe('NotAllowed');
    const mixed = policy([APP, WWW]);
    expect(matchOrigin(mixed, origin('https://www.myservice.com'))).toBe('Allowed');
  });

  it('never throws and never admits a foreign host, whatever the headers (G8)', () => {
    const pieces = fc
      .tuple(
        fc.constantFrom('https://', 'http://', 'HTTPS://', 'https:', 'https:\\\\', '//', ''),
        fc.constantFrom('', '', '', 'u@', 'u:p@', 'evil.example\\@', 'evil.example/@'),
        fc.constantFrom(
          WWW,
          WWW,
          `${WWW}.`,
          WWW.toUpperCase(),
          `${WWW}.evil.example`,
          'evil.example',
        ),
        fc.constantFrom('', '', ':443', ':80', ':', ':8443', '@evil.example', '.'),
        fc.constantFrom('', '', '/', '/x', '/../x', '?q', '#f', '\\x', '/@evil.example', ' '),
      )
      .map((parts) => parts.join(''));
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.webUrl(),
      pieces,
      pieces,
    );
    // The engine's own parser is the witness: absent, or a page of the registered host.
    const isHarmless = (said: string | undefined) =>
      said === undefined ||
      said === '' ||
      said === 'null' ||
      URL.parse(said)?.hostname.replace(/\.$/, '') === WWW;
    let admitted = 0;
    const optional = fc.option(text, { nil: undefined });
    fc.assert(
      fc.property(optional, optional, (saidOrigin, saidReferer) => {
        const headers = { origin: saidOrigin, referer: saidReferer };
        const isAdmitted = matchOrigin(policy(WWW), headers) === 'Allowed';
        admitted += isAdmitted ? 1 : 0;
        expect(isAdmitted && !(isHarmless(saidOrigin) && isHarmless(saidReferer))).toBe(false);
      }),
      { numRuns: 3000 },
    );
    // Otherwise the property above would have said nothing.
    expect(admitted).toBeGreaterThan(0);
  });
});

describe('an origin that was read before', () => {
  it('gets the same answer, and no other origin that looks like it when it is copied gets it', () => {
    const rules = policy('www.kompany.com');
    const good = 'https://www.kompany.com';
    expect(matchOrigin(rules, origin(good))).toBe('Allowed');
    expect(matchOrigin(rules, origin(good))).toBe('Allowed');
    // The sign of Kelvin is a K in capitals, and an asterisk where its upper byte is cut off.
    matchOrigin(rules, origin('https://www.\u212Aompany.com'));
    expect(matchOrigin(rules, origin('https://www.*ompany.com'))).toBe('NotAllowed');
    expect(matchOrigin(policy('www.other.com'), origin(good))).toBe('NotAllowed');
  });
});
