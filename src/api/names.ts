/** API group, resources, labels, annotations, finalizers: every name that leaves the process. */
import type { Resource } from './meta.ts';

/** API group of all kinds. */
export const GROUP = 'keyward.dev';
/** The one served version. */
const VERSION = 'v1alpha1';
/** `group/version`, as objects carry it. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** A credential, its Secret and its life. */
export const API_KEYS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'apikeys',
  kind: 'ApiKey',
  namespaced: true,
};
/** Where keys of one namespace live. */
export const KEY_STORES: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'keystores',
  kind: 'KeyStore',
  namespaced: true,
};
/** Where keys of many namespaces live. */
export const CLUSTER_KEY_STORES: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'clusterkeystores',
  kind: 'ClusterKeyStore',
  namespaced: false,
};
/** The form with which keys are applied for; what is granted belongs to it. */
export const API_KEY_APPLICATIONS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'apikeyapplications',
  kind: 'ApiKeyApplication',
  namespaced: true,
};
/** One decision of one person about a form, a key or a client. */
export const API_KEY_REVIEWS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'apikeyreviews',
  kind: 'ApiKeyReview',
  namespaced: true,
};
/** Who keys are for. */
export const API_CLIENTS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'apiclients',
  kind: 'ApiClient',
  namespaced: true,
};
/** An API that can be chosen. */
export const API_PRODUCTS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'apiproducts',
  kind: 'ApiProduct',
  namespaced: false,
};
/** What the API server checks of requests; ours are in deploy/admission. */
export const ADMISSION_POLICIES: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
  namespaced: false,
};
/** Without its binding a policy does nothing. */
export const ADMISSION_BINDINGS: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
  namespaced: false,
};
/** Core Secrets. */
export const SECRETS: Resource = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
};
/** Core Namespaces. */
export const NAMESPACES: Resource = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};
/** Leader election. */
export const LEASES: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
/** Workloads whose pods can be replaced one after the other. */
export const WORKLOADS = {
  Deployment: workload('Deployment', 'deployments'),
  StatefulSet: workload('StatefulSet', 'statefulsets'),
  DaemonSet: workload('DaemonSet', 'daemonsets'),
} as const satisfies Record<string, Resource>;
/** Events of the new API group. */
export const EVENTS: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};
/** Asks whether somebody may do something; answered at once, never kept. */
export const SUBJECT_ACCESS_REVIEWS: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
};
/** Asks what one may do oneself in a namespace; answered at once, never kept. */
export const SELF_SUBJECT_RULES_REVIEWS: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectrulesreviews',
  kind: 'SelfSubjectRulesReview',
  namespaced: false,
};

/** Asks whose token this is; answered at once, never kept. */
export const TOKEN_REVIEWS: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
  namespaced: false,
};

/** Keeps an object until Keyward has ended what it stands for. */
export const FINALIZER = `${GROUP}/revoke`;

/** On each Secret we write: the name of the ApiKey it belongs to. The Secret watch selects by it. */
export const LABEL_API_KEY = `${GROUP}/api-key`;
/** Recommended label of Kubernetes. */
export const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by';
/** Our value of it. */
export const MANAGED_BY = 'keyward';

/** Version and digest of the Secret's entries; compared with the ledger. */
export const ANNOTATION_FINGERPRINT = `${GROUP}/fingerprint`;
/** Message authentication code over Secret, ApiKey UID, sequence and fingerprint: proves that we wrote it. */
export const ANNOTATION_MAC = `${GROUP}/mac`;
/** On the Lease: which database the leader writes, so that another one is noticed. */
export const ANNOTATION_DATABASE = `${GROUP}/database-id`;
/** On the Lease: how many commits that database had; fewer at the next start is an old backup. */
export const ANNOTATION_COMMITS = `${GROUP}/commit-counter`;
/** On the Lease: the incarnation of that database; `keyward restore` makes another one. */
export const ANNOTATION_INCARNATION = `${GROUP}/database-incarnation`;
/** On the Lease: the last incarnations of that database, newest last; an older one is an old backup. */
export const ANNOTATION_INCARNATIONS = `${GROUP}/database-incarnations`;
/** Imperative twin of spec.rotation.requestId. */
export const ANNOTATION_ROTATE = `${GROUP}/rotate-request-id`;

/** On a form, owned by admission: user name of who created it. */
export const ANNOTATION_APPLICANT = `${GROUP}/applicant`;
/**
 * On a form, owned by admission: user names of who else changed its spec, one per line, in the order of
 * their first edits; absent: nobody.
 */
export const ANNOTATION_EDITORS = `${GROUP}/editors`;

/**
 * Begins the name of the one annotation of a pod template that a rotation changes; the name of the ApiKey
 * follows, so that several keys may restart one workload.
 */
export const ANNOTATION_RESTART_PREFIX = `restart.${GROUP}/`;

/** On an ApiKey: `pending` has it wait for `keyward import` instead of being issued. */
export const ANNOTATION_IMPORT = `${GROUP}/import`;

/** Default type of our Secrets: Service Binding, type api-key. */
export const SECRET_TYPE_BINDING = 'servicebinding.io/api-key';

/** Reported by events and used as field manager. */
export const CONTROLLER_NAME = 'keyward.dev/operator';
/** Who we are in managedFields. */
export const FIELD_MANAGER = 'keyward';
/** The same where we own one annotation of somebody else's workload. */
export const RESTART_MANAGER = 'keyward-rollout';

function workload(kind: string, plural: string): Resource {
  return { group: 'apps', version: 'v1', plural, kind, namespaced: true };
}
