/** Good and bad terms of an ApiKey, one for every rule of their schema. */
import type { SpecCase } from './crds.spec-cases.ts';

const validity = (fields: object): object => ({ terms: { validity: fields } });
const origins = (...allowed: readonly string[]): object => ({
  terms: { originPolicy: { allowed } },
});
const cidrs = (...list: readonly string[]): object => ({ terms: { cidrs: list } });
const quota = (requests: number): object => ({ terms: { quota: { requests } } });
const ORIGIN_FORM = 'spec.terms.originPolicy.allowed[0]: Invalid value';

/** From when until when. */
export const VALIDITY_CASES: readonly SpecCase[] = [
  {
    why: 'dates with a time zone',
    spec: validity({
      effectiveDate: '2027-01-31',
      expirationDate: '2027-12-31',
      timeZone: 'Asia/Seoul',
    }),
  },
  {
    why: 'one day: the last day is inclusive',
    spec: validity({ effectiveDate: '2027-01-31', expirationDate: '2027-01-31' }),
  },
  { why: 'the last day that dates can write', spec: validity({ expirationDate: '9999-12-31' }) },
  {
    why: 'the last instant that times can write',
    spec: validity({ expirationTime: '9999-12-31T23:59:59Z' }),
  },
  {
    why: 'an instant with offset and fraction',
    spec: validity({ notBeforeTime: '2027-01-01T09:00:00.5+09:00' }),
  },
  {
    why: 'an end in the past is a condition, not a refusal: Git may replay it',
    spec: validity({ expirationDate: '2001-01-01' }),
  },
  {
    why: 'a zone that no database knows is a condition, its shape is right',
    spec: validity({ timeZone: 'Mars/Olympus' }),
  },
  {
    why: 'start by date, end by duration',
    spec: validity({ effectiveDate: '2027-01-31', durationDays: 3650 }),
  },
  { why: 'zones with digits and signs', spec: validity({ timeZone: 'Etc/GMT+9' }) },
  {
    why: 'an instant that is in the year 10000 in Greenwich',
    spec: validity({
      notBeforeTime: '2027-01-01T00:00:00Z',
      expirationTime: '9999-12-31T23:59:59-10:00',
    }),
    refused: 'before the year 10000 in UTC',
  },
  {
    why: 'a leap second',
    spec: validity({ expirationTime: '2016-12-31T23:59:60Z' }),
    refused: 'expirationTime',
  },
  {
    why: 'both starts',
    spec: validity({ effectiveDate: '2027-01-31', notBeforeTime: '2027-01-31T00:00:00Z' }),
    refused: 'say the start once',
  },
  {
    why: 'two ends',
    spec: validity({ expirationDate: '2027-01-31', expirationTime: '2027-01-31T00:00:00Z' }),
    refused: 'say the end once',
  },
  {
    why: 'date and duration',
    spec: validity({ expirationDate: '2027-01-31', durationDays: 3 }),
    refused: 'say the end once',
  },
  {
    why: 'time and duration',
    spec: validity({ expirationTime: '2027-01-31T00:00:00Z', durationDays: 3 }),
    refused: 'say the end once',
  },
  {
    why: 'ends the day before it starts',
    spec: validity({ effectiveDate: '2027-02-01', expirationDate: '2027-01-31' }),
    refused: 'expirationDate must not be before effectiveDate',
  },
  {
    why: 'ends at the instant it starts',
    spec: validity({
      notBeforeTime: '2027-01-01T00:00:00Z',
      expirationTime: '2027-01-01T09:00:00+09:00',
    }),
    refused: 'expirationTime must be after notBeforeTime',
  },
  { why: 'no such day', spec: validity({ effectiveDate: '2026-02-30' }), refused: 'effectiveDate' },
  {
    why: 'year of five digits',
    spec: validity({ expirationDate: '10000-01-01' }),
    refused: 'expirationDate',
  },
  {
    why: 'an instant without offset',
    spec: validity({ expirationTime: '2027-01-01T00:00:00' }),
    refused: 'expirationTime',
  },
  {
    why: 'no such hour',
    spec: validity({ expirationTime: '2027-01-01T24:00:00Z' }),
    refused: 'expirationTime',
  },
  {
    why: 'a date in the place of an instant',
    spec: validity({ expirationTime: '2027-01-01' }),
    refused: 'expirationTime',
  },
  { why: 'no days', spec: validity({ durationDays: 0 }), refused: 'durationDays' },
  { why: 'over ten years', spec: validity({ durationDays: 3651 }), refused: 'durationDays' },
  { why: 'a fraction of a day', spec: validity({ durationDays: 1.5 }), refused: 'durationDays' },
  { why: 'a zone with blanks', spec: validity({ timeZone: 'Asia / Seoul' }), refused: 'timeZone' },
  {
    why: 'a zone that climbs folders',
    spec: validity({ timeZone: '../etc/passwd' }),
    refused: 'timeZone',
  },
];

