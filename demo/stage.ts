/** What every step stands on: the cluster, the operator, the gate's decision, and the screen. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Outcome } from '../control-plane/outcome.ts';
import type { ApiKeyStatus } from '../src/api/generated/apikey.ts';
import type { Sensitive } from '../src/kernel/sensitive.ts';
import type { Cluster } from './cluster.ts';
import type { Database } from './database.ts';
import { expect, Unmet } from './expect.ts';
import { inWords, type Gate, type Request } from './gate.ts';
import { keyward, type Installation, type Program } from './program.ts';
import type { Screen } from './screen.ts';
import { SecretEntries } from './secret.ts';
import type { FormsName } from './forms/name.ts';
import type { Chain } from './gate/chain.ts';
import type { Vendor } from './vendor/vendor.ts';

const ROOT = join(import.meta.dirname, '..');
/** For anything the operator does; a hundred times what an idle machine needs. */
const WAIT = '--timeout=120s';
const WAIT_MS = 120_000;
const LOOK_AGAIN_MS = 200;
const REASON = '{.status.conditions[?(@.type=="Ready")].reason}';

/** An ApiKey as kubectl reads it, as far as steps look at it. */
export type ApiKey = {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: ApiKeyStatus;
};

/** Somebody with a name and rights of his own. */
export type Actor = {
  readonly name: string;
  run(args: readonly string[]): Promise<Outcome>;
};

/** The parts; see the file comment. */
export type StageParts = {
  readonly screen: Screen;
  readonly cluster: Cluster;
  readonly operator: Program;
  readonly installation: Installation;
  readonly database: Database;
  readonly gate: Gate;
  /** Where keys live outside; absent: in the built-in store. */
  readonly vendor: Vendor | undefined;
  /** Whose way of applying is shown; absent: none. */
  readonly forms: FormsName | undefined;
  readonly signal: AbortSignal;
};

/** Does things as a user would, with kubectl and keyward, and shows what it does. */
export class Stage {
  readonly screen: Screen;
  readonly cluster: Cluster;
  readonly operator: Program;
  readonly installation: Installation;
  readonly database: Database;
  readonly vendor: Vendor | undefined;
  readonly forms: FormsName | undefined;
  readonly #gate: Gate;
  readonly #signal: AbortSignal;
  /** What calls go through, once it runs; only in the story of the gate. */
  chain: Chain | undefined;
  /** Findings for the end of the run. */
  readonly findings: string[] = [];
  /** The secret part of every value that any Secret had; searched for at the end. */
  readonly values: Sensitive[] = [];

  constructor(parts: StageParts) {
    this.screen = parts.screen;
    this.cluster = parts.cluster;
    this.operator = parts.operator;
    this.installation = parts.installation;
    this.database = parts.database;
    this.vendor = parts.vendor;
    this.forms = parts.forms;
    this.#gate = parts.gate;
    this.#signal = parts.signal;
  }

  // ---- commands that are shown ----

  /** Runs kubectl, shows command and output, and returns the output. Fails when kubectl fails. */
  async kubectl(args: readonly string[]): Promise<string> {
    this.screen.command(`kubectl ${args.join(' ')}`);
    const text = await this.ask(args);
    this.screen.block(text);
    return text;
  }

  /** Applies a file of this repository and shows it. @param who absent: the administrator */
  async apply(file: string, who?: Actor): Promise<void> {
    const args = ['apply', '-f', join(ROOT, file)];
    this.screen.command(`kubectl apply -f ${file}`, who?.name);
    this.screen.block(withoutComments(await readFile(join(ROOT, file), 'utf8')));
    const { code, stderr } = await (who === undefined ? this.try(args) : who.run(args));
    expect(`kubectl applies ${file}`, code === 0, stderr.trim());
  }

  /** Applies an object given as data and shows it as YAML. */
  async applyObject(object: object): Promise<void> {
    this.screen.command('kubectl apply -f -');
    const yaml = stringify(object);
    this.screen.block(yaml);
    await this.ask(['apply', '-f', '-'], yaml);
  }

  /** Patches an object (`akey/name`) and shows the patch as YAML. Fails when it is refused. */
  async patch(target: string, patch: object): Promise<void> {
    const { code, stderr } = await this.tryPatch(target, patch);
    expect(`kubectl patches ${target}`, code === 0, stderr);
  }

  /** As `patch`, but a refusal is an outcome. */
  async tryPatch(target: string, patch: object): Promise<Outcome> {
    const args = ['patch', target, '--type=merge', '--patch-file'];
    const yaml = stringify(patch);
    this.screen.command(`kubectl ${args.join(' ')} patch.yaml`);
    this.screen.block(yaml);
    const file = join(this.cluster.access.workDir, 'patch.yaml');
    await writeFile(file, yaml);
    return this.try([...args, file]);
  }

