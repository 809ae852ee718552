/**
 * What the ledger knows about one ApiKeyApplication. The grant lives here; the object's status is a
 * copy for people, from which nothing is ever read back.
 * Pure; `formchanges.ts` says how it may change.
 */
import type { Change } from '../terms/differences.ts';
import type { RequestContent } from '../terms/request.ts';
import type { TermsSpec } from '../terms/terms.ts';
import type { DocumentHead, Person } from './document.ts';

/** What a round asks for. */
export type RoundType = 'Issue' | 'Change' | 'Reissue' | 'Revoke';

/**
 * Where a round is. Replaced: the form was edited while it was open, and a newer round took its place.
 */
export type RoundState =
  | 'Pending'
  | 'Approved'
  | 'Denied'
  | 'Returned'
  | 'Withdrawn'
  | 'Lapsed'
  | 'Replaced';

/** One layer of reviewers; the name is empty where the store has no layers. */
export type Layer = { readonly name: string; readonly approvals: number };

/** What a store said about terms when a round opened, under the names by which terms are resolved. */
export type TermBounds = {
  /** How long a grant holds that names no end; absent: for ever. */
  readonly storeDurationDays?: number;
  readonly maxDurationDays?: number;
  readonly maxQuotaRequests?: number;
};

/** The rules of the store as they were when a round opened; later edits of the store change nothing. */
export type RoundRules = TermBounds & {
  /** In order; empty: nobody has to decide. */
  readonly layers: readonly Layer[];
  readonly selfReview: 'Forbidden' | 'ForbiddenInNamespace' | 'Allowed';
  readonly attestors: readonly string[];
  readonly onDenied: 'Resubmit' | 'Final';
};

/** A review that counted for a round. */
export type CountedReview = {
  readonly uid: string;
  readonly name: string;
  readonly round: number;
  readonly decision: 'Approved' | 'Denied' | 'Returned' | 'Revoked';
  /** Empty where the store has no layers. */
  readonly layer: string;
  readonly reviewer: Person;
  readonly reason?: string;
  readonly message?: string;
  readonly atMs: number;
};

/** One pass through review. */
export type Round = {
  /** From 1; never reused for the same form. */
  readonly number: number;
  readonly type: RoundType;
  /** What was asked for, frozen. */
  readonly content: RequestContent;
  /** `requestHash` of the content: what a review must carry. */
  readonly hash: string;
  /** Compared with what is in force. */
  readonly changes: readonly Change[];
  /** spec.submissionId when it opened. */
  readonly submissionId?: string;
  readonly rules: RoundRules;
  readonly state: RoundState;
  readonly submittedMs: number;
  /** Absent: it never lapses. */
  readonly deadlineMs?: number;
  /** Terms after the narrowing of all layers so far; absent: as asked. */
  readonly narrowed?: TermsSpec;
  /** Absent while Pending. */
  readonly decidedMs?: number;
  /** Why it was denied or returned. */
  readonly reason?: string;
  readonly message?: string;
};

/** Terms that were approved. */
export type Grant = {
  /** The round that approved it: a change or the first issue. */
  readonly round: number;
  readonly hash: string;
  /** As approved, that is with `terms` narrowed. */
  readonly content: RequestContent;
  /** Of the store when it was asked for; a later edit of the store moves no grant. */
  readonly rules: TermBounds;
  readonly approvedMs: number;
  /** From when on: the decision, or the date of its own that a change asked for. */
  readonly effectiveMs: number;
};

/** A day at which a grant ends, as it was approved. */
export type ApprovedEnd = {
  readonly atMs: number;
  readonly round: number;
  readonly message: string;
  /** The day as the form said it; absent: approved before it was kept. */
  readonly effectiveDate?: string;
};

/** Why a grant is over for good. */
export type GrantEnd = {
  readonly cause: 'Revoked' | 'Withdrawn' | 'FormDeleted' | 'ClientDeleted';
  readonly atMs: number;
  /** User name, or `operator`. */
  readonly actor: string;
  readonly message?: string;
};

/** New values that were asked for through the form. */
export type Reissue = {
  readonly requestId: string;
  readonly reason: 'Exposed' | 'SecurityConcern' | 'Routine';
  readonly round: number;
  /** Suspended until the decision, and after a lapse. */
  readonly whileWaiting: 'KeepActive' | 'Suspend';
  readonly state: 'Waiting' | 'Approved' | 'Denied' | 'Lapsed';
};

/** What was seen of the object's author when it was last read while the policies were proven. */
export type SeenForm = {
  readonly generation: number;
  readonly atMs: number;
  /** False: this edit happened while nobody could prove who made it; only a newer one opens a round. */
  readonly isProven: boolean;
};

/** Where a grant was carried over from, when an administrator bound the database to another cluster. */
export type CarriedOver = {
  /** UID of the form there. */
  readonly fromUid: string;
  readonly fromClusterId: string;
  readonly atMs: number;
  /** Whom admission stamped as creator of the object here: the pipeline, and not the applicant. */
  readonly createdBy: string;
  /** Of the first issue there: durations go on counting from it. Absent: there was none. */
  readonly firstIssuedMs?: number;
};

/** One ApiKeyApplication, as the ledger remembers it. */
export type FormRecord = DocumentHead & {
  /** Never changes. */
  readonly applicant: Person;
  /** Everybody else who changed the spec, as user names; only grows. */
  readonly editors: readonly string[];
  readonly seen: SeenForm;
  /** The newest round, whatever became of it; absent: none was opened yet. */
  readonly round?: Round;
  /**
   * The newest round about terms, where it was refused or lapsed and a round of another type has taken
   * its place: what was refused is not asked for again by itself.
   */
  readonly refused?: Round;
  /** The same of the newest round about the end of the grant. */
  readonly refusedRevoke?: Round;
  /** A round about new values that was returned, where one about the end has taken its place. */
  readonly returnedReissue?: Round;
  /** In force, or approved and not yet effective; absent: none. */
  readonly grant?: Grant;
  /** An approved change whose own date has not come. */
  readonly nextGrant?: Grant;
  /** An approved revocation whose date has not come. */
  readonly revocation?: ApprovedEnd;
  /** The grant is over for good; the form opens no rounds any more. */
  readonly ended?: GrantEnd;
  readonly reissue?: Reissue;
  /** Request ids of reissues that opened a round; none acts again. */
  readonly spentReissueIds: readonly string[];
  /** Newest last, all rounds; the newest 50. */
  readonly reviews: readonly CountedReview[];
  /** The last notice day before which end of the grant was told; a later end is told anew. */
  readonly noticed?: { readonly days: number; readonly endMs: number };
  /** The ApiKey object that the grant was issued to first, and when. */
  readonly issuedTo?: { readonly keyUid: string; readonly atMs: number };
  /** Absent: the form was filed in this cluster. */
  readonly carried?: CarriedOver;
};
