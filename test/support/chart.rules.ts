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
  const { name, resources, volumeMounts = [], image, args = [] } = container;
  const mounted = volumeMounts.map((mount) => mount.name);
  const rules: readonly (readonly [broken: boolean, complaint: string])[] = [
    ...security(container),
    [resources?.requests === undefined, 'it requests nothing'],
    [!/[:@][^/]+$/.test(image), `its image ${image} has no version`],
    [mounted.some((each) => !volumes.includes(each)), 'it mounts what is not there'],
    [args.some((arg) => /\be\+\d/.test(arg)), 'a number lost its digits'],
    [name === 'gate' && mounted.includes('token'), 'a gate has the token'],
    [name === 'gate' && mounted.includes('master-key'), 'a gate has the master key'],
    [name === 'operator' && !mounted.includes('token'), 'it has no token'],
  ];
  return rules.filter(([broken]) => broken).map(([, complaint]) => complaint);
}

function security({ securityContext = {} }: Container): readonly (readonly [boolean, string])[] {
  const { readOnlyRootFilesystem, allowPrivilegeEscalation, capabilities } = securityContext;
  return [
    [readOnlyRootFilesystem !== true, 'its root can be written'],
    [allowPrivilegeEscalation !== false, 'it may gain privileges'],
    [JSON.stringify(capabilities) !== '{"drop":["ALL"]}', 'it has capabilities'],
  ];
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
