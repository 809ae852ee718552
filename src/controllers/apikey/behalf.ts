/**
 * Reads from the ledger on whose behalf a key is: its form and its client. Never from the status of
 * those objects, which is a copy. A key with neither costs no request here.
 */
import { refText } from '../../api/meta.ts';
import { currentGrant } from '../../ledger/grants.ts';
import type { FormRecord } from '../../ledger/form.ts';
import { isKept } from '../../ledger/keptclients.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { ledgerMoved } from '../../runtime/behind.ts';
import type { Deps } from './deps.ts';
import { grantedKey, refusedFields } from './granted.ts';
import type { ApiKeyView, ApplicationFact, ClientFact, World } from './world.ts';

type Readers = Pick<Deps, 'ledger' | 'stores'>;

/** A key with the spec that its grant stands for. */
type Granted = { readonly key: ApiKeyView; readonly application: ApplicationFact };

/** What is known of such a key before its form is read. */
type GrantFacts = {
  readonly record: KeyRecord | undefined;
  /** A rotation request of the object as written that was never handled. */
  readonly request: string | undefined;
  readonly nowMs: number;
};

/** The form of a key that names one, and the key as its grant makes it. */
export async function readApplication(
  deps: Readers,
  written: ApiKeyView,
  name: string,
  { record, request, nowMs }: GrantFacts,
): Promise<Granted> {
  const form = await findForm(deps, written, name, record);
  const grant = form && currentGrant(form, nowMs);
  const free = { form, grant, reissues: 'Free' } as const;
  const { fact } = deps.stores.of(grantedKey(written, free), record?.store);
  const isReviewed = fact.type === 'Usable' && fact.reviewed.includes('Reissue');
  const reissues = isReviewed ? 'Reviewed' : 'Free';
  const refused = isReviewed ? refusedFields(written.spec, request) : [];
  const application: ApplicationFact = { name, form, grant, reissues, refused };
  return { key: grantedKey(written, application), application };
}

/** A key stays with its form, also when another one has come under the same name. */
function findForm(
  { ledger }: Readers,
  { ref: { namespace } }: ApiKeyView,
  name: string,
  record: KeyRecord | undefined,
): Promise<FormRecord | undefined> {
  const uid = record?.grant?.formUid;
  return uid === undefined
    ? ledger.findDocument('Form', { namespace, name })
    : ledger.loadDocument('Form', uid);
}

/** The client of a key, its spec as the grant makes it; undefined: it is on nobody's behalf. */
export async function readClient(
  { ledger }: Readers,
  { ref: { namespace }, spec }: ApiKeyView,
  application: ApplicationFact | undefined,
  record: KeyRecord | undefined,
): Promise<ClientFact | undefined> {
  const named = spec.clientRef?.name;
  const uid = record?.clientUid ?? application?.grant?.content.client.uid;
  if (uid !== undefined) {
    const client = await ledger.loadDocument('Client', uid);
    return { name: client?.name ?? named ?? uid, client };
  }
  if (named === undefined) return undefined;
  const found = await ledger.findDocument('Client', { namespace, name: named });
  // What was kept of a client that is gone is no client, and no key is issued for it.
  return { name: named, client: found !== undefined && isKept(found) ? undefined : found };
}

/**
 * Reads the form once more: what is made at a vendor cannot be rolled back with a commit.
 * @throws KeywardError Conflict when the form has moved on; then the key is looked at again
 */
export async function confirmGrant(
  { ledger }: Pick<Deps, 'ledger'>,
  { ref, application }: Pick<World, 'ref' | 'application'>,
): Promise<void> {
  const known = application?.form;
  if (known === undefined) return;
  const form = await ledger.loadDocument('Form', known.uid);
  if (form?.revision === known.revision) return;
  throw ledgerMoved(`the application of ApiKey ${refText(ref)}`);
}
