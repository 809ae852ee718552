/** A store as those meet it who work at an account and not for one key. */
import type { Account, RemoteHandle, RemoteStore } from './contract.ts';

/** Logged in to; good for a while, because each call goes through the session again. */
export type OpenedStore = {
  readonly handle: RemoteHandle;
  readonly account: Account;
  readonly remote: RemoteStore;
  /** Makes a login recent; what a vendor says not to know is believed only then. */
  prove(signal: AbortSignal): Promise<unknown>;
  /** One at a time at this vendor, creations among them. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
};
