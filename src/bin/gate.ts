/** Composition root of the gate: creates, connects, starts. */
import { gateConfig, type GateConfig } from '../config/gate.ts';
import type { Flags } from '../config/layers.ts';
import { loadSettings } from '../config/load.ts';
import { createGate, type Gate } from '../gate/gate.ts';
import { serveGrpc } from '../gate/grpc/server.ts';
import { serveHttp } from '../gate/http/server.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { createLogger, type Logger } from '../kernel/log.ts';
import { createRegistry, type Registry } from '../kernel/metrics.ts';
import { checkLedgerUrl, openGateLedger } from '../ledger/open.ts';
import { serveProbes, type Check } from '../runtime/probes.ts';
import { gaugeBuild } from './buildinfo.ts';
import { loadGateKeyring } from './masterkey.ts';

/** What all parts of the process share. */
type Shared = { readonly config: GateConfig; readonly log: Logger; readonly registry: Registry };
type Listener = { readonly address: string; close(): Promise<void> };

/** Runs a gate until `stop` is aborted. Rejects when it cannot start. */
export async function runGate(flags: Flags, stop: AbortSignal): Promise<void> {
  const config = gateConfig(await loadSettings('gate', flags));
  // A database that is not there may come; one that cannot exist is a mistake in the flags.
  await checkLedgerUrl(config.database);
  const log = createLogger(config.logLevel);
  const registry = createRegistry();
  gaugeBuild(registry, 'gate');
  const gate = await createOne({ config, log, registry });
  const probes = await serveProbes({
    address: config.metricsAddress,
    registry,
    live: [],
    ready: readiness(gate, stop),
  });
  gate.start();
  try {
    const listeners = await listen({ config, log, registry }, gate);
    const [http, grpc] = listeners.map(({ address }) => address);
    log.info('gate started', { http, grpc, metrics: probes.address });
    await aborted(stop);
    // First the listeners: what they still answer may use up leases that are returned afterwards.
    await Promise.all(listeners.map((listener) => listener.close()));
  } finally {
    await gate.stop();
    await probes.close();
  }
  log.info('gate stopped');
}

/**
 * Whether it ever knew the database, and whether it knows it now, apart: where nobody can answer in its
 * place, a gate that only says no is better than none, and its probe leaves `view` out.
 */
function readiness(gate: Gate, stop: AbortSignal): readonly Check[] {
  let hasKnown = false;
  return [
    {
      name: 'gate',
      failing() {
        if (stop.aborted) return 'stopping';
        const wrong = gate.failing();
        hasKnown ||= wrong === undefined;
        return hasKnown ? undefined : wrong;
      },
    },
    { name: 'view', failing: () => gate.failing() },
  ];
}

async function createOne({ config, log, registry }: Shared): Promise<Gate> {
  return createGate({
    settings: config.gate,
    open: () => openGateLedger(config.database),
    keyring: await loadGateKeyring(config.gateKeyFile),
    clock: systemClock,
    entropy: systemEntropy,
    log,
    registry,
  });
}

async function listen({ config, log, registry }: Shared, gate: Gate): Promise<readonly Listener[]> {
  const { reading, tls } = config;
  const shared = { reading, tls, clock: systemClock, log, registry };
  const parser = config.httpParser;
  const http = await serveHttp({ ...shared, parser, address: config.httpAddress }, gate);
  if (config.grpcAddress === undefined) return [http];
  const failing = () => gate.failing();
  return [http, await serveGrpc({ ...shared, address: config.grpcAddress, failing }, gate)];
}

async function aborted(stop: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (stop.aborted) resolve();
  stop.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
