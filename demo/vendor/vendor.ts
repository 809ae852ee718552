/** The vendor as the demo sees it: what it has, what somebody does in its console, what goes wrong. */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type {
  FakeAccount,
  FakeCall,
  FaultRule,
  StrangerAct,
  VendorCredential,
} from '../../kit/fake.ts';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { expect, Unmet } from '../expect.ts';
import { tail } from '../mask.ts';
import type { Screen } from '../screen.ts';
import { columns } from '../table.ts';
import type { Dialect } from './dialect.ts';
import type { VendorProcess } from './process.ts';

const LOOK_AGAIN_MS = 200;
const WAIT_MS = 120_000;

/** What the vendor thinks of a value. */
export type Standing = 'enabled' | 'disabled' | 'unknown';

/** A creation that stands still. */
export type HeldCreate = {
  /** Waits until it does. @returns the id of what was made */
  arrived(): Promise<string>;
  /** Its answer is lost. */
  cut(): Promise<void>;
};

/** See the file comment. */
export class Vendor {
  readonly dialect: Dialect;
  readonly process: VendorProcess;
  readonly #screen: Screen;
  readonly #signal: AbortSignal;
  /** Every secret value that it ever had, by its text; searched for at the end. */
  readonly #seen = new Map<string, Sensitive>();
  #accounts: readonly FakeAccount[] = [];
  #stranger: VendorCredential | undefined;

  constructor(dialect: Dialect, process: VendorProcess, screen: Screen, signal: AbortSignal) {
    this.dialect = dialect;
    this.process = process;
    this.#screen = screen;
    this.#signal = signal;
  }

