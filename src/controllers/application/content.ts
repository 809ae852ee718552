/** What a form asks for, in the shape that is reviewed: its own words, and what they leave to the store. Pure. */
import type { ApiKeyApplicationSpec } from '../../api/generated/apikeyapplication.ts';
import { canonicalJson } from '../../kernel/canonicaljson.ts';
import type { Grant, RoundType, TermBounds } from '../../ledger/form.ts';
import { termBounds } from '../../ledger/grants.ts';
import {
  canonicalContent,
  requestHash,
  withTimeZone,
  type RequestContent,
} from '../../terms/request.ts';
import type { TermsSpec } from '../../terms/terms.ts';
import { DEFAULT_STORE } from '../../stores/view.ts';
import { servedName } from './view.ts';
import type { FormView, UsableStore, World } from './world.ts';

/** What a spec leaves open: taken from the store and client that there are, or from an older request. */
type Rest = {
  readonly storeUid: string;
  readonly clientUid: string;
  readonly format: RequestContent['format'];
  readonly timeZone: string | undefined;
};

/** What is asked for now; undefined while there is no such store or client. */
export function contentNow({ form, store, client }: World): RequestContent | undefined {
  if (form === undefined || store.type !== 'Usable' || client.type !== 'Present') return undefined;
  return contentOf(form, {
    storeUid: store.uid,
    clientUid: client.uid,
    format: store.defaultFormat,
    timeZone: store.timeZone,
  });
}

/**
 * What the form would ask for if it had been written when `base` was: so an edit of the store, which
 * touches new rounds only, looks like no edit of the form. Another store or client of the same name
 * is another one.
 */
export function contentLike({ form, store, client }: World, base: RequestContent): RequestContent {
  if (form === undefined) return base;
  return contentOf(form, {
    storeUid: store.type === 'Usable' ? store.uid : base.storeRef.uid,
    clientUid: client.type === 'Present' ? client.uid : base.client.uid,
    format: base.format,
    timeZone: base.terms.validity?.timeZone,
  });
}

/** Whether both are the same to the letter, wishes for new values and for the end included. */
export function isSameContent(a: RequestContent, b: RequestContent): boolean {
  return canonicalJson(canonicalContent(a)) === canonicalJson(canonicalContent(b));
}

/** Whether the form asks for no more and no less than was granted, or was asked for when it was. */
export function isAsGranted(world: World, grant: Grant): boolean {
  const content = contentLike(world, grant.content);
  return (
    isSameContent(content, grant.content) ||
    roundAsking(content, grant, world.form?.uid ?? '') !== undefined
  );
}

/**
 * The type of the round in which just this was asked for and the grant decided, which may be narrower:
 * what was asked, only its hash still knows. Undefined: it is not what was asked for.
 */
export function roundAsking(
  content: RequestContent,
  { round, hash }: Pick<Grant, 'round' | 'hash'>,
  formUid: string,
): (typeof TERM_ROUNDS)[number] | undefined {
  return TERM_ROUNDS.find((type) => requestHash({ formUid, round, type, content }) === hash);
}

/** Rounds that decide about terms. */
const TERM_ROUNDS = ['Issue', 'Change'] as const satisfies readonly RoundType[];

/** The reissue that a spec asks for; undefined: none. */
export function reissueOf({ reissue }: ApiKeyApplicationSpec): RequestContent['reissue'] {
  if (reissue === undefined) return undefined;
  const { requestId, reason, message, whileWaiting } = reissue;
  return { requestId, reason, ...(message === undefined ? {} : { message }), whileWaiting };
}

/** Names of the products in terms, in their order. */
export function productsOf(terms: Pick<TermsSpec, 'productRefs'> | undefined): readonly string[] {
  return (terms?.productRefs ?? []).map(({ name }) => name);
}

/** What a store says about times and limits, as a round freezes it. */
export function limitsOf({ durationDays, ...store }: UsableStore): TermBounds {
  const storeDurationDays = durationDays === undefined ? {} : { storeDurationDays: durationDays };
  return { ...termBounds(store), ...storeDurationDays };
}

/** What a form asks for, with what its spec leaves open filled in. */
export function contentOf(
  { spec, ref }: Pick<FormView, 'spec' | 'ref'>,
  rest: Rest,
): RequestContent {
  const { displayName, description, service, purpose, justification, terms = {} } = spec;
  const { kind, name } = spec.storeRef ?? DEFAULT_STORE;
  return {
    storeRef: { kind, name, uid: rest.storeUid },
    client: { name: spec.clientRef?.name ?? '', uid: rest.clientUid },
    format: spec.format ?? rest.format,
    apiKeyName: servedName(spec, ref.name),
    ...(displayName === undefined ? {} : { displayName }),
    ...(description === undefined ? {} : { description }),
    ...(service === undefined ? {} : { service }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(justification === undefined ? {} : { justification }),
    terms: withTimeZone(terms, rest.timeZone),
  };
}
