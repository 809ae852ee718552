/** Known signatures: what the vendor printed, and what its own clients were seen to send. */

/** One signature by its parts; `md5` and `sha256` in hex, where they are known. */
export type Vector = {
  readonly name: string;
  readonly secret: string;
  readonly date: string;
  readonly salt: string;
  readonly sha256?: string;
  readonly md5?: string;
};

const FIRST = '62YSRABVESTZIPD6OHRCCPIOYV69UETF';
const SECOND = 'UDWMZBDEQOTXNU1K2HOUJ2ZCVELFF49B';

/** All that must be reproduced. */
export const VECTORS: readonly Vector[] = [
  {
    name: 'A1, printed in the documentation of 2017',
    secret: FIRST,
    date: '2017-06-05T11:51:10+09:00',
    salt: '5934c71e3b980',
    sha256: '6db985f72ebfbe3c1c3a88c1fd8b9af7dec0d24caafec9c98213104591c2ea52',
    md5: '88ecc2f8c25867f87b6574921313bb9b',
  },
  {
    name: 'A2, the client for Node.js in UTC',
    secret: SECOND,
    date: '2026-01-02T03:04:05Z',
    salt: 'Cj9y4RRYYXx4oFUQGf5duGLDR13YMeTH',
    sha256: '09a5d76e97ab7ecf13e7ad4f2f4fe27cdde129645fab2284537154054dbc217e',
    md5: 'cacf33c71ab946feca0b5bcc396ea56d',
  },
  {
    name: 'A3, the client for Node.js in Seoul',
    secret: SECOND,
    date: '2026-01-02T12:04:05+09:00',
    salt: 'nUhKTpp6Rb7ZeIJEbqYAZU5ggtCd4yq4',
    sha256: 'ed2423df0e7209622d1763b3248e48449d92a9a7bc58108510bcbfe16368c73a',
    md5: '6404b309510d527908d9ffad53ddfd70',
  },
  {
    name: 'A4, the older client for Node.js',
    secret: FIRST,
    date: '2026-11-22T21:40:12+09:00',
    salt: 'LvXpZhTNUAPBgjv5JxESMfvLC9z0BylN',
    sha256: 'e7a48400eaa782bc3f731dd4cd4547a9f0ca29af47acd8589776c6087ed3d1fa',
  },
  {
    name: 'A5, the client for Python',
    secret: SECOND,
    date: '2026-01-02T12:04:05.123456+09:00',
    salt: '0123456789abcdef0123456789abcdef',
    sha256: 'd9e026cb697af879990bca1f5417f79a07dae4046683d2a342561731eea178e1',
  },
  {
    name: 'A6, the form of the client for PHP',
    secret: SECOND,
    date: '2026-01-02T12:04:05.32400Z',
    salt: '597fe0e36daeb',
    sha256: '6166e21f8613276b2b1adc01027b482d615586b59661f73c7fe14ca5b70fd0c8',
  },
  {
    name: 'A7, the short salt of a sample',
    secret: SECOND,
    date: '2019-07-01T00:41:48Z',
    salt: 'jqsba2jxjnrjor',
    sha256: '9b749e87cb7ae37c6c1fede09c6e05a9f278998051631f2f78be89a826e297dc',
    md5: '04d4918e7c416ae43a03ed3961c14490',
  },
  {
    name: 'U1, scheme USER with a date without zone',
    secret: 'user-signing-secret-01',
    date: '2017-08-01 11:01:07',
    salt: '597fe0e36daeb',
    sha256: 'd005d7414877de5c7d378405ba1db8904b0c1dce2b3a7321c31df417daef6e00',
    md5: '02691a893ce57d6b6fb29e5ebb4a0d73',
  },
  {
    name: 'U2, the same with the doubled salt= of the samples',
    secret: 'user-signing-secret-01',
    date: '2017-08-01 11:01:07',
    salt: 'salt=597fe0e36daeb',
    md5: 'bbfdb3935b93a3803f3890ea376f228e',
  },
];

/** A8: what salt before date gives; it must be refused. */
export const REVERSED: Required<Pick<Vector, 'secret' | 'date' | 'salt' | 'sha256'>> = {
  secret: SECOND,
  date: '2026-01-02T03:04:05Z',
  salt: '597fe0e36daeb',
  sha256: '842f56b3d92526e670a79e7f6b05a9f85f2e64b320ccd013b4e6f686eb0a390c',
};