  /** What must not be found anywhere. */
  get values(): readonly Sensitive[] {
    return [...this.#seen.values()];
  }

  /** Where the interface begins. */
  get endpoint(): string {
    return this.process.address + this.dialect.basePath;
  }

  /** Our account there: its id, and the entries of the Secret that signs for it. */
  async account(): Promise<FakeAccount> {
    if (this.#accounts.length === 0) await this.credentials();
    const [ours] = this.#accounts;
    if (ours === undefined) throw new Error('the fake vendor has no account');
    return ours;
  }

  /** Every credential of our account, oldest first. */
  async credentials(): Promise<readonly VendorCredential[]> {
    // The fake's own shape: fakes/control.ts writes it, in this repository.
    const state = (await this.process.ask('GET', 'state')) as {
      readonly accounts: readonly FakeAccount[];
      readonly credentials: readonly VendorCredential[];
    };
    this.#accounts = state.accounts;
    const [ours] = state.accounts;
    const { signingEntry } = this.dialect;
    for (const { credentials } of state.accounts) this.#remember(credentials[signingEntry]);
    for (const { values } of state.credentials)
      Object.values(values).forEach((v) => this.#remember(v));
    return state.credentials.filter(({ accountId }) => accountId === ours?.id);
  }

  /** The credential with this id. @throws Unmet when there is none */
  async one(id: string | undefined): Promise<VendorCredential> {
    const found = (await this.credentials()).find((each) => each.id === id);
    if (found === undefined)
      throw new Unmet(`${this.dialect.title} has ${id}`, await this.#table());
    return found;
  }

  /** Shows what the vendor has now, values masked. */
  async show(): Promise<void> {
    this.#screen.say(`What ${this.dialect.title} has now:`);
    this.#screen.block(await this.#table());
  }

  /** Waits until its credentials are so. @throws Unmet with what it has instead */
  async until(
    expected: string,
    isSo: (credentials: readonly VendorCredential[]) => boolean,
  ): Promise<void> {
    const endMs = performance.now() + WAIT_MS;
    while (!isSo(await this.credentials())) {
      if (performance.now() > endMs) throw new Unmet(expected, await this.#table());
      await pause(LOOK_AGAIN_MS, undefined, { signal: this.#signal });
    }
    this.#screen.proof(`at the vendor: ${expected}`);
  }

  /** Shows what the vendor thinks of a value. @throws Unmet unless it is what was expected */
  async verify(what: string, value: Sensitive, expected: Standing): Promise<void> {
    const standing = await this.#standing(value);
    expect(`at the vendor: ${what} → ${expected}`, standing === expected, standing);
    this.#screen.proof(`at the vendor: ${what} → ${standing}`);
  }

  /** Somebody else does this in the vendor's console; the sentence says so. @returns the id */
  async act(sentence: string, act: StrangerAct): Promise<string> {
    this.#screen.say(sentence);
    const { id } = (await this.process.ask('POST', 'acts', act)) as { readonly id: string };
    return id;
  }

  /** Puts something of somebody else into the account. */
  async addStranger(): Promise<void> {
    const id = await this.act('Somebody else has something in the same account already:', {
      act: 'Create',
      name: 'made by hand',
    });
    this.#stranger = await this.one(id);
  }

  /** @throws Unmet unless what is left is exactly what somebody else put there, unchanged */
  async expectStrangerOnly(): Promise<void> {
    const left = await this.credentials();
    const isSo = isDeepStrictEqual(left, [this.#stranger]);
    expect('only what is not ours is left', isSo, await this.#table());
    this.#screen.proof('at the vendor: nothing of ours is left, and what is not ours is unchanged');
  }

  /** From now on calls meet this. */
  async inject(rule: FaultRule): Promise<void> {
    await this.process.ask('POST', 'faults', rule);
  }

  /** Lets the next creation stand still between being carried out and being answered. */
  async holdCreate(): Promise<HeldCreate> {
    const before = new Set((await this.credentials()).map(({ id }) => id));
    const hold = { operation: 'create', point: 'After' };
    const { index } = (await this.process.ask('POST', 'hold', hold)) as { readonly index: number };
    return {
      arrived: async () => {
        await this.process.ask('GET', `hold/${index}`);
        const made = (await this.credentials()).find(({ id }) => !before.has(id));
        if (made === undefined) throw new Unmet('one more credential', await this.#table());
        return made.id;
      },
      cut: async () =>
        void (await this.process.ask('POST', `hold/${index}/release`, { end: 'Cut' })),
    };
  }

  /** Calls since `forgetCalls`. */
  async calls(): Promise<readonly FakeCall[]> {
    return (await this.process.ask('GET', 'calls')) as readonly FakeCall[];
  }

  /** Begins the log of calls anew. */
  async forgetCalls(): Promise<void> {
    await this.process.ask('DELETE', 'calls');
  }

  async #standing(value: Sensitive): Promise<Standing> {
    const text = value.revealText();
    const holder = (await this.credentials()).find(({ values }) =>
      Object.values(values).includes(text),
    );
    if (holder === undefined) return 'unknown';
    return holder.enabled ? 'enabled' : 'disabled';
  }

  async #table(): Promise<string> {
    const credentials = await this.credentials();
    const { slots } = this.dialect;
    const isNamed = credentials.some(({ name }) => name !== undefined);
    const heading = [
      ...slots.map((slot) => slot.replace(/[A-Z]/g, ' $&').toUpperCase()),
      ...(isNamed ? ['NAME', 'DESCRIPTION'] : []),
    ];
    const rows = credentials.map(({ id, enabled, values, name = '', description = '' }) => [
      id,
      enabled ? 'yes' : 'no',
      ...slots.map((slot) => tail(values[slot] ?? '')),
      ...(isNamed ? [name, description] : []),
    ]);
    const count = `${credentials.length} ${credentials.length === 1 ? 'credential' : 'credentials'}`;
    return [...columns([['ID', 'ENABLED', ...heading], ...rows]), `(${count})`].join('\n');
  }

  #remember(value: string | undefined): void {
    if (value !== undefined && !this.#seen.has(value)) this.#seen.set(value, new Sensitive(value));
  }
}
