/**
 * What the operator asks of the API server: the one list from which the manifests in deploy/rbac are
 * written, against which an operator compares its account when it starts, and which a test
 * compares with the audit log of a real API server, both ways. Pure.
 */
import type { Resource } from './meta.ts';
import {
  ADMISSION_BINDINGS,
  ADMISSION_POLICIES,
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  API_KEYS,
  API_PRODUCTS,
  CLUSTER_KEY_STORES,
  EVENTS,
  KEY_STORES,
  LEASES,
  NAMESPACES,
  SECRETS,
  SELF_SUBJECT_RULES_REVIEWS,
  SUBJECT_ACCESS_REVIEWS,
  TOKEN_REVIEWS,
  WORKLOADS,
} from './names.ts';

/** What may be done, as RBAC calls it. */
type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/**
 * Where it is done. Watched: in each watched namespace. Own: in the operator's own. Default: in the
 * namespace of that name. Cluster: with what belongs to no namespace.
 */
export type RightScope = 'Watched' | 'Own' | 'Default' | 'Cluster';

/** Some verbs on some resources of one API group, all for the same reason. */
export type Right = {
  readonly resources: readonly Pick<Resource, 'group' | 'plural'>[];
  readonly subresource?: 'status';
  readonly verbs: readonly Verb[];
  readonly scope: RightScope;
  /** Only objects of these names; absent: all. RBAC can name no objects that are created or listed. */
  readonly names?: readonly string[];
  /** What it is for, as a sentence; stands above the rule in the manifests. */
  readonly use: string;
  /** What does not work without it, as the end of the sentence "without it …". */
  readonly without: string;
  /**
   * Core: an operator cannot do without. Others are features: SecretWatch with `--secret-watch=metadata`,
   * SharedStores for ClusterKeyStores, Products for ApiProducts, Selectors for stores and products that
   * select namespaces by label, Restart for `spec.rotation.restartTargets`, MetricsAuth with
   * `--metrics-auth=delegated`.
   */
  readonly feature: Feature;
};

/** What of an operator a right belongs to; see Right. */
export type Feature =
  | 'Core'
  | 'SecretWatch'
  | 'SharedStores'
  | 'Products'
  | 'Selectors'
  | 'Restart'
  | 'MetricsAuth';

const READ = ['get', 'list', 'watch'] as const;
const FOLLOW = ['list', 'watch'] as const;

