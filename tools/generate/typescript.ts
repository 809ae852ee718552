/** TypeScript types of a CRD, as the API server returns its objects. */
import { compile, type JSONSchema } from 'json-schema-to-typescript';

import { schemaOf, type Crd, type Schema } from './schema.ts';

/**
 * Names for nested objects, by path below the object; everything else stays inline. A path that a
 * CRD does not have is ignored, so both store kinds share one list.
 */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ApiKey: {
    'spec.terms': 'ApiKeyTerms',
    'spec.terms.validity': 'ApiKeyValidity',
    'spec.terms.quota': 'ApiKeyQuota',
    'spec.terms.originPolicy': 'ApiKeyOriginPolicy',
    'spec.terms.productRefs[]': 'ApiKeyProductRef',
    'spec.storeRef': 'ApiKeyStoreRef',
    'spec.rotation': 'ApiKeyRotation',
    'spec.rotation.restartTargets[]': 'ApiKeyRestartTarget',
    'spec.secret': 'ApiKeySecret',
    'status.remote': 'ApiKeyRemote',
    'status.slots[]': 'ApiKeySlot',
    'status.conditions[]': 'ApiKeyCondition',
  },
  ApiKeyApplication: {
    'spec.terms': 'ApplicationTerms',
    'spec.terms.validity': 'ApplicationValidity',
    'spec.terms.quota': 'ApplicationQuota',
    'spec.terms.originPolicy': 'ApplicationOriginPolicy',
    'spec.terms.productRefs[]': 'ApplicationProductRef',
    'spec.storeRef': 'ApplicationStoreRef',
    'spec.service': 'ApplicationService',
    'spec.contact': 'ApplicationContact',
    'spec.reissue': 'ApplicationReissue',
    'spec.revocation': 'ApplicationRevocation',
    'spec.secret': 'ApplicationSecret',
    'status.applicant': 'ApplicationApplicant',
    'status.round': 'ApplicationRound',
    'status.round.changes[]': 'ApplicationChange',
    'status.approvals': 'ApplicationApprovals',
    'status.reviews[]': 'ApplicationReview',
    'status.grant': 'ApplicationGrant',
    'status.grant.terms': 'ApplicationGrantTerms',
    'status.grant.terms.productRefs[]': 'ApplicationGrantedProduct',
    'status.nextGrant': 'ApplicationNextGrant',
    'status.nextGrant.terms': 'ApplicationNextGrantTerms',
    'status.nextGrant.terms.productRefs[]': 'ApplicationNextGrantedProduct',
    'status.conditions[]': 'ApplicationCondition',
  },
  ApiKeyReview: {
    'spec.applicationRef': 'ReviewApplicationRef',
    'spec.apiKeyRef': 'ReviewApiKeyRef',
    'spec.clientRef': 'ReviewClientRef',
    'spec.narrowed': 'ReviewNarrowed',
    'spec.narrowed.quota': 'ReviewQuota',
    'spec.narrowed.originPolicy': 'ReviewOriginPolicy',
    'spec.narrowed.productRefs[]': 'ReviewProductRef',
    'spec.reviewer': 'ReviewReviewer',
    'status.conditions[]': 'ReviewCondition',
  },
  ApiClient: {
    'spec.contact': 'ClientContact',
    'status.conditions[]': 'ClientCondition',
  },
  ApiProduct: {
    'spec.contact': 'ProductContact',
    'spec.allowedStores[]': 'ProductStoreRef',
    'spec.allowedNamespaces': 'ProductAllowedNamespaces',
    'spec.allowedNamespaces.namespaceSelector.matchExpressions[]': 'ProductSelectorRequirement',
    'spec.match[]': 'ProductMatch',
    'spec.external[]': 'ProductExternal',
    'status.conditions[]': 'ProductCondition',
  },
  KeyStore: storeNames('KeyStore'),
  ClusterKeyStore: storeNames('ClusterKeyStore'),
};

/** The text of one generated file: an interface for spec, one for status, and the named parts. */
export async function typesOf(crd: Crd, source: string): Promise<string> {
  const kind = crd.spec.names.kind;
  const names = NAMES[kind] ?? {};
  const root: JSONSchema = {
    title: kind,
    type: 'object',
    additionalProperties: false,
    required: ['spec'],
    properties: {
      spec: titled(schemaOf(crd, 'spec'), 'spec', { ...names, spec: `${kind}Spec` }),
      status: titled(schemaOf(crd, 'status'), 'status', { ...names, status: `${kind}Status` }),
    },
  };
  const text = await compile(root, kind, {
    bannerComment: banner(source),
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 100 },
  });
  return readonlyText(text);
}

function banner(source: string): string {
  return `/**
 * Written by \`npm run generate\` from ${source}; edit that file.
 *
 * As read from the API server: a field with a default in the schema is always there.
 */`;
}

function storeNames(kind: string): Readonly<Record<string, string>> {
  return {
    'spec.applications': `${kind}Applications`,
    'spec.applications.layers[]': `${kind}ReviewLayer`,
    'spec.applications.attestors[]': `${kind}Attestor`,
    'spec.defaults': `${kind}Defaults`,
    'spec.limits': `${kind}Limits`,
    'spec.builtin': `${kind}Builtin`,
    'spec.allowedNamespaces': `${kind}AllowedNamespaces`,
    'spec.allowedNamespaces.namespaceSelector.matchExpressions[]': `${kind}SelectorRequirement`,
    'status.capabilities': `${kind}Capabilities`,
    'status.conditions[]': `${kind}Condition`,
  };
}

/** Plain JSON schema of a structural schema, with titles where a type shall have a name. */
function titled(schema: Schema, path: string, names: Readonly<Record<string, string>>): JSONSchema {
  const { description, type, enum: values } = schema;
  const title = names[path];
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(type === undefined ? {} : { type }),
    ...(values === undefined ? {} : { enum: [...values] }),
    ...(schema.items === undefined ? {} : { items: titled(schema.items, `${path}[]`, names) }),
    ...(type === 'object' ? objectParts(schema, path, names) : {}),
  };
}

function objectParts(
  schema: Schema,
  path: string,
  names: Readonly<Record<string, string>>,
): JSONSchema {
  if (schema.additionalProperties !== undefined) {
    return { additionalProperties: titled(schema.additionalProperties, `${path}{}`, names) };
  }
  const properties = Object.entries(schema.properties ?? {});
  const defaulted = properties.filter(([, part]) => part.default !== undefined);
  return {
    additionalProperties: false,
    required: [...new Set([...(schema.required ?? []), ...defaulted.map(([name]) => name)])],
    properties: Object.fromEntries(
      properties.map(([name, part]) => [name, titled(part, `${path}.${name}`, names)]),
    ),
  };
}

/** Fields and lists as readonly: what the API server said is never edited in place. */
function readonlyText(text: string): string {
  return text
    .replaceAll(/^(\s+)([A-Za-z_][A-Za-z0-9_]*\??:(?: |$))/gm, '$1readonly $2')
    .replaceAll(/^(\s+)(\[k: string\]: )/gm, '$1readonly $2')
    .replaceAll(/: (\(?[^;{}\n]+\)?)\[\];/g, ': readonly $1[];')
    .replaceAll(/: \($/gm, ': readonly (');
}
