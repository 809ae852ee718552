/** Everything the decisions about one ApiClient may look at, as one plain value. Pure. */
import type { ApiClientSpec, ApiClientStatus } from '../../api/generated/apiclient.ts';
import type { Ref } from '../../api/meta.ts';
import type { ClientRecord } from '../../ledger/documents.ts';

/** What the cache keeps of an ApiClient. */
export type ClientView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  readonly spec: ApiClientSpec;
  readonly status: ApiClientStatus | undefined;
};

/** Keys on behalf of a client; active: Ready. */
export type KeyCount = { readonly total: number; readonly active: number };

/** One moment of one client. */
export type World = {
  readonly ref: Ref;
  readonly nowMs: number;
  /** Undefined: the cache has no such object. */
  readonly client: ClientView | undefined;
  /** What the ledger knows of this object, or of the last one when the cache has none. */
  readonly record: ClientRecord | undefined;
  /** Of an earlier object of the same name that nobody has ended yet. */
  readonly predecessor: ClientRecord | undefined;
  /** Names of the stores that serve the namespace and take only reviewed clients. */
  readonly registrars: readonly string[];
  /** Absent: not counted yet. */
  readonly keys: KeyCount | undefined;
  /** A live read showed that the object of the record is gone. */
  readonly isProvenGone: boolean;
};
