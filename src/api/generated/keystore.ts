/**
 * Written by `npm run generate` from crds/keyward.dev_keystores.yaml; edit that file.
 *
 * As read from the API server: a field with a default in the schema is always there.
 */

export interface KeyStore {
  readonly spec: KeyStoreSpec;
  readonly status?: KeyStoreStatus;
}
/**
 * Where credentials live, and the rules for applying there.
 */
export interface KeyStoreSpec {
  /**
   * Which driver; the member of the same name holds its settings. Cannot be changed.
   */
  readonly type: 'Builtin' | 'Naver' | 'Solapi';
  readonly builtin?: KeyStoreBuiltin;
  /**
   * Keys of an account at NAVER Cloud Platform API Gateway. They have the format Dual.
   */
  readonly naver?: {
    /**
     * Base address of the interface; other zones of the vendor have their own. Its host must be one that the driver knows or the administrator of the operator allows.
     */
    readonly endpoint: string;
    /**
     * Secret with the entries accessKey and secretKey: for a KeyStore in its own namespace, for a ClusterKeyStore in the operator's.
     */
    readonly credentialsSecretRef: {
      readonly name: string;
    };
    /**
     * Tenant that the credentials must belong to; other ones are refused. Absent: the access key stands for the account and cannot be exchanged while keys exist.
     */
    readonly tenantId?: string;
    /**
     * How long after a create call its key may still not show in lists.
     */
    readonly settleSeconds: number;
    /**
     * What happens to the key at the vendor when its validity ends. A disabled one can be revived.
     */
    readonly onExpiry: 'Disable' | 'Delete';
    /**
     * How long a key that is to be deleted stays disabled before it is.
     */
    readonly deleteGraceSeconds: number;
  };
  /**
   * Credentials of a SOLAPI account, made and managed through its credentials interface.
   */
  readonly solapi?: {
    /**
     * Where the interface is; the vendor's paths begin below it. The host must be on the administrator's list.
     */
    readonly endpoint: string;
    /**
     * The Secret with what signs for the account: entries userId and signingSecret for scheme User, apiKey and apiSecret for scheme HMAC.
     */
    readonly credentialsSecretRef: {
      readonly name: string;
    };
    /**
     * User signs as a user of the account, HMAC with one of the account's own API keys. That API key is never changed or deleted by Keyward.
     */
    readonly scheme: 'User' | 'HMAC';
    /**
     * Hash below the signature. Absent: HMACMD5 for scheme User, HMACSHA256 for HMAC.
     */
    readonly algorithm?: 'HMACMD5' | 'HMACSHA256';
    /**
     * How requests are dated: Local without a zone, ISO8601 in UTC. Absent: Local for scheme User, ISO8601 for HMAC.
     */
    readonly dateFormat?: 'Local' | 'ISO8601';
    /**
     * IANA name of the zone in which dates of the format Local are written; it must be the one in which the vendor reads them. Absent: Asia/Seoul.
     */
    readonly timeZone?: string;
    /**
     * How long after it was made a credential may still be missing in the vendor's list.
     */
    readonly settleSeconds: number;
    /**
     * What becomes of a credential whose validity ends. Disable: it is made inactive, so that a later end can revive it.
     */
    readonly onExpiry: 'Disable' | 'Delete';
    /**
     * How long a credential is inactive before it is deleted.
     */
    readonly deleteGraceSeconds: number;
  };
  readonly applications: KeyStoreApplications;
  readonly defaults: KeyStoreDefaults;
  readonly limits?: KeyStoreLimits;
  /**
   * Whether an ApiKey may leave its credential alive when it is deleted (deletionPolicy Retain).
   */
  readonly retention: 'Forbidden' | 'Allowed';
  /**
   * How many days before the end people are told.
   */
  readonly expiryNoticeDays: readonly number[];
}
/**
 * Keys that Keyward makes itself and its gate verifies. `builtin: {}` takes all defaults.
 */
export interface KeyStoreBuiltin {
  /**
   * As which system the store behaves: it decides format and recovery where they are absent, the limits of names, and how the gate answers. The values are Keyward's own in all of them.
   */
  readonly profile: 'Keyward' | 'VisitSeoul' | 'Naver' | 'Solapi' | 'DigiRunner';
  /**
   * Stands before each value; secret scanners and people recognise keys by it.
   */
  readonly keyPrefix: string;
  /**
   * Shape of the credentials where an ApiKey does not choose one. Absent: Dual with profile Naver, KeyPair with Solapi and DigiRunner, else Opaque.
   */
  readonly format?: 'Opaque' | 'Dual' | 'KeyPair';
  /**
   * None keeps digests only, so a lost value is replaced. Sealed keeps encrypted values, so that it can be written again. Absent: Sealed with the profiles Solapi and DigiRunner, else None.
   */
  readonly recovery?: 'None' | 'Sealed';
}
/**
 * Whether and how keys have to be applied for.
 */
