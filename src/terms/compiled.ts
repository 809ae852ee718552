/**
 * Pure; terms as a gate keeps them: whatever can be worked out before a call comes is worked out. Without
 * their ends, which alone tell the terms of most keys of a store apart.
 */
import { compileNetworks, type Network } from './cidr.ts';
import type { KeyTerms } from './terms.ts';

/** What `KeyTerms` say, ready to be compared with calls. */
export type CompiledTerms = Pick<KeyTerms, 'quota' | 'originPolicy'> & {
  /** Absent: any address. Empty: none, because none of what was written could be read. */
  readonly networks: readonly Network[] | undefined;
  /** Names of the products by grant that may be used. */
  readonly productRefs: ReadonlySet<string>;
};

/** Compiles terms; the answers about them stay the same. */
export function compileTerms(terms: Omit<KeyTerms, 'timeZone'>): CompiledTerms {
  const { quota, originPolicy, cidrs, productRefs } = terms;
  return {
    ...(quota === undefined ? {} : { quota }),
    ...(originPolicy === undefined ? {} : { originPolicy }),
    networks: cidrs.length === 0 ? undefined : compileNetworks(cidrs),
    productRefs: new Set(productRefs),
  };
}
