/**
 * Pure; which addresses a vendor may have. Only the public internet: a tenant who may write a
 * KeyStore, or who controls a name, must not turn the operator into a way to the cluster's insides.
 */
import { contains, parseAddress, parseCidr, type Address, type Network } from '../terms/cidr.ts';

/**
 * Where a destination may lie.
 *
 * - Public: any address of the public internet, nothing else.
 * - Loopback: this machine only; for hosts that the administrator listed as such.
 */
export type Reach = 'Public' | 'Loopback';

/** Special-purpose networks of the IANA registry for IPv4, and one public metadata address. */
const NOT_PUBLIC_4 = networks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);

/** The only part of IPv6 that is routed; everything else is local, multicast or reserved. */
const GLOBAL_6 = networks(['2000::/3']);

/** Protocol assignments and tunnels (which hide an IPv4 address), documentation. */
const NOT_PUBLIC_6 = networks(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

/** NAT64: the last 32 bits are the IPv4 address that is meant, and that one decides. */
const NAT64 = networks(['64:ff9b::/96']);

const LOOPBACK = networks(['127.0.0.0/8', '::1/128']);

/** Whether an address, as text, may be connected to. What is no address is not allowed. */
export function isAllowed(text: string, reach: Reach): boolean {
  const address = parseAddress(text);
  // IPv4 in IPv6 clothes has no business in an answer of DNS; it only helps to slip past lists.
  if (address === undefined || (text.includes(':') && address.family === 4)) return false;
  return reach === 'Loopback' ? isIn(LOOPBACK, address) : isPublic(address);
}

function isPublic(address: Address): boolean {
  if (address.family === 4) return !isIn(NOT_PUBLIC_4, address);
  if (isIn(NAT64, address)) {
    return isPublic({ family: 4, bits: Number(address.bits & 0xffff_ffffn) });
  }
  return isIn(GLOBAL_6, address) && !isIn(NOT_PUBLIC_6, address);
}

function isIn(list: readonly Network[], address: Address): boolean {
  return list.some((network) => contains(network, address));
}

function networks(cidrs: readonly string[]): readonly Network[] {
  return cidrs.map((cidr) => {
    const network = parseCidr(cidr);
    if ('problem' in network) throw new Error(`${cidr} ${network.problem}`);
    return network;
  });
}
