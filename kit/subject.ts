/** What the kit is told about a driver, and what each of its cases works with. */
import type { Clock } from '../src/kernel/clock.ts';
import type { Entropy } from '../src/kernel/entropy.ts';
import type { Driver, RemoteHandle, RemoteStore, VendorHttp } from '../src/stores/contract.ts';
import type { FakeControl } from './fake.ts';

/** A fake vendor that runs. */
export type RunningFake = { readonly fake: FakeControl; stop(): Promise<void> };

/** A driver with all that the kit needs to prove it. */
export type Subject = {
  readonly driver: Driver;
  /** Starts a fresh fake whose accounts have no credentials yet, on the kit's clock. */
  start(clock: Clock, entropy: Entropy): Promise<RunningFake>;
  /** The driver's member of a KeyStore spec that leads to a vendor at this address. */
  member(address: string): Readonly<Record<string, unknown>>;
  /** The way out; `kitHttp` of kit/http.ts is the one that the operator uses. */
  http(endpoint: URL, clock: Clock): VendorHttp & { close(): void };
  /** None: requests carry a fixed token, so that two attempts may look the same. */
  readonly signing: 'EachAttempt' | 'None';
  /** A product of the fake's that our credentials may ask for; for drivers that declare `productRefs`. */
  readonly productId?: string;
};

/** What a case works with: a fresh fake, the opened store, and the store connected to the account. */
export type Site = {
  readonly subject: Subject;
  readonly fake: FakeControl;
  readonly clock: KitClock;
  readonly handle: RemoteHandle;
  readonly store: RemoteStore;
  /** Texts of the answers that reached the driver, in order. */
  readonly answers: readonly string[];
  /** The store with other credentials, by entry name. */
  readonly connect: (credentials: Readonly<Record<string, string>>) => RemoteStore;
};

/** One guarantee. `run` rejects with an AssertionError when it does not hold. */
export type DriverCase = { readonly title: string; readonly run: () => Promise<void> };

/** A clock whose wall a case can move; timers run in real time. */
export interface KitClock extends Clock {
  /** Moves the wall clock of driver and fake together. */
  pass(ms: number): void;
}
