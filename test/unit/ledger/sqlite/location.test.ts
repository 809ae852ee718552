import { describe, expect, it } from 'vitest';
import { parseSqliteUrl } from '../../../../src/ledger/sqlite/location.ts';

describe('A sqlite: URL', () => {
  it.each([
    { url: 'sqlite:///data/keyward.db', path: '/data/keyward.db' },
    { url: 'sqlite:////data/keyward.db', path: '/data/keyward.db' },
    { url: 'sqlite:/data/keyward.db', path: '/data/keyward.db' },
    { url: 'sqlite:keyward.db', path: 'keyward.db' },
    { url: 'sqlite:./data/keyward.db', path: './data/keyward.db' },
    { url: 'sqlite:///data/with%20space%3F.db', path: '/data/with space?.db' },
  ])('$url names the file $path', ({ url, path }) => {
    expect(parseSqliteUrl(url)).toBe(path);
  });

  it.each([
    { url: 'sqlite://data/keyward.db', why: 'it names a host' },
    { url: 'sqlite:///data/keyward.db?mode=memory', why: 'it has options' },
    { url: 'sqlite:///data/keyward.db#x', why: 'it has options' },
    { url: 'sqlite:', why: 'it names no file' },
    { url: 'sqlite:///', why: 'it names no file' },
    { url: 'sqlite:///data/', why: 'it names no file' },
    { url: 'sqlite:///data/%00.db', why: 'it names no file' },
    { url: 'sqlite::memory:', why: 'a ledger in memory would forget every key' },
    { url: 'sqlite:///%zz', why: 'it has a broken percent escape' },
    { url: '/data/keyward.db', why: 'it does not begin with sqlite:' },
  ])('$url is refused, because $why', ({ url, why }) => {
    expect(() => parseSqliteUrl(url)).toThrow(why);
  });
});
