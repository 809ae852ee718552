/**
 * Pure; the two shapes of terms: what people write, and what that means once zone, store and first
 * issue are known. Controllers store the second in the ledger, the gate reads it from there.
 */

/** When something starts and ends, as written. Each end may be said in one way only. */
export type ValiditySpec = {
  /** `YYYY-MM-DD`: valid from the start of that day in the zone. */
  readonly effectiveDate?: string;
  /** `YYYY-MM-DD`, inclusive: valid until the start of the next day in the zone. */
  readonly expirationDate?: string;
  /** IANA name; absent: the store's, else UTC. */
  readonly timeZone?: string;
  /** RFC 3339. */
  readonly notBeforeTime?: string;
  /** RFC 3339; the first instant that is no longer valid. */
  readonly expirationTime?: string;
  /** 1 to 3650 times 24 hours from the first issue. */
  readonly durationDays?: number;
};

/** When a count of uses starts anew. */
export type QuotaPeriod = 'Lifetime' | 'Day' | 'Month';

/** Field `terms` of ApiKey and ApiKeyApplication. Absent and empty lists mean the same. */
export type TermsSpec = {
  readonly validity?: ValiditySpec;
  /** -1 unlimited, 0 blocks every call; absent: no limit. */
  readonly quota?: { readonly requests: number; readonly period?: QuotaPeriod };
  readonly originPolicy?: {
    readonly allowed?: readonly string[];
    readonly missing?: 'Deny' | 'Allow';
    readonly unknownPath?: 'Allow' | 'Deny';
  };
  readonly cidrs?: readonly string[];
  readonly productRefs?: readonly { readonly name: string }[];
};

/** One registered site in normal form; see `parseSite`. */
export type Site = {
  /** Absent: both. */
  readonly scheme?: 'http' | 'https';
  /** ASCII, lower case, without trailing dot; IPv6 in brackets. */
  readonly host: string;
  /** Every host below `host`, at any depth, and never `host` itself. */
  readonly subdomains?: true;
  /** Absent: the default port of the request's scheme. */
  readonly port?: number;
  /** Begins with `/`, does not end with it; whole segments. Absent: any path. */
  readonly path?: string;
};

/** From which sites a key may be used; never empty, because no sites means no policy. */
export type OriginPolicy = {
  readonly allowed: readonly Site[];
  /** For calls that say no origin. */
  readonly missing: 'Deny' | 'Allow';
  /** For calls that say their site but not their path, where a path is registered. */
  readonly unknownPath: 'Allow' | 'Deny';
};

/** How often a key may be used. */
export type Quota = {
  /** -1 unlimited, 0 blocks every call, at most 2^53 - 1. */
  readonly requests: number;
  readonly period: QuotaPeriod;
  /** IANA name; where Day and Month begin. */
  readonly timeZone: string;
};

/**
 * Resolved terms. Plain JSON: equal terms have equal JSON text, whatever happened in between, and
 * absent fields are left out.
 */
export type KeyTerms = {
  /** IANA name that dates were read in. */
  readonly timeZone: string;
  /** First valid instant; absent: always valid before the end. */
  readonly notBeforeMs?: number;
  /** First instant that is no longer valid; absent: no end. */
  readonly endMs?: number;
  /** Absent: no limit. */
  readonly quota?: Quota;
  /** Absent: any origin. */
  readonly originPolicy?: OriginPolicy;
  /** `address/prefix`, checked; empty: any address. */
  readonly cidrs: readonly string[];
  /** Names of ApiProducts, sorted; empty: only products that are open to all. */
  readonly productRefs: readonly string[];
};

/** Something in the terms that cannot be. */
export type Problem = {
  /** Path below `spec`, e.g. `terms.validity.expirationDate`. */
  readonly field: string;
  /** Part of a sentence behind the field; safe to show. */
  readonly message: string;
};
