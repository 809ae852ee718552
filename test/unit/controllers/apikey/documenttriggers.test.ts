import { expect, test } from 'vitest';
import type { ApiKeySpec } from '../../../../src/api/generated/apikey.ts';
import type { Ref } from '../../../../src/api/meta.ts';
import { connectDocumentTriggers } from '../../../../src/controllers/apikey/documenttriggers.ts';
import type { Change } from '../../../../src/kube/port.ts';
import { cacheApiKey, type CachedApiKey } from '../../../../src/controllers/apikey/view.ts';
import { ClientKeys } from '../../../../src/ledger/clientkeys.ts';
import { DocumentBell } from '../../../../src/ledger/documentbell.ts';
import { closeForm } from '../../../../src/ledger/formchanges.ts';
import { Holds } from '../../../../src/ledger/holds.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import type { Ledger } from '../../../../src/ledger/port.ts';
import type { DocumentChange } from '../../../../src/ledger/documents.ts';
import { aClient, aHold, clientChange, holdChange } from '../../../conformance/ledger.documents.ts';
import { aForm, aRequest, aSubmittedForm, FORM_AT_MS } from '../../../support/forms.ts';
import { MemoryLedger } from '../../../support/memory.ts';
import { aRecord, aSpec } from '../../../support/world.ts';

const IN_USE = { namespace: 'shop', name: 'web' };

/** Keys in a cache and records in a ledger, and what was put in the queue, as `lane namespace/name`. */
async function office(
  objects: Readonly<Record<string, Partial<ApiKeySpec>>>,
  records: readonly Partial<KeyRecord>[] = [],
) {
  const memory = new MemoryLedger();
  const cache = new Map<string, CachedApiKey>();
  let told: (change: Change<CachedApiKey>) => void = () => undefined;
  for (const [at, spec] of Object.entries(objects)) {
    const [namespace = '', name = ''] = at.split('/');
    const metadata = { namespace, name, uid: `uid-${at}`, resourceVersion: '1' };
    cache.set(at, cacheApiKey({ metadata, spec: aSpec(spec) } as never));
  }
  const scan = async () => ({ records: records.map(aRecord), next: undefined });
  const holds = new Holds();
  const documents = new DocumentBell();
  const clientKeys = new ClientKeys();
  const ledger: Ledger = documents.watch(
    clientKeys.watch(holds.watch({ ...memory.port, scan } as Ledger)),
  );
  const woken: string[] = [];
  const text = ({ namespace, name }: Ref): string => `${namespace}/${name}`;
  connectDocumentTriggers(
    {
      documents,
      holds,
      clientKeys,
      known: { mayHold: (at) => records.some((each) => each.name === at.name) },
      keys: {
        get: (ref) => cache.get(text(ref)),
        values: () => cache.values(),
        onChange: (listener) => {
          told = listener;
        },
      },
    },
    { add: (ref, lane) => woken.push(`${lane} ${text(ref)}`) },
  );
  for (const current of cache.values()) told({ ref: current.ref, previous: undefined, current });
  const remove = (at: string): void => {
    const previous = cache.get(at);
    cache.delete(at);
    if (previous !== undefined) told({ ref: previous.ref, previous, current: undefined });
  };
  const put = async (...changes: readonly DocumentChange[]): Promise<readonly string[]> => {
    const audit = { action: 'Tested', actor: 'test', atMs: 1, facts: {} };
    woken.length = 0;
    await ledger.commitDocuments({ changes, epoch: 1, audit });
    return woken.toSorted();
  };
  return { ledger, put, remove, woken, memory };
}

const form = (document = aSubmittedForm()): DocumentChange => ({
  kind: 'Form',
  document,
  expectedRevision: document.revision,
});

test('A form wakes the key that it serves, in the first lane, and no key that does not exist', async () => {
  const content = aRequest({ apiKeyName: 'served' });
  const submitted = aSubmittedForm({ content });
  const { put } = await office({ 'shop/served': {}, 'shop/other': {}, 'else/served': {} });
  expect(await put(form(submitted))).toEqual(['urgent shop/served']);
});

