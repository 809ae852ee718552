/**
 * Pure; what is read from a call, settled once at the start: the names that matter, under one number
 * each, and the proxies that are believed.
 */
import { KeywardError } from '../../kernel/errors.ts';
import type { StoreProfile } from '../../ledger/documents.ts';
import { parseCidr, type Network } from '../../terms/cidr.ts';
import { GATE_HEADER_PREFIX } from '../call.ts';
import { createNameTable, type NamedSlot, type NameTable } from './names.ts';
import type { Way } from './ways.ts';

/** What an administrator chooses. */
export type ReadingOptions = {
  /** Headers that hold nothing but a key, in any case. Empty: only Authorization. */
  readonly keyHeaders: readonly string[];
  /** Name of the query parameter that may hold a key; absent: none. */
  readonly keyQuery?: string | undefined;
  /** Name of the header in which a route of nginx says the product; absent: none. */
  readonly productHeader?: string | undefined;
  /** Networks of proxies whose word about the hop before them is believed. */
  readonly trustedProxies: readonly string[];
};

/** Ready for `readCall`. */
export type Reading = {
  readonly names: NameTable;
  /** One undefined for each slot: copied for each call, because an array that grows is slow. */
  readonly blank: readonly undefined[];
  /** Profiles of the key headers; the first has slot FIRST_KEY. */
  readonly keyProfiles: readonly StoreProfile[];
  readonly keyQuery: string | undefined;
  readonly trusted: readonly Network[];
  readonly host: Way['host'];
};

/** Where contents of headers are kept while a call is read. */
export const SLOTS = {
  authorization: 0,
  connection: 1,
  host: 2,
  origin: 3,
  referer: 4,
  preflight: 5,
  method: 6,
  target: 7,
  originalHost: 8,
  address: 9,
  addresses: 10,
  product: 11,
  bodyLength: 12,
} as const;
/** The key headers follow. */
export const FIRST_KEY = 13;

/** Headers of vendors whose clients also expect their errors. */
const PROFILES: Readonly<Record<string, StoreProfile>> = {
  'visitseoul-api-key': 'VisitSeoul',
  'x-ncp-apigw-api-key': 'Naver',
};

/** Settles what is read. Terminal InvalidHeaderName, InvalidQueryName or InvalidNetwork. */
export function compileReading(options: ReadingOptions, way: Way): Reading {
  const keyHeaders = options.keyHeaders.map((name) => name.toLowerCase());
  const productHeader = options.productHeader?.toLowerCase();
  const { keyQuery } = options;
  if (keyQuery !== undefined && !/^[\w.-]{1,64}$/.test(keyQuery)) {
    throw refusal('InvalidQueryName', `'${keyQuery}' cannot be the name of a query parameter`);
  }
  checkNames(keyHeaders, productHeader);
  return {
    names: createNameTable(namedSlots(way, keyHeaders, productHeader)),
    blank: Array.from({ length: FIRST_KEY + keyHeaders.length }, () => undefined),
    keyProfiles: keyHeaders.map((name) => PROFILES[name] ?? 'Keyward'),
    keyQuery,
    trusted: options.trustedProxies.map(parseNetwork),
    host: way.host,
  };
}

/** Headers that have a meaning of their own and so hold no key and no product. */
const TAKEN =
  /^(authorization|proxy-authorization|connection|host|origin|referer|cookie|content-.*|transfer-encoding|te|upgrade|expect|access-control-.*|x-original-.*|x-forwarded-.*|x-real-ip|x-envoy-.*)$/;

function checkNames(keyHeaders: readonly string[], productHeader: string | undefined): void {
  const names = productHeader === undefined ? keyHeaders : [...keyHeaders, productHeader];
  for (const [index, name] of names.entries()) {
    const isOdd = !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || name.length > 64;
    const isGates = name.startsWith(GATE_HEADER_PREFIX) && name !== productHeader;
    if (isOdd || isGates || TAKEN.test(name) || names.indexOf(name) !== index) {
      throw refusal('InvalidHeaderName', `'${name}' cannot be the header of a key or a product`);
    }
  }
}

function namedSlots(
  way: Way,
  keyHeaders: readonly string[],
  productHeader: string | undefined,
): readonly NamedSlot[] {
  const fixed: Readonly<Record<keyof typeof SLOTS, string | undefined>> = {
    authorization: 'authorization',
    connection: 'connection',
    host: 'host',
    origin: 'origin',
    referer: 'referer',
    preflight: 'access-control-request-method',
    method: way.method,
    target: way.target,
    originalHost: way.originalHost,
    address: way.address,
    addresses: way.addresses,
    product: way.product === 'InHeader' ? productHeader : undefined,
    bodyLength: way.bodyLength,
  };
  const entries = Object.entries(SLOTS).flatMap(([key, slot]) => {
    // The record above has exactly the keys of SLOTS.
    const name = fixed[key as keyof typeof SLOTS];
    return name === undefined ? [] : [{ name, slot }];
  });
  return [...entries, ...keyHeaders.map((name, index) => ({ name, slot: FIRST_KEY + index }))];
}

function parseNetwork(text: string): Network {
  const network = parseCidr(text);
  if ('problem' in network) {
    throw refusal('InvalidNetwork', `trusted proxy '${text}' ${network.problem}`);
  }
  return network;
}

function refusal(reason: string, message: string): KeywardError {
  return new KeywardError('Terminal', { reason, message });
}
