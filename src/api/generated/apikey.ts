/**
 * Written by `npm run generate` from crds/keyward.dev_apikeys.yaml; edit that file.
 *
 * As read from the API server: a field with a default in the schema is always there.
 */

export interface ApiKey {
  readonly spec: ApiKeySpec;
  readonly status?: ApiKeyStatus;
}
/**
 * What the consumer asks for.
 */
export interface ApiKeySpec {
  /**
   * The approved application this key is issued for, in the same namespace. Absent: the key needs none. Cannot be changed, added or removed.
   */
  readonly applicationRef?: {
    /**
     * Name of the object.
     */
    readonly name: string;
  };
  /**
   * The ApiClient on whose behalf the key is asked for, in the same namespace.
   */
  readonly clientRef?: {
    /**
     * Name of the object.
     */
    readonly name: string;
  };
  /**
   * Name of the key for people. Absent: metadata.name. A driver may allow fewer characters.
   */
  readonly displayName?: string;
  /**
   * What the key is for.
   */
  readonly description?: string;
  readonly storeRef?: ApiKeyStoreRef;
  /**
   * Shape of the credential: one value (Opaque), two values that both work (Dual), or key and secret (KeyPair). Absent: the store's. Fixed once status.storeRef is set.
   */
  readonly format?: 'Opaque' | 'Dual' | 'KeyPair';
  /**
   * Active, switched off (Suspended), or ended for good (Revoked). Where a reviewer decided otherwise, whatever allows less is in force.
   */
  readonly state: 'Active' | 'Suspended' | 'Revoked';
  /**
   * What becomes of the credential when this object is deleted. Retain keeps it alive, still limited and expiring, and needs a store with retention Allowed.
   */
  readonly deletionPolicy: 'Revoke' | 'Retain';
  readonly terms?: ApiKeyTerms;
  readonly rotation?: ApiKeyRotation;
  readonly secret?: ApiKeySecret;
}
/**
 * Where the credential lives. Absent: ClusterKeyStore "default". Fixed once status.storeRef is set.
 */
export interface ApiKeyStoreRef {
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
 * What the key may do. Absent: no limits.
 */
export interface ApiKeyTerms {
  readonly validity?: ApiKeyValidity;
  readonly quota?: ApiKeyQuota;
  readonly originPolicy?: ApiKeyOriginPolicy;
  /**
   * Networks or single addresses the key may be used from. Absent or empty: any.
   */
  readonly cidrs?: readonly string[];
  /**
   * ApiProducts the key is for. Absent or empty: only those that are open to all.
   */
  readonly productRefs?: readonly ApiKeyProductRef[];
}
/**
 * From when until when the key works. Absent: from now on without end.
 */
export interface ApiKeyValidity {
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
export interface ApiKeyQuota {
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
export interface ApiKeyOriginPolicy {
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
export interface ApiKeyProductRef {
  /**
   * Name of the object.
   */
  readonly name: string;
}
/**
 * How and when the values change.
 */
export interface ApiKeyRotation {
  /**
   * A value that was not seen before rotates once; going back to an old value rotates nothing. Values that begin with reissue/ are those of approved reissues and rotate nothing.
   */
  readonly requestId?: string;
  /**
   * Emergency: the old values die before the new ones are published.
   */
  readonly urgency: 'Planned' | 'Emergency';
  /**
   * Replace issues a new credential with an overlap; InPlace changes the value at once, without overlap. Absent: what the store prefers.
   */
  readonly method?: 'Replace' | 'InPlace';
  /**
   * With format Dual, regenerate exactly this value.
   */
  readonly slot?: 'Primary' | 'Secondary';
  /**
   * Rotate when the values are this old. Absent: never by age.
   */
  readonly maxAgeDays?: number;
  /**
   * How long old values go on working. Absent: the store's.
   */
  readonly overlapSeconds?: number;
  /**
   * WhenUnused: after the overlap, wait until the old value is no longer used.
   */
  readonly retirePrevious: 'AfterOverlap' | 'WhenUnused';
  /**
   * Workloads of this namespace to restart when the Secret has new values.
   */
  readonly restartTargets?: readonly ApiKeyRestartTarget[];
}
export interface ApiKeyRestartTarget {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  /**
   * Name of the object.
   */
  readonly name: string;
}
/**
 * The Secret that carries the values. Writing this field needs the right to create Secrets in the namespace.
 */
export interface ApiKeySecret {
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
 * What the operator found and did. Only the operator writes it.
 */
export interface ApiKeyStatus {
  /**
   * Generation of the spec that the status is about.
   */
  readonly observedGeneration?: number;
  /**
   * See docs/conditions.md. Ready is always there, others only while they matter.
   */
  readonly conditions?: readonly ApiKeyCondition[];
  /**
   * Public name of the key; safe in logs.
   */
  readonly keyId?: string;
  /**
   * Public beginning of the value, to tell keys apart.
   */
  readonly keyHint?: string;
  /**
   * Number of the credential generation in the Secret.
   */
  readonly sequence?: number;
  /**
   * The store in use.
   */
  readonly storeRef?: {
    readonly kind: 'KeyStore' | 'ClusterKeyStore';
    /**
     * Name of the object.
     */
    readonly name: string;
  };
  /**
   * The client the key belongs to.
   */
  readonly clientName?: string;
  /**
   * The values of the credential, without the values.
   */
  readonly slots?: readonly ApiKeySlot[];
  readonly remote?: ApiKeyRemote;
  /**
   * The Secret, as the Service Binding specification wants it.
   */
  readonly binding?: {
    /**
     * Name of the object.
     */
    readonly name: string;
  };
  /**
   * Entries of the Secret.
   */
  readonly fields?: readonly string[];
  readonly issuedTime?: string;
  readonly notBeforeTime?: string;
  /**
   * Effective end, after all limits.
   */
  readonly expirationTime?: string;
  readonly rotationDueTime?: string;
  /**
   * The values that are being replaced; only during an overlap.
   */
  readonly previous?: {
    readonly keyId?: string;
    readonly retireTime?: string;
  };
  /**
   * What was left when 50, 20, 10 or 0 percent were reached or the quota was filled up; never written per call, so at most that much is left now. Without remaining it is unlimited.
   */
  readonly quota?: {
    readonly limit?: number;
    readonly remaining?: number;
  };
  /**
   * The approved application in force.
   */
  readonly grant?: {
    readonly applicationName?: string;
    readonly round?: number;
    readonly hash?: string;
  };
  readonly lastHandledRotationRequestId?: string;
  /**
   * Rotation requests that stand in this object and were handled before the last one. A database that was restored may have forgotten them.
   */
  readonly handledRotationRequestIds?: readonly string[];
}
export interface ApiKeyCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
export interface ApiKeySlot {
  readonly name: string;
  /**
   * Active: the one to use now.
   */
  readonly role?: 'Active' | 'Standby';
  readonly rotatedTime?: string;
}
/**
 * What the remote store told about the key; never values.
 */
export interface ApiKeyRemote {
  readonly id?: string;
  readonly state?: string;
  readonly createdTime?: string;
  readonly modifiedTime?: string;
  readonly modifier?: string;
  readonly tenantId?: string;
  readonly domainCode?: string;
  readonly accountId?: string;
  readonly userId?: string;
}
