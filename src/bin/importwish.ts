/**
 * What `keyward import -` asks a running operator for, as text between two processes. The values in it
 * are sealed: the text lies in a file until the operator takes it.
 */
import type { Ref } from '../api/meta.ts';
import { usageError } from '../cli/exit.ts';
import { importValues, type Brought, type ImportDeps } from '../controllers/apikey/imports.ts';
import { classify } from '../kernel/errors.ts';
import type { Keyring } from '../keys/keyring.ts';
import { open, seal } from '../keys/sealing.ts';
import type { Ledger } from '../ledger/port.ts';
import { findByUid } from './resolving.ts';

/** One request. */
export type ImportWish = Brought & { readonly actor: string };

type WrittenWish = {
  readonly actor: string;
  readonly strength: Brought['strength'];
  readonly sealed: readonly { readonly version: number; readonly blob: string }[];
};

/** Somebody else changed the key in between; each try looks at it anew. */
const TRIES_MAX = 5;
/** No format has more. */
const TEXTS_MAX = 2;

/** The request as text, for the key of this UID and no other. */
export function writeImport(
  wish: ImportWish,
  uid: string,
  deps: Pick<ImportDeps, 'keyring' | 'entropy'>,
): string {
  const { actor, strength, texts } = wish;
  const sealed = texts.map((text, at) => {
    const { version, blob } = seal(deps.keyring, text, contextOf(uid, at), deps.entropy);
    return { version, blob: Buffer.from(blob).toString('base64') };
  });
  return JSON.stringify({ actor, strength, sealed } satisfies WrittenWish);
}

/** @throws KeywardError Terminal Usage; SealBroken or MasterKeyVersionMissing: sealed with another master key */
export function parseImport(
  text: string,
  uid: string,
  { keyring }: { readonly keyring: Keyring },
): ImportWish {
  const { actor, strength, sealed } = parseWritten(text);
  const texts = sealed.map(({ version, blob }, at) =>
    open(keyring, { version, blob: Buffer.from(blob, 'base64') }, contextOf(uid, at)),
  );
  return { actor, strength, texts };
}

/**
 * Imports, however often the key changes meanwhile.
 * @throws KeywardError Terminal KeyNotFound, and as `importValues`
 */
export async function carryOutImport(
  deps: Omit<ImportDeps, 'ledger'> & { readonly ledger: Ledger },
  uid: string,
  wish: ImportWish,
): Promise<{ readonly ref: Ref; readonly answer: string }> {
  for (let tries = 1; ; tries += 1) {
    // Each try begins with what the one before has missed.
    // oxlint-disable-next-line no-await-in-loop
    const record = await findByUid(deps.ledger, uid);
    const { namespace, name } = record;
    try {
      // oxlint-disable-next-line no-await-in-loop
      return { ref: { namespace, name }, answer: await importValues(deps, record, wish) };
    } catch (thrown) {
      if (tries === TRIES_MAX || classify(thrown).class !== 'Conflict') throw thrown;
    }
  }
}

function contextOf(uid: string, at: number): string {
  return `import/${uid}/${at}`;
}

function parseWritten(text: string): WrittenWish {
  try {
    // Parser: a text of another version, or of somebody else, fails the checks below.
    const { actor, strength, sealed } = JSON.parse(text) as Partial<WrittenWish>;
    const isStrength = strength === 'Strong' || strength === 'Any';
    if (typeof actor === 'string' && isStrength && isSealed(sealed)) {
      return { actor, strength, sealed };
    }
  } catch {
    // Said below.
  }
  throw usageError('the request cannot be read; it is of another version');
}

function isSealed(value: unknown): value is WrittenWish['sealed'] {
  if (!Array.isArray(value) || value.length > TEXTS_MAX) return false;
  return value.every((each: unknown) => {
    if (typeof each !== 'object' || each === null) return false;
    const { version, blob } = each as { version?: unknown; blob?: unknown };
    return typeof version === 'number' && typeof blob === 'string';
  });
}
