/**
 * Who decided, and whether that may be believed. Pure.
 *
 * Admission compared `spec.reviewer` with who sent it; here it is looked at again, together with what
 * admission cannot know: the rules of the store and who wrote the form.
 */
import type { ReviewReviewer } from '../../api/generated/apikeyreview.ts';
import type { Person } from '../../ledger/document.ts';
import type { FormRecord } from '../../ledger/form.ts';
import { quoted, refused, type Objection, type Refusal } from './judgement.ts';
import type { ProofSight } from './world.ts';

const SYSTEM_PREFIX = 'system:';
const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';
const LINE_BREAK = /[\r\n]/;

/** The reviewer as the ledger keeps him. */
export function personOf({ username, attestedBy }: ReviewReviewer): Person {
  return attestedBy === undefined
    ? { username, source: 'Authenticated' }
    : { username, source: 'Asserted', attestedBy };
}

/**
 * Whether two user names mean one person. Case counts, as it does for the API server; the same
 * letters in another Unicode form are the same name, because nobody can tell them apart.
 */
export function isSameName(a: string, b: string): boolean {
  return a.normalize('NFC') === b.normalize('NFC');
}

/** Whether the review says who decided in a way that can be believed at all. */
export function identityObjection(
  reviewer: ReviewReviewer | undefined,
  attestors: readonly string[],
): Refusal | undefined {
  if (reviewer === undefined || reviewer.username === '') {
    return unverified('the review does not say who decided; install the admission policies');
  }
  const { username, attestedBy } = reviewer;
  if (LINE_BREAK.test(username)) return unverified('the name of the reviewer has a line break');
  if (attestedBy !== undefined) return assertionObjection(reviewer, attestedBy, attestors);
  return username.startsWith(SERVICE_ACCOUNT_PREFIX)
    ? unverified(
        `${quoted(username)} is a service account, and those decide nothing; a person must, or an attestor of the store says who did`,
      )
    : undefined;
}

function assertionObjection(
  { username, uid, groups = [] }: ReviewReviewer,
  attestedBy: string,
  attestors: readonly string[],
): Refusal | undefined {
  if (!attestors.some((listed) => isSameName(listed, attestedBy))) {
    return unverified(
      `${quoted(attestedBy)} is no attestor of the store and may not say who decided; the store lists them in spec.applications.attestors`,
    );
  }
  if (username.startsWith(SYSTEM_PREFIX)) {
    return unverified(`${quoted(username)} is no person, and only persons can be asserted`);
  }
  if (groups.length > 0 || (uid ?? '') !== '') {
    return unverified('an asserted reviewer is a user name alone; leave uid and groups out');
  }
  return undefined;
}

/**
 * An asserted reviewer may be whoever filed or edited the form through an account that is no person, or
 * that speaks for others; that is ruled out only where the form says which person it is for.
 *
 * @param annotated everybody whom the annotations of the form name, its creator included
 */
export function applicantObjection(
  { attestedBy }: ReviewReviewer,
  { applicant, editors }: Pick<FormRecord, 'applicant' | 'editors'>,
  { attestors, annotated }: Record<'attestors' | 'annotated', readonly string[]>,
): Refusal | undefined {
  if (attestedBy === undefined) return undefined;
  const speaksForOthers = (name: string): boolean =>
    name.startsWith(SYSTEM_PREFIX) || attestors.some((listed) => isSameName(listed, name));
  if (applicant.source === 'Authenticated' && speaksForOthers(applicant.username)) {
    return unverified(
      `the form was filed by ${quoted(applicant.username)} and names no person in spec.onBehalfOf, so an asserted reviewer cannot be told from the applicant; have the form name its person there, or decide under your own account`,
    );
  }
  const editor = [...editors, ...annotated].find(
    (name) => name !== applicant.attestedBy && speaksForOthers(name),
  );
  return editor === undefined
    ? undefined
    : unverified(
        `the form was edited by ${quoted(editor)}, which may have been for anybody, so an asserted reviewer cannot be told from its editor; somebody has to decide under his own account`,
      );
}

/** Whether admission checked the reviewer's name when the review was created. */
export function proofObjection(proof: ProofSight): Objection | undefined {
  switch (proof.type) {
    case 'Covered':
      return undefined;
    case 'Unknown':
      return { type: 'Prove' };
    case 'Missing':
      return {
        type: 'Unproven',
        message: `nobody can prove now who wrote the review: ${proof.reason}`,
      };
    case 'Broken':
      return unverified(
        'the admission policies were not proven to be in force when the review was created, so nobody knows who wrote it; see that they are installed and write the review again',
      );
  }
}

/** Everybody who must not decide about a form, because he filed or wrote it. */
export function authorsOf(
  { applicant, editors }: Pick<FormRecord, 'applicant' | 'editors'>,
  annotated: readonly string[],
): readonly string[] {
  const attestor = applicant.attestedBy === undefined ? [] : [applicant.attestedBy];
  return [applicant.username, ...attestor, ...editors, ...annotated];
}

/** Nobody decides about what he filed or wrote. */
export function selfObjection(
  { username }: ReviewReviewer,
  authors: readonly string[],
): Refusal | undefined {
  return authors.some((author) => isSameName(author, username))
    ? refused(
        'SelfReviewNotAllowed',
        `${quoted(username)} filed or edited the form; somebody else must decide`,
      )
    : undefined;
}

function unverified(message: string): Refusal {
  return refused('IdentityUnverified', message);
}
