/** Pure; what is looked at to tell whether a form is complete. Plain data, worked out by controllers. */
import type { Problem, TermsSpec } from './terms.ts';

/** The part of a form that is looked at. Texts as written; the spec of an ApiKeyApplication fits. */
export type FormSpec = {
  readonly clientRef?: { readonly name: string };
  readonly format?: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly service?: { readonly description?: string };
  readonly purpose?: string;
  readonly justification?: string;
  readonly terms?: TermsSpec;
  readonly revocation?: { readonly effectiveDate?: string };
};

/** A field that a store may require. */
export type RequiredField =
  | 'Service'
  | 'Purpose'
  | 'Justification'
  | 'DisplayName'
  | 'Origins'
  | 'Products'
  | 'EffectiveDate'
  | 'ExpirationDate'
  | 'Quota';

/** What the store says about forms, limits, and what it can do. */
export type FormRules = {
  readonly requiredFields: readonly RequiredField[];
  readonly mode: 'Manual' | 'Automatic';
  /** Steps that are reviewed. */
  readonly requiredFor: readonly string[];
  /** Absent: one layer without a name; empty: nobody can decide. */
  readonly layers?: readonly unknown[];
  /** IANA name; absent: UTC. */
  readonly timeZone?: string;
  /** Length of grants that say no end. */
  readonly durationDays?: number;
  readonly maxDurationDays?: number;
  readonly maxQuotaRequests?: number;
  readonly abilities: StoreAbilities;
};

/** What forms can go beyond; the capabilities of a driver fit. */
export type StoreAbilities = {
  /** KeyFormats. */
  readonly formats: readonly string[];
  /** Code points. */
  readonly displayNameMax: number;
  /** Code points. */
  readonly descriptionMax: number;
  /** Members of `terms` beside validity that are enforced there. */
  readonly terms: readonly string[];
};

/** Deprecated: who has it keeps it, and nobody gets it anew. */
export type ProductState = 'Published' | 'Deprecated' | 'Retired';

/** What else is known when a round would open. */
export type FormFacts = {
  readonly nowMs: number;
  readonly round: 'Issue' | 'Change' | 'Reissue' | 'Revoke';
  /** Name of the ApiKey, by which the key is called where the form gives no name. */
  readonly apiKeyName: string;
  /** Of the client that the form names; one that is being deleted is not found. */
  readonly client: 'Active' | 'Suspended' | 'NotRegistered' | 'NotFound';
  /** Products this form may name, by name. Those it may not are left out, as unknown ones are. */
  readonly products: ReadonlyMap<string, ProductState>;
  /** What was granted; absent: nothing yet. */
  readonly grant?: {
    readonly effectiveMs: number;
    /** Absent: no key was issued yet. */
    readonly firstIssuedMs?: number;
    readonly products: readonly string[];
  };
};

/** Why a form is incomplete, for programs. */
export type IncompleteReason =
  | 'ClientRequired'
  | 'ClientNotFound'
  | 'ClientSuspended'
  | 'ClientNotRegistered'
  | 'FieldRequired'
  | 'InvalidTerms'
  | 'EffectiveDateInPast'
  | 'AlreadyOver'
  | 'ProductNotAvailable'
  | 'ProductRetired'
  | 'UnsupportedByStore'
  | 'NoReviewers';

/** One thing that has to be put right. */
export type FormProblem = Problem & { readonly reason: IncompleteReason };

/** One problem; the message is part of a sentence behind the field. */
export function formProblem(reason: IncompleteReason, field: string, message: string): FormProblem {
  return { reason, field, message };
}