  /** Shows a key as `kubectl get` does. */
  show(...names: readonly string[]): Promise<string> {
    return this.kubectl(['get', 'akey', ...names]);
  }

  /** Runs a command of keyward, shows it with its output, and returns the output. */
  async keyward(args: readonly string[], input?: Sensitive): Promise<Outcome> {
    this.screen.command(`keyward ${args.join(' ')}`);
    const given = input === undefined ? {} : { input: input.revealText() };
    const outcome = await keyward(this.installation, args, given);
    this.screen.block(outcome.stdout + outcome.stderr);
    return outcome;
  }

  /** Runs a command of keyward without showing it. */
  quiet(args: readonly string[]): Promise<Outcome> {
    return keyward(this.installation, args);
  }

  /** Shows what Ready says beside its reason. */
  async showMessage(name: string): Promise<void> {
    const { status } = await this.key(name);
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    this.screen.say(`It says: ${ready?.message}`);
  }

  // ---- questions that are not shown ----

  /** Runs kubectl; a failure is an outcome. */
  try(args: readonly string[], input = ''): Promise<Outcome> {
    return this.cluster.access.kubectl(args, { input, signal: this.#signal });
  }

  /** Runs kubectl and returns its output. @throws Unmet with kubectl's words */
  async ask(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    expect(`kubectl ${args.join(' ')} succeeds`, code === 0, stderr.trim());
    return stdout;
  }

  /** The ApiKey as it is now. */
  async key(name: string): Promise<ApiKey> {
    return JSON.parse(await this.ask(['get', 'akey', name, '-o', 'json'])) as ApiKey;
  }

  /** What is in a Secret now; remembers its values. @throws Unmet when there is none */
  async secret(name: string): Promise<SecretEntries> {
    const entries = await SecretEntries.read(this, name);
    this.values.push(...entries.secretParts());
    return entries;
  }

  // ---- waiting ----

  /** Waits until Ready of an object (`akapp/name`) has this reason. @returns its message */
  async untilSaid(target: string, reason: string): Promise<string> {
    const { code } = await this.try(['wait', target, `--for=jsonpath=${REASON}=${reason}`, WAIT]);
    const message = '{.status.conditions[?(@.type=="Ready")].message}';
    const { stdout, stderr } = await this.try(['get', target, '-o', `jsonpath=${message}`]);
    expect(`${target}: Ready has reason ${reason}`, code === 0, stdout + stderr);
    return stdout;
  }

  /** Waits until the key is Ready, and shows the command that does so. */
  async untilReady(name: string): Promise<void> {
    this.screen.command(`kubectl wait --for=condition=Ready akey/${name}`);
    await this.#wait(name, '--for=condition=Ready', 'Ready=True');
  }

  /** Waits until Ready has this reason. */
  untilReason(name: string, reason: string): Promise<void> {
    return this.#wait(name, `--for=jsonpath=${REASON}=${reason}`, `Ready has reason ${reason}`);
  }

  /** Waits until a field of the status (`.status.sequence`) has this text. */
  untilField(name: string, path: string, text: string): Promise<void> {
    return this.#wait(name, `--for=jsonpath={${path}}=${text}`, `${path} is ${text}`);
  }

  /** Waits until something is so that kubectl cannot wait for. @throws Unmet when it never is */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + WAIT_MS;
    while (!(await isSo())) {
      if (performance.now() > endMs) throw new Unmet(what, 'it is not so');
      await pause(LOOK_AGAIN_MS, undefined, { signal: this.#signal });
    }
  }

  // ---- evidence ----

  /** Asks for a verdict and shows it. @throws Unmet unless it is the one that was expected */
  async verify(
    what: string,
    value: Sensitive,
    expected: 'accepted' | readonly string[],
    request: Request = {},
  ): Promise<void> {
    const answer = await this.#gate.answer(value, request);
    const words = inWords(answer);
    const isSo =
      answer.type === 'Allowed' ? expected === 'accepted' : expected.includes(answer.reason);
    const wanted = typeof expected === 'string' ? expected : `refused (${expected.join(' or ')})`;
    expect(`gate: ${what} → ${wanted}`, isSo, words);
    this.screen.proof(`gate: ${what} → ${words}`);
  }

  /** Asks for a verdict without showing it. */
  async isAccepted(value: Sensitive, request: Request = {}): Promise<boolean> {
    return (await this.#gate.answer(value, request)).type === 'Allowed';
  }

  async #wait(name: string, condition: string, what: string): Promise<void> {
    const { code } = await this.try(['wait', `akey/${name}`, condition, WAIT]);
    if (code === 0) return;
    const { stdout, stderr } = await this.try(['get', 'akey', name, '-o', 'wide']);
    throw new Unmet(`ApiKey ${name}: ${what}`, stdout + stderr);
  }
}

function withoutComments(yaml: string): string {
  return yaml.replace(/^#.*\n/gm, '');
}
