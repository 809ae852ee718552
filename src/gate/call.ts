/**
 * One call as a gateway describes it to the gate, whatever the gateway speaks. Pure data. Text is as
 * received; absent and empty mean the same.
 */
import type { StoreProfile } from '../ledger/documents.ts';

/** What the caller shows, as read from the headers (or the query) of his call. */
export type Credential =
  /** Nothing that looks like a credential. */
  | { readonly type: 'None' }
  /** More than one, or one that is written twice. */
  | { readonly type: 'Ambiguous' }
  /** The whole value: Opaque, Dual, or both halves of a KeyPair joined by an underscore. */
  | { readonly type: 'Value'; readonly value: string }
  /** Both halves of a KeyPair. */
  | { readonly type: 'Pair'; readonly apiKey: string; readonly apiSecret: string }
  /** `Authorization: HMAC-SHA256 apiKey=, date=, salt=, signature=` of SOLAPI. */
  | {
      readonly type: 'Signed';
      readonly algorithm: 'SHA256' | 'MD5';
      readonly apiKey: string;
      /** As sent: it is signed in this very form. */
      readonly date: string;
      readonly salt: string;
      /** Hexadecimal. */
      readonly signature: string;
    }
  /** `Authorization: DGRK <key>.<signature>` of digiRunner. */
  | { readonly type: 'BodySigned'; readonly apiKey: string; readonly signature: string };

/** A call. */
export type Call = {
  readonly credential: Credential;
  /** Whose habits the credential's place or scheme follows: the shape of answers before a key is known. */
  readonly profile: StoreProfile;
  /** Upper case as sent. */
  readonly method?: string | undefined;
  /** Authority as the caller sent it, with port if there was one. */
  readonly host?: string | undefined;
  /** Path with query as the caller sent it; absolute form is reduced by nobody. */
  readonly target?: string | undefined;
  readonly origin?: string | undefined;
  readonly referer?: string | undefined;
  /** Client address without port; of the first hop that is no trusted proxy. */
  readonly address?: string | undefined;
  /** Name of an ApiProduct, said by the gateway's own route and by nobody else. */
  readonly product?: string | undefined;
  /** Whole body, where the gateway passes it on; undefined: it is not known, empty: there is none. */
  readonly body?: Uint8Array | undefined;
  /** A header that only the gate may set was in the call. */
  readonly isSpoofed: boolean;
};

/** Headers that begin with this, in lower case, only the gate may set. */
export const GATE_HEADER_PREFIX = 'x-keyward-';
