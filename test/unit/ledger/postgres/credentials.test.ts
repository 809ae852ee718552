import { describe, expect, it } from 'vitest';
import { findPassword } from '../../../../src/ledger/postgres/credentials.ts';

const AT = { host: 'db', port: 5_432, database: 'ledger', user: 'me' };

describe('A libpq password file', () => {
  it.each([
    { why: 'a line that fits', text: 'db:5432:ledger:me:secret', found: 'secret' },
    { why: 'wildcards', text: '*:*:*:me:secret', found: 'secret' },
    { why: 'the first of two', text: 'db:*:*:*:one\n*:*:*:*:two', found: 'one' },
    { why: 'a line after others', text: '# db:*:*:*:no\nx:*:*:*:no\ndb:*:*:*:yes\n', found: 'yes' },
    { why: 'escaped colons and backslashes', text: 'db:*:*:me:a\\:b\\\\c', found: 'a:b\\c' },
    { why: 'another port', text: 'db:5433:ledger:me:secret', found: undefined },
    { why: 'a line that is cut off', text: 'db:5432:ledger:me', found: undefined },
    { why: 'nothing', text: '', found: undefined },
  ])('is read as libpq reads it: $why', ({ text, found }) => {
    expect(findPassword(text, AT)).toBe(found);
  });

  it('calls a socket localhost', () => {
    expect(findPassword('localhost:*:*:*:x', { ...AT, host: '/run' })).toBe('x');
  });
});
