/** Composition of the debt worker: the leader pays what ended keys still owe their vendors. */
import type { Deps } from '../controllers/apikey/deps.ts';
import type { StoreView } from '../stores/view.ts';
import { createDebtMetrics } from '../controllers/debts/metrics.ts';
import { DebtWorker } from '../controllers/debts/worker.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Registry } from '../kernel/metrics.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { Ledger } from '../ledger/port.ts';
import type { KeyRecord, StoreBinding } from '../ledger/record.ts';
import { memberOf, openHandle } from '../stores/opening.ts';
import { drivers } from '../stores/registry.ts';
import type { OpenedStore } from '../stores/opened.ts';
import type { StoreSession } from '../stores/session.ts';
import type { StoreSessions } from '../stores/sessions.ts';

type Debtor = Pick<KeyRecord, 'namespace' | 'store'>;

/** Finds the store object of a binding, from the caches. */
export type FindStore = (
  store: StoreBinding & { readonly namespace: string },
) => StoreView | undefined;

/** Rings when a commit leaves a debt; the worker, which is made later, listens. */
export class DebtBell {
  onRing: () => void = () => undefined;

  /** The same ledger, with its commits heard here. */
  watch(ledger: Ledger): Ledger {
    return DebtWorker.watch(ledger, () => this.onRing());
  }
}

/** Starts the worker; it ends with `stop`. */
export function startDebts(parts: {
  readonly deps: Pick<Deps, 'ledger' | 'clock' | 'clusterId' | 'epoch' | 'log'>;
  readonly sessions: StoreSessions;
  readonly find: FindStore;
  readonly bell: DebtBell;
  readonly registry: Registry;
  readonly stop: AbortSignal;
}): void {
  const { deps, sessions, find, bell, registry, stop } = parts;
  const worker = new DebtWorker({
    ...deps,
    session: (debtor, signal) => openStoreOf(sessions, find, debtor, signal),
    metrics: createDebtMetrics(registry),
  });
  bell.onRing = () => worker.hurry();
  void worker.run(stop);
}

/** The account that a key is in, or was. @throws StoreFailure, KeywardError */
export async function openStoreOf(
  sessions: StoreSessions,
  find: FindStore,
  debtor: Debtor,
  signal: AbortSignal,
): Promise<OpenedStore> {
  const session = await sessionOf(sessions, find, debtor, signal);
  // What is owed is a key that should not work any more.
  const remote = await session.connect(signal, 'First');
  const { account, handle } = session;
  if (account === undefined) throw forgotten(debtor);
  return {
    account,
    handle,
    remote,
    prove: (until) => session.prove(until),
    exclusively: (work) => session.exclusively(work, signal),
  };
}

/**
 * The session of the store's object. Where that is gone, or has lost the credentials of the account
 * that is owed, the sealed ones of the ledger are used.
 */
async function sessionOf(
  sessions: StoreSessions,
  find: FindStore,
  debtor: Debtor,
  signal: AbortSignal,
): Promise<StoreSession> {
  const { store, namespace } = debtor;
  const view = find({ ...store, namespace });
  const handle = view?.uid === store.uid ? openHandle(drivers, view.spec) : undefined;
  if (view !== undefined && handle !== undefined && 'type' in handle && handle.type === 'Remote') {
    const { ref, uid, spec } = view;
    const settings = memberOf(spec);
    const session = sessions.of({ kind: store.kind, ref, uid, type: spec.type, settings }, handle);
    try {
      await session.connect(signal);
      return session;
    } catch (error) {
      const { state } = session.health;
      if (state !== 'CredentialsNotFound' && state !== 'AccountChanged') throw error;
    }
  }
  const remembered = await sessions.fromMemory(store.uid);
  if (remembered === undefined) throw forgotten(debtor);
  return remembered;
}

function forgotten({ store }: Debtor): KeywardError {
  return new KeywardError('Waiting', {
    reason: 'StoreForgotten',
    message: `the ledger holds no credentials for the account of ${store.kind} '${store.name}'`,
    retryAfterMs: 10 * MINUTE_MS,
  });
}
