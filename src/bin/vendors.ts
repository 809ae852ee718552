/** The way to the vendors: sessions of all remote stores, on the machine's network. */
import { readGivenFile } from '../config/givenfile.ts';
import type { OperatorConfig } from '../config/operator.ts';
import type { Vendors } from '../controllers/apikey/deps.ts';
import type { StoreView } from '../stores/view.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Registry } from '../kernel/metrics.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { KubeClient } from '../kube/port.ts';
import type { Ledger } from '../ledger/port.ts';
import type { StoreBinding } from '../ledger/record.ts';
import type { RemoteHandle } from '../stores/contract.ts';
import { systemResolve } from '../stores/dialing.ts';
import { createVendorHttp } from '../stores/http.ts';
import { AccountLines } from '../stores/limits.ts';
import { StoreMemory } from '../stores/memory.ts';
import { createStoreMetrics } from '../stores/metrics.ts';
import { memberOf } from '../stores/opening.ts';
import { drivers } from '../stores/registry.ts';
import type { StoreSession } from '../stores/session.ts';
import { StoreSessions, type SessionStore } from '../stores/sessions.ts';
import type { FindStore } from './debts.ts';
import { VERSION } from './version.ts';

type VendorParts = {
  readonly config: Pick<
    OperatorConfig,
    'namespace' | 'endpointHosts' | 'vendorCaFile' | 'storeRereadSeconds'
  >;
  readonly client: Pick<KubeClient, 'get'>;
  readonly ledger: Ledger;
  readonly epoch: () => number;
  /** Whether nobody else can lead at this very moment. */
  readonly isLeading: () => boolean;
  readonly keyring: Keyring;
  readonly registry: Registry;
  /** The health of a store changed. */
  readonly onHealth: (store: SessionStore) => void;
};

/** All sessions. No traffic before the first is used. @throws KeywardError Terminal InvalidConfiguration when the file with certificates cannot be read */
export async function createSessions(parts: VendorParts): Promise<StoreSessions> {
  const { config, client, ledger, epoch, keyring, registry, onHealth } = parts;
  const metrics = createStoreMetrics(registry);
  const { vendorCaFile } = config;
  const trusted =
    vendorCaFile === undefined
      ? {}
      : { trustedPem: await readGivenFile('--vendor-ca-file', vendorCaFile) };
  const common = { clock: systemClock, resolve: systemResolve, version: VERSION, ...trusted };
  return new StoreSessions({
    client,
    operatorNamespace: config.namespace,
    drivers,
    endpointHosts: config.endpointHosts,
    memory: new StoreMemory({ ledger, epoch, keyring, entropy: systemEntropy }),
    lines: new AccountLines(systemClock),
    clock: systemClock,
    entropy: systemEntropy,
    mayChange: parts.isLeading,
    rereadMs: config.storeRereadSeconds * SECOND_MS,
    http: (destination) => createVendorHttp({ ...common, destination }),
    onHealth(store, health) {
      metrics.health(store, health);
      onHealth(store);
    },
    onCall: (call) => metrics.called(call),
  });
}

/** Sessions by the binding of a key. */
export function createVendors(sessions: StoreSessions, find: FindStore): Vendors {
  return {
    async session(store, handle, signal, turn) {
      const view = find(store);
      if (view === undefined || view.uid !== store.uid) throw goneStore(store);
      const session = await connected(sessions, { store, view, handle }, signal);
      const remote = await session.connect(signal, turn);
      const { account } = session;
      if (account === undefined) throw goneStore(store);
      return {
        account,
        remote,
        prove: async (until) => void (await session.prove(until)),
        exclusively: (work) => session.exclusively(work, signal),
      };
    },
  };
}

type Wanted = {
  readonly store: StoreBinding;
  readonly view: StoreView;
  readonly handle: RemoteHandle;
};

/**
 * The session of the store. In a namespace that is being deleted the Secret goes first; then what
 * the ledger remembers ends the keys.
 */
async function connected(
  sessions: StoreSessions,
  { store, view, handle }: Wanted,
  signal: AbortSignal,
): Promise<StoreSession> {
  const { ref, uid, spec } = view;
  const settings = memberOf(spec);
  const session = sessions.of({ kind: store.kind, ref, uid, type: spec.type, settings }, handle);
  try {
    await session.connect(signal);
    return session;
  } catch (error) {
    const isLeft = view.isDeleting && session.health.state === 'CredentialsNotFound';
    const remembered = isLeft ? await sessions.fromMemory(uid) : undefined;
    if (remembered === undefined) throw error;
    return remembered;
  }
}

function goneStore({ kind, name }: StoreBinding): KeywardError {
  return new KeywardError('Waiting', {
    reason: 'StoreUnavailable',
    message: `${kind} '${name}' is not there, or is another one than the key was made in`,
  });
}
