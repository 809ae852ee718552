/**
 * Which questions the API server is asked about a reviewer, and what its answers mean. Pure;
 * `access.ts` asks them at the moment of the decision, because rights come and go.
 */
import { API_CLIENTS, API_KEY_APPLICATIONS, GROUP } from '../../api/names.ts';
import type { ReviewReviewer } from '../../api/generated/apikeyreview.ts';

/** The verb that makes a reviewer; on a store, with the layer as subresource, or on a client. */
const VERB_APPROVE = 'approve';
/** Nobody grants this verb on purpose: whoever holds it holds every verb. */
const VERB_NOBODY_GRANTS = 'keyward-probe-of-wildcards';

/** Whom a question is about; an asserted reviewer has a name and nothing else. */
export type Subject = {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
};

/** resourceAttributes of a SubjectAccessReview. */
export type Attributes = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
};

/** What one judgement asks. */
export type Questions = {
  readonly subject: Subject;
  readonly decide: Attributes;
  /** The same object under a verb that only wildcards hold. */
  readonly probe: Attributes;
  /** Rights that would make the reviewer an author of what he decides about; one is too many. */
  readonly author: readonly Attributes[];
};

/** What the API server answered. */
export type Rights = {
  readonly mayDecide: boolean;
  /** The right comes from a rule for all verbs: how the cluster explains it. */
  readonly wildcard?: string;
  /** The first right of an author that the reviewer has, in words. */
  readonly mayAuthor?: string;
};

/** Where a right to decide is looked for. */
export type Office =
  | { readonly type: 'Store'; readonly kind: 'KeyStore' | 'ClusterKeyStore'; readonly name: string }
  | { readonly type: 'Client'; readonly name: string };

/** Whose rights are asked for. */
export function subjectOf(reviewer: ReviewReviewer): Subject {
  const { username, uid, groups, attestedBy } = reviewer;
  if (attestedBy !== undefined) return { user: username };
  return { user: username, ...(uid === undefined ? {} : { uid }), groups: groups ?? [] };
}

/** What must be granted to decide there. */
export function decideAttributes(
  office: Office,
  { namespace, layer }: { readonly namespace: string; readonly layer: string | undefined },
): Attributes {
  const base = { verb: VERB_APPROVE, group: GROUP, name: office.name };
  if (office.type === 'Client') return { ...base, resource: API_CLIENTS.plural, namespace };
  const subresource = layer === undefined ? {} : { subresource: layer };
  return office.kind === 'KeyStore'
    ? { ...base, resource: 'keystores', namespace, ...subresource }
    : { ...base, resource: 'clusterkeystores', ...subresource };
}

/** The same object, asked for with the verb that nobody grants on purpose. */
export function probeOf(decide: Attributes): Attributes {
  return { ...decide, verb: VERB_NOBODY_GRANTS };
}

/** Rights of whoever can write forms in a namespace, himself or as one of its service accounts. */
export function formAuthorAttributes(namespace: string): readonly Attributes[] {
  const forms = { group: GROUP, resource: API_KEY_APPLICATIONS.plural, namespace };
  return [
    { ...forms, verb: 'create' },
    { ...forms, verb: 'update' },
    { ...forms, verb: 'patch' },
    { verb: 'impersonate', group: '', resource: 'serviceaccounts', namespace },
    { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token', namespace },
    { verb: 'create', group: '', resource: 'pods', namespace },
  ];
}

/** Rights of whoever can write this client. */
export function clientAuthorAttributes(namespace: string, name: string): readonly Attributes[] {
  const clients = { group: GROUP, resource: API_CLIENTS.plural, namespace };
  return [
    { ...clients, verb: 'create' },
    { ...clients, verb: 'update', name },
    { ...clients, verb: 'patch', name },
  ];
}

/** A question in words: `create apikeyapplications in namespace team`. */
export function inWords({ verb, resource, subresource, namespace, name }: Attributes): string {
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const named = name === undefined ? '' : ` '${name}'`;
  return `${verb} ${what}${named}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
}
