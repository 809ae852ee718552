/**
 * The repository of samples/gitops on a real control plane, as Flux and Argo CD work on it: both under
 * their own accounts, Flux by its own library, Argo CD by kubectl's client-side apply, which it is built on.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Access } from '../../control-plane/access.ts';
import type { Outcome } from '../../control-plane/outcome.ts';
import { askGitops, type Answer, type Question } from '../../control-plane/gitops.ts';
import { ROOT } from '../runner/command.ts';

/** A manifest of the repository. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: object;
};

/** The objects of a file, or of several, below samples/gitops. */
export function manifests(...files: readonly string[]): readonly Manifest[] {
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(ROOT, 'samples', 'gitops', file), 'utf8'))
      // Parser: our own files, which the API server checks.
      .map((document) => document.toJS() as Manifest),
  );
}

/** Applies manifests, and tells of drift. */
export interface Pipeline {
  /** Its user name at the API server. */
  readonly account: string;
  apply(objects: readonly Manifest[]): Promise<void>;
  /** What its own code finds to be different, one line each; empty: nothing. */
  drift(objects: readonly Manifest[]): Promise<readonly string[]>;
  /** `kubectl diff` in the manner in which it applies; code 0: nothing, 1: something. */
  diff(objects: readonly Manifest[]): Promise<Outcome>;
  /** Server-side apply as a dry run without force; it fails where somebody else has taken a field. */
  dryRun(objects: readonly Manifest[]): Promise<Outcome>;
}

/** A service account with all rights, as both tools have by default. */
async function administrator(access: Access, namespace: string, name: string): Promise<string> {
  const kubeconfig = await access.kubeconfigFor(namespace, name);
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${namespace}-${name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
  };
  await access.mustKubectl(['apply', '-f', '-'], { input: JSON.stringify(binding) });
  return kubeconfig;
}

/** Flux's kustomize-controller. */
export class Flux implements Pipeline {
  readonly account = 'system:serviceaccount:flux-system:kustomize-controller';
  readonly #access: Access;
  readonly #kubeconfig: string;

  static async open(access: Access): Promise<Flux> {
    return new Flux(access, await administrator(access, 'flux-system', 'kustomize-controller'));
  }

  private constructor(access: Access, kubeconfig: string) {
    this.#access = access;
    this.#kubeconfig = kubeconfig;
  }

  async apply(objects: readonly Manifest[]): Promise<void> {
    await this.#ask({ op: 'flux-apply', objects });
  }

  async drift(objects: readonly Manifest[]): Promise<readonly string[]> {
    // Parser: what gitops/flux.go writes.
    const changes = (await this.#ask({ op: 'flux-diff', objects })) as readonly {
      readonly subject: string;
      readonly action: string;
    }[];
    return changes
      .filter(({ action }) => action !== 'unchanged')
      .map((change) => JSON.stringify(change));
  }

  /** `wait: true` with these health checks: undefined when all is current, else why not. */
  async wait(
    objects: readonly Manifest[],
    options: { readonly healthChecks: unknown; readonly timeoutSeconds: number },
  ): Promise<string | undefined> {
    // Parser: what gitops/flux.go writes.
    const said = (await this.#ask({ op: 'flux-wait', objects, ...options })) as string | null;
    return said ?? undefined;
  }

  diff(objects: readonly Manifest[]): Promise<Outcome> {
    return this.#kubectl(['diff', ...this.#serverSide()], objects);
  }

  dryRun(objects: readonly Manifest[]): Promise<Outcome> {
    return this.#kubectl(['apply', '--dry-run=server', ...this.#serverSide()], objects);
  }

  #serverSide(): readonly string[] {
    return ['--server-side', '--field-manager=kustomize-controller'];
  }

  #kubectl(args: readonly string[], objects: readonly Manifest[]): Promise<Outcome> {
    const kubeconfig = this.#kubeconfig;
    return this.#access.kubectl([...args, '-f', '-'], { kubeconfig, input: listOf(objects) });
  }

  async #ask(question: Question): Promise<unknown> {
    return answerOf(question, this.#kubeconfig);
  }
}

/** Argo CD's application controller, with its defaults. */
export class ArgoCd implements Pipeline {
  readonly account = 'system:serviceaccount:argocd:argocd-application-controller';
  readonly #access: Access;
  readonly #kubeconfig: string;

  static async open(access: Access): Promise<ArgoCd> {
    return new ArgoCd(
      access,
      await administrator(access, 'argocd', 'argocd-application-controller'),
    );
  }

  private constructor(access: Access, kubeconfig: string) {
    this.#access = access;
    this.#kubeconfig = kubeconfig;
  }

