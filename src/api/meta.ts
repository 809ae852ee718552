/** The part of Kubernetes object metadata that Keyward relies on. */

/** Identity of a namespaced object in the queue and in caches; cluster-scoped: namespace ''. */
export type Ref = { readonly namespace: string; readonly name: string };

/** One object and no later one of its name. */
export type UidRef = Ref & { readonly uid: string };

/** `namespace/name`, or `name` for cluster-scoped objects; for maps, logs and messages. */
export function refText(ref: Ref): string {
  return ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`;
}

/** The ref that `refText` wrote. */
export function parseRef(text: string): Ref {
  const slash = text.indexOf('/');
  return slash < 0
    ? { namespace: '', name: text }
    : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** metav1.OwnerReference. */
export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** Who controls an object, if it is of this kind; undefined: nobody, or something else. */
export function controllerOf(
  owners: readonly OwnerReference[] | undefined,
  { group, version, kind }: Resource,
): OwnerReference | undefined {
  return owners?.find(
    (owner) =>
      owner.controller === true &&
      owner.kind === kind &&
      owner.apiVersion === `${group}/${version}`,
  );
}

/** metav1.ObjectMeta as the API server sends it, cut to what is used. */
export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
};

/** Any Kubernetes object; `Rest` are the fields beside metadata. */
export type KubeObject<Rest = unknown> = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
} & Rest;

/** metav1.Condition. */
export type Condition = {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
};

/** A kind of object as the REST API addresses it. */
export type Resource = {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, as in the URL. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};
