/**
 * What a fake vendor must let the kit do to it. Keyward's own fakes (fakes/vendor.ts) are built so;
 * a driver author may build another one, as long as it speaks the vendor's wire format over HTTP.
 */
import type { SlotName } from '../src/keys/mint.ts';

/**
 * What happens to one call. `handled` says whether the vendor carried it out before things went
 * wrong; where it is absent, the comment says.
 */
export type Fault =
  /** Another answer than the vendor's own. Not handled unless it says so. */
  | {
      readonly kind: 'Status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly handled?: boolean;
    }
  /** The connection is cut before the vendor sees the call. */
  | { readonly kind: 'Cut' }
  /** Handled, then the connection is cut without a byte of answer. */
  | { readonly kind: 'LostAnswer' }
  /** Handled, half of the body sent, then cut. */
  | { readonly kind: 'Torn' }
  /** Silence for `ms`, then the answer if it was handled (at the beginning), else a cut. */
  | { readonly kind: 'Hang'; readonly ms: number; readonly handled?: boolean }
  /** A middlebox delivers the call a second time; the first answer is returned. */
  | { readonly kind: 'Twice' }
  /** 307 to somewhere else; not handled. */
  | { readonly kind: 'Redirect'; readonly location: string }
  /** Handled; the answer is so many bytes of JSON string. */
  | { readonly kind: 'Huge'; readonly bytes: number }
  /** Handled; status 200 and this text. */
  | { readonly kind: 'NotJson'; readonly body?: string }
  /** Handled; well-formed JSON, so many arrays deep. */
  | { readonly kind: 'DeepJson'; readonly depth: number }
  /** Handled; a small gzip body that unpacks to so many bytes. */
  | { readonly kind: 'GzipBomb'; readonly bytes: number }
  /** Cut now, handled `ms` later: a call that was held somewhere in the network. */
  | { readonly kind: 'Late'; readonly ms: number }
  /** Not handled; an error whose body repeats headers, body and every secret of the account. */
  | { readonly kind: 'EchoSecrets'; readonly status: number }
  /** Handled; the vendor's answer with unknown members and members called like prototype parts. */
  | { readonly kind: 'StrangeMembers' };

/** Which calls a fault meets. Rules are asked in the order in which they were injected. */
export type FaultRule = {
  /** The fake's name of the call: `create`, `read`, `list`, `update`, `regenerate`, `delete`, ...; `*` is any. */
  readonly operation: string;
  /** Counted from 1 from the injection on; 1 when absent. */
  readonly nth?: number;
  /** How many calls in a row, from the nth on; 1 when absent. */
  readonly times?: number;
  readonly fault: Fault;
};

/** One call as it reached the fake, in order of arrival. */
export type FakeCall = {
  readonly operation: string;
  /** Of the credential, where the call names one. */
  readonly id?: string;
  readonly method: string;
  readonly path: string;
  readonly atMs: number;
  /** SHA-256 of all request headers: tells whether an attempt was signed anew, without keeping it. */
  readonly headersDigest: string;
  /** The fault it met. */
  readonly fault?: Fault['kind'];
};

/** A credential as the vendor itself keeps it. */
export type VendorCredential = {
  readonly id: string;
  /** Of the account it belongs to. */
  readonly accountId: string;
  readonly values: Readonly<Partial<Record<SlotName, string>>>;
  readonly enabled: boolean;
  /** Absent where the vendor keeps none. */
  readonly name?: string;
  readonly description?: string;
  readonly createdMs: number;
};

/** What somebody else does in the vendor's console. Without `accountId`: in the first account. */
export type StrangerAct =
  | {
      readonly act: 'Create';
      readonly accountId?: string;
      readonly name?: string;
      readonly description?: string;
    }
  | { readonly act: 'Delete' | 'Disable' | 'Enable'; readonly id: string }
  | {
      readonly act: 'Rename';
      readonly id: string;
      readonly name?: string;
      readonly description?: string;
    }
  | { readonly act: 'Regenerate'; readonly id: string; readonly slot: SlotName };

/** An account at the vendor with what signs for it, by entry name of the credentials Secret. */
export type FakeAccount = {
  readonly id: string;
  readonly credentials: Readonly<Record<string, string>>;
};

/** What somebody else does after a page of a list was answered. */
export type PageShift = 'Create' | 'Delete';

/** The handles by which tests move a fake vendor. */
export interface FakeControl {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  /** The first is ours, the second somebody else's; both authenticate. */
  readonly accounts: readonly FakeAccount[];
  readonly calls: readonly FakeCall[];
  /** Creations show in lists only after so long. */
  listLagMs: number;
  /** One is taken and done after each answered page. */
  pageShift: readonly PageShift[];
  /** The vendor's clock is ahead of the fake's by so much. */
  clockOffsetMs: number;
  inject(rule: FaultRule): void;
  /** Removes rules, lag, shifts, skew and the log of calls; credentials stay. */
  clear(): void;
  /** Every credential of every account. */
  credentials(): readonly VendorCredential[];
  /** Answers the id of the credential. @throws when there is none of that id */
  act(act: StrangerAct): string;
}