  async apply(objects: readonly Manifest[]): Promise<void> {
    const { stderr, code } = await this.#kubectl(
      ['apply', '--field-manager=argocd-controller'],
      objects,
    );
    assert.equal(code, 0, stderr);
  }

  /** By both comparisons: three ways, and with a dry run on the server. */
  async drift(objects: readonly Manifest[]): Promise<readonly string[]> {
    const tracked = objects.map(trackedBy);
    const managed = ['-o', 'json', '--show-managed-fields'];
    const live = await this.#list(['get', ...managed], tracked);
    const force = ['--server-side', '--force-conflicts', '--dry-run=server'];
    const manager = '--field-manager=argocd-controller';
    const predicted = await this.#list(['apply', ...force, ...managed, manager], tracked);
    const answers = await askGitops(
      tracked.flatMap((object, at) => {
        const question = { object, live: live[at], predicted: predicted[at] };
        return ['argo-diff', 'argo-server-diff'].map((op) => ({ op, ...question }));
      }),
    );
    const isSame = (answer: Answer): boolean =>
      answer.error === undefined &&
      // Parser: what gitops/argo.go writes.
      !(answer.result as { readonly modified: boolean }).modified;
    return answers.filter((answer) => !isSame(answer)).map((answer) => JSON.stringify(answer));
  }

  diff(objects: readonly Manifest[]): Promise<Outcome> {
    return this.#kubectl(['diff', '--field-manager=argocd-controller'], objects);
  }

  dryRun(objects: readonly Manifest[]): Promise<Outcome> {
    const args = ['apply', '--server-side', '--dry-run=server'];
    return this.#kubectl([...args, '--field-manager=argocd-controller'], objects);
  }

  /** An action, as somebody clicks it: its script, and the patch of what it changed. */
  async click(object: Manifest, action: string): Promise<void> {
    const { data: settings } = manifestsIn('contrib/argocd/argocd-cm.yaml');
    const live = await this.live(object);
    const offers = await answerOf({ op: 'argo-actions', object: live, settings });
    assert.partialDeepStrictEqual(
      // Parser: what gitops/argo.go writes.
      (offers as readonly { name: string; disabled?: boolean }[]).filter((each) => !each.disabled),
      [{ name: action }],
    );
    const changed = await answerOf({ op: 'argo-run-action', object: live, action, settings });
    const patch = changesOf(live, changed as Manifest);
    const { name, namespace = '' } = object.metadata;
    const args = ['patch', object.kind, name, '-n', namespace, '--type=merge'];
    const manager = ['--field-manager=argocd-server', '-p', JSON.stringify(patch)];
    await this.#access.mustKubectl([...args, ...manager], { kubeconfig: this.#kubeconfig });
  }

  /** The object as the API server has it. */
  async live({ kind, metadata: { name, namespace } }: Manifest): Promise<Manifest> {
    const where = namespace === undefined ? [] : ['-n', namespace];
    const args = ['get', kind, name, ...where, '-o', 'json', '--show-managed-fields'];
    // Parser: an object of the kind that was asked for.
    return JSON.parse(await this.#access.mustKubectl(args)) as Manifest;
  }

  /** What kubectl prints of several objects, in their order. */
  async #list(args: readonly string[], objects: readonly Manifest[]): Promise<readonly Manifest[]> {
    const options = { kubeconfig: this.#kubeconfig, input: listOf(objects) };
    const text = await this.#access.mustKubectl([...args, '-f', '-'], options);
    // Parser: a list of objects of the kinds that were asked for.
    return (JSON.parse(text) as { readonly items: readonly Manifest[] }).items;
  }

  #kubectl(args: readonly string[], objects: readonly Manifest[]): Promise<Outcome> {
    const input = listOf(objects.map(trackedBy));
    return this.#access.kubectl([...args, '-f', '-'], { kubeconfig: this.#kubeconfig, input });
  }
}

/** Argo CD marks what it applies. */
function trackedBy(object: Manifest): Manifest {
  const { apiVersion, kind, metadata } = object;
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : [''];
  const id = `storefront:${group}/${kind}:${metadata.namespace ?? ''}/${metadata.name}`;
  const annotations = { ...metadata.annotations, 'argocd.argoproj.io/tracking-id': id };
  return { ...object, metadata: { ...metadata, annotations } };
}

/** Annotations and fields of the spec that differ. */
function changesOf(before: Manifest, after: Manifest): object {
  const differing = (a: object = {}, b: object = {}): object => {
    const old = new Map(Object.entries(a));
    const isOther = ([name, value]: [string, unknown]): boolean =>
      JSON.stringify(old.get(name)) !== JSON.stringify(value);
    return Object.fromEntries(Object.entries(b).filter(isOther));
  };
  return {
    metadata: { annotations: differing(before.metadata.annotations, after.metadata.annotations) },
    spec: differing(before.spec, after.spec),
  };
}

function manifestsIn(file: string): { readonly data: unknown } {
  // Parser: our own file.
  return parseAllDocuments(readFileSync(join(ROOT, file), 'utf8'))[0]?.toJS() as { data: unknown };
}

function listOf(items: readonly Manifest[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

async function answerOf(question: Question, kubeconfig?: string): Promise<unknown> {
  const [answer] = await askGitops([question], kubeconfig === undefined ? {} : { kubeconfig });
  if (answer === undefined) throw new Error('no answer');
  if (answer.error !== undefined) throw new Error(`${question.op}: ${answer.error}`);
  return answer.result;
}
