/**
 * Settings: flags, then KEYWARD_* environment variables, then defaults; read once, checked, frozen.
 * The only reader of process.env.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { LogLevel } from './kernel/log.ts';
import { KeywardError } from './kernel/errors.ts';
import { SECOND_MS } from './kernel/time.ts';
import { parseEndpointHosts, type EndpointHosts } from './stores/endpoints.ts';

/** Flags as the command line parsed them: long names in camel case. */
export type Flags = Readonly<Record<string, unknown>>;

/** How the API server is found. */
export type ClusterConfig = {
  /** A kubeconfig file; absent: the service account of the pod. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** KUBERNETES_SERVICE_HOST and _PORT, for the in-cluster way. */
  readonly inClusterHost: string | undefined;
  readonly inClusterPort: number;
};

/** The database and the keys to it. */
export type LedgerConfig = { readonly database: string; readonly masterKeyFile: string };

/** Where notices about forms go, and the file with the secrets that sign them. */
export type WebhookConfig = { readonly url: URL; readonly secretFile: string };

/** All settings of `keyward operator`. */
export type OperatorConfig = {
  readonly cluster: ClusterConfig;
  readonly ledger: LedgerConfig;
  /** Makes a master key file where there is none; for trials. */
  readonly masterKey: 'Required' | 'CreateIfMissing';
  /** Where the operator itself lives: Lease, credentials of cluster stores. */
  readonly namespace: string;
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  readonly metricsAddress: string;
  readonly leaderElect: boolean;
  /** Holder name in the Lease: the same after a restart, other than any other replica's. */
  readonly identity: string;
  readonly secretWatch: 'metadata' | 'none';
  /** Hosts that key stores may be reached at, by type; types that are absent have their drivers'. */
  readonly endpointHosts: EndpointHosts;
  /** Certificates (PEM) that vendors may have beside public ones. */
  readonly vendorCaFile: string | undefined;
  /** Who is told what happens to forms; absent: nobody. */
  readonly webhook: WebhookConfig | undefined;
  readonly acceptVanished: boolean;
  /** A person has looked: the database may be another, or older, than the one last used. */
  readonly acceptDatabase: boolean;
  readonly logLevel: LogLevel;
  readonly workers: number;
  readonly lossGraceSeconds: number;
  /** How often the vendor's copy of a key is compared with the ledger. */
  readonly remoteCheckSeconds: number;
  /** Tests only: how long the credentials of a store are used before they are read again. */
  readonly storeRereadSeconds: number;
  /** Tests only: how often is asked how much of each quota is left. */
  readonly quotaRereadSeconds: number;
  /** Tests only: how long a vendor that does not answer holds up keys and stores that are to go. */
  readonly debtAfterSeconds: number;
  /** Tests only: `<n>:<before|after>`. */
  readonly crashAtCommit:
    | { readonly nth: number; readonly position: 'before' | 'after' }
    | undefined;
};

/** @throws KeywardError Terminal InvalidConfiguration, naming the flag and what it takes */
export function operatorConfig(flags: Flags, hostname: string): OperatorConfig {
  const read = reader(flags);
  return {
    cluster: clusterConfig(flags),
    ledger: ledgerConfig(flags),
    masterKey: read('createMasterKey') === undefined ? 'Required' : 'CreateIfMissing',
    ...vendorConfig(flags),
    watchNamespaces: list(read('watchNamespaces') ?? ''),
    metricsAddress: read('metricsAddress') ?? '127.0.0.1:8080',
    leaderElect: oneOf('leader-elect', read('leaderElect') ?? 'true', ['true', 'false']) === 'true',
    identity: read('identity') ?? hostname,
    secretWatch: oneOf('secret-watch', read('secretWatch') ?? 'metadata', ['metadata', 'none']),
    webhook: webhookConfig(read('webhookUrl'), read('webhookSecretFile')),
    acceptVanished: read('acceptVanished') !== undefined,
    acceptDatabase: read('acceptDatabase') !== undefined,
    logLevel: oneOf('log-level', read('logLevel') ?? 'info', LEVELS),
    workers: integer('workers', read('workers') ?? '64', 1, 1_000),
    remoteCheckSeconds: integer(
      'remote-check-seconds',
      read('remoteCheckSeconds') ?? '600',
      1,
      86_400,
    ),
    storeRereadSeconds: integer(
      'store-reread-seconds',
      read('storeRereadSeconds') ?? '60',
      1,
      3_600,
    ),
    quotaRereadSeconds: integer(
      'quota-reread-seconds',
      read('quotaRereadSeconds') ?? '30',
      1,
      3_600,
    ),
    lossGraceSeconds: integer('loss-grace-seconds', read('lossGraceSeconds') ?? '30', 0, 86_400),
    debtAfterSeconds: integer('debt-after-seconds', read('debtAfterSeconds') ?? '600', 1, 86_400),
    crashAtCommit: crashPoint(read('crashAtCommit')),
  };
}

