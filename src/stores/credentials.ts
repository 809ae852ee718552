/**
 * Where the credentials of a vendor's account come from: the Secret that a KeyStore names, read by
 * name and never listed or watched, or the sealed copy in the ledger.
 */
import { createHash } from 'node:crypto';
import { refText, type KubeObject, type Ref } from '../api/meta.ts';
import { SECRETS } from '../api/names.ts';
import { canonicalJson } from '../kernel/canonicaljson.ts';
import { Sensitive } from '../kernel/sensitive.ts';
import type { KubeClient } from '../kube/port.ts';

/** By entry name. */
export type CredentialValues = Readonly<Record<string, Sensitive>>;

/** Credentials, and a digest that tells them from others. */
export type Credentials = { readonly values: CredentialValues; readonly version: string };

/** What reading them gave; a problem is one sentence that names Secret and entry. */
type CredentialsFound = Credentials | { readonly problem: string };

/** Reads the credentials. Rejects with the API server's failure. May be repeated. */
export type CredentialSource = (signal: AbortSignal) => Promise<CredentialsFound>;

/** Longer than any vendor's; what is longer is a mistake. */
const ENTRY_BYTES_MAX = 4_096;

/** Reads a Secret by name at each call. */
export function secretSource(
  client: Pick<KubeClient, 'get'>,
  ref: Ref,
  entries: readonly string[],
): CredentialSource {
  return async (signal) => {
    const secret = await client.get(SECRETS, ref, { signal });
    const name = `Secret '${refText(ref)}' with the credentials of the store`;
    if (secret === undefined) return { problem: `${name} does not exist` };
    return readEntries(secret, name, entries);
  };
}

/** Credentials that are known already, with their version. */
export function knownSource(values: CredentialValues): {
  readonly read: CredentialSource;
  readonly version: string;
} {
  const found = withVersion(values);
  return { read: async () => found, version: found.version };
}

/** Credentials as JSON text; to be sealed at once. */
export function credentialsText(values: CredentialValues): Sensitive {
  const texts = Object.entries(values).map(([name, value]) => [name, value.revealText()] as const);
  return new Sensitive(canonicalJson(Object.fromEntries(texts)));
}

/** What `credentialsText` wrote. @throws SyntaxError when it is something else */
export function parseCredentials(text: Sensitive): CredentialValues {
  // Parser: nobody but us can have sealed it.
  const texts = JSON.parse(text.revealText()) as Readonly<Record<string, string>>;
  return boxed(Object.entries(texts));
}

function readEntries(
  secret: KubeObject,
  name: string,
  entries: readonly string[],
): CredentialsFound {
  // Parser: data of a Secret is Base64 by entry, or absent.
  const { data = {} } = secret as KubeObject<{ readonly data?: Readonly<Record<string, string>> }>;
  const read: (readonly [string, string])[] = [];
  for (const entry of entries) {
    const encoded = Object.hasOwn(data, entry) ? data[entry] : undefined;
    if (encoded === undefined) return { problem: `${name} has no entry '${entry}'` };
    const text = cleanText(Buffer.from(encoded, 'base64'));
    if (text === undefined) {
      const wanted = `must be 1 to ${ENTRY_BYTES_MAX} visible ASCII characters`;
      return { problem: `${name} has an entry '${entry}' that cannot be used: it ${wanted}` };
    }
    read.push([entry, text]);
  }
  return withVersion(boxed(read));
}

/** Visible ASCII; the blanks and line ends that editors, `echo` and copying leave around it are no part of it. */
function cleanText(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1').trim();
  return text.length <= ENTRY_BYTES_MAX && /^[\x21-\x7e]+$/.test(text) ? text : undefined;
}

function boxed(texts: readonly (readonly [string, string])[]): CredentialValues {
  return Object.fromEntries(texts.map(([name, text]) => [name, new Sensitive(text)]));
}

function withVersion(values: CredentialValues): Credentials {
  const version = createHash('sha256').update(credentialsText(values).reveal()).digest('base64');
  return { values, version };
}
