/** Watches the calls to API server and ledger for outages, recoveries and the loss of the epoch. */
import { classify } from '../kernel/errors.ts';
import type { KubeClient } from '../kube/port.ts';
import type { Ledger } from '../ledger/port.ts';
import type { Recovery } from '../runtime/recovery.ts';

const OUTAGES = new Set(['ServerUnreachable', 'Timeout']);

/** The client, with each call reported to `recovery`. */
export function watchClient(client: KubeClient, recovery: Recovery): KubeClient {
  const watched = <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    report(call, (reason) => (OUTAGES.has(reason) ? recovery.failed() : undefined), recovery);
  return {
    get: watched(client.get.bind(client)),
    create: watched(client.create.bind(client)),
    replace: watched(client.replace.bind(client)),
    replaceStatus: watched(client.replaceStatus.bind(client)),
    patchMetadata: watched(client.patchMetadata.bind(client)),
    delete: watched(client.delete.bind(client)),
    ask: watched(client.ask.bind(client)),
    get clockSkewMs() {
      return client.clockSkewMs;
    },
  };
}

/** After these no commit will ever work again in this process. */
const ENDS = new Set(['Fenced', 'DatabaseReplaced', 'DatabaseOutdated']);

/**
 * The ledger, with reads and commits reported; `onEnd` is called with the reason when a newer epoch
 * rules, or the database is not the one any more that was opened.
 */
export function watchLedger(
  ledger: Ledger,
  recovery: Recovery,
  onEnd: (reason: string) => void,
): Ledger {
  const note = (reason: string): void => {
    if (reason === 'LedgerUnavailable') recovery.failed();
    if (ENDS.has(reason)) onEnd(reason);
  };
  return {
    ...ledger,
    load: report(ledger.load.bind(ledger), note, recovery),
    commit: report(ledger.commit.bind(ledger), note, recovery),
    commitDocuments: report(ledger.commitDocuments.bind(ledger), note, recovery),
    // A generic method loses its type parameter on the way through `report`.
    loadDocument: report(
      ledger.loadDocument.bind(ledger),
      note,
      recovery,
    ) as Ledger['loadDocument'],
    findDocument: report(
      ledger.findDocument.bind(ledger),
      note,
      recovery,
    ) as Ledger['findDocument'],
  };
}

function report<A extends unknown[], T>(
  call: (...args: A) => Promise<T>,
  note: (reason: string) => void,
  recovery: Recovery,
): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      const answer = await call(...args);
      recovery.worked();
      return answer;
    } catch (error) {
      note(classify(error).reason);
      throw error;
    }
  };
}
