/** What an operator asked of the API server, beside the list of what it may ask. */
import { OPERATOR_RIGHTS, type Right } from '../../src/api/rights.ts';
import type { Request } from './operator.audit.ts';
import { OWN_NAMESPACE } from './operator.rights.ts';

/** Where the operator under test works; no namespaces: everywhere. */
export type Reach = { readonly watched: readonly string[] };

/** Requests that no right of the list allows, as `verb group/resource namespace/name: code`, each once. */
export function unlisted(requests: readonly Request[], reach: Reach): readonly string[] {
  const outside = requests.filter(
    (request) => !OPERATOR_RIGHTS.some((right) => allows(right, request, reach)),
  );
  return [...new Set(outside.map(textOf))];
}

/** Requests that the API server refused for want of a right, each once. */
export function forbidden(requests: readonly Request[]): readonly string[] {
  return [...new Set(requests.filter(({ code }) => code === 403).map(textOf))];
}

/** `verb group/resource`, with scope, for each part of the list that no request used. */
export function unused(requests: readonly Request[], reach: Reach): readonly string[] {
  return OPERATOR_RIGHTS.flatMap((right) =>
    right.verbs.flatMap((verb) =>
      right.resources.flatMap((resource) => {
        const part = { ...right, verbs: [verb], resources: [resource] };
        const suffix = right.subresource === undefined ? '' : `/${right.subresource}`;
        const isUsed = requests.some((request) => allows(part, request, reach));
        return isUsed
          ? []
          : [`${right.scope}: ${verb} ${resource.group}/${resource.plural}${suffix}`];
      }),
    ),
  );
}

function allows(right: Right, request: Request, { watched }: Reach): boolean {
  const { verb, group, resource, subresource, namespace, name } = request;
  const isThat =
    right.verbs.some((each) => each === verb) &&
    (right.subresource ?? '') === subresource &&
    right.resources.some((each) => each.group === group && each.plural === resource) &&
    right.names?.includes(name) !== false;
  const places = { Own: [OWN_NAMESPACE], Default: ['default'], Cluster: [], Watched: watched };
  // A Namespace is asked for as if it lay in itself.
  const isHere =
    right.scope === 'Cluster'
      ? namespace === '' || resource === 'namespaces'
      : places[right.scope].includes(namespace) ||
        (right.scope === 'Watched' && watched.length === 0);
  return isThat && isHere;
}

function textOf({ verb, group, resource, subresource, namespace, name, code }: Request): string {
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  return `${verb} ${group}/${what} ${namespace}/${name}: ${code}`;
}
