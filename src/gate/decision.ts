/** What the gate answers, before it is put in the words of a gateway. Pure data. */
import { ownText } from '../kernel/owntext.ts';
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
      /** The same as lines of HTTP/1, written once: see `headerLines`. Absent: they were not. */
      readonly lines?: string;
      /** Uses left after this one, as far as this gate knows; absent: no quota, or unlimited. */
      readonly quotaRemaining?: number;
    }
  | {
      readonly type: 'Refused';
      readonly refusal: Refusal;
      /** Shape of the answer. */
      readonly profile: StoreProfile;
      /** From 1; until the quota begins anew. Absent: it never does, or it is not about one. */
      readonly retryAfterSeconds?: number | undefined;
    };

/** A yes. */
export type Allowed = Extract<Decision, { readonly type: 'Allowed' }>;

const UNWRITABLE = /[^\t\x20-\x7e]/;

/**
 * Headers as lines of HTTP/1, each with its end; in one piece, so that it can be kept.
 *
 * @param pairs names and contents in turn
 * @throws Error where a header cannot be written: it must not become two
 */
export function headerLines(pairs: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < pairs.length; i += 2) {
    const content = pairs[i + 1] ?? '';
    if (UNWRITABLE.test(content)) throw new Error('a header cannot be written');
    lines += `${pairs[i]}: ${content}\r\n`;
  }
  return ownText(lines);
}

/** Decides about calls; at once where everything needed is in memory. Never throws, never rejects. */
export interface Decider {
  decide(call: Call): Decision | Promise<Decision>;
}
