/**
 * Reads a kubeconfig file down to one context: where the server is, and from where the credentials
 * come. Contents of credential files are not read here, because they change while we run.
 */
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { KeywardError } from '../kernel/errors.ts';
import type { Impersonation, Server } from './access.ts';

/** A PEM text that is either written in the kubeconfig or kept in a file. */
export type PemSource = { readonly file: string } | { readonly text: string };

/** One context of a kubeconfig. */
export type KubeconfigContext = {
  readonly server: Server;
  readonly ca?: PemSource;
  readonly skipVerification: boolean;
  readonly cert?: PemSource;
  readonly privatePem?: PemSource;
  readonly token?: string;
  readonly tokenFile?: string;
  /** A command must be run for credentials. */
  readonly needsExec: boolean;
  /** In whose name requests are made; absent: the user's own. */
  readonly impersonation?: Impersonation;
  /** Name of the context that was chosen. */
  readonly name: string;
  /** Where commands of people act that name no other. */
  readonly namespace?: string;
};

type Fields = Readonly<Record<string, unknown>>;

/**
 * The chosen context of a kubeconfig.
 *
 * @param file where the text came from; relative paths in it are relative to its folder
 * @param context absent: the file's current-context
 *
 * Errors are Terminal and say in one sentence what to change.
 */
export function parseKubeconfig(text: string, file: string, context?: string): KubeconfigContext {
  const root = asFields(parseYaml(text, file));
  const name = context ?? asText(root['current-context']);
  if (name === undefined || name === '') {
    throw refuse(`kubeconfig "${file}" has no current-context; choose one with --context`);
  }
  const chosen = entry(root, { list: 'contexts', name, member: 'context' }, file);
  const clusterName = asText(chosen['cluster']) ?? '';
  const cluster = entry(root, { list: 'clusters', name: clusterName, member: 'cluster' }, file);
  const userName = asText(chosen['user']) ?? '';
  const user =
    userName === '' ? {} : entry(root, { list: 'users', name: userName, member: 'user' }, file);
  refuseUnsupported(cluster, user, file);
  const folder = dirname(file);
  return {
    name,
    server: parseServer(cluster, file),
    skipVerification: cluster['insecure-skip-tls-verify'] === true,
    needsExec: isGiven(user['exec']),
    ...optional('namespace', asText(chosen['namespace'])),
    ...optional('ca', pem(cluster, 'certificate-authority', folder)),
    ...optional('cert', pem(user, 'client-certificate', folder)),
    ...optional('privatePem', pem(user, 'client-key', folder)),
    ...optional('token', asText(user['token'])),
    ...optional('tokenFile', asFile(user['tokenFile'], folder)),
    ...optional('impersonation', parseImpersonation(user, file)),
  };
}

/** Fields `as`, `as-uid`, `as-groups` and `as-user-extra`, which without `as` mean nothing. */
function parseImpersonation(user: Fields, file: string): Impersonation | undefined {
  const name = asText(user['as']);
  if (name === undefined) return undefined;
  const uid = asText(user['as-uid']);
  const groups = asTexts(user['as-groups']);
  const extra = Object.entries(asFields(user['as-user-extra'])).flatMap(([fact, values]) =>
    asTexts(values).map((value) => [fact, value] as const),
  );
  const texts = [name, uid ?? '', ...groups, ...extra.flat()];
  // Each becomes a line of a request, whose bytes are Latin-1.
  if (texts.every((text) => /^[\x20-\x7e]*$/.test(text))) {
    return { user: name, ...optional('uid', uid), groups, extra };
  }
  throw refuse(`kubeconfig "${file}" impersonates somebody whose name is no plain text`);
}

/** Server, port and path of a cluster's URL. */
function parseServer(cluster: Fields, file: string): Server {
  const text = asText(cluster['server']) ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refuse(`kubeconfig "${file}" has the server "${text}", which is no http or https URL`);
  }
  const secure = url.protocol === 'https:';
  const serverName = asText(cluster['tls-server-name']);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    secure,
    basePath: url.pathname.replace(/\/+$/, ''),
    ...optional('serverName', serverName),
  };
}

function refuseUnsupported(cluster: Fields, user: Fields, file: string): void {
  if (isGiven(cluster['proxy-url'])) {
    throw refuse(
      `kubeconfig "${file}" names a proxy-url, which is not supported; connect directly`,
    );
  }
  if (isGiven(user['auth-provider']) || isGiven(user['username'])) {
    throw refuse(
      `kubeconfig "${file}" uses an auth-provider or a password; use a token, a client certificate or exec`,
    );
  }
}

type EntryPath = { readonly list: string; readonly name: string; readonly member: string };

function entry(root: Fields, path: EntryPath, file: string): Fields {
  const list = root[path.list];
  const found = Array.isArray(list)
    ? list.map(asFields).find((each) => each['name'] === path.name)
    : undefined;
  if (found === undefined) {
    throw refuse(`kubeconfig "${file}" has no entry "${path.name}" in ${path.list}`);
  }
  return asFields(found[path.member]);
}

function pem(fields: Fields, name: string, folder: string): PemSource | undefined {
  const data = asText(fields[`${name}-data`]);
  if (data !== undefined) {
    return { text: Buffer.from(data, 'base64').toString('utf8') };
  }
  const file = asFile(fields[name], folder);
  return file === undefined ? undefined : { file };
}

function asFile(value: unknown, folder: string): string | undefined {
  const path = asText(value);
  return path === undefined ? undefined : resolve(folder, path);
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch {
    // The parser's message quotes the file, which holds credentials.
    throw refuse(`kubeconfig "${file}" is not valid YAML`);
  }
}

function asFields(value: unknown): Fields {
  // Parser: any object may be looked into by name; each value is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** False for what kubectl takes as not written: programs that make such files leave `""` and `null` in them. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && isGiven(value) ? value : undefined;
}

function asTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function optional<N extends string, V>(name: N, value: V | undefined): { [K in N]?: V } {
  // Parser: the compiler cannot see that a computed name is the literal type N.
  return (value === undefined ? {} : { [name]: value }) as { [K in N]?: V };
}

function refuse(message: string): KeywardError {
  return new KeywardError('Terminal', { reason: 'InvalidKubeconfig', message });
}
