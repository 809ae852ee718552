/**
 * Written by `npm run generate` from crds/keyward.dev_apikeyapplications.yaml; edit that file.
 *
 * As read from the API server: a field with a default in the schema is always there.
 */

export interface ApiKeyApplication {
  readonly spec: ApiKeyApplicationSpec;
  readonly status?: ApiKeyApplicationStatus;
}
/**
 * What the applicant asks for. Which fields must be filled in is a rule of the store.
 */
export interface ApiKeyApplicationSpec {
  /**
   * Submitted, saved without review (Draft), or taken back (Withdrawn). Neither Draft nor Withdrawn touches what was granted.
   */
  readonly submission: 'Submitted' | 'Draft' | 'Withdrawn';
  /**
   * A value that was not seen before submits the same content once more, for example after nobody decided in time.
   */
  readonly submissionId?: string;
  /**
   * The person for whom a portal or a pipeline files the form. Only accounts that the store lists as attestors may say this. Cannot be changed, added or removed.
   */
  readonly onBehalfOf?: {
    /**
     * User name as this cluster knows it; a person, not a system account.
     */
    readonly username: string;
  };
  /**
   * The ApiClient on whose behalf the key is asked for, in the same namespace. Needed when the form is submitted, and fixed from then on.
   */
  readonly clientRef?: {
    /**
     * Name of the object.
     */
    readonly name: string;
  };
  readonly storeRef?: ApplicationStoreRef;
  /**
   * Shape of the credential: one value (Opaque), two values that both work (Dual), or key and secret (KeyPair). Absent: the store's. Fixed once something was granted.
   */
  readonly format?: 'Opaque' | 'Dual' | 'KeyPair';
  /**
   * The one ApiKey that is served, in the same namespace; made where there is none. Absent: metadata.name. Fixed once the form was submitted.
   */
  readonly apiKeyRef?: {
    /**
     * Name of the ApiKey.
     */
    readonly name: string;
  };
  /**
   * Name of the key for people: the application and its usage. Absent: the name of the ApiKey. A driver may allow fewer characters.
   */
  readonly displayName?: string;
  /**
   * What the key is for.
   */
  readonly description?: string;
  readonly service?: ApplicationService;
  /**
   * What the API will be used for.
   */
  readonly purpose?: string;
  /**
   * Why the key is applied for.
   */
  readonly justification?: string;
  readonly contact?: ApplicationContact;
  readonly terms?: ApplicationTerms;
  readonly reissue?: ApplicationReissue;
  readonly revocation?: ApplicationRevocation;
  readonly secret?: ApplicationSecret;
}
/**
 * Where the credential lives. Absent: ClusterKeyStore "default". Fixed once something was granted.
 */
export interface ApplicationStoreRef {
  /**
   * KeyStore means one in the same namespace.
   */
  readonly kind: 'KeyStore' | 'ClusterKeyStore';
  /**
   * Name of the object.
   */
  readonly name: string;
}
/**
 * The service that will use the key.
 */
export interface ApplicationService {
  readonly name?: string;
  readonly description?: string;
  /**
   * Where it is found, for example https://www.example.com.
   */
  readonly url?: string;
}
/**
 * Whom to ask. Changing it asks for nothing.
 */
export interface ApplicationContact {
  readonly name?: string;
  readonly email?: string;
  /**
   * Where it is found, for example https://www.example.com.
   */
  readonly url?: string;
  /**
   * For example a chat channel.
   */
  readonly channel?: string;
}
/**
 * What the key may do. Absent: no limits.
 */
export interface ApplicationTerms {
  readonly validity?: ApplicationValidity;
  readonly quota?: ApplicationQuota;
  readonly originPolicy?: ApplicationOriginPolicy;
  /**
   * Networks or single addresses the key may be used from. Absent or empty: any.
   */
  readonly cidrs?: readonly string[];
  /**
   * ApiProducts the key is for. Absent or empty: only those that are open to all.
   */
  readonly productRefs?: readonly ApplicationProductRef[];
}
/**
 * From when until when the key works. Absent: from now on without end.
 */
export interface ApplicationValidity {
  /**
   * First day, from its local midnight in timeZone, for example 2027-01-31.
   */
  readonly effectiveDate?: string;
  /**
   * Last valid day: the key works until that day has ended in timeZone.
   */
  readonly expirationDate?: string;
  /**
   * IANA name, for example Asia/Seoul. Absent: the store's, else UTC.
   */
  readonly timeZone?: string;
  /**
   * First instant, in place of effectiveDate.
   */
  readonly notBeforeTime?: string;
  /**
   * First instant at which the key no longer works, in place of expirationDate.
   */
  readonly expirationTime?: string;
  /**
   * Days from the first issue, in place of expirationDate. Rotation never moves the end.
   */
  readonly durationDays?: number;
}
/**
 * How often the key may be used. Absent: no limit.
 */
