/** The chart as tests render it, and the combinations of its values that matter. */
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Helm } from '../../control-plane/helm.ts';

/** Folder of the chart. */
export const CHART = join(import.meta.dirname, '../../charts/keyward');
/** Names that are nowhere the default, so that one which was not replaced shows. */
export const RELEASE = 'keys';
export const NAMESPACE = 'platform';
/** What the names of such a release begin with. */
export const FULLNAME = 'keys-keyward';

/** A rendered object, as far as tests look into it. */
export type Rendered = {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

/** One combination: a sentence for failures, and what `--set` says. */
export type Case = { readonly name: string; readonly values: readonly string[] };

/** Kinds are the same whatever the rest is, and nine tenths of the text. */
const BRIEF = ['crds.install=false'];
const POSTGRESQL = ['database.type=PostgreSQL', 'database.postgresql.existingSecret=db'];

/** What changes which objects there are: each with each. */
const AXES: readonly (readonly (readonly string[])[])[] = [
  [[], [...BRIEF, ...POSTGRESQL]],
  [[], ['gate.enabled=false']],
  [[], ['watchNamespaces={team-a,team-b}']],
  [[], ['keyJob.asHook=false'], ['masterKey.existingSecret=mine', 'gate.existingKeySecret=gates']],
];

/** What changes something within objects: each alone, on both databases where it can be. */
const SINGLES: readonly (readonly string[])[] = [
  ['admissionPolicies.mutating=Always'],
  ['admissionPolicies.enabled=false'],
  [
    'crds.install=false',
    'rbac.create=false',
    'serviceAccount.create=false',
    'serviceAccount.name=ours',
  ],
  ['crds.keep=false', 'crds.annotations.a=b', 'commonLabels.team=keys', 'commonAnnotations.a=b'],
  ['secretWatch=None', 'rbac.restartWorkloads=true', 'rbac.catalogForAuthenticated=true'],
  ['secretWatch=None', 'rbac.restartWorkloads=true', 'watchNamespaces={team-a}'],
  [
    'argocd.healthChecks.render=true',
    'metrics.auth=Delegated',
    'rbac.aggregate.view=false',
    'rbac.serviceBinding=false',
  ],
  ['networkPolicy.enabled=true'],
  ['networkPolicy.enabled=true', 'gate.enabled=false', 'networkPolicy.vendorPorts=null'],
  [
    'networkPolicy.enabled=true',
    'networkPolicy.apiServerCidrs={10.0.0.1/32}',
    'networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=monitoring',
    'networkPolicy.gateFrom[0].podSelector.matchLabels.app=nginx',
    'networkPolicy.databaseTo[0].ipBlock.cidr=10.0.0.2/32',
  ],
  ['gate.tls.existingSecret=tls', 'gate.tls.clientCertificates=true', 'gate.grpc.enabled=false'],
  ['gate.service.type=LoadBalancer', 'gate.service.trafficDistribution=PreferSameZone'],
  [
    'gate.keyQuery=key',
    'gate.productHeader=X-Product',
    'gate.trustedProxies={10.0.0.0/8}',
    'gate.phpDates=true',
  ],
  ['gate.drainSeconds=0', 'gate.cacheRecords=5000000', 'gate.unlisted=Allow'],
  [
    'webhook.url=https://hooks.example.com/a',
    'webhook.existingSecret=hook',
    'vendorCa.existingConfigMap=ca',
  ],
  ['image.digest=sha256:' + 'a'.repeat(64), 'global.imageRegistry=registry.example.com/platform/'],
  [
    'imagePullSecrets[0].name=pull',
    'nodeSelector.disk=ssd',
    'tolerations[0].operator=Exists',
    'hostNetwork=true',
  ],
  ['priorityClassName=high', 'runtimeClassName=gvisor', 'schedulerName=mine', 'dnsPolicy=Default'],
  [
    'dnsConfig.nameservers={10.0.0.10}',
    'hostAliases[0].ip=10.0.0.3',
    'hostAliases[0].hostnames={db}',
  ],
  [
    'extraArgs={--accept-database}',
    'extraEnv[0].name=TZ',
    'extraEnv[0].value=UTC',
    'endpointHosts={Naver=a.example.com}',
  ],
  [
    'extraVolumes[0].name=more',
    'extraVolumeMounts[0].name=more',
    'extraVolumeMounts[0].mountPath=/more',
  ],
  ['replicaCount=0', 'fullnameOverride=kw', 'namespaceOverride=team-a', 'nameOverride=kw'],
  [
    'podSecurityContext.runAsUser=null',
    'podSecurityContext.runAsGroup=null',
    'podSecurityContext.fsGroup=null',
  ],
];

const PERSISTENCE = 'database.embedded.persistence';

const EMBEDDED: readonly (readonly string[])[] = [
  [`${PERSISTENCE}.enabled=false`, 'database.embedded.acceptEphemeral=true'],
  [`${PERSISTENCE}.existingClaim=mine`],
  [`${PERSISTENCE}.storageClass=-`, `${PERSISTENCE}.size=20Gi`, `${PERSISTENCE}.retain=false`],
  [`${PERSISTENCE}.storageClass=fast`, `${PERSISTENCE}.accessModes={ReadWriteOncePod}`],
];

const ON_POSTGRESQL: readonly (readonly string[])[] = [
  ['database.postgresql.gate.existingSecret=gate-db', 'database.postgresql.gate.urlKey=address'],
  ['gate.autoscaling.enabled=true', 'gate.autoscaling.minReplicas=2'],
  ['replicaCount=1', 'gate.replicaCount=1'],
  [
    'replicaCount=3',
    'gate.podDisruptionBudget.minAvailable=2',
    'podDisruptionBudget.enabled=false',
  ],
  ['updateStrategy.type=Recreate', 'gate.podLabels.a=b', 'gate.podAnnotations.a=b'],
];

/** All of them; the first is the default. */
export const CASES: readonly Case[] = [
  ...product(AXES),
  ...SINGLES,
  ...SINGLES.map((values) => [...BRIEF, ...POSTGRESQL, ...values]),
  ...EMBEDDED.map((values) => [...BRIEF, ...values]),
  ...ON_POSTGRESQL.map((values) => [...BRIEF, ...POSTGRESQL, ...values]),
].map((values) => ({ name: values.length === 0 ? 'defaults' : values.join(' '), values }));

function product(
  axes: readonly (readonly (readonly string[])[])[],
): readonly (readonly string[])[] {
  const [first, ...others] = axes;
  if (first === undefined) return [[]];
  return product(others).flatMap((rest) => first.map((values) => [...values, ...rest]));
}

/** What Helm renders, as text. @throws Error with Helm's words */
export async function render(helm: Helm, values: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await template(helm, values);
  if (code !== 0) throw new Error(`${values.join(' ')}: ${stderr}`);
  return stdout;
}

/** As `render`, with a failure as an outcome. */
export function template(helm: Helm, values: readonly string[]): ReturnType<Helm> {
  const sets = values.flatMap((value) => ['--set', value]);
  return helm(['template', RELEASE, CHART, '--namespace', NAMESPACE, ...sets]);
}

/** The objects in a rendered text. @throws Error where it is no YAML */
export function objectsOf(text: string): readonly Rendered[] {
  return parseAllDocuments(text).map((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    // Parser: a rendered document is an object with a kind; a test fails where it is not.
    return document.toJS() as Rendered;
  });
}
