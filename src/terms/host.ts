/**
 * Pure; host names in one spelling, for registered sites and request headers alike: ASCII, lower
 * case, no trailing dot. What could be read in two ways is refused.
 */
import { ownText } from '../kernel/owntext.ts';
import { parseAddress } from './cidr.ts';

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const HOST_MAX = 253;
/** A last label that URL parsers take for a number, and so the whole host for an IPv4 address. */
const NUMERIC_END = /(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)$/;

/** Services are called under few names, by pages of few sites: most hosts were read before. */
const READ_MAX = 1_000;
const read = new Map<string, string>();

/**
 * The normal form of a host that is ASCII already, or undefined when it is none. Linear time.
 * "null" is none: it is what a browser sends when it does not want to say an origin.
 */
export function normaliseHost(text: string): string | undefined {
  const known = read.get(text);
  if (known !== undefined) return known;
  const host = findHost(text);
  // Whoever sends many others empties this, and then hosts take the time that they take anyway.
  if (read.size >= READ_MAX) read.clear();
  if (host !== undefined) read.set(ownText(text), ownText(host));
  return host;
}

function findHost(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (lower.startsWith('[')) return normaliseIpv6(lower);
  const host = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (host.length > HOST_MAX || host === 'null') return undefined;
  if (NUMERIC_END.test(host)) return parseAddress(host) === undefined ? undefined : host;
  return host.split('.').every((label) => LABEL.test(label)) ? host : undefined;
}

/** As `normaliseHost`, for any script: names are brought to ASCII by IDNA as browsers do it. */
export function normaliseAnyHost(text: string): string | undefined {
  // Percent signs and delimiters would be decoded or cut off by the URL parser.
  if (/[%\s@/?#\\:[\]]/.test(text)) return text.startsWith('[') ? normaliseHost(text) : undefined;
  const hostname = URL.parse(`http://${text}/`)?.hostname;
  const host = hostname === undefined ? undefined : normaliseHost(hostname);
  if (host === undefined || !NUMERIC_END.test(host)) return host;
  // The parser reads 192.0.2.010, 0xc0000208 and full-width digits as addresses; we want them plain.
  return text === host ? host : undefined;
}

/** Whether a normalised host is an IP address. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || NUMERIC_END.test(host);
}

function normaliseIpv6(lower: string): string | undefined {
  if (!lower.endsWith(']')) return undefined;
  const address = parseAddress(lower.slice(1, -1));
  if (address?.family !== 6) return undefined;
  return URL.parse(`http://${lower}/`)?.hostname;
}
