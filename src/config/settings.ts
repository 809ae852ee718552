/** All settings of both servers, in the order in which help texts and docs show them. Pure. */
import type { Setting } from './setting.ts';

/** A server that has settings. */
export type Program = 'operator' | 'gate';

/** What is logged at least, least first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

const DATABASE: Setting = {
  name: 'database',
  type: { kind: 'Text', form: '<url>' },
  required: 'sqlite:///path/to/keyward.db or postgres://user@host/database',
  meaning: 'sqlite:///path/to/keyward.db or postgres://user@host/database',
  mask: 'Password',
};

const LOG_LEVEL: Setting = {
  name: 'logLevel',
  type: { kind: 'Choice', choices: LOG_LEVELS },
  default: 'info',
  meaning: 'what is logged at least',
};

const CONFIG: Setting = {
  name: 'config',
  type: { kind: 'Text', form: '<file>' },
  without: 'no file',
  meaning: 'YAML file with settings that are neither flags nor variables',
};

function seconds(name: string, standard: number, max: number, meaning: string): Setting {
  const type = { kind: 'Number', min: 1, max } as const;
  return { name, type, default: standard, meaning, visibility: 'Hidden' };
}

/** `keyward operator`. */
export const OPERATOR_SETTINGS: readonly Setting[] = [
  CONFIG,
  {
    name: 'kubeconfig',
    type: { kind: 'Text', form: '<file>' },
    without: 'the service account of the pod',
    meaning: 'kubeconfig file',
  },
  {
    name: 'context',
    type: { kind: 'Text', form: '<name>' },
    without: 'the current one',
    meaning: 'context of the kubeconfig',
  },
  DATABASE,
  {
    name: 'databaseEphemeral',
    type: { kind: 'Truth', flag: 'Bare' },
    default: false,
    meaning: 'say at every store that the SQLite database is lost with the pod (trials)',
  },
  {
    name: 'masterKeyFile',
    type: { kind: 'Text', form: '<file>' },
    required: 'a file with v1:<base64>',
    meaning: 'one key a line, v<N>:<32 bytes in base64>; the newest N is used',
  },
  {
    name: 'createMasterKey',
    type: { kind: 'Truth', flag: 'Bare' },
    default: false,
    meaning: 'make the master key file if there is none (trials)',
  },
  {
    name: 'namespace',
    type: { kind: 'Text', form: '<name>' },
    default: 'keyward-system',
    meaning: 'namespace of the operator itself',
  },
  {
    name: 'watchNamespaces',
    type: { kind: 'List', form: '<names>', flag: 'Once' },
    without: 'all namespaces',
    meaning: 'where keys are looked after',
  },
  {
    name: 'metricsAddress',
    type: { kind: 'Text', form: '<host:port>' },
    default: '127.0.0.1:8080',
    meaning: 'for /metrics, /livez, /readyz',
  },
  {
    name: 'metricsAuth',
    type: { kind: 'Choice', choices: ['none', 'delegated'] },
    default: 'none',
    meaning: 'who may read /metrics: whoever gets there, or who the API server says may',
  },
  {
    name: 'metricsObjects',
    type: { kind: 'Number', min: 0, max: 100_000 },
    default: 5_000,
    meaning: 'ApiKeys that have metrics of their own; 0: none',
  },
  {
    name: 'leaderElect',
    type: { kind: 'Truth', flag: 'Valued' },
    default: true,
    meaning: 'elect one active replica by Lease',
  },
  {
    name: 'identity',
    type: { kind: 'Text', form: '<name>' },
    without: 'host name',
    meaning: 'holder name in the Lease',
  },
  {
    name: 'leaseSeconds',
    type: { kind: 'Number', min: 3, max: 300 },
    default: 15,
    meaning: 'until another replica takes over from a leader that is not heard of',
  },
  {
    name: 'secretWatch',
    type: { kind: 'Choice', choices: ['metadata', 'none'] },
    default: 'metadata',
    meaning: 'how Secrets are followed',
  },
  {
    name: 'endpointHosts',
    type: { kind: 'List', form: '<Type=host[:port]>', flag: 'Repeatable' },
    without: 'those of the driver',
    meaning: 'hosts that key stores of a type may be reached at; repeatable',
  },
  {
    name: 'vendorCaFile',
    type: { kind: 'Text', form: '<file>' },
    without: "Node's and the system's only",
    meaning: "certificates to trust at vendors beside Node's and the system's",
  },
  {
    name: 'acceptVanished',
    type: { kind: 'Truth', flag: 'Bare' },
    default: false,
    meaning: 'end vanished keys however many they are',
  },
  {
    name: 'acceptDatabase',
    type: { kind: 'Truth', flag: 'Bare' },
    default: false,
    meaning: 'start on another or older database than the one last used',
  },
  {
    name: 'workers',
    type: { kind: 'Number', min: 1, max: 1_000 },
    default: 64,
    meaning: 'reconciles at the same time',
  },
  {
    name: 'lossGraceSeconds',
    type: { kind: 'Number', min: 0, max: 86_400 },
    default: 30,
    meaning: 'before a missing Secret counts as lost',
  },
  {
    name: 'webhookUrl',
    type: { kind: 'Text', form: '<url>' },
    without: 'nobody',
    meaning: 'told what happens to applications; see docs/webhook.md',
    mask: 'Path',
  },
  {
    name: 'webhookSecretFile',
    type: { kind: 'Text', form: '<file>' },
    meaning: 'whsec_<base64>, one a line: signs what is sent there',
  },
  LOG_LEVEL,
  seconds('remoteCheckSeconds', 600, 86_400, "how often the vendor's copy of a key is compared"),
  seconds('storeRereadSeconds', 60, 3_600, 'how long credentials of a store are used unread'),
  seconds('quotaRereadSeconds', 30, 3_600, 'how often is asked what is left of quotas'),
  seconds('debtAfterSeconds', 600, 86_400, 'how long a silent vendor holds up what is to go'),
  {
    name: 'crashAtCommit',
    type: { kind: 'Text', form: '<n:position>' },
    meaning: 'ends the process before or after its nth commit',
    visibility: 'Hidden',
  },
];

