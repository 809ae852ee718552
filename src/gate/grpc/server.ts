/**
 * The port that Envoy asks by gRPC; on an address of its own. It speaks HTTP/2 only, with TLS or without,
 * and knows two methods: whether a call may pass, and whether the gate can say so.
 */
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Registry } from '../../kernel/metrics.ts';
import { listen } from '../../runtime/listening.ts';
import type { Decider } from '../decision.ts';
import { Connections as Room } from '../http/connections.ts';
import { openTls, type TlsFiles, type TlsSource } from '../http/tls.ts';
import { errorAnswer } from '../profiles.ts';
import type { GatePort } from '../port.ts';
import type { ReadingOptions } from '../reading/reading.ts';
import { createAuthorization } from './authorization.ts';
import type { Desk } from './calls.ts';
import { createConnections, type Connections } from './connections.ts';
import { answerHealth, AUTHORIZATION_SERVICE } from './health.ts';
import { ERROR } from './http2/constants.ts';
import { DEFAULT_LIMITS, type GrpcLimits } from './limits.ts';
import type { Method } from './method.ts';
import { createGrpcMeter } from './metrics.ts';
import { WireReader } from './wirereader.ts';

/** Where to listen, how calls are read, and what a process has one of. */
export type GrpcOptions = {
  /** HOST:PORT; no host means all addresses, port 0 any free one, IPv6 in brackets. */
  readonly address: string;
  readonly reading: ReadingOptions;
  /** Why the gate cannot answer, for health checks; undefined: it can. Absent: it always can. */
  readonly failing?: () => string | undefined;
  /** What is absent is as DEFAULT_LIMITS. */
  readonly limits?: Partial<GrpcLimits>;
  /** Absent: plain HTTP/2. The HTTP listener counts how often the files were read. */
  readonly tls?: TlsFiles | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Refuses a second port. */
  readonly registry: Registry;
};

type AnyServer = Server | TlsServer;

/**
 * Listens and answers until closed. Rejects with Terminal AddressUnavailable when it cannot listen, with
 * TlsFilesUnusable, and with the errors of `compileReading`.
 */
export async function serveGrpc(options: GrpcOptions, decider: Decider): Promise<GatePort> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const desk: Desk = {
    methods: createMethods(options, decider),
    callTimeMs: limits.callTimeMs,
    callsMax: limits.calls,
    backlog: { bytes: 0 },
    clock: options.clock,
    meter: createGrpcMeter(options.registry, () => connections.size),
  };
  const tls = options.tls && (await openTls(options.tls, { ...options, report: () => undefined }));
  const connections: Connections = createConnections(desk, limits);
  const server = createServer(tls, limits, (socket) =>
    connections.add(socket, () => room.asked(socket)),
  );
  const bounds = {
    max: limits.connections,
    closeIdleConnections: () => connections.closeIdle(),
  };
  const room: Room = new Room(server, bounds, () => desk.meter.broken(ERROR.EnhanceYourCalm));
  const address = await listen(server, options.address, '--grpc-address');
  const stopFollowing = tls?.follow((material) => {
    if ('setSecureContext' in server) server.setSecureContext(material);
  });
  let closed: Promise<void> | undefined;
  return {
    address,
    reloadTls: async () => tls?.look(),
    close() {
      stopFollowing?.();
      return (closed ??= close(server, connections));
    },
  };
}

function createMethods(
  { reading, clock, failing }: GrpcOptions,
  decider: Decider,
): ReadonlyMap<string, Method> {
  const wire = new WireReader();
  const check = createAuthorization(reading, decider, (profile, refusal, target) =>
    errorAnswer(profile, refusal, target, clock.nowMs()),
  );
  return new Map<string, Method>([
    [`/${AUTHORIZATION_SERVICE}/Check`, check],
    ['/grpc.health.v1.Health/Check', (message) => answerHealth(wire, message, failing?.())],
  ]);
}

function createServer(
  tls: TlsSource | undefined,
  limits: GrpcLimits,
  take: (socket: Socket) => void,
): AnyServer {
  return tls === undefined
    ? createTcpServer(take)
    : createTlsServer(
        {
          ...tls.material,
          ...tls.clients,
          ALPNProtocols: ['h2'],
          handshakeTimeout: limits.handshakeTimeMs,
        },
        take,
      );
}

async function close(server: AnyServer, connections: Connections): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await connections.close();
  await promise;
}
