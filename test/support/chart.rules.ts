/** What holds for everything that the chart renders, whatever it was told. */
import { NAMESPACE, type Rendered } from './chart.ts';

type Container = {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
};
type Pod = {
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
};
type Workload = Rendered & {
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: Pod;
    };
  };
};

const CLUSTER_SCOPED =
  /^(CustomResourceDefinition|ClusterRole(Binding)?|\w+AdmissionPolicy(Binding)?)$/;

/** What is wrong, as sentences; empty when all is well. */
export function complaintsOf(objects: readonly Rendered[]): readonly string[] {
  return [
    ...duplicates(objects),
    ...objects.flatMap(aboutObject),
    ...workloads(objects).flatMap(aboutPod),
    ...aboutReplicas(objects),
  ];
}

function workloads(objects: readonly Rendered[]): readonly Workload[] {
  // Parser: these kinds have a template of pods.
  return objects.filter(({ kind }) => /^(StatefulSet|Deployment|Job)$/.test(kind)) as Workload[];
}

function duplicates(objects: readonly Rendered[]): readonly string[] {
  const ids = objects.map(
    ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
  );
  return ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `${id} is there twice`);
}

function aboutObject(object: Rendered): readonly string[] {
  const { kind, metadata } = object;
  const id = `${kind} ${metadata.name}`;
  const said: string[] = [];
  if (JSON.stringify(object).includes('keyward-system'))
    said.push(`${id} has keyward-system in it`);
  if (metadata.labels?.['app.kubernetes.io/part-of'] !== 'keyward') said.push(`${id} has no label`);
  if (CLUSTER_SCOPED.test(kind) !== (metadata.namespace === undefined)) {
    said.push(`${id} is in the wrong namespace`);
  }
  if (metadata.name.length > 63) said.push(`${id} has a name that is too long`);
  return said;
}

function aboutPod({ kind, metadata, spec }: Workload): readonly string[] {
  const pod = spec.template.spec;
  const id = `${kind} ${metadata.name}`;
  const said: string[] = [];
  if (pod.automountServiceAccountToken !== false)
    said.push(`${id} mounts a token into every container`);
  if (pod.securityContext?.['runAsNonRoot'] !== true) said.push(`${id} may run as root`);
  if (pod.securityContext?.['seccompProfile'] === undefined)
    said.push(`${id} has no seccomp profile`);
  const labels = spec.template.metadata.labels;
  for (const [label, value] of Object.entries(spec.selector?.matchLabels ?? {})) {
    if (labels[label] !== value) said.push(`${id} does not select its own pods`);
  }
  const volumes = pod.volumes?.map(({ name }) => name) ?? [];
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    said.push(
      ...aboutContainer(container, volumes).map((each) => `${id}, ${container.name}: ${each}`),
    );
  }
  return said;
}

function aboutContainer(container: Container, volumes: readonly string[]): readonly string[] {
  const { name, securityContext, resources, volumeMounts = [], image, args = [] } = container;
  const said: string[] = [];
  const mounted = volumeMounts.map((mount) => mount.name);
  if (securityContext?.['readOnlyRootFilesystem'] !== true) said.push('its root can be written');
  if (securityContext?.['allowPrivilegeEscalation'] !== false) said.push('it may gain privileges');
  if (JSON.stringify(securityContext?.['capabilities']) !== '{"drop":["ALL"]}') {
    said.push('it has capabilities');
  }
  if (resources?.requests === undefined) said.push('it requests nothing');
  if (!/[:@][^/]+$/.test(image)) said.push(`its image ${image} has no version`);
  if (mounted.some((each) => !volumes.includes(each) && each !== 'more'))
    said.push('it mounts what is not there');
  if (args.some((arg) => /\be\+\d/.test(arg))) said.push('a number lost its digits');
  if (name === 'gate' && mounted.some((each) => /token|master-key/.test(each))) {
    said.push('a gate has the token or the master key');
  }
  if (name === 'operator' && !mounted.includes('token')) said.push('it has no token');
  return said;
}

/** Budgets where there is more than one pod, and only there: else no node could be drained. */
function aboutReplicas(objects: readonly Rendered[]): readonly string[] {
  const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
  const several = workloads(objects).filter(({ spec }) => (spec.replicas ?? 1) > 1);
  const scaled = objects.some(({ kind }) => kind === 'HorizontalPodAutoscaler') ? 1 : 0;
  const said = several.length + scaled < budgets.length ? ['a budget for a single pod'] : [];
  const embedded = workloads(objects).filter(({ kind }) => kind === 'StatefulSet');
  const shares = embedded.some(({ spec }) => (spec.replicas ?? 1) > 1);
  return shares ? [...said, `two pods in ${NAMESPACE} share a database file`] : said;
}
