/**
 * Keys that come and go: made, used at the gate, rotated, suspended and resumed, deleted, and refused
 * afterwards. What does not come out as it should is written down, and the next one begins all the same.
 */
import { API_KEYS, SECRETS } from '../../src/api/names.ts';
import { eventually } from '../support/eventually.ts';
import type { Loose } from '../support/operator.api.ts';
import type { Caller } from './calls.ts';
import type { World } from './world.ts';

/** Lives that are led, one after the other and beside each other. */
export class Lives {
  readonly #world: World;
  readonly #caller: Caller;
  readonly #failures: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #begun = 0;
  #skipped = 0;

  constructor(world: World, caller: Caller) {
    this.#world = world;
    this.#caller = caller;
  }

  get begun(): number {
    return this.#begun;
  }

  /** Not begun, because too many were under way: the machine was too slow for the rate. */
  get skipped(): number {
    return this.#skipped;
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Begins one; does not wait for it. */
  begin(): void {
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#skipped += 1;
      return;
    }
    this.#begun += 1;
    const { namespaces } = this.#world;
    const namespace = namespaces[this.#begun % namespaces.length] ?? '';
    const name = `life-${this.#begun}`;
    const life = this.#lead([namespace, name]).catch((err: unknown) => {
      this.#failures.push(`${namespace}/${name}: ${String(err)}`);
    });
    this.#underWay.add(life);
    void life.then(() => this.#underWay.delete(life));
  }

  /** Until all that were begun are over. */
  async over(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #lead(at: readonly [string, string]): Promise<void> {
    const { api } = this.#world;
    const [namespace, name] = at;
    await api.create(API_KEYS, { metadata: { namespace, name }, spec: SPEC });
    const first = await this.#valueOf(at, 1);
    await this.#until(first, 'let in');
    await api.patch(API_KEYS, at, { spec: { rotation: { requestId: 'one' } } });
    const second = await this.#valueOf(at, 2);
    await this.#until(second, 'let in');
    await api.patch(API_KEYS, at, { spec: { state: 'Suspended' } });
    await this.#until(second, 'refused');
    await api.patch(API_KEYS, at, { spec: { state: 'Active' } });
    await this.#until(second, 'let in');
    await api.remove(API_KEYS, namespace, name);
    await eventually(async () => {
      const left = await api.get(API_KEYS, namespace, name);
      if (left !== undefined) throw new Error('it is still there');
    });
    await this.#until(second, 'refused');
    await this.#until(first, 'refused');
  }

  /** The value in the Secret once the status tells of that sequence. */
  async #valueOf([namespace, name]: readonly [string, string], sequence: number): Promise<string> {
    const { api } = this.#world;
    return eventually(async () => {
      const key = await api.get(API_KEYS, namespace, name);
      if (sequenceOf(key) !== sequence) throw new Error(`not at sequence ${sequence} yet`);
      const value = (await api.get(SECRETS, namespace, name))?.data?.['apiKey'];
      if (value === undefined) throw new Error('no value in the Secret');
      return Buffer.from(value, 'base64').toString();
    });
  }

  async #until(value: string, what: 'let in' | 'refused'): Promise<void> {
    await eventually(async () => {
      const status = await this.#caller.ask(value);
      const isSo = what === 'let in' ? status === 204 : status === 401 || status === 403;
      if (!isSo) throw new Error(`not ${what}: ${status}`);
    });
  }
}

const UNDER_WAY_MAX = 100;
/** Old values end at once, so that each life leaves nothing that has to end later. */
const SPEC = { rotation: { overlapSeconds: 0 } };

function sequenceOf(key: Loose | undefined): number | undefined {
  // The status of an ApiKey, as the operator wrote it.
  const status = key?.status as { readonly sequence?: number } | undefined;
  return status?.sequence;
}
