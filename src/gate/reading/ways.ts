/**
 * Pure; how gateways describe a call: which header says what. What a way does not name is taken from
 * what the transport itself says, or is not known; headers of other ways are not looked at.
 */

/** Names are in lower case. */
export type Way = {
  readonly method?: string;
  readonly target?: string;
  /** Before `host`, where both are there. */
  readonly originalHost?: string;
  /** Whether the request's own Host is the one of the call. */
  readonly host: 'OfCall' | 'OfGate';
  /** Holds one address. */
  readonly address?: string;
  /** Holds a list of addresses, the nearest last. */
  readonly addresses?: string;
  /** Length of the call's body as its sender declared it. `0`: there is none; else it is not known. */
  readonly bodyLength?: string;
  /**
   * Whether the header of a product is the gateway's word: only where the gateway replaces what the client
   * says in it, whatever the route. Elsewhere whoever calls could choose his product.
   */
  readonly product: 'InHeader' | 'NotInHeader';
};

/** nginx `auth_request` with the headers that our configuration sets. */
export const NGINX: Way = {
  method: 'x-original-method',
  target: 'x-original-uri',
  originalHost: 'x-original-host',
  host: 'OfCall',
  address: 'x-real-ip',
  bodyLength: 'x-original-content-length',
  product: 'InHeader',
};

/** Forward authentication as Traefik and Caddy do it; our HAProxy action as well. */
export const FORWARD: Way = {
  method: 'x-forwarded-method',
  target: 'x-forwarded-uri',
  originalHost: 'x-forwarded-host',
  host: 'OfGate',
  addresses: 'x-forwarded-for',
  product: 'NotInHeader',
};

/**
 * Envoy's HTTP ext_authz: it repeats the call's own method, host and path. Its X-Forwarded-For ends with
 * Envoy's own address, so the client's comes in a header that Envoy's configuration sets.
 */
export const ENVOY: Way = { host: 'OfCall', address: 'x-real-ip', product: 'NotInHeader' };

/** Everything is told by the transport, as attributes beside the headers. */
export const TOLD: Way = { host: 'OfGate', product: 'NotInHeader' };
