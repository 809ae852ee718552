/**
 * Credentials that follow their files: service-account tokens are replaced every hour, client
 * certificates by whoever renews them, and exec tokens by their command.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import { systemCode } from '../kernel/files.ts';
import type { Logger } from '../kernel/log.ts';
import type { Access, Identity, Impersonation, Server, TlsMaterial } from './access.ts';
import type { ExecConfig } from './execlibrary.ts';
import type { KubeconfigContext, PemSource } from './kubeconfig.ts';
import type { KubeconfigText } from './kubeconfigs.ts';

/** Which API server to talk to, and as whom. */
export type AccessOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly source:
    | {
        readonly kind: 'Kubeconfig';
        readonly file: string;
        readonly context?: string;
        /** A kubeconfig that switches verification off is refused unless this says Accept. */
        readonly unverifiedServer?: 'Refuse' | 'Accept';
      }
    | {
        /** A kubeconfig that was read already. */
        readonly kind: 'Context';
        readonly context: KubeconfigContext;
        readonly config: KubeconfigText;
      }
    | {
        readonly kind: 'InCluster';
        /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
        readonly host: string;
        readonly port: number;
        /** Folder with `token` and `ca.crt`; absent: where a pod has it. */
        readonly folder?: string;
      };
};

/** Where a pod finds its service account. */
const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A projected token is replaced at 80 % of its life, an hour by default; a minute late is fine. */
const MAX_AGE_MS = 60_000;

type Why = 'Age' | 'Refused';
type Reader = (why: Why) => Promise<Identity>;

/** Opens the access to an API server. Errors are Terminal and say what to change. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const prepared = await prepare(options);
  return new FollowedAccess({ ...options, ...prepared, identity: await prepared.read('Age') });
}

type Prepared = Pick<Access, 'server' | 'impersonation'> & { readonly read: Reader };

async function prepare(options: AccessOptions): Promise<Prepared> {
  const { source } = options;
  if (source.kind === 'InCluster') return inCluster(source);
  if (source.kind === 'Context') return ofContext(source.context, source.config);
  // Loaded here, so that an operator in a pod carries no YAML parser for it.
  const { parseKubeconfig } = await import('./kubeconfig.ts');
  const config = { text: await readText(source.file), file: source.file };
  const context = parseKubeconfig(config.text, config.file, source.context);
  if (context.skipVerification && source.unverifiedServer !== 'Accept') {
    throw refuse(
      `kubeconfig "${source.file}" switches off verification of the API server; give it the certificate-authority instead`,
    );
  }
  return ofContext(context, config);
}

function ofContext(
  context: KubeconfigContext,
  config: KubeconfigText,
): { server: Server; read: Reader } {
  const read = context.needsExec
    ? execReader(config, context)
    : (): Promise<Identity> => readContext(context);
  const { server, impersonation } = context;
  return { server, read, ...(impersonation === undefined ? {} : { impersonation }) };
}

function inCluster(source: { host: string; port: number; folder?: string }): Prepared {
  const folder = source.folder ?? SERVICE_ACCOUNT_FOLDER;
  return {
    server: { host: source.host, port: source.port, secure: true, basePath: '' },
    read: async () => ({
      authorization: bearer(await readText(join(folder, 'token'))),
      tls: { ca: await readText(join(folder, 'ca.crt')), verification: 'Verify' },
    }),
  };
}

async function readContext(context: KubeconfigContext): Promise<Identity> {
  const { token, tokenFile } = context;
  // As kubectl does it: the file wins over the text, because it is the one that is renewed.
  const current = tokenFile === undefined ? token : await readText(tokenFile);
  const tls: TlsMaterial = {
    verification: context.skipVerification ? 'Skip' : 'Verify',
    ...(context.ca === undefined ? {} : { ca: await readPem(context.ca) }),
    ...(context.cert === undefined ? {} : { cert: await readPem(context.cert) }),
    ...(context.privatePem === undefined ? {} : { privatePem: await readPem(context.privatePem) }),
  };
  return current === undefined ? { tls } : { authorization: bearer(current), tls };
}

/** Credentials from a command. The library that runs it is large, so it is loaded only here. */
function execReader({ text, file }: KubeconfigText, context: KubeconfigContext): Reader {
  let config: ExecConfig | undefined;
  return async (why) => {
    const { execConfig } = await import('./execlibrary.ts');
    if (config === undefined || why === 'Refused') {
      config = execConfig(text, dirname(file), context.name);
    }
    const { tls } = await readContext(context);
    const applied: { headers?: { Authorization?: string }; cert?: string; key?: string } = {};
    await runExec(config, applied, file);
    return {
      ...(applied.headers?.Authorization === undefined
        ? {}
        : { authorization: applied.headers.Authorization }),
      tls: {
        ...tls,
        ...(applied.cert === undefined ? {} : { cert: String(applied.cert) }),
        ...(applied.key === undefined ? {} : { privatePem: String(applied.key) }),
      },
    };
  };
}

