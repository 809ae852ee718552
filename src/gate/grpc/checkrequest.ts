/**
 * Pure; the call in a CheckRequest of Envoy's `envoy.service.auth.v3`. Texts are one character per
 * byte, as in `node:http`, so that both ports of the gate see the same.
 */
import { delimited, type WireReader } from './wirereader.ts';

/** Field numbers of the messages, from Envoy's proto files. */
const CHECK_REQUEST = { attributes: delimited(1) };
const ATTRIBUTES = { source: delimited(1), request: delimited(4), extensions: delimited(10) };
const PEER = { address: delimited(1) };
const ADDRESS = { socketAddress: delimited(1) };
const SOCKET_ADDRESS = { address: delimited(2) };
const REQUEST = { http: delimited(2) };
const HTTP = {
  method: delimited(2),
  headers: delimited(3),
  path: delimited(4),
  host: delimited(5),
  body: delimited(11),
  rawBody: delimited(12),
  headerMap: delimited(13),
};
const HEADER_MAP = { headers: delimited(1) };
/** Entries of a map and HeaderValue have the first two in common. */
const PAIR = { key: delimited(1), value: delimited(2), rawValue: delimited(3) };

/** What Envoy's route says besides the call: only these are looked at. */
const PRODUCT_EXTENSION = 'keyward-product';
const BODY_EXTENSION = 'keyward-body';
const COLON = 0x3a;

/** A call as Envoy describes it. Absent and empty texts are the same. */
export type CheckRequest = {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Names and values in turn, without pseudo headers; what Envoy joined stays joined. */
  readonly pairs: readonly string[];
  /** A view of the message, perhaps a part of the body only; undefined: Envoy has sent none. */
  readonly body: Buffer | undefined;
  /** Of Envoy's downstream, or what its settings made of X-Forwarded-For; no port. */
  readonly sourceAddress: string;
  /** What the route says in its `context_extensions`. */
  readonly product: string;
  readonly bodySetting: string;
};

/** The call so far, and what is needed only while reading. */
type Draft = { -readonly [Name in keyof CheckRequest]: CheckRequest[Name] } & {
  pairs: string[];
  key: string;
  value: string;
  pseudoMethod: string;
  pseudoPath: string;
  pseudoHost: string;
  isDoubtful: boolean;
};

/**
 * The call, or undefined when the message is not well formed, says twice what can be said only once,
 * or contradicts itself.
 *
 * @param wire reads it; may serve any number of calls, one after the other
 */
export function readCheckRequest(wire: WireReader, message: Buffer): CheckRequest | undefined {
  const draft: Draft = {
    method: '',
    path: '',
    host: '',
    pairs: [],
    body: undefined,
    sourceAddress: '',
    product: '',
    bodySetting: '',
    key: '',
    value: '',
    pseudoMethod: '',
    pseudoPath: '',
    pseudoHost: '',
    isDoubtful: false,
  };
  wire.open(message);
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === CHECK_REQUEST.attributes) readAttributes(wire, draft);
    else wire.skip(tag);
  }
  const isWhole = !wire.isBroken;
  wire.close();
  return isWhole && !draft.isDoubtful && agreesWithPseudo(draft) ? draft : undefined;
}

function agreesWithPseudo(draft: Draft): boolean {
  const { pseudoMethod, pseudoPath, pseudoHost } = draft;
  return (
    (pseudoMethod === '' || pseudoMethod === draft.method) &&
    (pseudoPath === '' || pseudoPath === draft.path) &&
    (pseudoHost === '' || pseudoHost === draft.host)
  );
}

function readAttributes(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === ATTRIBUTES.request) readRequest(wire, draft);
    else if (tag === ATTRIBUTES.source) readPeer(wire, draft);
    else if (tag === ATTRIBUTES.extensions) readExtension(wire, draft);
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readPeer(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === PEER.address) readAddress(wire, draft);
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readAddress(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === ADDRESS.socketAddress) readSocketAddress(wire, draft);
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readSocketAddress(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === SOCKET_ADDRESS.address)
      draft.sourceAddress = only(draft, draft.sourceAddress, wire.text());
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readRequest(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === REQUEST.http) readHttp(wire, draft);
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readHttp(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === HTTP.headers) readHeader(wire, draft);
    else if (tag === HTTP.headerMap) readHeaderMap(wire, draft);
    else if (tag === HTTP.method) draft.method = only(draft, draft.method, wire.text());
    else if (tag === HTTP.path) draft.path = only(draft, draft.path, wire.text());
    else if (tag === HTTP.host) draft.host = only(draft, draft.host, wire.text());
    else if (tag === HTTP.body || tag === HTTP.rawBody) readBody(wire, draft);
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readBody(wire: WireReader, draft: Draft): void {
  if (draft.body !== undefined) draft.isDoubtful = true;
  draft.body = wire.bytes();
}

function readHeaderMap(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === HEADER_MAP.headers) readHeader(wire, draft);
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readHeader(wire: WireReader, draft: Draft): void {
  readPair(wire, draft);
  const { key, value } = draft;
  if (key.charCodeAt(0) !== COLON) draft.pairs.push(key, value);
  else if (key === ':path') draft.pseudoPath = only(draft, draft.pseudoPath, value);
  else if (key === ':method') draft.pseudoMethod = only(draft, draft.pseudoMethod, value);
  else if (key === ':authority') draft.pseudoHost = only(draft, draft.pseudoHost, value);
}

function readExtension(wire: WireReader, draft: Draft): void {
  readPair(wire, draft);
  const { key, value } = draft;
  if (key === PRODUCT_EXTENSION) draft.product = only(draft, draft.product, value);
  else if (key === BODY_EXTENSION) draft.bodySetting = only(draft, draft.bodySetting, value);
}

/** Into `key` and `value` of the draft, which saves an object per header. */
function readPair(wire: WireReader, draft: Draft): void {
  const outer = wire.enter();
  draft.key = '';
  draft.value = '';
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === PAIR.key) draft.key = only(draft, draft.key, wire.text());
    else if (tag === PAIR.value || tag === PAIR.rawValue) {
      draft.value = only(draft, draft.value, wire.text());
    } else wire.skip(tag);
  }
  wire.leave(outer);
}

/** What is said now, if nothing was said before; else nobody knows which was meant. */
function only(draft: Draft, before: string, now: string): string {
  if (before !== '') draft.isDoubtful = true;
  return now;
}
