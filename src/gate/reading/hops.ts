/**
 * Pure; the client's address out of a list of hops. Each proxy puts the address it was called from at
 * the end, so only the end can be believed: hops of trusted proxies are skipped from there, and the first
 * other one is the client. What stands before it, anybody can have written.
 */
import { contains, parseAddress, type Network } from '../../terms/cidr.ts';

/** Nobody has so many proxies; whoever writes more wants to cost time. */
const HOPS_MAX = 32;

/**
 * The address without port, or undefined where it is not known: a hop on the way that is no address, or
 * none that is not trusted among the last 32.
 */
export function findClientAddress(list: string, trusted: readonly Network[]): string | undefined {
  let end = list.length;
  for (let hops = 0; end >= 0 && hops < HOPS_MAX; hops += 1) {
    // From -1 the search would begin at 0.
    const comma = end === 0 ? -1 : list.lastIndexOf(',', end - 1);
    const hop = withoutPort(list.slice(comma + 1, end).trim());
    const address = parseAddress(hop);
    if (address === undefined) return undefined;
    if (!trusted.some((network) => contains(network, address))) return hop;
    end = comma;
  }
  return undefined;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80` and `[2001:db8::1]` without what is no address; else as it is. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^[\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed.includes(':') ? bracketed : '';
  const colon = text.indexOf(':');
  if (colon < 0 || colon !== text.lastIndexOf(':')) return text;
  return /^\d{1,5}$/.test(text.slice(colon + 1)) ? text.slice(0, colon) : '';
}
