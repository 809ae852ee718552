/** Composition of `keyward review` and `keyward status`. */
import type { KubeObject, Ref } from '../api/meta.ts';
import { API_KEY_APPLICATIONS, API_KEYS, CLUSTER_KEY_STORES, KEY_STORES } from '../api/names.ts';
import { storeOf, type Form, type Key, type Store, type StoreRef } from '../cli/objects.ts';
import { reviewText } from '../cli/reviewtext.ts';
import { statusText } from '../cli/statustext.ts';
import { readUses, type LiveUses } from '../cli/uses.ts';
import type { Flags } from '../config/layers.ts';
import { KeywardError } from '../kernel/errors.ts';
import { absent, formOf } from './deciding.ts';
import { printList, printObject } from './printing.ts';
import { type Session, withSession } from './session.ts';

/** `keyward review NAME` */
export async function runReview(flags: Flags, name: string): Promise<void> {
  await withSession(flags, async (session) => {
    const { namespace, form: shape, output, nowMs, paint } = session;
    const form = await formOf(session, { namespace, name });
    if (shape !== 'table' && shape !== 'wide') {
      await printObject(API_KEY_APPLICATIONS, form, shape);
      return;
    }
    const store = await storeFor(session, storeOf(form.spec), namespace);
    output.data(reviewText(form, { store, nowMs, paint }));
    const hash = form.status?.round?.requestHash?.replace(/^sha256:/, '');
    if (form.status?.state !== 'Pending' || hash === undefined) return;
    const rest = `${name} -n ${namespace} --hash ${hash}`;
    output.note(`next: keyward approve ${rest}   (or deny, return, with --message)\n`);
  });
}

/** `keyward status NAME` */
export async function runStatus(flags: Flags, name: string): Promise<void> {
  await withSession(flags, async (session) => {
    const { namespace, form: shape, output, nowMs, paint } = session;
    const { form, key } = await familyOf(session, { namespace, name });
    if (shape !== 'table' && shape !== 'wide') {
      if (form !== undefined) await printObject(API_KEY_APPLICATIONS, form, shape);
      else if (key !== undefined) await printList(API_KEYS, [key], shape);
      return;
    }
    const ref = key?.status?.storeRef ?? storeOf(form?.spec ?? key?.spec ?? {});
    const store = await storeFor(session, ref, namespace);
    const uses = key && (await usesOf(flags, key, nowMs));
    output.data(statusText({ form, key, store, uses }, { nowMs, paint }));
  });
}

/** How the key was used, for those who may read the database; undefined: it was not named. */
async function usesOf(flags: Flags, key: Key, nowMs: number): Promise<LiveUses | undefined> {
  const { database } = flags;
  if (typeof database !== 'string') return undefined;
  const { uid, name, namespace = '' } = key.metadata;
  const { openLedgerReader } = await import('../ledger/open.ts');
  const ledger = await openLedgerReader(database);
  try {
    const { record } = await ledger.load(uid, { namespace, name });
    return record && (await readUses(ledger, [record], nowMs)).get(uid);
  } finally {
    await ledger.close();
  }
}

/** The form and the key that belong together, whichever of them has the name. */
async function familyOf(
  { client }: Session,
  ref: Ref,
): Promise<{ readonly form: Form | undefined; readonly key: Key | undefined }> {
  const at = (name: string): Ref => ({ namespace: ref.namespace, name });
  // Parser: the API server answers for the objects it sends.
  const form = (await client.get(API_KEY_APPLICATIONS, ref)) as Form | undefined;
  if (form !== undefined) {
    const name = form.status?.apiKeyRef?.name ?? form.spec.apiKeyRef?.name ?? ref.name;
    const served = (await client.get(API_KEYS, at(name))) as Key | undefined;
    const isOurs = served?.spec.applicationRef?.name === ref.name;
    return { form, key: isOurs ? served : undefined };
  }
  const key = (await client.get(API_KEYS, ref)) as Key | undefined;
  if (key === undefined) throw absent('application or key', ref);
  const named = key.spec.applicationRef?.name;
  if (named === undefined) return { form: undefined, key };
  return { form: (await client.get(API_KEY_APPLICATIONS, at(named))) as Form | undefined, key };
}

/** Undefined: it is gone, or not the caller's to read, which is no reason to show nothing at all. */
export async function storeFor(
  { client }: Session,
  { kind, name }: StoreRef,
  namespace: string,
): Promise<Store | undefined> {
  const read = (): Promise<KubeObject | undefined> =>
    kind === 'KeyStore'
      ? client.get(KEY_STORES, { namespace, name })
      : client.get(CLUSTER_KEY_STORES, { namespace: '', name });
  try {
    // Parser: the API server answers for the objects it sends.
    return (await read()) as Store | undefined;
  } catch (error) {
    if (error instanceof KeywardError && error.reason === 'Forbidden') return undefined;
    throw error;
  }
}
