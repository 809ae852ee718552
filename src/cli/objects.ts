/** Objects as the API server sends them, by kind, and what is read out of all of them. Pure. */
import type { ApiClient } from '../api/generated/apiclient.ts';
import type { ApiKey } from '../api/generated/apikey.ts';
import type { ApiKeyApplication } from '../api/generated/apikeyapplication.ts';
import type { ApiKeyReview } from '../api/generated/apikeyreview.ts';
import type { ApiProduct } from '../api/generated/apiproduct.ts';
import type { KeyStore } from '../api/generated/keystore.ts';
import type { Condition, KubeObject } from '../api/meta.ts';
import type { Tone } from './output.ts';

/** A form. */
export type Form = KubeObject<ApiKeyApplication>;
/** A decision. */
export type Review = KubeObject<ApiKeyReview>;
/** A key. */
export type Key = KubeObject<ApiKey>;
/** A client. */
export type Client = KubeObject<ApiClient>;
/** A product. */
export type Product = KubeObject<ApiProduct>;
/** A key store of either kind; what is read of both is the same. */
export type Store = KubeObject<KeyStore>;

/** Kind and name of a key store, as in `storeRef`. */
export type StoreRef = { readonly kind: 'KeyStore' | 'ClusterKeyStore'; readonly name: string };

/** What a form, or a key without one, means when it names no store. */
const DEFAULT_STORE: StoreRef = { kind: 'ClusterKeyStore', name: 'default' };

/** The store of a form or key. */
export function storeOf(spec: { readonly storeRef?: StoreRef }): StoreRef {
  return spec.storeRef ?? DEFAULT_STORE;
}

/** A condition by its type. */
export function conditionOf(
  status: { readonly conditions?: readonly Condition[] } | undefined,
  type: string,
): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Whether status is about the newest edit; what is there may still be about the one before. */
export function isObserved({
  metadata,
  status,
}: KubeObject<{ readonly status?: { readonly observedGeneration?: number } }>): boolean {
  return (status?.observedGeneration ?? -1) >= (metadata.generation ?? 0);
}

const GOOD =
  /^(Active|Rotating|InForce|Approved|Connected|Published|Decisive|Counted|True|Resumed)$/;
const BAD =
  /^(Denied|Returned|Lapsed|Expired|Revoked|Ended|GrantWithdrawn|GrantEnded|Incomplete|.*Failed|.*Conflict|.*NotAvailable|.*Unverified|.*NotAuthorized|.*Mismatch|Retired)$/;

/** The colour of a state or reason. */
export function toneOf(word: string): Tone {
  if (GOOD.test(word)) return 'Good';
  return BAD.test(word) ? 'Bad' : 'Waiting';
}
