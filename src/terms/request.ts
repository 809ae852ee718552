/**
 * What a form asks for, in the shape that is reviewed, hashed and granted. Pure, plain JSON.
 */
import type { KeyFormat } from '../keys/format.ts';
import type { TermsSpec } from './terms.ts';

/** What a round of an ApiKeyApplication asks for. */
export type RequestContent = {
  readonly storeRef: {
    readonly kind: 'KeyStore' | 'ClusterKeyStore';
    readonly name: string;
    readonly uid: string;
  };
  readonly client: { readonly name: string; readonly uid: string };
  readonly format: KeyFormat;
  /** Name of the ApiKey it is for. */
  readonly apiKeyName: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly service?: {
    readonly name?: string;
    readonly description?: string;
    readonly url?: string;
  };
  readonly purpose?: string;
  readonly justification?: string;
  /** With the time zone worked out. */
  readonly terms: TermsSpec;
  readonly reissue?: {
    readonly requestId: string;
    readonly reason: 'Exposed' | 'SecurityConcern' | 'Routine';
    readonly message?: string;
    readonly whileWaiting: 'KeepActive' | 'Suspend';
  };
  readonly revocation?: { readonly justification: string; readonly effectiveDate?: string };
};
