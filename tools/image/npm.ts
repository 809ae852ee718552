/** The npm packages whose code is in the bundle: version, licence and checksum from package-lock.json. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A package in the bundle. */
export type NpmPackage = {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** SHA-512 of the published package, in hex. */
  readonly sha512: string;
  /** What it says about its licence: file name and content. */
  readonly notices: readonly { readonly file: string; readonly content: Uint8Array }[];
};

/** What package-lock.json says about a package. */
export type Locked = Pick<NpmPackage, 'version' | 'licence' | 'sha512'>;

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;
/** Where a package has no such file, its licence stands here. */
const README_FILE = /^readme/i;

/**
 * @param root the checkout, with packages installed
 * @param keys of package-lock.json, as node_modules/NAME
 * @throws Error when the lock file lacks one of them or what is needed about it
 */
export async function npmPackages(
  root: string,
  keys: readonly string[],
): Promise<readonly NpmPackage[]> {
  return Promise.all(
    keys.map(async (key) => ({
      name: key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length),
      ...(await lockedPackage(root, key)),
      notices: await noticesIn(join(root, key)),
    })),
  );
}

/** @throws Error when the lock file lacks the package or what is needed about it */
export async function lockedPackage(root: string, key: string): Promise<Locked> {
  const text = await readFile(join(root, 'package-lock.json'), 'utf8');
  // Npm's own file: its shape is what npm documents.
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { version?: string; license?: string; integrity?: string }>;
  };
  const { version, license, integrity } = packages[key] ?? {};
  const sha512 = sha512Of(integrity);
  if (version === undefined || license === undefined || sha512 === undefined) {
    throw new Error(`package-lock.json does not tell version, licence and SHA-512 of ${key}`);
  }
  return { version, licence: license, sha512 };
}

/** Hex from `sha512-<base64>`. */
function sha512Of(integrity: string | undefined): string | undefined {
  const base64 = /^sha512-(\S+)$/.exec(integrity ?? '')?.[1];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
}

async function noticesIn(folder: string): Promise<NpmPackage['notices']> {
  const files = (await readdir(folder)).toSorted();
  const licences = files.filter((file) => LICENCE_FILE.test(file));
  const chosen = licences.length > 0 ? licences : files.filter((file) => README_FILE.test(file));
  return Promise.all(
    chosen.map(async (file) => ({ file, content: await readFile(join(folder, file)) })),
  );
}
