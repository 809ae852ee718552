import { describe, expect, test } from 'vitest';
import {
  bits,
  integer,
  objectId,
  octets,
  sequence,
  time,
  yes,
} from '../../../control-plane/der.ts';

const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

describe('DER', () => {
  // Expected bytes: X.690 section 8 and its examples, and the dump of a certificate by openssl.
  test.each([
    { why: 'zero is one byte', value: integer(Buffer.from([0])), bytes: '020100' },
    { why: 'leading zeros go', value: integer(Buffer.from([0, 0, 5])), bytes: '020105' },
    { why: 'a set top bit is no sign', value: integer(Buffer.from([0x80])), bytes: '02020080' },
    { why: 'true is ff', value: yes(), bytes: '0101ff' },
    { why: 'unused bits are counted', value: bits(Buffer.from([6]), 1), bytes: '03020106' },
    {
      why: 'ecdsa-with-SHA256, with a number of two groups',
      value: objectId('1.2.840.10045.4.3.2'),
      bytes: '06082a8648ce3d040302',
    },
    {
      why: 'UTCTime until 2049',
      value: time(Date.parse('2049-12-31T23:59:59Z')),
      bytes: `170d${Buffer.from('491231235959Z').toString('hex')}`,
    },
    {
      why: 'GeneralizedTime from 2050',
      value: time(Date.parse('2050-01-01T00:00:00Z')),
      bytes: `180f${Buffer.from('20500101000000Z').toString('hex')}`,
    },
    { why: 'an empty sequence', value: sequence(), bytes: '3000' },
  ])('$why', ({ value, bytes }) => {
    expect(hex(value)).toBe(bytes);
  });

  test.each([
    { size: 127, head: '047f' },
    { size: 128, head: '048180' },
    { size: 255, head: '0481ff' },
    { size: 256, head: '04820100' },
    { size: 65_536, head: '0483010000' },
  ])('writes a length of $size in its shortest form', ({ size, head }) => {
    expect(hex(octets(Buffer.alloc(size))).slice(0, head.length)).toBe(head);
  });
});
