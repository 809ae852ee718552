import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loosePath, readPath, readTarget, TARGET_MAX } from '../../../src/terms/target.ts';
import { READERS, unescape } from './readers.ts';
import { DOUBTFUL_TARGETS, PLAIN_TARGETS } from './targets.ts';

describe('a path that everybody reads alike', () => {
  it.each(PLAIN_TARGETS)('%s is %s (%s)', (target, path) => {
    expect(readPath(target)).toBe(path);
    expect(readPath(path)).toBe(path);
  });

  it('may be as long as servers take it', () => {
    expect(readPath(`/${'a'.repeat(TARGET_MAX - 1)}`)).toHaveLength(TARGET_MAX);
    expect(readPath(`/${'a'.repeat(TARGET_MAX)}`)).toBeUndefined();
    expect(readPath(`/a?${'a'.repeat(TARGET_MAX)}`)).toBeUndefined();
  });
});

describe('a path that two servers could read differently (G6)', () => {
  it.each(DOUBTFUL_TARGETS)('%j is doubtful: %s', (target) => {
    expect(readPath(target)).toBeUndefined();
    expect(readTarget({ host: 'api.example', method: 'GET', target })).toBe('Doubtful');
  });

  it('stands in a table of at least 150 with those that all read alike', () => {
    const targets = [...DOUBTFUL_TARGETS, ...PLAIN_TARGETS].map(([target]) => target);
    expect(new Set(targets).size).toBe(targets.length);
    expect(targets.length).toBeGreaterThanOrEqual(150);
  });
});

describe('a host', () => {
  it.each([
    ['api.example', 'api.example', 'as it is'],
    ['API.Example', 'api.example', 'small letters'],
    ['api.example.', 'api.example', 'one trailing dot'],
    ['api.example:8443', 'api.example', 'any port'],
    ['API.EXAMPLE.:1', 'api.example', 'all of it'],
    ['192.0.2.1:80', '192.0.2.1', 'IPv4'],
    ['[2001:DB8::1]:443', '[2001:db8::1]', 'IPv6'],
    ['[2001:db8:0:0::1]', '[2001:db8::1]', 'IPv6 in its short form'],
    ['xn--2i4bq6h.example', 'xn--2i4bq6h.example', 'by IDNA'],
    ['localhost', 'localhost', 'one label'],
  ])('%s is %s (%s)', (host, name) => {
    expect(readTarget({ host, method: 'GET', target: '/a' })).toEqual({
      host: name,
      method: 'GET',
      path: '/a',
    });
  });

  it.each([
    ['api.example..', 'two trailing dots'],
    ['.api.example', 'leading dot'],
    ['api..example', 'empty label'],
    ['user@api.example', 'user information'],
    ['api.example@evil.example', 'user information'],
    ['api.example:', 'empty port'],
    ['api.example:0', 'port zero'],
    ['api.example:080', 'leading zero'],
    ['api.example:65536', 'port too large'],
    ['api.example:80:80', 'two ports'],
    ['api.example:80a', 'no port'],
    ['api.example, other.example', 'two hosts'],
    ['api.example other.example', 'two hosts'],
    [' api.example', 'blank'],
    ['api.example/', 'slash'],
    ['api.example/x', 'path'],
    ['http://api.example', 'scheme'],
    ['api%2eexample', 'escape'],
    ['api.example\0', 'NUL'],
    ['api.example\\x', 'backslash'],
    ['\uff41pi.example', 'full-width letter'],
    ['b\u00fccher.example', 'not in ASCII'],
    ['api.example#', 'fragment'],
    ['api.example?', 'query'],
    ['192.0.2.010', 'octal'],
    ['0xc0000201', 'hexadecimal'],
    ['3221225985', 'a number'],
    ['192.0.2', 'three numbers'],
    ['[::1', 'open bracket'],
    ['::1', 'no brackets'],
    ['[::1%eth0]', 'zone'],
    ['[::1]x', 'text behind'],
    ['null', 'the word of browsers'],
    ['-api.example', 'hyphen first'],
    [`${'a'.repeat(64)}.example`, 'label too long'],
    [`${'a.'.repeat(127)}example`, 'too long'],
    ['*', 'wildcard'],
    ['*.example', 'wildcard'],
  ])('%j is doubtful: %s', (host) => {
    expect(readTarget({ host, method: 'GET', target: '/a' })).toBe('Doubtful');
  });
});

describe('a method', () => {
  it.each(['GET', 'POST', 'PROPFIND', 'M-SEARCH', 'VERSION-CONTROL'])('%s is taken', (method) => {
    expect(readTarget({ method, target: '/a' })).toEqual({ method, path: '/a' });
  });

  it.each(['get', 'Get', 'GET ', 'GET\n', 'G3T', 'GET,POST', '-', 'A'.repeat(21), 'G\u0415T'])(
    '%j is doubtful',
    (method) => {
      expect(readTarget({ method, target: '/a' })).toBe('Doubtful');
    },
  );

  it('and a host that were not said are not there', () => {
    expect(readTarget({ target: '/a', host: '', method: '' })).toEqual({ path: '/a' });
    expect(readTarget({ host: 'api.example' })).toBe('Doubtful');
  });
});

describe('whatever is read', () => {
  const pieces = fc.constantFrom(
    ' ',
    ...'/ / / . .. %2e %2E %2f %5c \\ ; %3b ? %3F # %23 a v1 Admin admin %61 %41 % %2 %zz'.split(
      ' ',
    ),
    ...'%25 %2561 %252e %00 %0a %7f %20 + ~ * : @ = & , %2c \u00e9 %c3%a9 %C0%AE { | ^ " \t'.split(
      ' ',
    ),
    ...'%ef%bc%8f %EF%BC%8E %e2%80%8b %cc%81 %ed%a0%80 //'.split(' '),
  );
  const targets = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);

  it('is the same for all readers, but for capitals and escapes', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const path = readPath(target);
        fc.pre(path !== undefined);
        const loose = loosePath(path);
        const taken = Object.entries(READERS).map(([name, read]) => [name, read(target)] as const);
        const others = taken.filter(([, other]) => loosePath(unescape(other)) !== loose);
        expect(others).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is read the same a second time, and with any letter escaped', () => {
    fc.assert(
      fc.property(targets, fc.nat(), (target, at) => {
        const path = readPath(target);
        fc.pre(path !== undefined);
        expect(readPath(path)).toBe(path);
        const letters = [...path.matchAll(/(?<!%|%.)[A-Za-z0-9_~-]/g)];
        const letter = letters[at % Math.max(letters.length, 1)];
        if (letter === undefined) return;
        const escape = `%${letter[0].charCodeAt(0).toString(16)}`;
        expect(readPath(path.slice(0, letter.index) + escape + path.slice(letter.index + 1))).toBe(
          path,
        );
      }),
    );
  });

  it('has only segments, and takes any text without an exception', () => {
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.webPath(), targets);
    fc.assert(
      fc.property(any, (target) => {
        expect(readPath(target) ?? '/').toMatch(/^\/(?:[^/?#;\\]+(?:\/|$))*$/);
      }),
    );
  });
});