/** `keyward gate`. */
export const GATE_SETTINGS: readonly Setting[] = [
  CONFIG,
  DATABASE,
  {
    name: 'gateKeyFile',
    type: { kind: 'Text', form: '<file>' },
    required: 'a file that keyward keys derive-gate wrote',
    meaning: 'what keyward keys derive-gate wrote',
  },
  {
    name: 'httpAddress',
    type: { kind: 'Text', form: '<host:port>' },
    default: '127.0.0.1:8180',
    meaning: 'for gateways and applications',
  },
  {
    name: 'httpParser',
    type: { kind: 'Choice', choices: ['fast', 'node'] },
    default: 'fast',
    meaning: 'who reads plain requests of gateways',
  },
  {
    name: 'grpcAddress',
    type: { kind: 'Text', form: '<host:port>' },
    without: 'not served',
    meaning: 'for Envoy, gRPC',
  },
  {
    name: 'metricsAddress',
    type: { kind: 'Text', form: '<host:port>' },
    default: '127.0.0.1:8081',
    meaning: 'for /metrics, /livez, /readyz',
  },
  {
    name: 'keyHeaders',
    type: { kind: 'List', form: '<names>', flag: 'Once' },
    default: ['X-API-Key'],
    meaning: 'headers that hold a key, beside Authorization',
  },
  {
    name: 'keyQuery',
    type: { kind: 'Text', form: '<name>' },
    without: 'none',
    meaning: 'a query parameter that may hold a key',
  },
  {
    name: 'productHeader',
    type: { kind: 'Text', form: '<name>' },
    without: 'none',
    meaning: 'header in which routes of the gateway name the product',
  },
  {
    name: 'unlisted',
    type: { kind: 'Choice', choices: ['allow', 'deny'] },
    default: 'deny',
    meaning: 'calls that belong to no product',
  },
  {
    name: 'trustedProxies',
    type: { kind: 'List', form: '<networks>', flag: 'Once' },
    without: 'nobody',
    meaning: 'whose X-Forwarded-For is believed',
  },
  {
    name: 'maxStalenessSeconds',
    type: { kind: 'Number', min: 1, max: 86_400 },
    default: 15,
    meaning: 'deny when the database was not seen for so long',
  },
  {
    name: 'replicas',
    type: { kind: 'Number', min: 1, max: 10_000 },
    default: 3,
    meaning: 'gates on this database, about; sizes leases of quotas',
  },
  {
    name: 'cacheRecords',
    type: { kind: 'Number', min: 2, max: 10_000_000 },
    default: 50_000,
    meaning: 'credentials whose records are kept in memory',
  },
  {
    name: 'phpDates',
    type: { kind: 'Truth', flag: 'Bare' },
    default: false,
    meaning: "accept signature dates of SOLAPI's PHP client, which writes local time",
  },
  {
    name: 'tlsCert',
    type: { kind: 'Text', form: '<file>' },
    without: 'plain HTTP and h2c',
    meaning: 'certificate chain in PEM, reloaded when it changes',
  },
  { name: 'tlsKey', type: { kind: 'Text', form: '<file>' }, meaning: 'its private key' },
  {
    name: 'tlsClientCa',
    type: { kind: 'Text', form: '<file>' },
    without: 'nobody is asked for one',
    meaning: 'demand client certificates that these sign',
  },
  LOG_LEVEL,
];

/** Settings of each server. */
export const SETTINGS: Readonly<Record<Program, readonly Setting[]>> = {
  operator: OPERATOR_SETTINGS,
  gate: GATE_SETTINGS,
};
