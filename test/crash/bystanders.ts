/** Secrets of somebody else in a plan's namespace, one of them dressed up as ours. */
import { SECRETS } from '../../src/api/names.ts';
import type { TestApi } from '../support/operator.api.ts';

type Bystander = { readonly name: string; readonly uid: string; readonly resourceVersion: string };

/** See the file comment. */
export class Bystanders {
  readonly #api: TestApi;
  readonly #namespace: string;
  #all: readonly Bystander[] = [];

  constructor(api: TestApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /** Creates them. */
  async plant(): Promise<void> {
    const labels = { 'keyward.dev/api-key': 'key' };
    this.#all = await Promise.all([
      this.#create({ name: 'foreign', data: { note: 'bWluZQ==' } }),
      this.#create({ name: 'planted', labels, data: { apiKey: 'cGxhbnRlZA==' } }),
    ]);
  }

  /** Names of those that are not exactly as they were. */
  async changed(): Promise<readonly string[]> {
    const now = await Promise.all(
      this.#all.map(({ name }) => this.#api.get(SECRETS, this.#namespace, name)),
    );
    return this.#all.flatMap((before, index) => {
      const after = now[index]?.metadata;
      const isSame = after?.uid === before.uid && after.resourceVersion === before.resourceVersion;
      return isSame ? [] : [before.name];
    });
  }

  async #create(secret: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly data: Readonly<Record<string, string>>;
  }): Promise<Bystander> {
    const { name, labels = {}, data } = secret;
    const metadata = { name, namespace: this.#namespace, labels };
    const created = await this.#api.create(SECRETS, { metadata, data });
    const { uid, resourceVersion } = created.metadata;
    return { name, uid, resourceVersion };
  }
}
