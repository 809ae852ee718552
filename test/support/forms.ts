/** Forms and requests: what a test does not name does not matter to it. */
import type { CountedReview, FormRecord, RoundRules } from '../../src/ledger/form.ts';
import { openForm, openRound, type RoundRequest } from '../../src/ledger/formchanges.ts';
import type { Decision } from '../../src/ledger/formdecisions.ts';
import type { RequestContent } from '../../src/terms/request.ts';

/** 2027-01-15T08:00:00Z. */
export const FORM_AT_MS = 1_800_000_000_000;

/** A form that was created by ann and seen, and nothing else. */
export function aForm(changes: Partial<FormRecord> = {}): FormRecord {
  const head = { clusterId: 'cluster-1', uid: 'form-1', namespace: 'shop', name: 'web' };
  const form = openForm(head, {
    applicant: { username: 'ann', source: 'Authenticated' },
    editors: [],
    seen: { generation: 1, atMs: FORM_AT_MS, isProven: true },
  });
  return { ...form, ...changes };
}

/** What ann asks for. */
export function aRequest(changes: Partial<RequestContent> = {}): RequestContent {
  return {
    storeRef: { kind: 'KeyStore', name: 'default', uid: 'store-1' },
    client: { name: 'acme', uid: 'client-1' },
    format: 'Opaque',
    apiKeyName: 'web',
    terms: { validity: { timeZone: 'UTC' } },
    ...changes,
  };
}

/** One unnamed layer of one approval. */
export const ONE_LAYER: RoundRules = {
  layers: [{ name: '', approvals: 1 }],
  selfReview: 'Forbidden',
  attestors: [],
  onDenied: 'Resubmit',
};

/** An Issue that never lapses. */
export function aRoundRequest(changes: Partial<RoundRequest> = {}): RoundRequest {
  return {
    type: 'Issue',
    content: aRequest(),
    changes: [],
    rules: ONE_LAYER,
    submittedMs: FORM_AT_MS,
    ...changes,
  };
}

/** An approval of the unnamed layer, by the person of this name. */
export function aDecision(username = 'rob', changes: Partial<Decision> = {}): Decision {
  const review: Omit<CountedReview, 'round'> = {
    uid: `review-${username}`,
    name: `review-${username}`,
    decision: 'Approved',
    layer: '',
    reviewer: { username, source: 'Authenticated' },
    atMs: FORM_AT_MS + 1_000,
  };
  return { ...review, ...changes };
}

/** A form with an open round. */
export function aSubmittedForm(changes: Partial<RoundRequest> = {}): FormRecord {
  return openRound(aForm(), aRoundRequest(changes));
}
