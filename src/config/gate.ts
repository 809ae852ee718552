/** Settings of `keyward gate`, checked and ready to use. */
import type { LogLevel } from '../kernel/log.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { valuesOf, type Effective, type Values } from './layers.ts';
import { invalid } from './problem.ts';
import { LOG_LEVELS } from './settings.ts';

/** Certificate, key and, where client certificates are demanded, who signs those; all PEM files. */
export type TlsConfig = {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string;
};

/** All settings of `keyward gate`. */
export type GateConfig = {
  readonly database: string;
  /** The gate's own key file, or the master key file itself. */
  readonly gateKeyFile: string;
  readonly httpAddress: string;
  /** Who reads plain requests of gateways; see HttpOptions of the gate. */
  readonly httpParser: 'Fast' | 'Node';
  /** Absent: no gRPC. */
  readonly grpcAddress: string | undefined;
  readonly metricsAddress: string;
  /** How calls are read; see ReadingOptions of the gate. */
  readonly reading: {
    readonly keyHeaders: readonly string[];
    readonly keyQuery: string | undefined;
    readonly productHeader: string | undefined;
    readonly trustedProxies: readonly string[];
  };
  /** How calls are decided; see GateSettings. */
  readonly gate: {
    readonly maxStalenessMs: number;
    readonly replicas: number;
    readonly recordsMax: number;
    readonly unlisted: 'allow' | 'deny';
    readonly phpDates: boolean;
  };
  /** Absent: plain HTTP and h2c. */
  readonly tls: TlsConfig | undefined;
  readonly logLevel: LogLevel;
};

/**
 * @param effective of GATE_SETTINGS
 * @throws KeywardError Terminal InvalidConfiguration, naming the flag and what it takes
 */
export function gateConfig(effective: readonly Effective[]): GateConfig {
  const values = valuesOf(effective);
  return {
    database: values.requiredText('database'),
    gateKeyFile: values.requiredText('gateKeyFile'),
    httpAddress: values.requiredText('httpAddress'),
    httpParser: values.choice('httpParser', ['fast', 'node']) === 'fast' ? 'Fast' : 'Node',
    grpcAddress: values.text('grpcAddress'),
    metricsAddress: values.requiredText('metricsAddress'),
    reading: {
      keyHeaders: values.list('keyHeaders'),
      keyQuery: values.text('keyQuery'),
      productHeader: values.text('productHeader'),
      trustedProxies: values.list('trustedProxies'),
    },
    gate: {
      maxStalenessMs: values.number('maxStalenessSeconds') * SECOND_MS,
      replicas: values.number('replicas'),
      recordsMax: values.number('cacheRecords'),
      unlisted: values.choice('unlisted', ['allow', 'deny']),
      phpDates: values.truth('phpDates'),
    },
    tls: tlsConfig(values),
    logLevel: values.choice('logLevel', LOG_LEVELS),
  };
}

function tlsConfig(values: Values): TlsConfig | undefined {
  const certFile = values.text('tlsCert');
  const keyFile = values.text('tlsKey');
  const clientCaFile = values.text('tlsClientCa');
  if (certFile === undefined && keyFile === undefined && clientCaFile === undefined) {
    return undefined;
  }
  if (certFile === undefined || keyFile === undefined) {
    throw invalid('--tls-cert and --tls-key need each other, and --tls-client-ca needs both');
  }
  return { certFile, keyFile, ...(clientCaFile === undefined ? {} : { clientCaFile }) };
}