/** Quota, origins, networks, products. */
export const TERMS_CASES: readonly SpecCase[] = [
  { why: 'unlimited', spec: quota(-1) },
  { why: 'none at all', spec: quota(0) },
  { why: 'largest count that JavaScript holds', spec: quota(9007199254740991) },
  { why: 'below unlimited', spec: quota(-2), refused: 'terms.quota.requests' },
  {
    why: 'one more than JavaScript holds',
    spec: quota(9007199254740992),
    refused: 'terms.quota.requests',
  },
  {
    why: 'a quota without a number',
    spec: { terms: { quota: { period: 'Day' } } },
    refused: 'requests: Required',
  },
  {
    why: 'an unknown period',
    spec: { terms: { quota: { requests: 1, period: 'Week' } } },
    refused: 'period: Unsupported value',
  },
  {
    why: 'all forms of a site',
    spec: origins(
      'example.com',
      'example.com:8443',
      'https://example.com',
      'HTTP://example.com:80/app/',
      '*.example.com',
      'https://*.example.com:1',
      '192.0.2.1',
      '[2001:db8::1]:80',
      '서울.example',
      'localhost:65535',
    ),
  },
  { why: '32 origins', spec: origins(...numbered(32)) },
  { why: '33 origins', spec: origins(...numbered(33)), refused: 'must have at most 32 items' },
  {
    why: 'an origin twice',
    spec: origins('a.example', 'b.example', 'a.example'),
    refused: 'an origin is listed twice',
  },
  { why: 'a wildcard in the middle', spec: origins('a.*.example.com'), refused: ORIGIN_FORM },
  {
    why: 'a wildcard that is part of a label',
    spec: origins('a*.example.com'),
    refused: ORIGIN_FORM,
  },
  { why: 'two wildcards', spec: origins('*.*.example.com'), refused: ORIGIN_FORM },
  { why: 'a wildcard in the path', spec: origins('https://example.com/*'), refused: ORIGIN_FORM },
  {
    why: 'a wildcard over a single label',
    spec: origins('*.com'),
    refused: 'a wildcard needs at least two labels',
  },
  { why: 'a wildcard alone', spec: origins('*'), refused: ORIGIN_FORM },
  { why: 'user-info', spec: origins('https://user:pw@example.com'), refused: ORIGIN_FORM },
  { why: 'a query', spec: origins('https://example.com/?a=b'), refused: ORIGIN_FORM },
  { why: 'a fragment', spec: origins('https://example.com/#a'), refused: ORIGIN_FORM },
  { why: 'a blank inside', spec: origins('exam ple.com'), refused: ORIGIN_FORM },
  { why: 'a line break at the end', spec: origins('example.com\n'), refused: ORIGIN_FORM },
  {
    why: 'a backslash, which browsers read as a slash',
    spec: origins('https://example.com\\@evil.example'),
    refused: ORIGIN_FORM,
  },
  {
    why: 'a path without a scheme',
    spec: origins('example.com/app'),
    refused: 'a path needs a scheme',
  },
  { why: 'another scheme', spec: origins('ftp://example.com'), refused: ORIGIN_FORM },
  { why: 'a port out of range', spec: origins('example.com:65536'), refused: ORIGIN_FORM },
  { why: 'port 0', spec: origins('example.com:0'), refused: ORIGIN_FORM },
  {
    why: 'the text null, which browsers send for no site',
    spec: origins('null'),
    refused: '"null" is no site',
  },
  { why: 'null behind a scheme', spec: origins('https://NULL:80'), refused: '"null" is no site' },
  {
    why: 'an address with a leading zero, read as octal by some',
    spec: origins('192.0.2.010'),
    refused: 'four decimal numbers',
  },
  {
    why: 'an address as one number',
    spec: origins('https://3221225985/'),
    refused: 'four decimal numbers',
  },
  {
    why: 'an address in hexadecimal',
    spec: origins('0xC0000201'),
    refused: 'four decimal numbers',
  },
  {
    why: 'an address of five numbers',
    spec: origins('1.192.0.2.1'),
    refused: 'four decimal numbers',
  },
  {
    why: 'an address with a number over 255',
    spec: origins('192.0.2.256'),
    refused: 'four decimal numbers',
  },
  {
    why: 'a host of 254 characters',
    spec: origins(`${'a'.repeat(250)}.com`),
    refused: 'a host has at most 253',
  },
  { why: 'an empty origin', spec: origins(''), refused: 'allowed[0]' },
  {
    why: 'an origin of 513 characters',
    spec: origins(`https://a.example/${'p'.repeat(495)}`),
    refused: 'may not be more than 512',
  },
  {
    why: 'networks and single addresses',
    spec: cidrs('203.0.113.0/24', '203.0.113.7', '2001:db8::/32', '::1', '0.0.0.0/0'),
  },
  {
    why: 'a network twice',
    spec: cidrs('10.0.0.0/8', '10.0.0.0/8'),
    refused: 'a network is listed twice',
  },
  { why: 'a mask that is too long', spec: cidrs('10.0.0.0/33'), refused: 'not a network' },
  { why: 'an address with a leading zero', spec: cidrs('10.0.0.01'), refused: 'not a network' },
  { why: 'a name in the place of a network', spec: cidrs('example.com'), refused: 'not a network' },
  {
    why: '33 networks',
    spec: cidrs(...Array.from({ length: 33 }, (_, i) => `10.0.${i}.0/24`)),
    refused: 'must have at most 32 items',
  },
  {
    why: 'a product twice',
    spec: { terms: { productRefs: [{ name: 'a' }, { name: 'a' }] } },
    refused: 'a product is listed twice',
  },
  {
    why: 'a product without a name',
    spec: { terms: { productRefs: [{}] } },
    refused: 'name: Required',
  },
];

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `s${i}.example`);
}
