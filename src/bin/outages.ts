/** Watches the calls to API server and ledger for outages, recoveries and the loss of the epoch. */
import { classify } from '../kernel/errors.ts';
import type { KubeClient } from '../kube/port.ts';
import type { Ledger } from '../ledger/port.ts';
import type { Recovery } from '../runtime/recovery.ts';
import type { DatabaseMeter } from './databasemeter.ts';

const OUTAGES = new Set(['ServerUnreachable', 'Timeout']);

/** The client, with each call reported to `recovery`. */
export function watchClient(client: KubeClient, recovery: Recovery): KubeClient {
  const watched = <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    report(call, {
      note: (reason) => (OUTAGES.has(reason) ? recovery.failed() : undefined),
      recovery,
    });
  return {
    get: watched(client.get.bind(client)),
    create: watched(client.create.bind(client)),
    replace: watched(client.replace.bind(client)),
    replaceStatus: watched(client.replaceStatus.bind(client)),
    patchMetadata: watched(client.patchMetadata.bind(client)),
    patchForeign: watched(client.patchForeign.bind(client)),
    delete: watched(client.delete.bind(client)),
    ask: watched(client.ask.bind(client)),
    get clockSkewMs() {
      return client.clockSkewMs;
    },
  };
}

/** After these no commit will ever work again in this process. */
const ENDS = new Set(['Fenced', 'DatabaseReplaced', 'DatabaseOutdated']);

/** Who hears of calls to the ledger. */
export type LedgerWatchers = {
  readonly recovery: Recovery;
  readonly meter: DatabaseMeter;
  /**
   * Called with the reason when a newer epoch rules, or the database is not the one any more that was
   * opened.
   */
  readonly onEnd: (reason: string) => void;
};

/** The ledger, with reads and commits reported. */
export function watchLedger(ledger: Ledger, { recovery, meter, onEnd }: LedgerWatchers): Ledger {
  const note = (reason: string): void => {
    if (reason === 'LedgerUnavailable') recovery.failed();
    if (ENDS.has(reason)) onEnd(reason);
  };
  const read = <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    report(call, { note, recovery, begun: () => meter.begun('Read') });
  const write = <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    report(call, { note, recovery, begun: () => meter.begun('Write') });
  return {
    ...ledger,
    // A leader asks for it every few seconds, so that a database that froze is noticed at rest too; it
    // is no sign that whatever was down is back.
    identity: report(ledger.identity.bind(ledger), { begun: () => meter.begun('Read') }),
    load: read(ledger.load.bind(ledger)),
    commit: write(ledger.commit.bind(ledger)),
    commitDocuments: write(ledger.commitDocuments.bind(ledger)),
    // A generic method loses its type parameter on the way through `report`.
    loadDocument: read(ledger.loadDocument.bind(ledger)) as Ledger['loadDocument'],
    findDocument: read(ledger.findDocument.bind(ledger)) as Ledger['findDocument'],
  };
}

type Reporting = {
  /** Told why a call failed. */
  readonly note?: (reason: string) => void;
  readonly recovery?: Recovery;
  /** Told of the beginning; what comes back is told of the end. */
  readonly begun?: () => (reason?: string) => void;
};

function report<A extends unknown[], T>(
  call: (...args: A) => Promise<T>,
  { note, recovery, begun }: Reporting,
): (...args: A) => Promise<T> {
  return async (...args) => {
    const ended = begun?.();
    try {
      const answer = await call(...args);
      ended?.();
      recovery?.worked();
      return answer;
    } catch (error) {
      const { reason } = classify(error);
      ended?.(reason);
      note?.(reason);
      throw error;
    }
  };
}