export interface KeyStoreApplications {
  /**
   * Always: no key without an approved application.
   */
  readonly requirement: 'Always' | 'Never';
  /**
   * Which steps are reviewed.
   */
  readonly requiredFor: readonly ('Issue' | 'Change' | 'Reissue' | 'Revoke' | 'Client')[];
  /**
   * What an application must fill in.
   */
  readonly requiredFields?: readonly (
    | 'Service'
    | 'Purpose'
    | 'Justification'
    | 'DisplayName'
    | 'Origins'
    | 'Products'
    | 'EffectiveDate'
    | 'ExpirationDate'
    | 'Quota'
  )[];
  /**
   * Automatic: whatever is complete is approved.
   */
  readonly mode: 'Manual' | 'Automatic';
  /**
   * Reviews in this order. Absent: one layer without a name. Empty: nobody can decide.
   */
  readonly layers?: readonly KeyStoreReviewLayer[];
  /**
   * Whether applicants may decide about their own form. ForbiddenInNamespace also refuses reviewers who could write forms there.
   */
  readonly selfReview: 'Forbidden' | 'ForbiddenInNamespace' | 'Allowed';
  /**
   * Accounts that may say in whose name they act, such as a portal's.
   */
  readonly attestors?: readonly KeyStoreAttestor[];
  /**
   * Final: a denied form cannot be edited and sent again.
   */
  readonly onDenied: 'Resubmit' | 'Final';
  /**
   * A round without a decision lapses after this.
   */
  readonly deadlineDays: number;
  /**
   * A draft that nobody edits is dropped after this.
   */
  readonly draftDays: number;
}
export interface KeyStoreReviewLayer {
  readonly name: string;
  /**
   * How many people must agree.
   */
  readonly approvals: number;
}
export interface KeyStoreAttestor {
  readonly username: string;
}
/**
 * What holds where a key says nothing.
 */
export interface KeyStoreDefaults {
  /**
   * Absent: without end.
   */
  readonly durationDays?: number;
  /**
   * How long old values go on working after a rotation.
   */
  readonly overlapSeconds: number;
  /**
   * IANA name in which dates are read, for example Asia/Seoul. Absent: UTC.
   */
  readonly timeZone?: string;
}
/**
 * Upper bounds. Absent: none.
 */
export interface KeyStoreLimits {
  /**
   * Live keys in the store.
   */
  readonly maxKeys?: number;
  /**
   * Live keys of one namespace in the store.
   */
  readonly maxKeysPerNamespace?: number;
  /**
   * Longest validity; a key without end is refused.
   */
  readonly maxDurationDays?: number;
  /**
   * Largest quota; an unlimited one is refused.
   */
  readonly maxQuotaRequests?: number;
}
/**
 * What the operator found. Only the operator writes it.
 */
export interface KeyStoreStatus {
  /**
   * Generation of the spec that the status is about.
   */
  readonly observedGeneration?: number;
  /**
   * See docs/conditions.md. Ready is always there, others only while they matter.
   */
  readonly conditions?: readonly KeyStoreCondition[];
  /**
   * Written into the store once, so that two installations never share one by mistake.
   */
  readonly storeId?: string;
  /**
   * Public name of the account at a remote store.
   */
  readonly account?: string;
  /**
   * Counted from time to time, not per key.
   */
  readonly keys?: {
    readonly total?: number;
    readonly active?: number;
  };
  /**
   * Credentials that a remote store must still be told to end.
   */
  readonly debts?: number;
  readonly capabilities?: KeyStoreCapabilities;
}
export interface KeyStoreCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
/**
 * What the driver can do.
 */
export interface KeyStoreCapabilities {
  /**
   * How a create call whose answer was lost is found again; see docs/drivers.md.
   */
  readonly class?: 'Local' | 'M' | 'D' | 'O' | 'I' | 'X';
  /**
   * Longest name of a key, in characters.
   */
  readonly displayNameMax?: number;
  /**
   * Longest description of a key, in characters.
   */
  readonly descriptionMax?: number;
  /**
   * How long after a create call its result may still not show in lists.
   */
  readonly settleSeconds?: number;
  readonly formats?: readonly ('Opaque' | 'Dual' | 'KeyPair')[];
  /**
   * Further abilities, by name.
   */
  readonly features?: readonly string[];
}
