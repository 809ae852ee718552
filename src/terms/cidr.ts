/**
 * Pure; IP addresses and networks. Strict: four decimal numbers without leading zeros, because
 * others read those as octal; no zones ("%eth0"). IPv4 written as IPv6 (::ffff:a.b.c.d) is IPv4.
 * IPv6 networks never contain IPv4 addresses: whoever writes ::/0 thinks of IPv6.
 */

/** An address as a number. */
export type Address =
  | { readonly family: 4; readonly bits: number }
  | { readonly family: 6; readonly bits: bigint };

/** A network: all addresses of the family that agree in the first `prefix` bits. */
export type Network = { readonly address: Address; readonly prefix: number };

const MAPPED = 0xffffn;
const DOT = 46;
const ZERO = 48;

/** The address, or undefined when the text is none. Never throws, takes any text. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const bits = parseIpv4(text);
    return bits === undefined ? undefined : { family: 4, bits };
  }
  const bits = parseIpv6(text);
  if (bits === undefined) return undefined;
  return bits >> 32n === MAPPED
    ? { family: 4, bits: Number(bits & 0xffff_ffffn) }
    : { family: 6, bits };
}

/**
 * The network of `address/prefix`, or of an address alone, which means just that one.
 * Bits behind the prefix must be zero: 10.0.0.5/8 is more often a slip for one host than for the
 * whole network. The problem is part of a sentence.
 */
export function parseCidr(text: string): Network | { readonly problem: string } {
  const [addressText = '', prefixText, ...more] = text.split('/');
  const address = parseAddress(addressText);
  const isShort = prefixText === undefined || /^(0|[1-9]\d{0,2})$/.test(prefixText);
  if (address === undefined || !isShort || more.length > 0) {
    return { problem: 'is not a network such as 203.0.113.0/24 or 2001:db8::/32' };
  }
  // A mapped network counts its prefix from the front of the IPv6 form.
  const writtenWidth = addressText.includes(':') ? 128 : 32;
  const width = address.family === 4 ? 32 : 128;
  const written = Number(prefixText ?? writtenWidth);
  const prefix = written - (writtenWidth - width);
  if (written > writtenWidth || prefix < 0) {
    return { problem: `has no prefix from ${writtenWidth - width} to ${writtenWidth}` };
  }
  if (!hasOnlyPrefix(address, prefix)) {
    return { problem: `has bits set behind the prefix; for one address write /${writtenWidth}` };
  }
  return { address, prefix };
}

/** The one spelling of a checked network that is stored. */
export function formatCidr(text: string, network: Network): string {
  const { address, prefix } = network;
  if (address.family === 6) return `${text.split('/')[0]?.toLowerCase()}/${prefix}`;
  const octets = [24, 16, 8, 0].map((shift) => (address.bits >>> shift) & 255);
  return `${octets.join('.')}/${prefix}`;
}

/** Whether the address lies in the network. */
export function contains(network: Network, address: Address): boolean {
  const { address: base, prefix } = network;
  if (base.family === 4) {
    if (address.family !== 4) return false;
    const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
    return (address.bits & mask) >>> 0 === base.bits;
  }
  const hidden = BigInt(128 - prefix);
  return address.family === 6 && address.bits >> hidden === base.bits >> hidden;
}

/** The networks that can be read; what cannot be read lets nobody in. */
export function compileNetworks(cidrs: readonly string[]): readonly Network[] {
  return cidrs.flatMap((cidr) => {
    const network = parseCidr(cidr);
    return 'problem' in network ? [] : [network];
  });
}

/** Whether an address, as text, lies in one of the networks. Doubt about either is a no. */
export function isInside(networks: readonly Network[], addressText: string | undefined): boolean {
  const address = addressText === undefined ? undefined : parseAddress(addressText);
  if (address === undefined) return false;
  for (const network of networks) if (contains(network, address)) return true;
  return false;
}

function hasOnlyPrefix(address: Address, prefix: number): boolean {
  if (address.family === 4) return address.bits % 2 ** (32 - prefix) === 0;
  const hidden = BigInt(128 - prefix);
  return (address.bits >> hidden) << hidden === address.bits;
}

/** Letter by letter: a gate asks this for each call, and patterns take four times as long. */
function parseIpv4(text: string): number | undefined {
  let bits = 0;
  let dots = 0;
  let digits = 0;
  let octet = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (digits === 0 || octet > 255) return undefined;
      bits = bits * 256 + octet;
      dots += 1;
      digits = 0;
      octet = 0;
    } else {
      const digit = code - ZERO;
      // Nothing may follow a leading zero, and three digits are the most there are.
      const isTooLong = digits === 3 || (digits > 0 && octet === 0);
      if (digit < 0 || digit > 9 || isTooLong) return undefined;
      octet = octet * 10 + digit;
      digits += 1;
    }
    if (dots > 4) return undefined;
  }
  return dots === 4 ? bits : undefined;
}

function parseIpv6(text: string): bigint | undefined {
  // The longest spelling has 45 characters.
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  const [head = [], tail = []] = halves.map((half, index) =>
    parseGroups(half, index === halves.length - 1),
  );
  if (head === 'Malformed' || tail === 'Malformed' || halves.length > 2) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group of zeros.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

type Groups = readonly number[] | 'Malformed';

/** Groups of 16 bits; the last may be written as an IPv4 address where the text ends with it. */
function parseGroups(text: string, isEnd: boolean): Groups {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const isLast = isEnd && index === parts.length - 1;
    const ipv4 = isLast ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >>> 16, ipv4 & 0xffff);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return 'Malformed';
  }
  return groups;
}
