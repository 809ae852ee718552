/** Builds one program of the control plane from the Go modules in this folder. */
import { spawn } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BinaryName, Environment, Report } from './binaries.ts';

/** The compiler says nothing for minutes; a silent program looks like a hung one. */
const PROGRESS_EVERY_MS = 10_000;

/** Without the version the server calls itself v0.0.0, and clients misjudge what it can do. */
const KUBERNETES_LINKER_FLAGS = [
  '-s -w',
  '-X k8s.io/component-base/version.gitVersion=v1.37.2',
  '-X k8s.io/component-base/version.gitMajor=1',
  '-X k8s.io/component-base/version.gitMinor=37',
].join(' ');

/** Without it Helm calls itself v4.3, which charts compare with. */
const HELM_LINKER_FLAGS = '-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1';

/** What a program is built from. */
export type Source = {
  /** What it is called in messages. */
  readonly name: string;
  /** The folder of its Go module, here. */
  readonly module: string;
  readonly package: string;
  readonly linkerFlags: string;
};

function sourceOf(name: BinaryName): Source {
  if (name === 'etcd') {
    return { name, module: 'etcd', package: 'go.etcd.io/etcd/server/v3', linkerFlags: '-s -w' };
  }
  if (name === 'helm') {
    return {
      name,
      module: 'helm',
      package: 'helm.sh/helm/v4/cmd/helm',
      linkerFlags: HELM_LINKER_FLAGS,
    };
  }
  if (name === 'coredns') return { name, module: 'coredns', package: '.', linkerFlags: '-s -w' };
  return {
    name,
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${name}`,
    linkerFlags: KUBERNETES_LINKER_FLAGS,
  };
}

/** Compiles a program of the control plane; see `buildSource`. */
export function build(
  name: BinaryName,
  target: string,
  options: { readonly env: Environment; readonly report: Report },
): Promise<void> {
  return buildSource(sourceOf(name), target, options);
}

/**
 * Compiles to `target`, by way of a file beside it, so that a half-written program is never
 * taken for a finished one. Repeatable; fails with the compiler's output, or with one sentence when
 * there is no Go.
 */
export async function buildSource(
  source: Source,
  target: string,
  options: { readonly env: Environment; readonly report: Report },
): Promise<void> {
  const { env, report } = options;
  const { name } = source;
  const unfinished = `${target}.${process.pid}.unfinished`;
  const startedMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedMs) / 1_000);
  report(`building ${name} from source; this is done once and can take some minutes`);
  const progress = setInterval(
    () => report(`still building ${name}, ${seconds()} s`),
    PROGRESS_EVERY_MS,
  );
  try {
    await compile(source, unfinished, env);
    await rename(unfinished, target);
    report(`built ${name} in ${seconds()} s`);
  } finally {
    clearInterval(progress);
    await rm(unfinished, { force: true });
  }
}

async function compile(source: Source, output: string, env: Environment): Promise<void> {
  const { name } = source;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const args = ['build', '-trimpath', '-ldflags', source.linkerFlags, '-o', output, source.package];
  const compiler = spawn('go', args, {
    cwd: join(import.meta.dirname, source.module),
    env: { ...env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  compiler.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  compiler.once('error', (err) =>
    reject(
      new Error(
        `${name} must be built and Go cannot be run: install Go 1.26 or later, or set KUBEBUILDER_ASSETS to a folder that has ${name}`,
        { cause: err },
      ),
    ),
  );
  compiler.once('close', (code) =>
    code === 0
      ? resolve()
      : reject(
          new Error(`building ${name} failed with code ${code}:\n${said.join('').slice(-4_000)}`),
        ),
  );
  return promise;
}