/** The failures of a program are matters of the kubeconfig. What it printed may hold credentials. */
async function runExec(config: ExecConfig, applied: object, file: string): Promise<void> {
  const { command, hint } = config;
  try {
    await config.applyToHTTPSOptions(applied);
  } catch (cause) {
    const code = systemCode(cause);
    const trouble =
      code === 'ENOENT'
        ? 'is not there; install it, or correct exec.command'
        : code === 'EACCES'
          ? 'cannot be run by this user'
          : 'gave none; run it by itself to see why';
    const advice = hint === '' || code === undefined ? '' : `: ${hint}`;
    throw refuse(
      `kubeconfig "${file}" has the program "${command}" for credentials, which ${trouble}${advice}`,
    );
  }
}

type Followed = AccessOptions & Prepared & { readonly identity: Identity };

class FollowedAccess implements Access {
  readonly server: Server;
  readonly impersonation?: Impersonation;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #read: Reader;
  #identity: Identity;
  #readMs: number;
  #reading: Promise<void> | undefined;

  constructor(followed: Followed) {
    this.server = followed.server;
    if (followed.impersonation !== undefined) this.impersonation = followed.impersonation;
    this.#clock = followed.clock;
    this.#log = followed.log;
    this.#read = followed.read;
    this.#identity = followed.identity;
    this.#readMs = this.#clock.monotonicMs();
  }

  identity(): Identity {
    if (this.#clock.monotonicMs() - this.#readMs >= MAX_AGE_MS) void this.#refresh('Age');
    return this.#identity;
  }

  renew(): Promise<void> {
    return this.#refresh('Refused');
  }

  /** One reader at a time, whoever asks; a command may take seconds. */
  #refresh(why: Why): Promise<void> {
    this.#reading ??= this.#reread(why).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #reread(why: Why): Promise<void> {
    this.#readMs = this.#clock.monotonicMs();
    try {
      this.#adopt(await this.#read(why));
    } catch (error) {
      const reason = error instanceof KeywardError ? error.message : 'unexpected error';
      this.#log.warn('credentials could not be read again; the old ones stay', { reason });
    }
  }

  #adopt(fresh: Identity): void {
    const held = this.#identity;
    const tls = sameTls(held.tls, fresh.tls) ? held.tls : fresh.tls;
    if (tls === held.tls && fresh.authorization === held.authorization) return;
    this.#identity =
      fresh.authorization === undefined ? { tls } : { authorization: fresh.authorization, tls };
  }
}

function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.privatePem === b.privatePem;
}

function readPem(source: PemSource): Promise<string> {
  return 'text' in source ? Promise.resolve(source.text) : readText(source.file);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = `file "${file}" cannot be read; check that it exists and that this user may read it`;
    throw new KeywardError('Terminal', { reason: 'UnreadableFile', message, cause });
  }
}

/** A token with a line end or a blank inside would end the header; such a file is broken. */
function bearer(token: string): string {
  const trimmed = token.trim();
  if (!/^[\x21-\x7e]+$/.test(trimmed)) throw refuse('the bearer token is empty or no plain text');
  return `Bearer ${trimmed}`;
}

function refuse(message: string): KeywardError {
  return new KeywardError('Terminal', { reason: 'InvalidCredentials', message });
}
