/** What the gate answers, before it is put in the words of a gateway. Pure data. */
import type { StoreProfile } from '../ledger/documents.ts';
import type { Refusal } from '../terms/refusals.ts';
import type { Call } from './call.ts';

/** Who calls, for the service behind the gateway; never the key itself. */
export type Caller = {
  /** keyId of the credential. */
  readonly keyId: string;
  readonly namespace: string;
  /** Name of the ApiKey. */
  readonly name: string;
  /** Name of the ApiClient; absent: it belongs to none. */
  readonly client?: string;
  /** Name of the ApiKeyApplication that it was granted by; absent: none. */
  readonly application?: string;
};

/** The gate's answer to one call. */
export type Decision =
  | {
      readonly type: 'Allowed';
      readonly caller: Caller;
      /** Ready for the wire, name and value in turn: `X-Keyward-Key-Id`, ...; without the quota. */
      readonly headers: readonly string[];
      /** Uses left after this one, as far as this gate knows; absent: no quota, or unlimited. */
      readonly quotaRemaining?: number;
    }
  | {
      readonly type: 'Refused';
      readonly refusal: Refusal;
      /** Shape of the answer. */
      readonly profile: StoreProfile;
    };

/** Decides about calls; at once where everything needed is in memory. Never throws, never rejects. */
export interface Decider {
  decide(call: Call): Decision | Promise<Decision>;
}
