/**
 * How a key and what it belongs to change together: the record names grant and client, the form
 * names the key, in one transaction. Pure.
 */
import type { DocumentChange } from '../../ledger/documents.ts';
import type { FormRecord } from '../../ledger/form.ts';
import { bindKey, finishReissue } from '../../ledger/formchanges.ts';
import type { Belonging } from '../../ledger/transitions.ts';
import { reissueRequestId } from './granted.ts';
import type { ApplicationFact, World } from './world.ts';

/** What the record should say; empty for a key that is on nobody's behalf. */
export function belongingOf({ application, client }: World): Belonging {
  const { form, grant } = application ?? {};
  const clientUid = client?.client?.uid;
  return {
    ...(form === undefined || grant === undefined
      ? {}
      : { grant: { formUid: form.uid, round: grant.round } }),
    ...(clientUid === undefined ? {} : { clientUid }),
  };
}

/** What the record should say and does not; undefined: nothing. */
export function newBelonging(world: World): Belonging | undefined {
  const { application, client, record } = world;
  // Nearly every key; each pass asks.
  if (application === undefined && client === undefined) return undefined;
  const wanted = belongingOf(world);
  const { grant, clientUid } = wanted;
  const isSameGrant = grant === undefined || grant.round === record?.grant?.round;
  const isSameClient = clientUid === undefined || clientUid === record?.clientUid;
  return isSameGrant && isSameClient ? undefined : wanted;
}

/** What a commit of the key means to its form. */
export type FormSteps = {
  /** Present for the first issue. */
  readonly issued?: { readonly keyUid: string; readonly atMs: number } | undefined;
  /** The rotation request that the commit spends. */
  readonly requestId?: string | undefined;
};

/** The form after such a commit; undefined: it stays as it is, or there is none. */
export function formAfter(
  application: ApplicationFact | undefined,
  { issued, requestId }: FormSteps,
): FormRecord | undefined {
  const form = application?.form;
  if (form === undefined) return undefined;
  const bound = issued === undefined ? form : bindKey(form, issued);
  const { reissue } = form;
  const isReissue = requestId !== undefined && requestId === reissueRequestId(form);
  const next = isReissue && reissue !== undefined ? finishReissue(bound, reissue.requestId) : bound;
  return next === form ? undefined : next;
}

/** The form as a document to commit with the key; nothing of either is stored when it has moved on. */
export function asDocument(form: FormRecord): DocumentChange {
  return { kind: 'Form', document: form, expectedRevision: form.revision };
}

/** The world after its form was committed. */
export function withForm(world: World, form: FormRecord): World {
  const { application } = world;
  if (application === undefined) return world;
  const stored = { ...form, revision: form.revision + 1 };
  return { ...world, application: { ...application, form: stored } };
}