/** @throws KeywardError Terminal InvalidConfiguration */
export function ledgerConfig(flags: Flags): LedgerConfig {
  const read = reader(flags);
  return {
    database: databaseUrl(read('database')),
    masterKeyFile: masterKeyConfig(flags),
  };
}

/** Path of the master key file. @throws KeywardError Terminal InvalidConfiguration when it is not said */
export function masterKeyConfig(flags: Flags): string {
  const path = reader(flags)('masterKeyFile');
  return required('master-key-file', path, 'a file with v1:<base64>');
}

function databaseUrl(text: string | undefined): string {
  return required(
    'database',
    text,
    'sqlite:///path/to/keyward.db or postgres://user@host/database',
  );
}

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

/** @throws KeywardError Terminal InvalidConfiguration, naming the flag and what it takes */
export function gateConfig(flags: Flags): GateConfig {
  const read = reader(flags);
  const staleness = read('maxStalenessSeconds') ?? '15';
  return {
    database: databaseUrl(read('database')),
    gateKeyFile: required(
      'gate-key-file',
      read('gateKeyFile'),
      'a file that keyward keys derive-gate wrote',
    ),
    httpAddress: read('httpAddress') ?? '127.0.0.1:8180',
    httpParser: httpParser(read('httpParser') ?? 'fast'),
    grpcAddress: read('grpcAddress'),
    metricsAddress: read('metricsAddress') ?? '127.0.0.1:8081',
    reading: {
      keyHeaders: list(read('keyHeaders') ?? 'X-API-Key'),
      keyQuery: read('keyQuery'),
      productHeader: read('productHeader'),
      trustedProxies: list(read('trustedProxies') ?? ''),
    },
    gate: {
      maxStalenessMs: integer('max-staleness-seconds', staleness, 1, 86_400) * SECOND_MS,
      replicas: integer('replicas', read('replicas') ?? '3', 1, 10_000),
      recordsMax: integer('cache-records', read('cacheRecords') ?? '50000', 2, 10_000_000),
      unlisted: oneOf('unlisted', read('unlisted') ?? 'deny', ['allow', 'deny']),
      phpDates: read('phpDates') !== undefined,
    },
    tls: tlsConfig(read('tlsCert'), read('tlsKey'), read('tlsClientCa')),
    logLevel: oneOf('log-level', read('logLevel') ?? 'info', LEVELS),
  };
}

function httpParser(text: string): GateConfig['httpParser'] {
  return oneOf('http-parser', text, ['fast', 'node']) === 'fast' ? 'Fast' : 'Node';
}

/** How vendors are reached. */
export type VendorConfig = Pick<
  OperatorConfig,
  'namespace' | 'endpointHosts' | 'vendorCaFile' | 'storeRereadSeconds'
>;

/** Settings of commands that call vendors themselves. */
export function vendorConfig(flags: Flags): VendorConfig {
  const read = reader(flags);
  return {
    namespace: read('namespace') ?? 'keyward-system',
    endpointHosts: endpointHosts(read('endpointHosts') ?? ''),
    vendorCaFile: read('vendorCaFile'),
    // Of a command that ends after a moment.
    storeRereadSeconds: 60,
  };
}

/** Which API server to talk to. */
export function clusterConfig(flags: Flags): ClusterConfig {
  const read = reader(flags);
  return {
    kubeconfig: read('kubeconfig'),
    context: read('context'),
    inClusterHost: process.env.KUBERNETES_SERVICE_HOST,
    inClusterPort: Number(process.env.KUBERNETES_SERVICE_PORT ?? 443),
  };
}

/** How a command that people call finds the API server, and how it prints. */
export type PersonConfig = {
  /** Read as one; empty: the service account of the pod. */
  readonly kubeconfigs: readonly string[];
  readonly context: string | undefined;
  /** Absent: that of the context. */
  readonly namespace: string | undefined;
  readonly inClusterHost: string | undefined;
  readonly inClusterPort: number;
  readonly colour: 'auto' | 'always' | 'never';
};

