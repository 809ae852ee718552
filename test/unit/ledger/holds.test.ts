import { beforeEach, describe, expect, it } from 'vitest';
import type { DocumentChange } from '../../../src/ledger/documents.ts';
import { Holds } from '../../../src/ledger/holds.ts';
import type { Ledger } from '../../../src/ledger/port.ts';
import {
  aClient,
  aHold,
  clientChange,
  holdChange,
  together,
} from '../../conformance/ledger.documents.ts';
import { aCommit, aKey } from '../../conformance/ledger.records.ts';
import { MemoryLedger } from '../../support/memory.ts';

const EPOCH = 1;
const HELD = {
  state: 'Suspended',
  reviewUid: 'r',
  reviewer: 'eve',
  message: 'm',
  sinceMs: 1,
} as const;

let memory: MemoryLedger;
let holds: Holds;
let ledger: Ledger;
let told: string[];

beforeEach(async () => {
  memory = new MemoryLedger();
  holds = new Holds();
  ledger = holds.watch(memory.port);
  told = [];
  holds.onChange(({ kind, uid, namespace, name }) =>
    told.push(`${kind} ${uid} ${namespace}/${name}`),
  );
});

const put = (...changes: readonly DocumentChange[]): Promise<{ readonly type: string }> =>
  ledger.commitDocuments({ ...together(...changes), epoch: EPOCH });

describe('Holds', () => {
  it('know what was imposed before leadership began, and tell nobody of it', async () => {
    const many = Array.from({ length: 1_203 }, (_, index) => aHold(`k${index}`, { held: HELD }));
    memory.documents.put(...many.map(holdChange), clientChange(aClient('c', { state: 'Revoked' })));
    memory.documents.put(
      holdChange(aHold('lifted')),
      holdChange(aHold('gone', { phase: 'Ended' })),
    );
    await holds.load(ledger);
    expect(many.filter(({ uid }) => holds.ofKey(uid) === undefined)).toEqual([]);
    expect(holds.ofKey('lifted')).toBeUndefined();
    expect(holds.ofKey('gone')).toBeUndefined();
    expect(holds.clientState('c')).toBe('Revoked');
    expect(holds.clientState('k1')).toBeUndefined();
    expect(told).toEqual([]);
  });

  it('follow every commit, and tell of it when they know it themselves', async () => {
    await holds.load(ledger);
    const seen: unknown[] = [];
    holds.onChange(({ uid }) => seen.push(holds.ofKey(uid)?.state ?? holds.clientState(uid)));
    await put(holdChange(aHold('k', { held: HELD })), clientChange(aClient('c')));
    const lifted = [holdChange(aHold('k', { revision: 1 }))];
    await ledger.commit(aCommit(aKey('k'), { epoch: EPOCH, documents: lifted }));
    await put(clientChange(aClient('c', { revision: 1, phase: 'Ended' })));
    expect(told).toEqual([
      'Hold k shop/key-k',
      'Client c shop/client-c',
      'Hold k shop/key-k',
      'Client c shop/client-c',
    ]);
    expect(seen).toEqual(['Suspended', 'Active', undefined, undefined]);
  });

  it('believe no commit that was refused', async () => {
    await holds.load(ledger);
    await put(holdChange(aHold('k', { held: HELD })));
    expect(await put(holdChange(aHold('k')))).toEqual({ type: 'Stale' });
    expect(holds.ofKey('k')).toEqual(HELD);
    expect(told).toHaveLength(1);
  });

  it('find a commit whose answer was lost, at once or with the next commit', async () => {
    let isDown = false;
    const port: Ledger = {
      ...memory.port,
      commitDocuments: async (commit) => {
        const result = await memory.port.commitDocuments(commit);
        if (isDown) throw new Error('the connection was lost');
        return result;
      },
      loadDocument: async (kind, uid) => {
        if (isDown) throw new Error('the connection was lost');
        return memory.port.loadDocument(kind, uid);
      },
    };
    ledger = holds.watch(port);
    await holds.load(ledger);
    isDown = true;
    await expect(put(holdChange(aHold('k', { held: HELD })))).rejects.toThrow('lost');
    expect(holds.ofKey('k')).toBeUndefined();
    isDown = false;
    await put(clientChange(aClient('c')));
    await expect.poll(() => holds.ofKey('k')).toEqual(HELD);
    expect(told).toContain('Hold k shop/key-k');
  });

  it('do not go back to an older decision when answers come in another order', async () => {
    const waiting: (() => void)[] = [];
    ledger = holds.watch({
      ...memory.port,
      commitDocuments: async (commit) => {
        const result = await memory.port.commitDocuments(commit);
        await new Promise<void>((resolve) => waiting.push(resolve));
        return result;
      },
    });
    await holds.load(ledger);
    const commits = [
      put(holdChange(aHold('k', { held: HELD }))),
      put(holdChange(aHold('k', { revision: 1, held: { ...HELD, state: 'Revoked' } }))),
    ];
    await expect.poll(() => waiting.length).toBe(2);
    for (const answer of waiting.toReversed()) answer();
    await Promise.all(commits);
    expect(holds.ofKey('k')?.state).toBe('Revoked');
    expect(told).toHaveLength(1);
  });
});

describe('What holds for a key', () => {
  const held = (uid: string, state: 'Suspended' | 'Revoked'): DocumentChange =>
    holdChange(aHold(uid, { name: 'web', held: { ...HELD, state } }));
  const at = { namespace: 'shop', name: 'web' };

  it('is what was decided about an earlier object of its name, the strictest', async () => {
    await put(held('a', 'Suspended'));
    await put(held('b', 'Revoked'));
    expect(holds.imposedOn('c', at)).toMatchObject({ state: 'Revoked' });
    expect(holds.imposedOn('c', { namespace: 'shop', name: 'other' })).toBeUndefined();
  });

  it('is what was decided about itself where something was, also that it goes on', async () => {
    await put(held('a', 'Revoked'));
    await put(holdChange(aHold('c', { name: 'web' })));
    expect(holds.imposedOn('c', at)).toBeUndefined();
    await holds.load(ledger);
    expect(holds.imposedOn('c', at)).toBeUndefined();
    expect(holds.imposedOn('d', at)).toMatchObject({ state: 'Revoked' });
  });
});
