/**
 * Written by `npm run generate` from crds/keyward.dev_apiproducts.yaml; edit that file.
 *
 * As read from the API server: a field with a default in the schema is always there.
 */

export interface ApiProduct {
  readonly spec: ApiProductSpec;
  readonly status?: ApiProductStatus;
}
/**
 * What the API is, who can choose it, and which calls are calls of it.
 */
export interface ApiProductSpec {
  /**
   * Name of the API for people.
   */
  readonly displayName: string;
  /**
   * What it offers; the catalogue finds words of it.
   */
  readonly description?: string;
  /**
   * Where it is explained.
   */
  readonly documentationURL?: string;
  readonly contact?: ProductContact;
  /**
   * Deprecated: what has it keeps it, and nobody gets it anew. Retired: calls to it are refused.
   */
  readonly state: 'Published' | 'Deprecated' | 'Retired';
  /**
   * Open: every live key is let in. ByGrant: a key whose grant was reviewed and names it.
   */
  readonly access: 'Open' | 'ByGrant';
  /**
   * Stores in which it may be asked for. Absent or empty: all.
   */
  readonly allowedStores?: readonly ProductStoreRef[];
  readonly allowedNamespaces?: ProductAllowedNamespaces;
  /**
   * Which requests belong to it. The longest prefix of all products wins. Absent or empty: none. Claims that another product has already do not take effect until that gives them up.
   */
  readonly match?: readonly ProductMatch[];
  /**
   * What stands for it at a remote store. In a remote store without an entry here it is not supported.
   */
  readonly external?: readonly ProductExternal[];
}
/**
 * Whom to ask.
 */
export interface ProductContact {
  readonly name?: string;
  readonly email?: string;
  readonly url?: string;
  /**
   * For example a chat channel.
   */
  readonly channel?: string;
}
export interface ProductStoreRef {
  /**
   * KeyStore means one in the namespace of the key.
   */
  readonly kind: 'KeyStore' | 'ClusterKeyStore';
  /**
   * Name of the store.
   */
  readonly name: string;
}
/**
 * In which namespaces it may be asked for. Absent: all.
 */
export interface ProductAllowedNamespaces {
  readonly from: 'All' | 'Selector';
  /**
   * Labels of the namespaces.
   */
  readonly namespaceSelector?: {
    readonly matchLabels?: {
      readonly [k: string]: string;
    };
    readonly matchExpressions?: readonly ProductSelectorRequirement[];
  };
}
export interface ProductSelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}
export interface ProductMatch {
  /**
   * Host names as callers use them. Absent or empty: any.
   */
  readonly hosts?: readonly string[];
  /**
   * Begins with "/" and is compared by whole segments: /v1 holds /v1 and /v1/places, not /v12.
   */
  readonly pathPrefix: string;
  /**
   * Absent or empty: any.
   */
  readonly methods?: readonly (
    'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'CONNECT' | 'TRACE'
  )[];
}
export interface ProductExternal {
  readonly storeRef: {
    /**
     * KeyStore means one in the namespace of the key.
     */
    readonly kind: 'KeyStore' | 'ClusterKeyStore';
    /**
     * Name of the store.
     */
    readonly name: string;
  };
  /**
   * Id of the product there.
   */
  readonly productId: string;
}
/**
 * What the operator found. Only the operator writes it.
 */
export interface ApiProductStatus {
  /**
   * Generation of the spec that the status is about.
   */
  readonly observedGeneration?: number;
  /**
   * See docs/conditions.md. Ready is always there, others only while they matter.
   */
  readonly conditions?: readonly ProductCondition[];
}
export interface ProductCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
