/** Watches the calls to API server and ledger for outages, recoveries and the loss of the epoch. */
import { classify, type KeywardError } from '../kernel/errors.ts';
import type { KubeClient } from '../kube/port.ts';
import type { Ledger } from '../ledger/port.ts';
import type { Recovery } from '../runtime/recovery.ts';
import type { DatabaseMeter } from './databasemeter.ts';

const OUTAGES = new Set(['ServerUnreachable', 'Timeout']);

/** The client, with each call reported to `recovery`. */
export function watchClient(client: KubeClient, recovery: Recovery): KubeClient {
  const watched = <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    report(call, {
      note: ({ reason }) => (OUTAGES.has(reason) ? recovery.failed() : undefined),
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
    get isClockTrusted() {
      return client.isClockTrusted;
    },
  };
}

/** After these no commit will ever work again in this process, or none may be tried. */
const ENDS = new Set([
  'Fenced',
  'DatabaseCorrupt',
  'DatabaseOutdated',
  'DatabaseReplaced',
  'LedgerStopped',
]);

/** Who hears of calls to the ledger. */
type LedgerWatchers = {
  readonly recovery: Recovery;
  readonly meter: DatabaseMeter;
  /** Called with the failure when nothing can be done with the database any more in this process. */
  readonly onEnd: (failure: KeywardError) => void;
};

/** The ledger, with reads and commits reported. */
export function watchLedger(ledger: Ledger, { recovery, meter, onEnd }: LedgerWatchers): Ledger {
  const noteEnd = (failure: KeywardError): void => {
    if (ENDS.has(failure.reason)) onEnd(failure);
  };
  const note = (failure: KeywardError): void => {
    if (failure.reason === 'LedgerUnavailable') recovery.failed();
    noteEnd(failure);
  };
  const read = <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    report(call, { note, recovery, begun: () => meter.begun('Read') });
  const write = <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    report(call, { note, recovery, begun: () => meter.begun('Write') });
  return {
    ...ledger,
    // A leader asks for it every few seconds, so that a database that froze or went is noticed at rest
    // too; it is no sign that whatever was down is back.
    identity: report(ledger.identity.bind(ledger), {
      note: noteEnd,
      begun: () => meter.begun('Read'),
    }),
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
  readonly note?: (failure: KeywardError) => void;
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
      const failure = classify(error);
      ended?.(failure.reason);
      note?.(failure);
      throw error;
    }
  };
}
