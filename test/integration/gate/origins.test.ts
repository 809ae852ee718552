/** Which sites a registered one is, row by row, through a real nginx as we ship it. */
import { domainToASCII } from 'node:url';
import { expect, test } from 'vitest';
import { Books } from '../../support/gate.books.ts';
import { describeBehind } from '../../support/gate.suite.ts';
import type { TermsSpec } from '../../../src/terms/terms.ts';

const WWW = 'www.myservice.com';
const APP = 'https://www.myservice.com/app';

type Row = {
  readonly registered: string;
  /** Header lines. */
  readonly says: readonly string[];
  readonly expected: 'Allowed' | 'OriginNotAllowed' | 'OriginMissing';
  readonly policy?: Omit<NonNullable<TermsSpec['originPolicy']>, 'allowed'>;
};

const ROWS: readonly Row[] = [
  from(WWW, 'https://www.myservice.com', 'Allowed'),
  from(WWW, 'http://www.myservice.com', 'Allowed'),
  from(WWW, 'https://WWW.MYSERVICE.COM', 'Allowed'),
  from(WWW, 'https://www.myservice.com:443', 'Allowed'),
  from(WWW, 'https://www.myservice.com.', 'Allowed'),
  from(WWW, 'https://myservice.com', 'OriginNotAllowed'),
  from(WWW, 'https://a.www.myservice.com', 'OriginNotAllowed'),
  from(WWW, 'https://www.myservice.com.evil.example', 'OriginNotAllowed'),
  from(WWW, 'https://evilwww.myservice.com', 'OriginNotAllowed'),
  from(WWW, 'https://www.myservice.com:8443', 'OriginNotAllowed'),
  from('www.myservice.com:8443', 'https://www.myservice.com:8443', 'Allowed'),
  from('https://www.myservice.com', 'http://www.myservice.com', 'OriginNotAllowed'),
  refers(APP, 'https://www.myservice.com/app/x', 'Allowed'),
  refers(APP, 'https://www.myservice.com/application', 'OriginNotAllowed'),
  from(APP, 'https://www.myservice.com', 'Allowed', { unknownPath: 'Allow' }),
  from(APP, 'https://www.myservice.com', 'OriginNotAllowed', { unknownPath: 'Deny' }),
  from('*.myservice.com', 'https://a.myservice.com', 'Allowed'),
  from('*.myservice.com', 'https://myservice.com', 'OriginNotAllowed'),
  from(WWW, 'null', 'OriginNotAllowed'),
  { registered: WWW, says: [], expected: 'OriginMissing' },
  { registered: WWW, says: [], expected: 'OriginMissing', policy: { missing: 'Deny' } },
  { registered: WWW, says: [], expected: 'Allowed', policy: { missing: 'Allow' } },
  refers(WWW, 'https://www.myservice.com@evil.example/', 'OriginNotAllowed'),
  // Beside the table: two that say different things, and one that says nothing twice.
  {
    registered: WWW,
    says: ['Origin: https://www.myservice.com', 'Referer: https://evil.example/'],
    expected: 'OriginNotAllowed',
  },
  from('서울.example', `https://${domainToASCII('서울.example')}`, 'Allowed'),
];

describeBehind('nginx', 'the sites a key may be used from', (chain) => {
  test('R10 R11 R12 R13: the registered site exactly, as the table of sites says', async () => {
    const { site, settle, show } = chain();
    const keys = [];
    for (const { registered, policy } of ROWS) {
      const terms = { originPolicy: { ...policy, allowed: [registered] } };
      keys.push(Books.valueOf(await site.books.key({ name: 'sited', terms })));
    }
    await settle();
    const said = [];
    for (const [at, { says }] of ROWS.entries()) {
      const { status, headers } = await show(keys[at] ?? '', undefined, { headers: says });
      said.push(status === 200 ? 'Allowed' : `${headers['x-keyward-reason']}`);
    }
    const lines = (answers: readonly string[]): readonly string[] =>
      ROWS.map(({ registered, says }, at) => `${registered} | ${says.join(', ')} | ${answers[at]}`);
    expect(lines(said)).toEqual(lines(ROWS.map(({ expected }) => expected)));
    const allowed = ROWS.filter(({ expected }) => expected === 'Allowed');
    expect(site.api.arrivals).toHaveLength(allowed.length);
  });

  test('an origin that is said twice is no origin', async () => {
    const { key, show } = chain();
    const terms = { originPolicy: { allowed: [WWW] } };
    const value = Books.valueOf(await key({ name: 'twice', terms }));
    const headers = [`Origin: https://${WWW}`, `Origin: https://${WWW}`];
    expect((await show(value, undefined, { headers })).status).not.toBe(200);
  });
});

function from(
  registered: string,
  origin: string,
  expected: Row['expected'],
  policy: Row['policy'] = {},
): Row {
  return { registered, says: [`Origin: ${origin}`], expected, policy };
}

function refers(registered: string, referer: string, expected: Row['expected']): Row {
  return { registered, says: [`Referer: ${referer}`], expected };
}
