/**
 * Written by `npm run generate` from crds/keyward.dev_apikeyreviews.yaml; edit that file.
 *
 * As read from the API server: a field with a default in the schema is always there.
 */

export interface ApiKeyReview {
  readonly spec: ApiKeyReviewSpec;
  readonly status?: ApiKeyReviewStatus;
}
/**
 * Who decides what about what. Cannot be changed.
 */
export interface ApiKeyReviewSpec {
  readonly applicationRef?: ReviewApplicationRef;
  readonly apiKeyRef?: ReviewApiKeyRef;
  readonly clientRef?: ReviewClientRef;
  /**
   * Application: Approved, Denied, Returned (wants correction), or Revoked (ends the grant). Key: Suspended, Resumed, Revoked. Client: Approved (registered), Suspended, Resumed, Revoked.
   */
  readonly decision: 'Approved' | 'Denied' | 'Returned' | 'Revoked' | 'Suspended' | 'Resumed';
  /**
   * status.round.requestHash of the form as it was read, so that what was read is what is approved.
   */
  readonly requestHash?: string;
  /**
   * status.grant.round of the grant that is withdrawn.
   */
  readonly grantRound?: number;
  /**
   * For which layer of reviewers; required where the store has layers.
   */
  readonly layer?: string;
  /**
   * Required unless the decision is Approved or Resumed. Shown to the applicant.
   */
  readonly reason?: 'InsufficientInformation' | 'PurposeMismatch' | 'Security' | 'Other';
  /**
   * What to correct, or why not. Required unless the decision is Approved or Resumed. Shown to the applicant.
   */
  readonly message?: string;
  readonly narrowed?: ReviewNarrowed;
  readonly reviewer?: ReviewReviewer;
}
/**
 * The form that is decided about, in the same namespace.
 */
export interface ReviewApplicationRef {
  /**
   * Name of the object.
   */
  readonly name: string;
  /**
   * metadata.uid of the object, so that the decision is never taken for one about another object of that name.
   */
  readonly uid: string;
}
/**
 * The key that is switched off, on again or ended, in the same namespace.
 */
export interface ReviewApiKeyRef {
  /**
   * Name of the object.
   */
  readonly name: string;
  /**
   * metadata.uid of the object, so that the decision is never taken for one about another object of that name.
   */
  readonly uid: string;
}
/**
 * The client that is registered, switched off, on again or ended, in the same namespace.
 */
export interface ReviewClientRef {
  /**
   * Name of the object.
   */
  readonly name: string;
  /**
   * metadata.uid of the object, so that the decision is never taken for one about another object of that name.
   */
  readonly uid: string;
}
/**
 * Less than was asked for. Fields that are absent stay as asked for; what would allow more than was asked for is refused.
 */
export interface ReviewNarrowed {
  /**
   * Last valid day, in the time zone of the form.
   */
  readonly expirationDate?: string;
  /**
   * First instant at which the key no longer works.
   */
  readonly expirationTime?: string;
  /**
   * Days from the first issue.
   */
  readonly durationDays?: number;
  readonly quota?: ReviewQuota;
  readonly originPolicy?: ReviewOriginPolicy;
  /**
   * Networks or single addresses the key may be used from.
   */
  readonly cidrs?: readonly string[];
  /**
   * ApiProducts the key is for.
   */
  readonly productRefs?: readonly ReviewProductRef[];
}
/**
 * How often the key may be used.
 */
export interface ReviewQuota {
  /**
   * -1 is unlimited, 0 blocks every call.
   */
  readonly requests: number;
  /**
   * When the count starts anew. Absent: as asked for.
   */
  readonly period?: 'Lifetime' | 'Day' | 'Month';
}
/**
 * From which sites the key may be used; what is absent stays as asked for.
 */
export interface ReviewOriginPolicy {
  /**
   * Exact sites: host, host:port or scheme://host[:port][/path]; one leading "*." label stands for exactly the subdomains.
   */
  readonly allowed?: readonly string[];
  /**
   * What happens to a call that says no origin.
   */
  readonly missing?: 'Deny' | 'Allow';
  /**
   * What happens to a call that says its site but not its path, where a path is registered.
   */
  readonly unknownPath?: 'Allow' | 'Deny';
}
export interface ReviewProductRef {
  /**
   * Name of the object.
   */
  readonly name: string;
}
/**
 * Who decided. Filled in and checked when the review is created; without the mutating policy the client sends exactly its own identity.
 */
export interface ReviewReviewer {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  /**
   * The account that said so, where the reviewer did not create the review. Only accounts that the store lists as attestors may do that.
   */
  readonly attestedBy?: string;
}
/**
 * Whether the review counted. Only the operator writes it.
 */
export interface ApiKeyReviewStatus {
  /**
   * Generation of the spec that the status is about.
   */
  readonly observedGeneration?: number;
  /**
   * See docs/conditions.md. Ready is always there, others only while they matter.
   */
  readonly conditions?: readonly ReviewCondition[];
  /**
   * Who decided, and how that is known.
   */
  readonly reviewer?: {
    readonly username: string;
    /**
     * Asserted: an account that the store lists as attestor said so.
     */
    readonly source: 'Authenticated' | 'Asserted';
  };
  /**
   * From when on the decision holds.
   */
  readonly effectiveTime?: string;
}
export interface ReviewCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
