import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileNetworks,
  formatCidr,
  isInside,
  parseAddress,
  parseCidr,
} from '../../../src/terms/cidr.ts';

describe('addresses', () => {
  it.each([
    ['0.0.0.0', 4, 0n],
    ['192.0.2.8', 4, 0xc000_0208n],
    ['255.255.255.255', 4, 0xffff_ffffn],
    ['::ffff:192.0.2.8', 4, 0xc000_0208n],
    ['::FFFF:c000:208', 4, 0xc000_0208n],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['1::', 6, 1n << 112n],
    ['2001:db8::1', 6, (0x2001_0db8n << 96n) | 1n],
    ['2001:DB8:0:0:0:0:0:1', 6, (0x2001_0db8n << 96n) | 1n],
    ['1:2:3:4:5:6:7::', 6, 0x0001_0002_0003_0004_0005_0006_0007_0000n],
    ['64:ff9b::192.0.2.8', 6, (0x0064_ff9bn << 96n) | 0xc000_0208n],
  ])('%s', (text, family, bits) => {
    const address = parseAddress(text);
    expect(address?.family).toBe(family);
    expect(BigInt(address?.bits ?? -1)).toBe(bits);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '192.0.2.010',
    '0300.0.2.8',
    '0xc0.0.2.8',
    '3221225992',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.-4',
    '1.2.3.4:80',
    '1..2.3',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '::1%eth0',
    '[::1]',
    '::1.2.3',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '::01.2.3.4',
    'localhost',
    '1.2.3.4\n',
    '\uff11.2.3.4',
    '::'.repeat(1000),
  ])('"%s" is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.7/32', '203.0.113.7/32'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
  ])('%s is stored as %s', (text, stored) => {
    const network = parseCidr(text);
    expect('problem' in network ? network.problem : formatCidr(text, network)).toBe(stored);
  });

  it.each([
    ['10.0.0.0/33', 'prefix from 0 to 32'],
    ['10.0.0.0/', 'not a network'],
    ['10.0.0.0/08', 'not a network'],
    ['10.0.0.0/-1', 'not a network'],
    ['10.0.0.0/8/8', 'not a network'],
    ['10.0.0.0/255.0.0.0', 'not a network'],
    ['10.0.0.5/8', 'bits set'],
    ['2001:db8::1/32', 'bits set'],
    ['2001:db8::/129', 'prefix from 0 to 128'],
    ['::ffff:10.0.0.0/8', 'prefix from 96 to 128'],
    ['', 'not a network'],
  ])('%s is refused: %s', (text, problem) => {
    expect(parseCidr(text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it.each([
    [['10.0.0.0/8'], '10.255.255.255', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['203.0.113.128/25'], '203.0.113.127', false],
    [['203.0.113.128/25'], '203.0.113.128', true],
    [['128.0.0.0/1'], '255.0.0.1', true],
    [['0.0.0.0/0'], '203.0.113.1', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['::/0'], '203.0.113.1', false],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['10.0.0.0/8', '::1/128'], '::1', true],
    [[], '10.0.0.1', false],
    [['10.0.0.0/8'], undefined, false],
    [['10.0.0.0/8'], '', false],
    [['10.0.0.0/8'], '10.0.0.010', false],
    [['10.0.0.0/8'], '10.0.0.1, 10.0.0.2', false],
    [['nonsense'], '10.0.0.1', false],
  ])('%j holds %s: %s', (cidrs, address, inside) => {
    expect(isInside(compileNetworks(cidrs), address)).toBe(inside);
  });

  it('holds exactly the addresses that share its prefix', () => {
    const ipv4 = fc.integer({ min: 0, max: 0xffff_ffff });
    const text = (bits: number) => [24, 16, 8, 0].map((s) => (bits >>> s) & 255).join('.');
    fc.assert(
      fc.property(ipv4, ipv4, fc.integer({ min: 0, max: 32 }), (a, b, prefix) => {
        const size = 2 ** (32 - prefix);
        const base = Math.floor(a / size) * size;
        const inside = Math.floor(a / size) === Math.floor(b / size);
        expect(isInside(compileNetworks([`${text(base)}/${prefix}`]), text(b))).toBe(inside);
      }),
    );
  });

  it('reads any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.ipV6(), (text, ip) => {
        expect(() => [parseCidr(text), parseAddress(text)]).not.toThrow();
        expect(parseAddress(ip)).toBeDefined();
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f:./]{0,50}$/), (text) => {
        expect(() => parseCidr(text)).not.toThrow();
      }),
    );
  });
});
