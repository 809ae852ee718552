/**
 * Who wrote a form, and whether that can be believed. Pure.
 *
 * A stamp counts only if the policies that set it were in force when the object was written; so
 * each edit is judged by the earliest instant at which it can have happened. What was written in a gap
 * is never believed later: of an edit a newer one heals it, of the creation nothing does.
 */
import type { Person } from '../../ledger/document.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { FormView, World } from './world.ts';

/** What is to be noted about who wrote the form, or why nothing can be. */
export type Identity =
  /** All that is there to see was noted. */
  | { readonly type: 'Noted' }
  /** Seen for the first time. */
  | { readonly type: 'First'; readonly applicant: Person; readonly editors: readonly string[] }
  /** The spec was edited since. */
  | { readonly type: 'Edited'; readonly editors: readonly string[]; readonly isProven: boolean }
  /** The policies are not proven at this moment; to be looked at again when they are. */
  | { readonly type: 'Awaiting'; readonly why: string }
  /** Nobody will ever know who wrote this. */
  | { readonly type: 'Unverified'; readonly message: string }
  /** The form speaks for somebody else, and its account may not. */
  | { readonly type: 'Refused'; readonly message: string };

const NOTED: Identity = { type: 'Noted' };

/** Judges the stamps of a form; forms that are gone have nothing to be judged. May be repeated. */
export function identify(world: World): Identity {
  const { form, record } = world;
  if (form === undefined) return NOTED;
  return record === undefined ? firstSight(world, form) : laterSight(world, form, record);
}

function firstSight(world: World, form: FormView): Identity {
  const { edit } = world;
  if (edit.type === 'Awaiting') return edit;
  if (edit.type !== 'Proven') {
    const message =
      'the form was created while the admission policies were not in force, so nobody knows by whom; create it anew';
    return { type: 'Unverified', message };
  }
  if (form.applicant === undefined) {
    const message = 'the form does not say who created it; create it anew';
    return { type: 'Unverified', message };
  }
  const applicant = applicantOf(world, form.applicant, form.spec.onBehalfOf?.username);
  if ('refused' in applicant) return { type: 'Refused', message: applicant.refused };
  return { type: 'First', applicant, editors: form.editors };
}

function laterSight({ edit }: World, form: FormView, record: FormRecord): Identity {
  switch (edit.type) {
    case 'Awaiting':
      return edit;
    case 'Proven':
    case 'Unproven': {
      const editors = allEditors(form, record);
      return { type: 'Edited', editors, isProven: edit.type === 'Proven' };
    }
    case 'None':
      return standing(form, record);
  }
}

function standing(form: FormView, { seen, applicant, carried }: FormRecord): Identity {
  if (form.generation < seen.generation) {
    const message =
      'a newer version of the form was seen before, so the cluster was restored and nobody knows who edits it; create it anew';
    return { type: 'Unverified', message };
  }
  if (!seen.isProven) {
    const message =
      'the form was edited while the admission policies were not in force, so nobody knows by whom; edit it again';
    return { type: 'Unverified', message };
  }
  // Of a form that was carried over another account is the creator here, and the applicant stays who he was.
  const creator = carried?.createdBy ?? stampOf(applicant);
  if (form.applicant === creator) return NOTED;
  const message = `the form was created by '${creator}', and its annotation says otherwise now; put the annotation right`;
  return { type: 'Unverified', message };
}

/** Nobody is taken off the list: who edited once must not decide, whatever the annotation says later. */
function allEditors(form: FormView, record: FormRecord): readonly string[] {
  return [...new Set([...record.editors, ...form.editors])];
}

/** The account that admission stamped for this person. */
function stampOf({ username, attestedBy }: Person): string {
  return attestedBy ?? username;
}

function applicantOf(
  { store }: World,
  account: string,
  username: string | undefined,
): Person | { readonly refused: string } {
  if (username === undefined || username === account) {
    return { username: account, source: 'Authenticated' };
  }
  if (store.type !== 'Usable') {
    return {
      refused: `spec.onBehalfOf: ${store.name} is not there to say who may speak for others`,
    };
  }
  const isListed = (store.rules.attestors ?? []).some((attestor) => attestor.username === account);
  if (isListed) return { username, source: 'Asserted', attestedBy: account };
  return {
    refused: `spec.onBehalfOf: ${store.kind} '${store.name}' does not list '${account}' among its attestors`,
  };
}
