/** What every step stands on: the cluster, its node, Helm, the screen, and ways to wait. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Access } from '../control-plane/access.ts';
import type { Outcome } from '../control-plane/outcome.ts';
import type { ClusterNode } from '../control-plane/node/node.ts';
import { expect, Unmet } from '../demo/expect.ts';
import type { Screen } from '../demo/screen.ts';
import { SecretEntries } from '../demo/secret.ts';
import type { Sensitive } from '../src/kernel/sensitive.ts';
import { Figures } from './figures.ts';
import type { Settings } from './settings.ts';

/** Where the operator is installed. */
export const SYSTEM = 'keyward-system';
/** Where keys and workloads are. */
export const SHOP = 'shop';
const ROOT = join(import.meta.dirname, '..');
/** For anything a cluster does; a hundred times what an idle machine needs. */
const WAIT_MS = 120_000;
const LOOK_AGAIN_MS = 200;
const SECONDS = 1_000;

/** The parts; see the file comment. */
export type StageParts = {
  readonly screen: Screen;
  readonly access: Access;
  readonly node: ClusterNode;
  readonly settings: Settings;
  readonly signal: AbortSignal;
};

/** Does things as an administrator would, with kubectl and Helm, and shows what it does. */
export class Stage {
  readonly screen: Screen;
  readonly access: Access;
  readonly node: ClusterNode;
  readonly settings: Settings;
  readonly figures = new Figures();
  /** The secret part of every value that any Secret had; searched for at the end. */
  readonly values: Sensitive[] = [];
  /** The value of a key whose object will go away while no operator runs. */
  orphan: Sensitive | undefined;
  readonly #signal: AbortSignal;

  constructor(parts: StageParts) {
    this.screen = parts.screen;
    this.access = parts.access;
    this.node = parts.node;
    this.settings = parts.settings;
    this.#signal = parts.signal;
  }

  // ---- commands that are shown ----

  /** Runs kubectl, shows command and output, and returns the output. Fails when kubectl fails. */
  async kubectl(...args: readonly string[]): Promise<string> {
    this.screen.command(`kubectl ${args.join(' ')}`);
    const text = await this.ask(args);
    this.screen.block(text);
    return text;
  }

  /** Applies a file of this repository. @param namespace absent: the file's own */
  async apply(file: string, namespace?: string): Promise<void> {
    const where = namespace === undefined ? [] : ['-n', namespace];
    this.screen.command(['kubectl', 'apply', ...where, '-f', file].join(' '));
    this.screen.block(await this.ask(['apply', ...where, '-f', join(ROOT, file)]));
  }

  /** Patches an object in the namespace of the keys, and shows the patch. */
  async patch(target: string, patch: object): Promise<void> {
    const text = JSON.stringify(patch);
    this.screen.command(`kubectl -n ${SHOP} patch ${target} --type=merge -p '${text}'`);
    await this.ask(['-n', SHOP, 'patch', target, '--type=merge', '-p', text]);
  }

  /** Runs Helm and shows its command. @returns what it says @throws Unmet when it fails */
  async helm(...args: readonly string[]): Promise<string> {
    this.screen.command(`helm ${args.join(' ').replaceAll(`${ROOT}/`, '')}`);
    const { stdout, stderr, code } = await this.#run(this.settings.helm, args);
    expect(`helm ${args[0]} succeeds`, code === 0, `${stderr}\n${stdout}`.trim());
    return stdout;
  }

  // ---- questions that are not shown ----

  /** Runs kubectl; a failure is an outcome. */
  try(args: readonly string[], input = ''): Promise<Outcome> {
    return this.access.kubectl(args, { input, signal: this.#signal });
  }

  /** Runs kubectl and returns its output. @throws Unmet with kubectl's words */
  async ask(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    expect(`kubectl ${args.join(' ')} succeeds`, code === 0, stderr.trim());
    return stdout;
  }

  /** One field of an object, as text; empty when there is none. @param path as `.status.keyId` */
  async field(namespace: string, target: string, path: string): Promise<string> {
    const where = namespace === '' ? [] : ['-n', namespace];
    const args = [...where, 'get', target, '-o', `jsonpath={${path}}`];
    return (await this.try(args)).stdout;
  }

  /** What is in a Secret; remembers its values. @param namespace absent: that of the keys */
  async secret(name: string, namespace = SHOP): Promise<SecretEntries> {
    const ask = (args: readonly string[]) => this.ask(['-n', namespace, ...args]);
    const entries = await SecretEntries.read({ ask }, name);
    this.values.push(...entries.secretParts());
    return entries;
  }

  // ---- waiting ----

  /** Waits until something is so. @returns milliseconds that took @throws Unmet when it never is */
  async until(what: string, isSo: () => Promise<boolean>): Promise<number> {
    const startMs = performance.now();
    while (!(await isSo())) {
      if (performance.now() - startMs > WAIT_MS) throw new Unmet(what, 'it is not so');
      await pause(LOOK_AGAIN_MS, undefined, { signal: this.#signal });
    }
    return performance.now() - startMs;
  }

  /** As `kubectl wait`, shown. @returns milliseconds it took */
  async wait(namespace: string, target: string, condition: string): Promise<number> {
    this.screen.command(`kubectl -n ${namespace} wait ${target} ${condition}`);
    const startMs = performance.now();
    const timeout = `--timeout=${WAIT_MS / SECONDS}s`;
    const { code, stderr } = await this.try(['-n', namespace, 'wait', target, condition, timeout]);
    expect(`${target}: ${condition}`, code === 0, stderr.trim());
    return performance.now() - startMs;
  }

  #run(path: string, args: readonly string[]): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const { workDir, adminKubeconfig } = this.access;
    const home = join(workDir, 'helm');
    const env = {
      ...process.env,
      KUBECONFIG: adminKubeconfig,
      HELM_CACHE_HOME: join(home, 'cache'),
      HELM_CONFIG_HOME: join(home, 'config'),
      HELM_DATA_HOME: join(home, 'data'),
    };
    execFile(path, args, { env, signal: this.#signal }, (err, stdout, stderr) => {
      const code = err === null ? 0 : typeof err.code === 'number' ? err.code : -1;
      resolve({ stdout, stderr: err !== null && stderr === '' ? err.message : stderr, code });
    });
    return promise;
  }
}
