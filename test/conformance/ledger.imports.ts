/**
 * What every database does with values that were imported. Part of `describeGateLedger`: what an
 * operator commits, gates must find.
 */
import { describe, expect, it } from 'vitest';
import type { GateLedger } from '../../src/ledger/gate.ts';
import type { Commit, Ledger } from '../../src/ledger/port.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { aCommit, aCredential, aKey, aSlot } from './ledger.records.ts';

const KEY_IDS = 100;

/** A lookup; the same letter gives the same. */
function lookup(letter: string): string {
  return letter.repeat(16);
}

function importing(uid: string, lookups: readonly string[], changes: Partial<Commit> = {}): Commit {
  const credential = aCredential(`${uid}-1`, { origin: 'Imported' });
  const record = aKey(uid, { credentials: [credential] });
  return aCommit(record, { imports: { sequence: 1, lookups }, ...changes });
}

/** Runs the cases on what `parts` opens. */
export function describeImports(
  name: string,
  parts: () => { readonly ledger: Ledger; readonly gate: GateLedger },
): void {
  async function committed(commit: Commit): Promise<KeyRecord> {
    const result = await parts().ledger.commit(commit);
    if (result.type !== 'Committed') throw new Error(`expected Committed, got ${result.type}`);
    return result.record;
  }

  describe(`${name}: imported values`, () => {
    it('are found by each of their lookups, by operators and by gates', async () => {
      const { ledger, gate } = parts();
      const record = await committed(importing('a', [lookup('A'), lookup('B')]));
      for (const id of [lookup('A'), lookup('B'), 'keyId-a-1']) {
        expect(await ledger.findByKeyId(id)).toEqual(record);
        expect(await gate.findByKeyId(id)).toEqual(record);
      }
      expect(await gate.findByKeyId(lookup('C'))).toBeUndefined();
    });

    it('are among the ids that gates are told, in order and page by page', async () => {
      const { gate } = parts();
      await committed(aCommit(aKey('b')));
      await committed(importing('a', [lookup('z'), lookup('A')]));
      const all = [lookup('A'), 'keyId-a-1', 'keyId-b-1', lookup('z')];
      expect(await gate.keyIds(KEY_IDS)).toEqual(all);
      expect(await gate.keyIds(2)).toEqual(all.slice(0, 2));
      expect(await gate.keyIds(2, all[1])).toEqual(all.slice(2));
      expect(await gate.keyIds(KEY_IDS, all[3])).toEqual([]);
      const ofA = await gate.keyIdsOf(['a']);
      expect(ofA.toSorted()).toEqual([lookup('A'), 'keyId-a-1', lookup('z')]);
      expect(await gate.keyIdsOf(['b'])).toEqual(['keyId-b-1']);
    });

    it('belong to one key for ever: nobody imports them again, not even when it has ended', async () => {
      const { ledger } = parts();
      const record = await committed(importing('a', [lookup('A'), lookup('B')]));
      const again = importing('b', [lookup('C'), lookup('B')]);
      expect(await ledger.commit(again)).toEqual({ type: 'ValueKnown' });
      await committed(aCommit({ ...record, phase: 'Ended', credentials: [] }));
      expect(await ledger.commit(again)).toEqual({ type: 'ValueKnown' });
      expect((await ledger.load('b', { namespace: 'n', name: 'n' })).record).toBeUndefined();
      // What was refused took nothing with it.
      await committed(importing('c', [lookup('C')]));
    });

    it('go to exactly one of many who ask at the same moment', async () => {
      const { ledger } = parts();
      const commits = Array.from({ length: 20 }, (_, at) =>
        importing(`k${at}`, [lookup('A'), lookup(String.fromCharCode(98 + at))]),
      );
      const results = await Promise.all(commits.map((each) => ledger.commit(each)));
      const types = results.map(({ type }) => type).toSorted();
      expect(types).toEqual(['Committed', ...Array.from({ length: 19 }, () => 'ValueKnown')]);
    });

    it('change nothing where the commit is refused for another reason', async () => {
      const { ledger } = parts();
      const record = await committed(aCommit(aKey('a')));
      const stale = aCommit(record, {
        expectedRevision: 0,
        imports: { sequence: 1, lookups: [lookup('A')] },
      });
      expect(await ledger.commit(stale)).toEqual({ type: 'Stale' });
      expect(await ledger.findByKeyId(lookup('A'))).toBeUndefined();
    });

    it('that ended are known to gates for as long as their digests are', async () => {
      const { gate } = parts();
      const record = await committed(importing('a', [lookup('A')]));
      await committed(aCommit({ ...record, credentials: [] }));
      expect(await gate.keyIds(KEY_IDS)).toContain(lookup('A'));
      const found = await gate.findByKeyId(lookup('A'));
      const { sealed: _, ...slot } = aSlot('a-1');
      expect(found?.credentials).toMatchObject([
        { state: 'Deleted', origin: 'Imported', slots: [slot] },
      ]);
    });
  });
}