/** All of them, in the order in which the manifests show them. */
export const OPERATOR_RIGHTS: readonly Right[] = [
  {
    resources: [API_KEYS],
    verbs: [...READ, 'create', 'update', 'patch'],
    scope: 'Watched',
    use: 'patch is for the finalizer; create gives an approved application its key, update moves the spec.secret of such a key after that of its form.',
    without: 'no key is issued',
    feature: 'Core',
  },
  {
    resources: [API_KEY_APPLICATIONS],
    verbs: [...READ, 'patch'],
    scope: 'Watched',
    use: 'patch is for the finalizer.',
    without: 'nothing can be applied for',
    feature: 'Core',
  },
  {
    resources: [KEY_STORES],
    verbs: [...READ, 'patch'],
    scope: 'Watched',
    use: 'patch is for the finalizer.',
    without: 'keys cannot live in KeyStores',
    feature: 'Core',
  },
  {
    resources: [API_KEY_REVIEWS],
    verbs: FOLLOW,
    scope: 'Watched',
    use: 'Reviews are followed and never read one by one.',
    without: 'no decision counts',
    feature: 'Core',
  },
  {
    resources: [API_CLIENTS],
    verbs: READ,
    scope: 'Watched',
    use: 'Clients are never written, but for their status.',
    without: 'keys on behalf of clients are not issued',
    feature: 'Core',
  },
  {
    resources: [API_KEYS, API_KEY_APPLICATIONS, API_KEY_REVIEWS, API_CLIENTS, KEY_STORES],
    subresource: 'status',
    verbs: ['update'],
    scope: 'Watched',
    use: 'What became of each object.',
    without: 'nobody sees what became of an object',
    feature: 'Core',
  },
  {
    resources: [SECRETS],
    verbs: ['get', 'create', 'update', 'delete'],
    scope: 'Watched',
    use: 'get is for the Secrets of keys and for the credentials of KeyStores. A policy keeps the rest to our own Secrets.',
    without: 'values do not reach their Secrets',
    feature: 'Core',
  },
  {
    resources: [SECRETS],
    verbs: FOLLOW,
    scope: 'Watched',
    use: 'Asked for as metadata only, which RBAC cannot express; leave them out where the operator runs with --secret-watch=none.',
    without: 'changed and lost Secrets are not noticed; run with --secret-watch=none instead',
    feature: 'SecretWatch',
  },
  {
    resources: [NAMESPACES],
    verbs: ['get'],
    scope: 'Watched',
    use: 'Whether a Secret is gone because its namespace is.',
    without: 'lost Secrets are not made anew',
    feature: 'Core',
  },
  {
    resources: [EVENTS],
    verbs: ['get', 'create', 'update'],
    scope: 'Watched',
    use: 'get and update count an event that happens again.',
    without: 'there are no events',
    feature: 'Core',
  },
  {
    resources: [CLUSTER_KEY_STORES],
    verbs: [...READ, 'patch'],
    scope: 'Cluster',
    use: 'patch is for the finalizer.',
    without: 'keys cannot live in ClusterKeyStores',
    feature: 'SharedStores',
  },
  {
    resources: [CLUSTER_KEY_STORES],
    subresource: 'status',
    verbs: ['update'],
    scope: 'Cluster',
    use: 'What became of each.',
    without: 'nobody sees what became of a ClusterKeyStore',
    feature: 'SharedStores',
  },
  {
    resources: [API_PRODUCTS],
    verbs: READ,
    scope: 'Cluster',
    use: 'Which APIs can be asked for.',
    without: 'keys for products are not issued',
    feature: 'Products',
  },
  {
    resources: [API_PRODUCTS],
    subresource: 'status',
    verbs: ['update'],
    scope: 'Cluster',
    use: 'What became of each.',
    without: 'nobody sees what became of an ApiProduct',
    feature: 'Products',
  },
  {
    resources: [NAMESPACES],
    verbs: FOLLOW,
    scope: 'Cluster',
    use: 'Labels of namespaces, for stores and products that select by them; asked for as metadata only.',
    without: 'ClusterKeyStores and ApiProducts that select namespaces by label serve none',
    feature: 'Selectors',
  },
  {
    resources: [NAMESPACES],
    verbs: ['get'],
    scope: 'Cluster',
    names: ['kube-system'],
    use: 'Its UID tells this cluster from others, so that no database is used in two.',
    without: 'the operator does not start',
    feature: 'Core',
  },
  {
    resources: [SUBJECT_ACCESS_REVIEWS],
    verbs: ['create'],
    scope: 'Cluster',
    use: 'Whether a reviewer may decide is asked when the decision is counted.',
    without: 'no decision counts',
    feature: 'Core',
  },
  {
    resources: [ADMISSION_POLICIES, ADMISSION_BINDINGS],
    verbs: ['get'],
    scope: 'Cluster',
    names: ['keyward-applications', 'keyward-reviews'],
    use: 'That nobody exchanged or removed the policies which say who wrote a form or a review.',
    without: 'no decision counts',
    feature: 'Core',
  },
  {
    resources: [SELF_SUBJECT_RULES_REVIEWS],
    verbs: ['create'],
    scope: 'Cluster',
    use: 'Which of these rights it has, so that it can name those it lacks; Kubernetes gives this to every account.',
    without: 'missing rights are not named in the log',
    feature: 'Core',
  },
  {
    resources: [LEASES],
    verbs: ['create'],
    scope: 'Own',
    use: 'The Lease that makes one operator the active one.',
    without: 'the operator never leads',
    feature: 'Core',
  },
  {
    resources: [LEASES],
    verbs: ['get', 'update'],
    scope: 'Own',
    names: ['keyward-operator'],
    use: 'The same, and no other Lease.',
    without: 'the operator never leads',
    feature: 'Core',
  },
  {
    resources: [API_KEY_APPLICATIONS, API_KEY_REVIEWS],
    verbs: ['create'],
    scope: 'Own',
    use: 'Forged forms and reviews that the policies must refuse: sent as dry runs, so that nothing is ever stored.',
    without: 'no decision counts',
    feature: 'Core',
  },
  {
    resources: [SECRETS],
    verbs: ['get'],
    scope: 'Own',
    use: 'Credentials of ClusterKeyStores.',
    without: 'ClusterKeyStores cannot reach their vendors',
    feature: 'SharedStores',
  },
  {
    resources: [EVENTS],
    verbs: ['get', 'create', 'update'],
    scope: 'Default',
    use: 'Events about ClusterKeyStores; Kubernetes keeps them in this namespace.',
    without: 'there are no events about ClusterKeyStores',
    feature: 'SharedStores',
  },
  {
    resources: [WORKLOADS.Deployment, WORKLOADS.StatefulSet, WORKLOADS.DaemonSet],
    verbs: ['get', 'patch'],
    scope: 'Watched',
    use: 'patch is for annotations of the pod template, which an admission policy keeps it to; get is for whether they are there already.',
    without: 'workloads in spec.rotation.restartTargets are not restarted',
    feature: 'Restart',
  },
  {
    resources: [TOKEN_REVIEWS],
    verbs: ['create'],
    scope: 'Cluster',
    use: 'Whose token it is that asks for /metrics; what that user may do is asked by subjectaccessreviews.',
    without: 'nobody may read /metrics with --metrics-auth=delegated',
    feature: 'MetricsAuth',
  },
];
