/**
 * The vendor of one plan: a fake of its own with strangers in the account, which strikes at the
 * chosen call and remembers what strangers had.
 */
import type { VendorCredential } from '../../kit/fake.ts';
import type { FakeVendor } from '../../fakes/vendor.ts';
import { LIST_LAG_MS, type VendorKind } from './sides.ts';

/** Told when a fault falls; called before the caller can notice anything. */
export type OnStrike = () => void;

/** See the file comment. */
export class PlanVendor {
  readonly kind: VendorKind;
  readonly fake: FakeVendor<unknown>;
  #strangers: readonly VendorCredential[] = [];

  /** Starts the vendor and plants strangers in both accounts. */
  static async open(kind: VendorKind): Promise<PlanVendor> {
    const vendor = new PlanVendor(kind);
    await vendor.fake.start();
    const { fake } = vendor;
    fake.listLagMs = LIST_LAG_MS;
    for (const { id } of fake.accounts) vendor.addStranger(id);
    return vendor;
  }

  private constructor(kind: VendorKind) {
    this.kind = kind;
    this.fake = kind.open();
  }

  async close(): Promise<void> {
    this.fake.holds.releaseAll();
    await this.fake.stop();
  }

  /** `127.0.0.1:port`, as the list of allowed hosts has it. */
  get host(): string {
    return new URL(this.fake.address).host;
  }

  /** What signs for our account. */
  get credentials(): Readonly<Record<string, string>> {
    return this.fake.accounts[0]?.credentials ?? {};
  }

  /** Calls that arrived so far. */
  get calls(): number {
    return this.fake.calls.length;
  }

  /** When the last call arrived; wall clock, 0: none did. */
  get lastCallMs(): number {
    return this.fake.calls.at(-1)?.atMs ?? 0;
  }

  /** When each call arrived that creates a credential; wall clock. */
  get creationsMs(): readonly number[] {
    const creations = this.fake.calls.filter(({ operation }) => operation === 'create');
    return creations.map(({ atMs }) => atMs);
  }

  /** Credentials that are none of a stranger's. */
  get ours(): readonly VendorCredential[] {
    const others = new Set(this.#strangers.map(({ id }) => id));
    return this.fake.credentials().filter(({ id }) => !others.has(id));
  }

  /** Credentials of other people as they were made; they must stay so. */
  get strangers(): readonly VendorCredential[] {
    return this.#strangers;
  }

  /** Somebody else makes a credential; in our account unless it says otherwise. */
  addStranger(accountId?: string): void {
    const { strangersName } = this.kind;
    const id = this.fake.act({
      act: 'Create',
      ...(accountId === undefined ? {} : { accountId }),
      ...(strangersName === undefined ? {} : { name: strangersName, description: 'not yours' }),
    });
    const made = this.fake.credentials().filter((each) => each.id === id);
    this.#strangers = [...this.#strangers, ...made];
  }

  /** Somebody else makes a credential right before each of our next creations. */
  addStrangersBeforeCreations(count: number): void {
    for (let nth = 0; nth < count; nth += 1) {
      const hold = this.fake.holds.add('create', 'Before');
      void hold.arrived.then(() => {
        this.addStranger();
        hold.release('Go');
      });
    }
  }

  /** The nth call from now on is cut off; `onStrike` first. */
  arm(nth: number, point: 'Before' | 'After', onStrike: OnStrike): void {
    const hold = this.fake.holds.add('*', point, nth);
    void hold.arrived.then(() => {
      onStrike();
      hold.release('Cut');
    });
  }
}
