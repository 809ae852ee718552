/** Somebody who applies or decides: acts with a kubeconfig of his own, and shows what he does. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Outcome } from '../../control-plane/outcome.ts';
import { expect } from '../expect.ts';
import { keyward } from '../program.ts';
import type { Stage } from '../stage.ts';

type Kubeconfig = {
  readonly users?: readonly { readonly name: string; readonly user?: object }[];
};

/** See the file comment. */
export class Person {
  readonly name: string;
  readonly #stage: Stage;
  readonly #kubeconfig: string;

  constructor(name: string, stage: Stage, kubeconfig: string) {
    this.name = name;
    this.#stage = stage;
    this.#kubeconfig = kubeconfig;
  }

  /** Who `NAME@example.com` is to the API server, by impersonation: any cluster knows that. */
  static async of(stage: Stage, name: string, groups: readonly string[] = []): Promise<Person> {
    const { access } = stage.cluster;
    const config = parse(await readFile(access.adminKubeconfig, 'utf8')) as Kubeconfig;
    const impersonation = {
      as: `${name}@example.com`,
      'as-groups': [...groups, 'system:authenticated'],
    };
    const users = (config.users ?? []).map((each) => ({
      ...each,
      user: { ...each.user, ...impersonation },
    }));
    const path = join(access.workDir, `${name}.kubeconfig`);
    await writeFile(path, stringify({ ...config, users }, { lineWidth: 0 }), { mode: 0o600 });
    return new Person(name, stage, path);
  }

  /** Applies a file of this repository and shows it. */
  async apply(file: string): Promise<void> {
    await this.#stage.apply(file, this);
  }

  /** Edits an object and shows the patch as YAML. */
  async edit(target: string, patch: object): Promise<void> {
    const args = ['patch', target, '--type=merge', '--patch-file'];
    const yaml = stringify(patch);
    this.#show('kubectl', [...args, 'patch.yaml']);
    this.#stage.screen.block(yaml);
    const file = join(this.#stage.cluster.access.workDir, 'patch.yaml');
    await writeFile(file, yaml);
    const { code, stderr } = await this.run([...args, file]);
    expect(`${this.name} edits ${target}`, code === 0, stderr);
  }

  /** Runs a command of keyward as this person and shows it. @throws Unmet when it fails */
  async keyward(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryKeyward(args);
    expect(`keyward ${args.join(' ')} succeeds`, code === 0, stdout + stderr);
    return stdout;
  }

  /** As `keyward`, but a failure is an outcome. */
  async tryKeyward(args: readonly string[]): Promise<Outcome> {
    this.#show('keyward', args);
    const environment = { KUBECONFIG: this.#kubeconfig };
    const outcome = await keyward(this.#stage.installation, args, { environment });
    this.#stage.screen.block(outcome.stdout + outcome.stderr);
    return outcome;
  }

  /** Runs kubectl without showing it. */
  run(args: readonly string[]): Promise<Outcome> {
    return this.#stage.cluster.access.kubectl(args, { kubeconfig: this.#kubeconfig });
  }

  #show(program: string, args: readonly string[]): void {
    const words = args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg));
    this.#stage.screen.command(`${program} ${words.join(' ')}`, this.name);
  }
}
