/**
 * Certificates from files that others replace while we run: the kubelet swaps a symbolic link, people
 * copy. Files that cannot be used never replace ones that can; they are named in the log and counted.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../../kernel/clock.ts';
import { KeywardError } from '../../kernel/errors.ts';
import { systemCode } from '../../kernel/files.ts';
import type { Logger } from '../../kernel/log.ts';
import { SECOND_MS } from '../../kernel/time.ts';

/** Paths of PEM files. */
export type TlsFiles = {
  /** The certificate, then those between it and its root. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of client certificates, which are demanded then; absent: none are asked for. */
  readonly clientCaFile?: string | undefined;
};

/** What Node's servers take, as options and by `setSecureContext`. */
export type TlsMaterial = {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly minVersion: 'TLSv1.2';
};

/** What became of a look at the files. */
export type TlsReport = (result: 'Ok' | 'Failed', expiresMs: number | undefined) => void;

/** What watching needs. */
type TlsDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Called at the start and for each change. */
  readonly report: TlsReport;
};

/** Material that follows its files. */
export type TlsSource = {
  /** As of the start. */
  readonly material: TlsMaterial;
  /** Options beside the material. */
  readonly clients: { readonly requestCert: boolean; readonly rejectUnauthorized: boolean };
  /** Hands each change to `apply` from now on; returns what ends it. Once. */
  follow(apply: (material: TlsMaterial) => void): () => void;
  /** Looks now; resolves when it has looked. */
  look(): Promise<void>;
};

const LOOK_MS = 10 * SECOND_MS;

/** Reads the files. Rejects with Terminal TlsFilesUnusable: nothing is served without TLS instead. */
export async function openTls(files: TlsFiles, deps: TlsDeps): Promise<TlsSource> {
  const material = await read(files);
  const wrong = check(material);
  if (typeof wrong === 'string') throw unusable(wrong);
  deps.report('Ok', wrong.expiresMs);
  return new FollowedFiles(files, material, deps);
}

class FollowedFiles implements TlsSource {
  readonly clients: TlsSource['clients'];
  readonly #files: TlsFiles;
  readonly #deps: TlsDeps;
  readonly material: TlsMaterial;
  #seen: TlsMaterial;
  #apply: (material: TlsMaterial) => void = () => undefined;
  #isUnreadable = false;

  constructor(files: TlsFiles, material: TlsMaterial, deps: TlsDeps) {
    const isAsked = files.clientCaFile !== undefined;
    this.clients = { requestCert: isAsked, rejectUnauthorized: isAsked };
    this.#files = files;
    this.#deps = deps;
    this.material = material;
    this.#seen = material;
  }

  follow(apply: (material: TlsMaterial) => void): () => void {
    this.#apply = apply;
    let cancel = (): void => undefined;
    let isOver = false;
    const lookAgain = (): void => {
      cancel = this.#deps.clock.after(LOOK_MS, () => {
        void this.look().then(() => isOver || lookAgain());
      });
    };
    lookAgain();
    return () => {
      isOver = true;
      cancel();
    };
  }

  async look(): Promise<void> {
    let material: TlsMaterial;
    try {
      material = await read(this.#files);
    } catch (error) {
      // Said once, not at each look.
      if (!this.#isUnreadable) this.#fail(error instanceof Error ? error.message : 'unreadable');
      this.#isUnreadable = true;
      return;
    }
    this.#isUnreadable = false;
    if (isSame(material, this.#seen)) return;
    this.#seen = material;
    const checked = check(material);
    if (typeof checked === 'string') {
      this.#fail(checked);
      return;
    }
    this.#apply(material);
    this.#deps.log.info('TLS certificate replaced', {
      expires: new Date(checked.expiresMs).toISOString(),
    });
    this.#deps.report('Ok', checked.expiresMs);
  }

  #fail(why: string): void {
    this.#deps.log.error('TLS files cannot be used, going on with the former ones', { why });
    this.#deps.report('Failed', undefined);
  }
}

async function read({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([
    readPem(certFile),
    readPem(keyFile),
    clientCaFile === undefined ? undefined : readPem(clientCaFile),
  ]);
  return { cert, key, ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' };
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unusable(`'${path}' cannot be read`, cause);
  }
}

/** What is wrong with it, or until when it is good. Node would take an empty list of authorities. */
function check({ cert, key, ca }: TlsMaterial): string | { readonly expiresMs: number } {
  try {
    const { validToDate } = new X509Certificate(cert);
    createSecureContext({ cert, key });
    if (ca !== undefined) createSecureContext({ ca: [String(new X509Certificate(ca))] });
    return { expiresMs: validToDate.getTime() };
  } catch (error) {
    // Codes of OpenSSL name what is wrong; its messages could name more.
    const code = systemCode(error) ?? 'malformed';
    return `certificate, private key or client authorities are not usable together (${code})`;
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  const isSameCa = a.ca === undefined || b.ca === undefined ? a.ca === b.ca : a.ca.equals(b.ca);
  return isSameCa && a.cert.equals(b.cert) && a.key.equals(b.key);
}

function unusable(message: string, cause?: unknown): KeywardError {
  return new KeywardError('Terminal', { reason: 'TlsFilesUnusable', message, cause });
}
