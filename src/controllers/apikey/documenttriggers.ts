/**
 * Which keys a committed form, client or decision concerns. All in the first lane: somebody waits for his
 * key, or somebody must be locked out. The queue's lanes see to it that ten thousand of them slow other
 * work down and do not stop it.
 */
import { refText, type Ref } from '../../api/meta.ts';
import type { Cache } from '../../kube/port.ts';
import type { ClientKeys } from '../../ledger/clientkeys.ts';
import type { DocumentBell } from '../../ledger/documentbell.ts';
import type { DocumentChange } from '../../ledger/documents.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { HoldChange, Holds } from '../../ledger/holds.ts';
import type { KnownNames } from '../../ledger/knownnames.ts';
import type { Lane } from '../../runtime/lanes.ts';
import { NamedForms } from './namedforms.ts';
import type { CachedApiKey } from './view.ts';

/** Where the keys that are concerned are found. */
type DocumentSources = {
  readonly keys: Pick<Cache<CachedApiKey>, 'get' | 'values'>;
  /** Names that the ledger may hold. */
  readonly known: Pick<KnownNames, 'mayHold'>;
  readonly clientKeys: Pick<ClientKeys, 'of'>;
};

/** Connects forms and decisions to the queue. Once. */
export function connectDocumentTriggers(
  sources: DocumentSources & {
    readonly keys: Pick<Cache<CachedApiKey>, 'onChange'>;
    readonly documents: Pick<DocumentBell, 'listen'>;
    readonly holds: Pick<Holds, 'onChange'>;
  },
  queue: { add(ref: Ref, lane: Lane): void },
): void {
  const wake = (refs: readonly Ref[]): void => {
    for (const ref of existing(sources, refs)) queue.add(ref, 'urgent');
  };
  const named = new NamedForms();
  named.follow(sources.keys);
  sources.documents.listen((change, origin) => {
    const refs = refsOfDocument(named, change);
    // The pass that commits a key with its form goes on with both; others that name the form do not know.
    const isServed = ({ name }: Ref): boolean => name === servedBy(change);
    wake(origin === 'Documents' ? refs : refs.filter((ref) => !isServed(ref)));
  });
  sources.holds.onChange((change) => wake(refsOfHold(sources, change)));
}

/** The keys that may have to follow this document. */
function refsOfDocument(named: Pick<NamedForms, 'of'>, change: DocumentChange): readonly Ref[] {
  return change.kind === 'Form' ? ofForm(named, change.document) : [];
}

/** The keys that may have to follow a decision about a key, or the state of a client. */
function refsOfHold(sources: DocumentSources, change: HoldChange): readonly Ref[] {
  const { namespace, name } = change;
  return change.kind === 'Hold' ? [{ namespace, name }] : ofClient(sources, change);
}

/** Name of the key that a form serves. */
function servedBy({ kind, document }: DocumentChange): string | undefined {
  return kind === 'Form' ? (document.grant ?? document.round)?.content.apiKeyName : undefined;
}

function ofForm(named: Pick<NamedForms, 'of'>, form: FormRecord): readonly Ref[] {
  const { namespace, name } = form;
  const served = [form.grant, form.round].flatMap((each) =>
    each === undefined ? [] : [{ namespace, name: each.content.apiKeyName }],
  );
  return [{ namespace, name }, ...served, ...named.of({ namespace, name })];
}

function ofClient(
  { keys, known, clientKeys }: DocumentSources,
  { uid, namespace, name }: HoldChange,
): readonly Ref[] {
  const issued = clientKeys.of(uid);
  const others = Array.from(keys.values()).filter((key) => {
    if (key.ref.namespace !== namespace) return false;
    if (key.clientName === name) return true;
    // The client of a form is not in the key; those that were issued are known by their record.
    const isUnknown = issued === undefined || !known.mayHold(key.ref);
    return key.applicationName !== undefined && isUnknown;
  });
  return [...(issued ?? []), ...others.map(({ ref }) => ref)];
}

/** Each once; a name without an object has nothing to be told. */
function existing({ keys }: DocumentSources, refs: readonly Ref[]): readonly Ref[] {
  const unique = new Map(refs.map((ref) => [refText(ref), ref]));
  return [...unique.values()].filter((ref) => keys.get(ref) !== undefined);
}
