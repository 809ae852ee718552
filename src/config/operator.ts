/** Settings of `keyward operator`, checked and ready to use. */
import type { LogLevel } from '../kernel/log.ts';
import { clusterConfig, type ClusterConfig } from './cluster.ts';
import { ledgerOf, vendorsOf, type LedgerConfig, type VendorConfig } from './commands.ts';
import { valuesOf, type Effective, type Values } from './layers.ts';
import { invalid } from './problem.ts';
import { LOG_LEVELS } from './settings.ts';

/** Where notices about forms go, and the file with the secrets that sign them. */
export type WebhookConfig = { readonly url: URL; readonly secretFile: string };

/** All settings of `keyward operator`. */
export type OperatorConfig = VendorConfig & {
  readonly cluster: ClusterConfig;
  readonly ledger: LedgerConfig;
  /** The database is not on a volume; every store says so. */
  readonly databaseEphemeral: boolean;
  /** Makes a master key file where there is none; for trials. */
  readonly masterKey: 'Required' | 'CreateIfMissing';
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  readonly metricsAddress: string;
  /** Delegated: the API server is asked about each scraper. */
  readonly metricsAuth: 'none' | 'delegated';
  /** ApiKeys that have metrics of their own. */
  readonly metricsObjects: number;
  readonly leaderElect: boolean;
  /** Holder name in the Lease: the same after a restart, other than any other replica's. */
  readonly identity: string;
  readonly leaseSeconds: number;
  readonly secretWatch: 'metadata' | 'none';
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
  /** Tests only: how often is asked how much of each quota is left. */
  readonly quotaRereadSeconds: number;
  /** Tests only: how long a vendor that does not answer holds up keys and stores that are to go. */
  readonly debtAfterSeconds: number;
  /** Tests only: `<n>:<before|after>`. */
  readonly crashAtCommit:
    | { readonly nth: number; readonly position: 'before' | 'after' }
    | undefined;
};

/**
 * @param effective of OPERATOR_SETTINGS
 * @throws KeywardError Terminal InvalidConfiguration, naming the flag and what it takes
 */
export function operatorConfig(effective: readonly Effective[], hostname: string): OperatorConfig {
  const values = valuesOf(effective);
  return {
    cluster: clusterConfig(values),
    ledger: ledgerOf(values),
    databaseEphemeral: isEphemeral(values),
    masterKey: values.truth('createMasterKey') ? 'CreateIfMissing' : 'Required',
    ...vendorsOf(values),
    storeRereadSeconds: values.number('storeRereadSeconds'),
    watchNamespaces: namespaces(values.list('watchNamespaces')),
    metricsAddress: values.requiredText('metricsAddress'),
    metricsAuth: values.choice('metricsAuth', ['none', 'delegated']),
    metricsObjects: values.number('metricsObjects'),
    leaderElect: values.truth('leaderElect'),
    identity: values.text('identity') ?? hostname,
    leaseSeconds: values.number('leaseSeconds'),
    secretWatch: values.choice('secretWatch', ['metadata', 'none']),
    webhook: webhookConfig(values.text('webhookUrl'), values.text('webhookSecretFile')),
    acceptVanished: values.truth('acceptVanished'),
    acceptDatabase: values.truth('acceptDatabase'),
    logLevel: values.choice('logLevel', LOG_LEVELS),
    workers: values.number('workers'),
    remoteCheckSeconds: values.number('remoteCheckSeconds'),
    quotaRereadSeconds: values.number('quotaRereadSeconds'),
    lossGraceSeconds: values.number('lossGraceSeconds'),
    debtAfterSeconds: values.number('debtAfterSeconds'),
    crashAtCommit: crashPoint(values.text('crashAtCommit')),
  };
}

function isEphemeral(values: Values): boolean {
  const isSaid = values.truth('databaseEphemeral');
  if (!isSaid || values.requiredText('database').startsWith('sqlite:')) return isSaid;
  throw invalid('--database-ephemeral goes with a SQLite database only; leave it out');
}

/** As the API server takes them (RFC 1123); a pattern would match nothing and look as if it did. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function namespaces(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !NAMESPACE.test(name));
  if (wrong === undefined) return [...new Set(names)];
  throw invalid(`--watch-namespaces takes names of namespaces, not '${wrong}'`);
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

function crashPoint(text: string | undefined): OperatorConfig['crashAtCommit'] {
  if (text === undefined) return undefined;
  const [, nth, position] = /^([1-9]\d{0,6}):(before|after)$/.exec(text) ?? [];
  if (position === 'before' || position === 'after') return { nth: Number(nth), position };
  throw invalid(`--crash-at-commit takes <n>:before or <n>:after, not '${text}'`);
}