test('A form wakes every key that names it, whatever happens to it, as long as the key is there', async () => {
  const naming = { applicationRef: { name: 'web' } };
  const { put, remove } = await office({ 'shop/a': naming, 'shop/b': {}, 'else/a': naming });
  expect(await put(form(aForm()))).toEqual(['urgent shop/a']);
  expect(await put(form(aForm({ revision: 1 })))).toEqual(['urgent shop/a']);
  remove('else/a');
  const closed = closeForm(aForm({ revision: 2 }), FORM_AT_MS);
  expect(await put(form(closed))).toEqual(['urgent shop/a']);
  remove('shop/a');
  expect(await put(form(aForm({ revision: 3 })))).toEqual([]);
});

test('A commit that failed rings as well: it may have been carried out; a stale one does not', async () => {
  const { put, woken, memory } = await office({ 'shop/web': {} });
  memory.around = (position) => {
    if (position === 'after') throw new Error('the answer was lost');
  };
  await expect(put(form())).rejects.toThrow('lost');
  expect(woken).toEqual(['urgent shop/web']);
  memory.around = () => undefined;
  expect(await put(form())).toEqual([]);
});

test('A decision about a key wakes it', async () => {
  const { put } = await office({ 'shop/web': {} });
  const hold = aHold('uid-1', IN_USE);
  expect(await put(holdChange(hold))).toEqual(['urgent shop/web']);
});

test('A client wakes its own keys, those that wait for it, and no others', async () => {
  const granted = { applicationRef: { name: 'form' } };
  const { put, ledger } = await office(
    {
      'shop/issued': granted,
      'shop/waiting': granted,
      'shop/named': { clientRef: { name: 'client-c' } },
      'shop/foreign': granted,
      'else/named': { clientRef: { name: 'client-c' } },
    },
    [
      { uid: '1', namespace: 'shop', name: 'issued', clientUid: 'c' },
      { uid: '2', namespace: 'shop', name: 'foreign', clientUid: 'd' },
    ],
  );
  const suspended = clientChange(aClient('c', { namespace: 'shop', state: 'Suspended' }));
  // Before all records were seen, every key with a form may be its.
  expect(await put(suspended)).toContain('urgent shop/foreign');
  await ledger.scan(10);
  const again = clientChange(aClient('c', { namespace: 'shop', revision: 1 }));
  expect(await put(again)).toEqual([
    'urgent shop/issued',
    'urgent shop/named',
    'urgent shop/waiting',
  ]);
});

test('A key that has ended is its client’s no more', async () => {
  const { ledger, put } = await office({ 'shop/web': {} }, []);
  await ledger.scan(10);
  const record = aRecord({ uid: '1', ...IN_USE, clientUid: 'c', revision: 0 });
  const audit = { action: 'Tested', actor: 'test', atMs: 1, facts: {} };
  await ledger.commit({ record, expectedRevision: 0, epoch: 1, audit });
  const client = aClient('c', { namespace: 'shop' });
  expect(await put(clientChange(client))).toEqual(['urgent shop/web']);
  await ledger.commit({
    record: { ...record, phase: 'Ended' },
    expectedRevision: 1,
    epoch: 1,
    audit,
  });
  expect(await put(clientChange({ ...client, revision: 1 }))).toEqual([]);
});

test('A form that is committed with its key wakes nobody: that pass knows', async () => {
  const { ledger, woken } = await office({ 'shop/web': {} });
  const record = aRecord({ uid: '1', ...IN_USE, revision: 0 });
  const audit = { action: 'Tested', actor: 'test', atMs: 1, facts: {} };
  const documents = [form()];
  await ledger.commit({ record, expectedRevision: 0, epoch: 1, audit, documents });
  expect(woken).toEqual([]);
});
