/**
 * Whether what was granted to a form in a lost cluster is carried over to the form of the same name in
 * another one: only if that asks for exactly what was granted, at a store and for a client of the
 * same names. Pure; `keyward restore --rebind` shows the answers and carries them out.
 */
import type { FormRecord, Grant } from '../../ledger/form.ts';
import { carryForm, type NewHome } from '../../ledger/formcarry.ts';
import { isSuspendedForReissue } from '../../ledger/grants.ts';
import { changesBetween } from '../../terms/differences.ts';
import type { RequestContent } from '../../terms/request.ts';
import { contentOf, isSameContent, roundAsking } from './content.ts';
import type { FormView } from './world.ts';

/** What the new cluster has under the names that the old form uses; undefined: nothing. */
export type NewSurroundings = {
  readonly clusterId: string;
  readonly form: FormView | undefined;
  /** The store of the kind and name that was granted. */
  readonly store: { readonly uid: string; readonly type: string } | undefined;
  readonly client: { readonly uid: string } | undefined;
  /** Type of the old store; undefined: the ledger does not remember it. */
  readonly storeWas: string | undefined;
  /** Of the old cluster: what became of the key that the grant was issued to. */
  readonly keyWas: 'Revoked' | 'NotRevoked';
};

/** What becomes of a grant. */
export type CarryOver =
  | { readonly type: 'Carried'; readonly form: FormRecord }
  /** A sentence without its full stop. */
  | { readonly type: 'NotCarried'; readonly because: string };

/** The grant that a form has to ask for, or why there is none to be carried over; see the file comment. */
export function carryOver(old: FormRecord, found: NewSurroundings, nowMs: number): CarryOver {
  const grant = old.nextGrant ?? old.grant;
  const over = whyOver(old, nowMs);
  if (grant === undefined || over !== undefined) return not(over ?? 'nothing was granted');
  const { form, store, client } = found;
  if (found.keyWas === 'Revoked') return not('its key was revoked');
  if (form === undefined) return not('there is no application of this name');
  const author = whyNotTheirs(old, form);
  if (author !== undefined) return not(author);
  const { storeRef, client: wanted } = grant.content;
  if (store === undefined) return not(`there is no ${storeRef.kind} '${storeRef.name}'`);
  if (found.storeWas !== undefined && found.storeWas !== store.type) {
    return not(
      `${storeRef.kind} '${storeRef.name}' was of type ${found.storeWas} and is ${store.type}`,
    );
  }
  if (client === undefined) return not(`there is no ApiClient '${wanted.name}'`);
  const type = askedIn(old, form, grant);
  if (type === undefined) return not(whatDiffers(form, grant));
  const { clusterId } = found;
  const content = ask(form, grant, { storeUid: store.uid, clientUid: client.uid });
  const home: NewHome = {
    clusterId,
    uid: form.uid,
    generation: form.generation,
    createdBy: form.applicant ?? '',
    editors: form.editors,
    storeUid: store.uid,
    clientUid: client.uid,
    atMs: nowMs,
    type,
    content,
  };
  return { type: 'Carried', form: carryForm(old, home) };
}

function not(because: string): CarryOver {
  return { type: 'NotCarried', because };
}

/** What was over in the old cluster, or switched off until somebody decides, does not come back. */
function whyOver(old: FormRecord, nowMs: number): string | undefined {
  if (old.grant === undefined) return 'nothing was granted';
  if (old.ended !== undefined) return `the grant was ended for good (${old.ended.cause})`;
  if (old.revocation !== undefined && old.revocation.atMs <= nowMs) return 'the grant was revoked';
  if (old.nextGrant !== undefined && !isSamePlace(old.grant, old.nextGrant)) {
    return 'a change to another store or client was approved and not in force yet';
  }
  return isSuspendedForReissue(old) && old.reissue?.state !== 'Approved'
    ? 'its key was switched off until a reissue is approved, and none was'
    : undefined;
}

function isSamePlace(a: Grant, b: Grant): boolean {
  const [from, to] = [uidsOf(a), uidsOf(b)];
  return from.storeUid === to.storeUid && from.clientUid === to.clientUid;
}

/** Names on the new form that do not fit the old one, or none at all. */
function whyNotTheirs({ applicant }: FormRecord, form: FormView): string | undefined {
  if (form.isDeleting) return 'the application is being deleted';
  if (form.spec.submission !== 'Submitted') return `the application is ${form.spec.submission}`;
  if (form.applicant === undefined) {
    return 'the application does not say who created it; install the admission policies and create it anew';
  }
  const speaksFor = form.spec.onBehalfOf?.username ?? applicant.username;
  return speaksFor === applicant.username
    ? undefined
    : `the application is on behalf of '${speaksFor}', and the grant is that of '${applicant.username}'`;
}

/** In which type of round the old form asked for what the new one asks for; undefined: in none. */
function askedIn(old: FormRecord, form: FormView, grant: Grant): NewHome['type'] | undefined {
  const content = ask(form, grant, uidsOf(grant));
  const type = roundAsking(content, grant, old.uid);
  if (type !== undefined) return type;
  // Narrowed, and asked for as narrowed since.
  return isSameContent(content, grant.content) ? 'Change' : undefined;
}

/** What the form asks for, in the words of the time when the grant was. */
function ask(
  form: FormView,
  { content }: Grant,
  uids: { readonly storeUid: string; readonly clientUid: string },
): RequestContent {
  return contentOf(form, {
    ...uids,
    format: content.format,
    timeZone: content.terms.validity?.timeZone,
  });
}

function uidsOf({ content }: Grant) {
  return { storeUid: content.storeRef.uid, clientUid: content.client.uid };
}

function whatDiffers(form: FormView, grant: Grant): string {
  const changes = changesBetween(grant.content, ask(form, grant, uidsOf(grant)));
  const fields = [...new Set(changes.map(({ field }) => field))];
  return `the application asks for something else than was granted: ${fields.join(', ')}`;
}
