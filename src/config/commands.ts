/**
 * Settings of commands that work beside a server, with its database or at its vendors: flags, variables, and
 * the file of the operator where `--config` names it. A variable that names one speaks to servers only.
 */
import { type EndpointHosts, parseEndpointHosts } from '../stores/endpoints.ts';
import { environment } from './environment.ts';
import { resolveSettings, valuesOf, type Flags, type Values } from './layers.ts';
import { loadFile } from './load.ts';
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
  /** Certificates (PEM) that vendors may have beside Node's and the system's. */
  readonly vendorCaFile: string | undefined;
  /** How long the credentials of a store are used before they are read again. */
  readonly storeRereadSeconds: number;
};

/** @throws KeywardError Terminal InvalidConfiguration */
export async function ledgerConfig(flags: Flags): Promise<LedgerConfig> {
  return ledgerOf(await some(flags, ['database', 'masterKeyFile']));
}

/** The database alone. @throws KeywardError Terminal InvalidConfiguration */
export async function databaseConfig(flags: Flags): Promise<string> {
  return (await some(flags, ['database'])).requiredText('database');
}

/** Path of the master key file. @throws KeywardError Terminal InvalidConfiguration when it is not said */
export async function masterKeyConfig(flags: Flags): Promise<string> {
  return (await some(flags, ['masterKeyFile'])).requiredText('masterKeyFile');
}

/** Settings of commands that call vendors themselves. @throws KeywardError Terminal InvalidConfiguration */
export async function vendorConfig(flags: Flags): Promise<VendorConfig> {
  const values = await some(flags, ['namespace', 'endpointHosts', 'vendorCaFile']);
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

async function some(flags: Flags, names: readonly string[]): Promise<Values> {
  const { config } = flags;
  const settings = OPERATOR_SETTINGS.filter(({ name }) => names.includes(name));
  const file = typeof config === 'string' ? { file: await loadFile('operator', config) } : {};
  return valuesOf(resolveSettings(settings, { flags, environment: environment(), ...file }));
}