export interface ApplicationQuota {
  /**
   * -1 is unlimited, 0 blocks every call.
   */
  readonly requests: number;
  /**
   * When the count starts anew.
   */
  readonly period: 'Lifetime' | 'Day' | 'Month';
}
/**
 * From which sites the key may be used.
 */
export interface ApplicationOriginPolicy {
  /**
   * Exact sites: host, host:port or scheme://host[:port][/path]; one leading "*." label stands for exactly the subdomains. Absent or empty: any site.
   */
  readonly allowed?: readonly string[];
  /**
   * What happens to a call that says no origin.
   */
  readonly missing: 'Deny' | 'Allow';
  /**
   * What happens to a call that says its site but not its path, where a path is registered.
   */
  readonly unknownPath: 'Allow' | 'Deny';
}
export interface ApplicationProductRef {
  /**
   * Name of the object.
   */
  readonly name: string;
}
/**
 * Asks for new values in place of those that are in use.
 */
export interface ApplicationReissue {
  /**
   * A value that was not seen before asks once; going back to an old value asks for nothing.
   */
  readonly requestId: string;
  /**
   * Exposed: old values die as soon as the reissue is approved.
   */
  readonly reason: 'Exposed' | 'SecurityConcern' | 'Routine';
  /**
   * What happened.
   */
  readonly message?: string;
  /**
   * What becomes of the values in use until the decision. Suspend: they are off, and stay off if nobody decides in time.
   */
  readonly whileWaiting: 'KeepActive' | 'Suspend';
}
/**
 * Asks for the end of the grant. Once it is in force, the key is dead for good.
 */
export interface ApplicationRevocation {
  /**
   * Why the key is no longer needed.
   */
  readonly justification: string;
  /**
   * First day without the key, from its local midnight in the time zone of the terms. Absent: at once.
   */
  readonly effectiveDate?: string;
}
/**
 * The Secret that carries the values. Writing this field needs the right to create Secrets in the namespace.
 */
export interface ApplicationSecret {
  /**
   * Absent: metadata.name. Fixed once the Secret is written.
   */
  readonly name?: string;
  /**
   * Fixed once the Secret is written.
   */
  readonly type: 'servicebinding.io/api-key' | 'Opaque';
  /**
   * Names of the entries: as is (Binding), in UPPER_SNAKE after envPrefix (Env), or exactly those of template (Template).
   */
  readonly layout: 'Binding' | 'Env' | 'Template';
  /**
   * Put before each entry's name, for example PAYMENTS_.
   */
  readonly envPrefix?: string;
  /**
   * Entries to write; {{ .apiKey }} and the other entry names are replaced by values. No functions.
   */
  readonly template?: {
    readonly [k: string]: string;
  };
  /**
   * Further labels of the Secret. Nothing else is copied onto it.
   */
  readonly labels?: {
    readonly [k: string]: string;
  };
  /**
   * Further annotations of the Secret. Nothing else is copied onto it.
   */
  readonly annotations?: {
    readonly [k: string]: string;
  };
  /**
   * Owner: the Secret goes with this object. Orphan: it stays, with dead values.
   */
  readonly ownership: 'Owner' | 'Orphan';
  /**
   * When somebody deletes the Secret: write it again where the store can recover the values (Restore), issue new ones (Rotate), or wait for a person (Wait).
   */
  readonly onLoss: 'Restore' | 'Rotate' | 'Wait';
}
/**
 * What became of the form. Only the operator writes it, and nobody reads a right out of it: grants are kept in the ledger, this is a copy for people.
 */
export interface ApiKeyApplicationStatus {
  /**
   * Generation of the spec that the status is about.
   */
  readonly observedGeneration?: number;
  /**
   * See docs/conditions.md. Ready is always there, others only while they matter.
   */
  readonly conditions?: readonly ApplicationCondition[];
  /**
   * Where the newest round is, or why there is none yet.
   */
  readonly state?:
    | 'Draft'
    | 'Incomplete'
    | 'Pending'
    | 'Approved'
    | 'Denied'
    | 'Returned'
    | 'Withdrawn'
    | 'Lapsed';
  readonly applicant?: ApplicationApplicant;
  /**
   * Who else changed the form; none of them decides about it.
   */
  readonly editors?: readonly string[];
  readonly round?: ApplicationRound;
  readonly approvals?: ApplicationApprovals;
  /**
   * Decisions that counted, the newest ten, newest first.
   */
  readonly reviews?: readonly ApplicationReview[];
  readonly grant?: ApplicationGrant;
  readonly nextGrant?: ApplicationNextGrant;
  /**
   * What was left when 50, 20, 10 or 0 percent were reached or the quota was filled up; never written per call, so at most that much is left now. Without remaining it is unlimited.
   */
  readonly quota?: {
    readonly limit?: number;
    readonly remaining?: number;
  };
  /**
   * The ApiKey that is served.
   */
  readonly apiKeyRef?: {
    readonly name: string;
  };
  readonly lastHandledReissueRequestId?: string;
}
export interface ApplicationCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
/**
 * Who filed the form.
 */
