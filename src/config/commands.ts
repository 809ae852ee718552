/** Settings of commands that work beside a server, with its database or at its vendors: flags and variables. */
import { type EndpointHosts, parseEndpointHosts } from '../stores/endpoints.ts';
import { environment } from './environment.ts';
import { resolveSettings, valuesOf, type Flags, type Values } from './layers.ts';
import { invalid } from './problem.ts';
import { OPERATOR_SETTINGS } from './settings.ts';

/** The database and the keys to it. */
export type LedgerConfig = { readonly database: string; readonly masterKeyFile: string };

/** How vendors are reached. */
export type VendorConfig = {
  /** Where the operator itself lives: Lease, credentials of cluster stores. */
  readonly namespace: string;
  /** Hosts that key stores may be reached at, by type; types that are absent have their drivers'. */
  readonly endpointHosts: EndpointHosts;
  /** Certificates (PEM) that vendors may have beside public ones. */
  readonly vendorCaFile: string | undefined;
  /** How long the credentials of a store are used before they are read again. */
  readonly storeRereadSeconds: number;
};

/** @throws KeywardError Terminal InvalidConfiguration */
export function ledgerConfig(flags: Flags): LedgerConfig {
  return ledgerOf(some(flags, ['database', 'masterKeyFile']));
}

/** Path of the master key file. @throws KeywardError Terminal InvalidConfiguration when it is not said */
export function masterKeyConfig(flags: Flags): string {
  return some(flags, ['masterKeyFile']).requiredText('masterKeyFile');
}

/** Settings of commands that call vendors themselves. */
export function vendorConfig(flags: Flags): VendorConfig {
  const values = some(flags, ['namespace', 'endpointHosts', 'vendorCaFile']);
  // Of a command that ends after a moment.
  return { ...vendorsOf(values), storeRereadSeconds: 60 };
}

/** Those of a server, or of a command with these settings. */
export function ledgerOf(values: Values): LedgerConfig {
  return {
    database: values.requiredText('database'),
    masterKeyFile: values.requiredText('masterKeyFile'),
  };
}

/** As `ledgerOf`. @throws KeywardError Terminal InvalidConfiguration */
export function vendorsOf(values: Values): Omit<VendorConfig, 'storeRereadSeconds'> {
  const hosts = parseEndpointHosts(values.list('endpointHosts').join(','));
  if ('problem' in hosts) throw invalid(`--endpoint-hosts ${hosts.problem}`);
  return {
    namespace: values.requiredText('namespace'),
    endpointHosts: hosts,
    vendorCaFile: values.text('vendorCaFile'),
  };
}

function some(flags: Flags, names: readonly string[]): Values {
  const settings = OPERATOR_SETTINGS.filter(({ name }) => names.includes(name));
  return valuesOf(resolveSettings(settings, { flags, environment: environment() }));
}
