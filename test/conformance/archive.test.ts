/** Copying a whole database between engines, and marking a restored one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../src/kernel/time.ts';
import { type Copied, copyArchive } from '../../src/ledger/copy.ts';
import type { FormRecord } from '../../src/ledger/form.ts';
import { carryForm } from '../../src/ledger/formcarry.ts';
import { countReview } from '../../src/ledger/formdecisions.ts';
import type { Count } from '../../src/ledger/gate.ts';
import {
  openArchive,
  openGateLedger,
  openLedger,
  openLedgerReader,
} from '../../src/ledger/open.ts';
import { readBound, rebindArchive, type Succession } from '../../src/ledger/rebind.ts';
import { markRestored } from '../../src/ledger/restore.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { describeOnPostgres, freshSchema } from '../support/postgres.ts';
import { aDecision, aSubmittedForm } from '../support/forms.ts';
import { aClient, aHold, clientChange, holdChange, together } from './ledger.documents.ts';
import {
  aCommit,
  aCredential,
  aKey,
  aSlot,
  AT_MS,
  bytesOf,
  CLUSTER,
  EPOCH,
} from './ledger.records.ts';

const KEYS = 1_203;
const DOCUMENTS = 53;
const REBIND_CHILD = join(import.meta.dirname, 'rebind.child.ts');

/** Subjects as `quotaSubject` makes them; `form-1` and `k9` have a successor where a test rebinds. */
const COUNTS = [
  { subject: 'grant/form-1/1', windowStartMs: 0 },
  { subject: 'grant/form-1/2', windowStartMs: AT_MS },
  { subject: 'key/k9', windowStartMs: AT_MS },
  { subject: 'key/k5', windowStartMs: AT_MS },
  { subject: 'key/é😀', windowStartMs: AT_MS },
];
const SIGNATURES = Array.from({ length: 1_100 }, (_, index) => ({
  keyId: `k${index % 7}`,
  digest: bytesOf(`signature ${index}`, 32),
  untilMs: AT_MS,
  nowMs: AT_MS,
}));

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyward-archive-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const file = (name: string): string => `sqlite://${join(directory, name)}.db`;

/** Keys in every phase, with everything a record can hold. */
async function fill(url: string): Promise<void> {
  const ledger = await openLedger({ url, missing: 'Create' });
  await ledger.adoptCluster(CLUSTER);
  await ledger.openEpoch(EPOCH, 'operator-0');
  await ledger.rememberVersion(1, 'check-1');
  await ledger.saveStore(
    {
      storeUid: 'store-1',
      type: 'Naver',
      account: 'a',
      settings: '{"x":"é😀"}',
      sealed: { version: 1, blob: new Uint8Array([0, 1, 255]) },
    },
    EPOCH,
  );
  const keys = Array.from({ length: KEYS }, (_, index) =>
    aKey(`k${index}`, {
      name: `名前 ${index}`,
      ...(index % 5 === 0 ? { phase: 'Retained' as const } : {}),
      credentials: [
        aCredential(`k${index}-1`, {
          slots: [aSlot(`k${index}`), aSlot(`${index}`, { name: 'secondaryKey' })],
        }),
      ],
    }),
  );
  await Promise.all(
    keys.map((key) =>
      ledger.commit(
        aCommit(key, {
          spendRequestId: `r-${key.uid}`,
          imports: { sequence: 1, lookups: [`lookup-${key.uid}`] },
        }),
      ),
    ),
  );
  const ended: Partial<KeyRecord> = { phase: 'Ended', credentials: [], revision: 1 };
  await Promise.all([1, 2, 3].map((index) => ledger.commit(aCommit(aKey(`k${index}`, ended)))));
  const held = {
    state: 'Revoked' as const,
    reviewUid: 'r',
    reviewer: 'eve\0',
    message: '\uD800 名前\n'.repeat(5_000),
    sinceMs: AT_MS,
  };
  const holds = Array.from({ length: DOCUMENTS }, (_, index) => aHold(`h${index}`, { held }));
  await ledger.commitDocuments(together(...holds.map(holdChange)));
  await ledger.commitDocuments(
    together(holdChange(aHold('h7', { held, revision: 1, phase: 'Ended' }))),
  );
  await ledger.close();
  await count(url);
}

