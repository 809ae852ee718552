/** Composition of the orphan sweep: the leader looks through each store's account. */
import { API_VERSION } from '../api/names.ts';
import { EVENT_REASONS } from '../api/conditions.ts';
import { refText } from '../api/meta.ts';
import type { Deps } from '../controllers/apikey/deps.ts';
import type { StoreView } from '../stores/view.ts';
import { createOrphanMetrics } from '../controllers/orphans/metrics.ts';
import { OrphanSweeper, type SweptStore } from '../controllers/orphans/sweeper.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Registry } from '../kernel/metrics.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { RemoteHandle } from '../stores/contract.ts';
import type { OpenedStore } from '../stores/opened.ts';
import { memberOf, openHandle } from '../stores/opening.ts';
import { drivers } from '../stores/registry.ts';
import type { StoreSessions } from '../stores/sessions.ts';
import type { Caches } from './cluster.ts';

type Store = SweptStore & {
  readonly kind: 'KeyStore' | 'ClusterKeyStore';
  readonly view: StoreView;
  readonly handle: RemoteHandle;
};

/** Starts the sweep; it ends with `stop`. */
export function startOrphanSweep(parts: {
  readonly deps: Pick<Deps, 'ledger' | 'clock' | 'clusterId' | 'log'>;
  readonly sessions: StoreSessions;
  readonly caches: Pick<Caches, 'keyStores' | 'clusterKeyStores'>;
  readonly events: EventRecorder;
  readonly registry: Registry;
  readonly stop: AbortSignal;
}): void {
  const { deps, sessions, caches, events, registry, stop } = parts;
  const sweeper = new OrphanSweeper<Store>({
    ...deps,
    stores: () => [
      ...[...caches.keyStores.values()].flatMap((view) => sweptStore('KeyStore', view)),
      ...[...caches.clusterKeyStores.values()].flatMap((view) =>
        sweptStore('ClusterKeyStore', view),
      ),
    ],
    session: (store, signal) => open(sessions, store, signal),
    alarm: ({ kind, uid, view }, note) =>
      events.record({
        regarding: { apiVersion: API_VERSION, kind, ref: view.ref, uid },
        type: EVENT_REASONS.OrphansFound.type,
        reason: 'OrphansFound',
        action: 'Sweep',
        note,
      }),
    metrics: createOrphanMetrics(registry),
    random: Math.random,
  });
  void sweeper.run(stop);
}

function sweptStore(kind: Store['kind'], view: StoreView): readonly Store[] {
  const { uid, ref, spec, isDeleting } = view;
  const handle = openHandle(drivers, spec);
  if (isDeleting || 'problem' in handle || handle.type === 'Local') return [];
  return [{ uid, type: spec.type, text: `${kind} ${refText(ref)}`, kind, view, handle }];
}

async function open(
  sessions: StoreSessions,
  { kind, view, handle, type, text }: Store,
  signal: AbortSignal,
): Promise<OpenedStore> {
  const { ref, uid, spec } = view;
  const session = sessions.of({ kind, ref, uid, type, settings: memberOf(spec) }, handle);
  const remote = await session.connect(signal);
  const { account } = session;
  if (account !== undefined) {
    return {
      handle,
      account,
      remote,
      prove: (until) => session.prove(until),
      exclusively: (work) => session.exclusively(work, signal),
    };
  }
  throw new KeywardError('Transient', {
    reason: 'StoreUnavailable',
    message: `${text}: its credentials have just changed`,
  });
}
