import { describe, expect, test } from 'vitest';
import { isAllowed } from '../../../src/stores/addresses.ts';

describe('a vendor of the public internet', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '172.32.0.1',
    '192.167.255.255',
    '223.255.255.255',
    '2606:4700::1111',
    '2400:cb00::1',
    '64:ff9b::808:808',
  ])('may have the address %s', (address) => {
    expect(isAllowed(address, 'Public')).toBe(true);
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.255.255.255',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.53',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:8.8.8.8',
    '::ffff:169.254.169.254',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '64:ff9b::a00:1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '3fff::1',
    '5f00::1',
    '',
    'localhost',
    '0x7f000001',
    '2130706433',
    '010.0.0.1',
  ])('may not have the address %s (R13)', (address) => {
    expect(isAllowed(address, 'Public')).toBe(false);
  });
});

describe('a listed loopback host', () => {
  test.each(['127.0.0.1', '127.255.0.1', '::1'])('may have the address %s', (address) => {
    expect(isAllowed(address, 'Loopback')).toBe(true);
  });

  test.each(['8.8.8.8', '10.0.0.1', '169.254.169.254', '::', '::ffff:127.0.0.1', '0.0.0.0'])(
    'may not have the address %s',
    (address) => {
      expect(isAllowed(address, 'Loopback')).toBe(false);
    },
  );
});