/** Uses of quotas, each with something that only an exact copy keeps. */
async function count(url: string): Promise<void> {
  const gate = await openGateLedger(url);
  const wishes = COUNTS.map((ref, index) => ({
    ...ref,
    id: `lease-${index}`,
    windowEndMs: index === 0 ? undefined : AT_MS + DAY_MS,
    limit: Number.MAX_SAFE_INTEGER,
    uses: index === 0 ? Number.MAX_SAFE_INTEGER - 1 : 100 + index,
    nowMs: AT_MS,
  }));
  await gate.lease(wishes);
  await gate.reportLeases([{ id: 'lease-1', spent: 40 }], AT_MS);
  await gate.returnLeases([{ id: 'lease-2', spent: 60 }], AT_MS);
  await gate.reportUsage([{ uid: 'k5', uses: 7, lastUsedMs: AT_MS }]);
  await gate.remember(SIGNATURES);
  await gate.close();
}

async function copy(from: string, to: string): Promise<Copied> {
  const source = await openArchive(from, 'Look');
  try {
    const target = await openArchive(to, 'Fill');
    try {
      return await copyArchive(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Everything a reader can see. */
async function contents(url: string): Promise<unknown> {
  const reader = await openLedgerReader(url);
  try {
    const page = await reader.scan(KEYS + 1);
    return [
      page,
      await reader.identity(),
      await reader.countByStore(),
      await reader.loadStore('store-1'),
      await reader.versionsInUse(),
      await reader.verifyAudit(),
      await reader.scanDocuments('Hold', DOCUMENTS + 1),
      await reader.loadDocument('Hold', 'h7'),
      await reader.findDocument('Hold', { namespace: 'shop', name: 'key-h8' }),
      (await reader.counts(COUNTS)).toSorted((a, b) => (a.subject < b.subject ? -1 : 1)),
      await reader.usage(['k5', 'k6']),
    ];
  } finally {
    await reader.close();
  }
}

describeOnPostgres('A copy of a database', (server) => {
  const postgres = (): string => server().url(`schema=${freshSchema()}`);

  it.each([
    { way: 'from SQLite to PostgreSQL', from: () => file('a'), to: postgres },
    { way: 'from PostgreSQL to SQLite', from: postgres, to: () => file('b') },
    { way: 'from PostgreSQL to PostgreSQL', from: postgres, to: postgres },
  ])('$way holds every row, and the operator goes on there', async ({ from, to }) => {
    const [source, target] = [from(), to()];
    await fill(source);
    const { tables } = await copy(source, target);
    expect(tables.find(({ name }) => name === 'keys')?.rows).toBe(KEYS);
    expect(tables.find(({ name }) => name === 'slots')?.rows).toBe(KEYS * 2);
    expect(tables.find(({ name }) => name === 'documents')?.rows).toBe(DOCUMENTS);
    expect(tables.find(({ name }) => name === 'signatures')?.rows).toBe(SIGNATURES.length);
    expect(await contents(target)).toEqual(await contents(source));
    const gate = await openGateLedger(target);
    expect((await gate.remember(SIGNATURES)).some(Boolean)).toBe(false);
    await gate.returnLeases([{ id: 'lease-1', spent: 41 }], AT_MS);
    expect((await gate.counts(COUNTS.slice(1, 2)))[0]).toMatchObject({ reserved: 41, unspent: 0 });
    await gate.close();
    const ledger = await openLedger({ url: target, missing: 'Refuse' });
    await ledger.openEpoch(EPOCH + 1, 'operator-1');
    const next = await ledger.commit(aCommit(aKey('next'), { epoch: EPOCH + 1 }));
    expect(next).toMatchObject({ type: 'Committed' });
    expect(await ledger.verifyAudit()).toEqual({ entries: KEYS + 6, brokenAt: undefined });
    await ledger.close();
  });

  it('is refused over anything that was used, a complete copy included', async () => {
    const [source, target, other] = [file('a'), postgres(), file('c')];
    await fill(source);
    await copy(source, target);
    const refusal = { class: 'Terminal', reason: 'TargetNotEmpty' };
    await expect(copy(source, target)).rejects.toMatchObject(refusal);
    await fill(other);
    await expect(copy(source, other)).rejects.toMatchObject(refusal);
  });

  it('is refused while the operator of a file runs, and leaves nothing when a server was written', async () => {
    const source = postgres();
    await fill(source);
    const ledger = await openLedger({ url: source, missing: 'Refuse' });
    const from = await openArchive(source, 'Look');
    // Its snapshot is taken by the first look.
    await from.meta();
    await ledger.openEpoch(EPOCH + 1, 'operator-1');
    const to = await openArchive(file('t'), 'Fill');
    await expect(copyArchive(from, to)).rejects.toMatchObject({ reason: 'SourceInUse' });
    await Promise.all([from.close(), to.close(), ledger.close()]);
    expect(await copy(source, file('t'))).toMatchObject({ rows: expect.any(Number) });
    const onFile = await openLedger({ url: file('t'), missing: 'Refuse' });
    await expect(copy(file('t'), postgres())).rejects.toMatchObject({ reason: 'DatabaseInUse' });
    await onFile.close();
  });

  it('is refused where the audit chain is broken', async () => {
    const target = postgres();
    await fill(file('a'));
    const db = new DatabaseSync(join(directory, 'a.db'));
    db.exec(`UPDATE audit SET actor = 'x' WHERE commit_number = 1100`);
    db.close();
    await expect(copy(file('a'), target)).rejects.toMatchObject({
      reason: 'CopyFailed',
      message: expect.stringContaining('entry 1100'),
    });
    const ledger = await openLedger({ url: target, missing: 'Refuse' });
    expect((await ledger.identity()).commitCounter).toBe(0);
    await ledger.close();
  });

  describe.each([
    { engine: 'SQLite', url: () => file('r') },
    { engine: 'PostgreSQL', url: postgres },
  ])('beside it, a restored database on $engine', ({ url: makeUrl }) => {
    it('has a new incarnation, an audit entry, and no reader that goes on unaware', async () => {
      const url = makeUrl();
      await fill(url);
      const reader = await openLedgerReader(url);
      const { cursor } = await reader.changes(1);
      const before = await reader.identity();
      await reader.close();
      const archive = await openArchive(url, 'Change');
      const restoration = { actor: 'me', atMs: AT_MS, incarnation: 'f'.repeat(32) };
      await markRestored(archive, restoration);
      await archive.close();
      const after = await openLedgerReader(url);
      expect(await after.identity()).toEqual({
        ...before,
        incarnation: restoration.incarnation,
        commitCounter: before.commitCounter + 1,
      });
      expect((await after.verifyAudit()).brokenAt).toBeUndefined();
      expect(await after.scanDocuments('Hold', DOCUMENTS)).toHaveLength(DOCUMENTS - 1);
      await expect(after.changes(1, cursor)).rejects.toMatchObject({ reason: 'CursorUnknown' });
      await after.close();
    });

    /** The forms and clients of `fillForms`: `form-1` has a successor, the others end. */
    async function rebind(url: string): Promise<void> {
      const archive = await openArchive(url, 'Change');
      try {
        const { forms, clients } = await readBound(archive);
        await rebindArchive(archive, {
          actor: 'me',
          atMs: AT_MS,
          incarnation: 'e'.repeat(32),
          clusterId: 'cluster-2',
          keyUids: new Map([
            ['shop/名前 9', 'new-k9'],
            ['shop/名前 5', 'not-k5'],
            ['shop/名前 10000', 'unknown'],
          ]),
          successions: [
            ...forms.map((old) => formSuccession(old)),
            ...clients.map((old) => ({ kind: 'Client' as const, old, next: undefined })),
          ],
        });
      } finally {
        await archive.close();
      }
    }

    it('bound to another cluster has the new documents, and takes commits from there alone', async () => {
      const url = makeUrl();
      await fill(url);
      await fillForms(url);
      await rebind(url);
      const ledger = await openLedger({ url, missing: 'Refuse' });
      const at = { namespace: 'shop', name: 'web' };
      expect(await ledger.findDocument('Form', at)).toMatchObject({
        uid: 'form-2',
        clusterId: 'cluster-2',
        revision: 1,
        carried: { fromUid: 'form-1', fromClusterId: CLUSTER },
      });
      expect(await ledger.loadDocument('Form', 'form-1')).toMatchObject({
        phase: 'Ended',
        clusterId: 'cluster-2',
      });
      expect(await ledger.scanDocuments('Client', 10)).toEqual([]);
      expect(await ledger.scanDocuments('Hold', DOCUMENTS)).toHaveLength(DOCUMENTS - 1);
      const [, carried, ended] = (await ledger.auditLines({ limit: 3 })).toReversed();
      expect([carried, ended]).toMatchObject([
        { action: 'GrantCarriedOver', facts: { from: 'form-1', to: 'form-2', application: 'web' } },
        { action: 'ClientEnded' },
      ]);
      expect((await ledger.verifyAudit()).brokenAt).toBeUndefined();
      const { clusterId, epoch } = await ledger.identity();
      expect([clusterId, epoch]).toEqual(['cluster-2', EPOCH + 1]);
      await ledger.openEpoch(EPOCH + 2, 'operator-1');
      const ofOld = aCommit(aKey('next'), { epoch: EPOCH + 2 });
      await expect(ledger.commit(ofOld)).rejects.toMatchObject({ reason: 'ForeignDatabase' });
      const key = (await ledger.load('k9', { namespace: 'shop', name: '名前 9' })).record;
      expect(key?.clusterId).toBe('cluster-2');
      const gone = { ...aKey('k9', { ...key, phase: 'Ended', credentials: [] }), revision: 1 };
      const next = await ledger.commit(aCommit(gone, { epoch: EPOCH + 2 }));
      expect(next).toMatchObject({ type: 'Committed' });
      await ledger.close();
    });

    it('bound to another cluster counts on for forms and keys where it left off', async () => {
      const url = makeUrl();
      await fill(url);
      await fillForms(url);
      const before = await countsOf(url, COUNTS);
      await rebind(url);
      const next = COUNTS.map(({ subject, windowStartMs }) => ({
        windowStartMs,
        subject: subject.replace('form-1', 'form-2').replace('key/k9', 'key/new-k9'),
      }));
      // The object of k5 was gone before its cluster was: another one of its name is another key.
      const none = { subject: 'key/not-k5', windowStartMs: AT_MS };
      expect(await countsOf(url, [...next, none])).toEqual([
        { ...next[0], reserved: Number.MAX_SAFE_INTEGER - 1, unspent: 0 },
        { ...next[1], reserved: 101, unspent: 0 },
        { ...next[3], reserved: 103, unspent: 103 },
        { ...next[2], reserved: 60, unspent: 0 },
        { ...next[4], reserved: 104, unspent: 104 },
      ]);
      expect(await countsOf(url, COUNTS)).toEqual(before);
    });

    it('that was being bound when the command was killed is as before, and is bound by the next try', async () => {
      const url = makeUrl();
      await fill(url);
      await fillForms(url);
      const before = await contents(url);
      const killed = spawnSync(process.execPath, [REBIND_CHILD, url, String(AT_MS)]);
      expect([killed.signal, String(killed.stderr)]).toEqual(['SIGKILL', '']);
      expect(await contents(url)).toEqual(before);
      await rebind(url);
      const reader = await openLedgerReader(url);
      expect((await reader.identity()).clusterId).toBe('cluster-2');
      await reader.close();
    });
  });
});

async function countsOf(url: string, refs: typeof COUNTS): Promise<readonly Count[]> {
  const reader = await openLedgerReader(url);
  const counts = await reader.counts(refs);
  await reader.close();
  return counts.toSorted((a, b) => Buffer.compare(Buffer.from(a.subject), Buffer.from(b.subject)));
}

/** A form with a grant and a client, besides what `fill` leaves. */
async function fillForms(url: string): Promise<void> {
  const ledger = await openLedger({ url, missing: 'Refuse' });
  const granted = countReview(aSubmittedForm(), aDecision());
  await ledger.commitDocuments(
    together(
      { kind: 'Form', document: granted, expectedRevision: 0 },
      clientChange(aClient('client-1')),
    ),
  );
  await ledger.close();
}

function formSuccession(old: FormRecord): Succession {
  const { round } = old;
  if (round === undefined) throw new Error('a form of these tests was submitted');
  const home = { clusterId: 'cluster-2', uid: 'form-2', generation: 1, createdBy: 'pipeline' };
  const uids = { storeUid: 'store-2', clientUid: 'client-2' };
  const { content } = round;
  const next = carryForm(old, {
    ...home,
    ...uids,
    editors: [],
    atMs: AT_MS,
    type: 'Issue',
    content,
  });
  return { kind: 'Form', old, next, because: '' };
}
