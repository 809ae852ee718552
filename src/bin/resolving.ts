/** What `keyward keys resolve` and `keyward import` ask for, as text between two processes. */
import { refText, type Ref } from '../api/meta.ts';
import { isUndecidedDebt, type Decision } from '../controllers/apikey/remote/resolve.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Ledger } from '../ledger/port.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { isRemote } from '../ledger/remote.ts';

const PAGE = 500;

/** One request. */
export type ResolveWish = {
  readonly decision: Decision;
  readonly actor: string;
  /** An import: the store that the key must be in, as kind/namespace/name or kind/name. */
  readonly importFrom?: string;
};

/** The request in a text of ours. @throws KeywardError Terminal Usage */
export function parseWish(text: string): ResolveWish {
  try {
    // Parser: a text of another version, or of somebody else, fails the checks below.
    const wish = JSON.parse(text) as Partial<ResolveWish>;
    const { decision, actor, importFrom } = wish;
    const isDecision =
      decision?.type === 'None' || (decision?.type === 'Adopt' && typeof decision.id === 'string');
    if (isDecision && typeof actor === 'string') {
      return { decision, actor, ...(typeof importFrom === 'string' ? { importFrom } : {}) };
    }
  } catch {
    // Said below.
  }
  throw terminal('Usage', 'the request cannot be read; it is of another version');
}

/** `NAMESPACE/NAME` @throws KeywardError Terminal Usage */
export function parseName(text: string): Ref {
  const [namespace, name, ...rest] = text.split('/');
  if (namespace === undefined || namespace === '' || !name || rest.length > 0) {
    throw terminal('Usage', `'${text}' is not NAMESPACE/NAME`);
  }
  return { namespace, name };
}

/** The living key of that name, else one that is gone and owes what only a person can decide. @throws KeywardError Terminal KeyNotFound */
export async function findByName(
  ledger: Pick<Ledger, 'load' | 'debts'>,
  at: Ref,
): Promise<KeyRecord> {
  const { others } = await ledger.load('', at);
  const record = others.find(({ phase }) => phase === 'Live') ?? (await findUndecided(ledger, at));
  if (record !== undefined) return record;
  throw terminal(
    'KeyNotFound',
    `the ledger has no key of ApiKey ${refText(at)}; see its status for what keeps it from beginning`,
  );
}

async function findUndecided(
  ledger: Pick<Ledger, 'debts'>,
  { namespace, name }: Ref,
): Promise<KeyRecord | undefined> {
  let after: string | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop
    const page = await ledger.debts(PAGE, after);
    const found = page.records.find(
      (each) => each.namespace === namespace && each.name === name && isUndecided(each),
    );
    if (found !== undefined) return found;
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

function isUndecided(record: KeyRecord): boolean {
  return record.credentials.filter(isRemote).some((each) => isUndecidedDebt(record, each));
}

/** The key of this UID. @throws KeywardError Terminal KeyNotFound */
export async function findByUid(ledger: Pick<Ledger, 'load'>, uid: string): Promise<KeyRecord> {
  const { record } = await ledger.load(uid, { namespace: '', name: '' });
  if (record?.phase === 'Live' || (record !== undefined && isUndecided(record))) return record;
  throw terminal('KeyNotFound', `the ledger knows no living key with UID '${uid}'`);
}

/**
 * An import is for a key that waits for one, in the store that was named.
 * @throws KeywardError Terminal StoreMismatch, NothingToImport
 */
export function checkWish(record: KeyRecord, { importFrom }: ResolveWish): void {
  if (importFrom === undefined) return;
  const { namespace, name, store, credentials } = record;
  const own =
    store.kind === 'KeyStore'
      ? `KeyStore/${namespace}/${store.name}`
      : `${store.kind}/${store.name}`;
  if (importFrom !== own) {
    throw terminal('StoreMismatch', `ApiKey ${namespace}/${name} is in store ${own}`);
  }
  const isWaiting = credentials
    .filter(isRemote)
    .some(({ state, origin }) => origin === 'Imported' && state === 'Unknown');
  if (isWaiting) return;
  throw terminal(
    'NothingToImport',
    `ApiKey ${namespace}/${name} waits for no import; make a new one with annotation keyward.dev/import: pending`,
  );
}

function terminal(reason: string, message: string): KeywardError {
  return new KeywardError('Terminal', { reason, message });
}
