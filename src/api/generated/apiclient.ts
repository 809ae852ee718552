/**
 * Written by `npm run generate` from crds/keyward.dev_apiclients.yaml; edit that file.
 *
 * As read from the API server: a field with a default in the schema is always there.
 */

export interface ApiClient {
  readonly spec: ApiClientSpec;
  readonly status?: ApiClientStatus;
}
/**
 * Who the client is.
 */
export interface ApiClientSpec {
  /**
   * Name of the service or account for people.
   */
  readonly displayName: string;
  /**
   * Another name by which people look for it.
   */
  readonly alias?: string;
  /**
   * What it does.
   */
  readonly description?: string;
  readonly contact?: ClientContact;
  /**
   * Suspended switches off all keys of the client. Where a reviewer decided otherwise, whatever allows less is in force.
   */
  readonly state: 'Active' | 'Suspended';
}
/**
 * Whom to ask.
 */
export interface ClientContact {
  readonly name?: string;
  readonly email?: string;
  readonly url?: string;
  /**
   * For example a chat channel.
   */
  readonly channel?: string;
}
/**
 * What the operator found. Only the operator writes it.
 */
export interface ApiClientStatus {
  /**
   * Generation of the spec that the status is about.
   */
  readonly observedGeneration?: number;
  /**
   * See docs/conditions.md. Ready is always there, others only while they matter.
   */
  readonly conditions?: readonly ClientCondition[];
  /**
   * Counted from time to time, not per key.
   */
  readonly keys?: {
    readonly total?: number;
    readonly active?: number;
  };
}
export interface ClientCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
