/**
 * Which keys were issued on whose behalf, so that a suspended client reaches every one of its keys and
 * no other. From the records, not from status, which their owners might want to forge.
 */
import type { Ref } from '../api/meta.ts';
import type { KeyRecord } from './record.ts';
import type { Ledger } from './port.ts';

/** Keys by client UID and key UID; an entry for each that is on somebody's behalf and not Ended. */
export class ClientKeys {
  readonly #clients = new Map<string, Map<string, Ref>>();
  #isComplete = false;
  /** Where the scan has come to without a gap; undefined: to the beginning. */
  #scannedTo: string | undefined;

  /** The same ledger; what is scanned and committed through it is noted here. */
  watch(ledger: Ledger): Ledger {
    return {
      ...ledger,
      scan: async (limit, after) => {
        const page = await ledger.scan(limit, after);
        for (const record of page.records) this.#note(record);
        if (!this.#isComplete && after === this.#scannedTo) {
          this.#scannedTo = page.next;
          this.#isComplete = page.next === undefined;
        }
        return page;
      },
      commit: (commit) => {
        this.#note(commit.record);
        return ledger.commit(commit);
      },
    };
  }

  /** The keys of a client; undefined while not all records were seen. */
  of(clientUid: string): readonly Ref[] | undefined {
    return this.#isComplete ? [...(this.#clients.get(clientUid)?.values() ?? [])] : undefined;
  }

  #note({ clientUid, uid, namespace, name, phase }: KeyRecord): void {
    if (clientUid === undefined) return;
    const keys = this.#clients.get(clientUid);
    if (phase === 'Ended') {
      keys?.delete(uid);
      if (keys?.size === 0) this.#clients.delete(clientUid);
      return;
    }
    const at = { namespace, name };
    if (keys === undefined) this.#clients.set(clientUid, new Map([[uid, at]]));
    else keys.set(uid, at);
  }
}