export interface ApplicationApplicant {
  readonly username: string;
  /**
   * Asserted: an account that the store lists as attestor said so.
   */
  readonly source: 'Authenticated' | 'Asserted';
}
/**
 * The newest pass through review.
 */
export interface ApplicationRound {
  readonly number: number;
  readonly type: 'Issue' | 'Change' | 'Reissue' | 'Revoke';
  /**
   * Digest of all that is asked for; a review repeats it.
   */
  readonly requestHash?: string;
  readonly submittedTime?: string;
  /**
   * When the round lapses without a decision.
   */
  readonly deadlineTime?: string;
  /**
   * What differs from what is in force; long texts are cut.
   */
  readonly changes?: readonly ApplicationChange[];
}
export interface ApplicationChange {
  /**
   * Path below spec, for example terms.quota.requests.
   */
  readonly field: string;
  /**
   * Absent: was not there.
   */
  readonly from?: string;
  /**
   * Absent: taken away.
   */
  readonly to?: string;
}
/**
 * The layer of reviewers that the round waits for; only while it is open.
 */
export interface ApplicationApprovals {
  /**
   * Absent: the store has no layers.
   */
  readonly layer?: string;
  readonly required: number;
  readonly given: number;
}
export interface ApplicationReview {
  readonly name: string;
  readonly decision: 'Approved' | 'Denied' | 'Returned' | 'Revoked';
  readonly reviewer: string;
  /**
   * Asserted: an account that the store lists as attestor said so.
   */
  readonly source?: 'Authenticated' | 'Asserted';
  readonly layer?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly time: string;
}
/**
 * What was granted.
 */
export interface ApplicationGrant {
  /**
   * Scheduled: approved, and its day is still to come. Ended: over for good.
   */
  readonly state: 'None' | 'Scheduled' | 'InForce' | 'Expired' | 'Ended';
  /**
   * The round that approved it; a review that withdraws the grant names it.
   */
  readonly round?: number;
  readonly hash?: string;
  readonly terms?: ApplicationGrantTerms;
  readonly approvedTime?: string;
  readonly effectiveTime?: string;
  readonly expirationTime?: string;
}
/**
 * As approved and narrowed. Same fields as spec.terms.
 */
export interface ApplicationGrantTerms {
  readonly validity?: {
    readonly effectiveDate?: string;
    readonly expirationDate?: string;
    readonly timeZone?: string;
    readonly notBeforeTime?: string;
    readonly expirationTime?: string;
    readonly durationDays?: number;
  };
  readonly quota?: {
    readonly requests?: number;
    readonly period?: 'Lifetime' | 'Day' | 'Month';
  };
  readonly originPolicy?: {
    readonly allowed?: readonly string[];
    readonly missing?: 'Deny' | 'Allow';
    readonly unknownPath?: 'Allow' | 'Deny';
  };
  readonly cidrs?: readonly string[];
  readonly productRefs?: readonly ApplicationGrantedProduct[];
}
export interface ApplicationGrantedProduct {
  readonly name: string;
}
/**
 * What was granted.
 */
export interface ApplicationNextGrant {
  /**
   * Scheduled: approved, and its day is still to come. Ended: over for good.
   */
  readonly state: 'None' | 'Scheduled' | 'InForce' | 'Expired' | 'Ended';
  /**
   * The round that approved it; a review that withdraws the grant names it.
   */
  readonly round?: number;
  readonly hash?: string;
  readonly terms?: ApplicationNextGrantTerms;
  readonly approvedTime?: string;
  readonly effectiveTime?: string;
  readonly expirationTime?: string;
}
/**
 * As approved and narrowed. Same fields as spec.terms.
 */
export interface ApplicationNextGrantTerms {
  readonly validity?: {
    readonly effectiveDate?: string;
    readonly expirationDate?: string;
    readonly timeZone?: string;
    readonly notBeforeTime?: string;
    readonly expirationTime?: string;
    readonly durationDays?: number;
  };
  readonly quota?: {
    readonly requests?: number;
    readonly period?: 'Lifetime' | 'Day' | 'Month';
  };
  readonly originPolicy?: {
    readonly allowed?: readonly string[];
    readonly missing?: 'Deny' | 'Allow';
    readonly unknownPath?: 'Allow' | 'Deny';
  };
  readonly cidrs?: readonly string[];
  readonly productRefs?: readonly ApplicationNextGrantedProduct[];
}
export interface ApplicationNextGrantedProduct {
  readonly name: string;
}
