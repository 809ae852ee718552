/**
 * Pure; which vendors the operator may talk to. People who may write a KeyStore choose its endpoint,
 * but only among the hosts that the administrator lists, so that nobody sends the operator, with
 * credentials in hand, to a server of his own or to something inside the cluster.
 */
import { parseAddress } from '../terms/cidr.ts';
import { isAllowed } from './addresses.ts';
import type { Destination } from './dialing.ts';

/** By KeyStore.spec.type: `host` (port 443) or `host:port`, in lower case. */
export type EndpointHosts = ReadonlyMap<string, readonly string[]>;

/** More are a mistake; so are longer names than DNS has. */
const ENTRIES_MAX = 100;
const HOST_LENGTH_MAX = 260;
const HTTPS_PORT = '443';

/**
 * Reads `Type=host[:port]`, separated by commas; a part without a type belongs to the type before
 * it. A type that is named has exactly the hosts that are named; `Type=` alone has none.
 * The problem is part of a sentence that begins with the name of the setting.
 */
export function parseEndpointHosts(text: string): EndpointHosts | { readonly problem: string } {
  const hosts = new Map<string, readonly string[]>();
  const parts = text.split(',').map((part) => part.trim());
  let type: string | undefined;
  for (const part of parts.filter((each) => each !== '')) {
    const [left, right] = part.includes('=') ? splitOnce(part) : [type, part];
    if (left === undefined || !/^[A-Z][A-Za-z0-9]{0,62}$/.test(left)) {
      return { problem: `takes Type=host[:port], for example Naver=api.example.com` };
    }
    type = left;
    const known = hosts.get(type) ?? [];
    if (right === '') hosts.set(type, known);
    else {
      const host = parseHost(right);
      if (host === undefined) return { problem: `has '${left}=…' with something that is no host` };
      hosts.set(type, [...known, host]);
    }
  }
  return parts.length > ENTRIES_MAX ? { problem: `takes ${ENTRIES_MAX} hosts at most` } : hosts;
}

/** One store's wish to be reached somewhere. */
type EndpointWish = {
  readonly type: string;
  readonly endpoint: URL;
  /** The driver's own hosts; they count where the administrator names none for the type. */
  readonly defaults: readonly string[];
};

/**
 * Where the store may be reached, or one sentence that says what to do.
 *
 * TLS always, except to a loopback host that is listed with its port.
 */
export function admitEndpoint(
  wish: EndpointWish,
  listed: EndpointHosts,
): Destination | { readonly problem: string } {
  const { type, endpoint, defaults } = wish;
  const field = `spec.${type.charAt(0).toLowerCase()}${type.slice(1)}.endpoint`;
  const { protocol, hostname, username, password, search, hash } = endpoint;
  const isPlain = protocol === 'http:';
  const reach = isLoopback(hostname) ? 'Loopback' : 'Public';
  if (!isPlain && protocol !== 'https:') return { problem: `${field} must begin with https://` };
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    return { problem: `${field} must have no user, query or fragment` };
  }
  if (isPlain && reach !== 'Loopback') return { problem: `${field} must begin with https://` };
  const hosts = listed.get(type) ?? defaults;
  const wanted = nameOf(endpoint);
  if (hosts.includes(wanted)) return { origin: endpoint, reach };
  const problem =
    `${field} names the host ${wanted}, which the administrator of Keyward does not allow for ` +
    `stores of type ${type}; use an allowed one, or have --endpoint-hosts ${type}=${wanted} added`;
  return { problem };
}

/** As the list writes it: the port only where it is not that of https. */
function nameOf({ protocol, hostname, port }: URL): string {
  const effective = port === '' ? (protocol === 'http:' ? '80' : HTTPS_PORT) : port;
  return effective === HTTPS_PORT ? hostname : `${hostname}:${effective}`;
}

function parseHost(text: string): string | undefined {
  if (text.length > HOST_LENGTH_MAX || !/^[A-Za-z0-9.:[\]-]+$/.test(text)) return undefined;
  // Only a parser knows all the spellings of one host; the list is compared with what it makes.
  const url = URL.parse(`https://${text}/`);
  if (url === null || url.hostname === '' || url.hostname.endsWith('.')) return undefined;
  return nameOf(url);
}

function isLoopback(hostname: string): boolean {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (parseAddress(bare) !== undefined) return isAllowed(bare, 'Loopback');
  return bare === 'localhost' || bare.endsWith('.localhost');
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