/**
 * Settings of commands that people call: as kubectl finds them, and none of KEYWARD_*, which speak of
 * the operator. @throws KeywardError Terminal Usage
 */
export function personConfig(flags: Flags, home: string): PersonConfig {
  const { color = 'auto' } = flags;
  const colours = ['auto', 'always', 'never'] as const;
  const colour = colours.find((known) => known === color);
  if (colour === undefined) {
    throw new KeywardError('Terminal', {
      reason: 'Usage',
      message: `--color takes ${colours.join(', ')}, not '${String(color)}'`,
    });
  }
  const { NO_COLOR = '', KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = process.env;
  return {
    kubeconfigs: kubeconfigs(text(flags['kubeconfig']), home),
    context: text(flags['context']),
    namespace: text(flags['namespace']),
    inClusterHost: KUBERNETES_SERVICE_HOST,
    inClusterPort: Number(KUBERNETES_SERVICE_PORT ?? 443),
    colour: colour === 'auto' && NO_COLOR !== '' ? 'never' : colour,
  };
}

function kubeconfigs(flag: string | undefined, home: string): readonly string[] {
  if (flag !== undefined) return [flag];
  const { KUBECONFIG = '', KUBERNETES_SERVICE_HOST } = process.env;
  const named = KUBECONFIG.split(delimiter).filter((file) => file !== '');
  if (named.length > 0) return named;
  const usual = join(home, '.kube', 'config');
  return KUBERNETES_SERVICE_HOST === undefined || existsSync(usual) ? [usual] : [];
}

function text(flag: unknown): string | undefined {
  return typeof flag === 'string' && flag !== '' ? flag : undefined;
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** A flag's text, else that of its environment variable: `metricsAddress` is KEYWARD_METRICS_ADDRESS. */
function reader(flags: Flags): (name: string) => string | undefined {
  return (name) => {
    const flag = flags[name];
    if (flag !== undefined && flag !== false) return typeof flag === 'string' ? flag : 'true';
    const variable = `KEYWARD_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    const text = process.env[variable];
    return text === '' ? undefined : text;
  };
}

function required(flag: string, value: string | undefined, example: string): string {
  if (value !== undefined && value !== '') return value;
  throw invalid(`--${flag} is required: ${example}`);
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw invalid(`--${flag} takes ${allowed.join(', ')}, not '${value}'`);
}

function integer(flag: string, value: string, min: number, max: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  throw invalid(`--${flag} takes a whole number from ${min} to ${max}, not '${value}'`);
}

function endpointHosts(text: string): EndpointHosts {
  const hosts = parseEndpointHosts(text);
  if ('problem' in hosts) throw invalid(`--endpoint-hosts ${hosts.problem}`);
  return hosts;
}

function webhookConfig(
  text: string | undefined,
  secretFile: string | undefined,
): WebhookConfig | undefined {
  if (text === undefined && secretFile === undefined) return undefined;
  if (text === undefined || secretFile === undefined) {
    throw invalid('--webhook-url and --webhook-secret-file need each other');
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  // What stands in an address ends up in logs of proxies; the signature is the way to be known.
  const isBare = url?.username === '' && url.password === '';
  if (url !== undefined && isHttp && isBare) return { url, secretFile };
  throw invalid('--webhook-url takes an http or https address without user name and password');
}

function tlsConfig(
  certFile: string | undefined,
  keyFile: string | undefined,
  clientCaFile: string | undefined,
): TlsConfig | undefined {
  if (certFile === undefined && keyFile === undefined && clientCaFile === undefined) {
    return undefined;
  }
  if (certFile === undefined || keyFile === undefined) {
    throw invalid('--tls-cert and --tls-key need each other, and --tls-client-ca needs both');
  }
  return { certFile, keyFile, ...(clientCaFile === undefined ? {} : { clientCaFile }) };
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function crashPoint(text: string | undefined): OperatorConfig['crashAtCommit'] {
  if (text === undefined) return undefined;
  const [nth = '', position = ''] = text.split(':');
  return {
    nth: integer('crash-at-commit', nth, 1, 1_000_000),
    position: oneOf('crash-at-commit', position, ['before', 'after']),
  };
}

function invalid(message: string): KeywardError {
  return new KeywardError('Terminal', { reason: 'InvalidConfiguration', message });
}
