import { describe, expect, test } from 'vitest';
import { KnownNames } from '../../../src/ledger/knownnames.ts';
import type { Commit, CommitResult, Ledger, Page } from '../../../src/ledger/port.ts';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import { aRecord } from '../../support/world.ts';

const WEB = { namespace: 'team', name: 'web' };
const API = { namespace: 'team', name: 'api' };

const recordOf = (uid: string, at: typeof WEB, phase: KeyRecord['phase'] = 'Live'): KeyRecord => ({
  ...aRecord(),
  ...at,
  uid,
  phase,
});

/** A ledger of pages that answers each commit with `answer`. */
function watched(pages: readonly (readonly KeyRecord[])[] = [[]]) {
  const known = new KnownNames();
  const at = { answer: 'Committed' as 'Committed' | 'Stale' | 'Lost' };
  const port: Partial<Ledger> = {
    openEpoch: async () => undefined,
    scan: async (_, after): Promise<Page> => {
      const index = after === undefined ? 0 : Number(after);
      const next = index + 1 < pages.length ? String(index + 1) : undefined;
      return { records: pages[index] ?? [], next };
    },
    commit: async ({ record }: Commit): Promise<CommitResult> => {
      if (at.answer === 'Lost') throw new Error('no answer');
      return at.answer === 'Stale' ? { type: 'Stale' } : { type: 'Committed', record };
    },
  };
  // Whatever else is called is undefined and fails the test.
  const ledger = known.watch(port as Ledger);
  const commit = (record: KeyRecord): Promise<CommitResult> =>
    ledger.commit({
      record,
      expectedRevision: 0,
      epoch: 1,
      audit: { action: 'Test', actor: 'test', atMs: 0, facts: {} },
    });
  return { known, ledger, at, commit };
}

async function complete(ledger: Ledger): Promise<void> {
  await ledger.openEpoch(1, 'test');
  let after: string | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop
    after = (await ledger.scan(10, after)).next;
  } while (after !== undefined);
}

describe('a name may be held', () => {
  test('as long as no scan has gone through the whole ledger', async () => {
    const { known, ledger } = watched([[recordOf('1', API)], []]);
    expect(known.mayHold(WEB)).toBe(true);
    await ledger.openEpoch(1, 'test');
    await ledger.scan(10);
    expect(known.mayHold(WEB)).toBe(true);
    await ledger.scan(10, '1');
    expect(known.mayHold(WEB)).toBe(false);
    expect(known.mayHold(API)).toBe(true);
  });

  test('when the scan was before our epoch, because another leader could still commit', async () => {
    const { known, ledger } = watched();
    await ledger.scan(10);
    await ledger.openEpoch(1, 'test');
    expect(known.mayHold(WEB)).toBe(true);
    await ledger.scan(10);
    expect(known.mayHold(WEB)).toBe(false);
  });

  test('when pages of the scan were left out', async () => {
    const { known, ledger } = watched([[], [], []]);
    await ledger.openEpoch(1, 'test');
    await ledger.scan(10);
    await ledger.scan(10, '2');
    expect(known.mayHold(WEB)).toBe(true);
  });

  test.each(['Committed', 'Stale', 'Lost'] as const)(
    'once a commit was sent, whatever became of it: %s',
    async (answer) => {
      const { known, ledger, at, commit } = watched();
      await complete(ledger);
      at.answer = answer;
      await commit(recordOf('1', WEB)).catch(() => undefined);
      expect(known.mayHold(WEB)).toBe(true);
      expect(known.mayHold(API)).toBe(false);
    },
  );

  test('while one of several records under it is not Ended', async () => {
    const { known, ledger, commit } = watched([[recordOf('1', WEB), recordOf('2', WEB)]]);
    await complete(ledger);
    await commit(recordOf('1', WEB, 'Ended'));
    expect(known.mayHold(WEB)).toBe(true);
    await commit(recordOf('2', WEB, 'Ended'));
    expect(known.mayHold(WEB)).toBe(false);
  });

  test('when ending its last record failed', async () => {
    const { known, ledger, at, commit } = watched([[recordOf('1', WEB)]]);
    await complete(ledger);
    at.answer = 'Stale';
    await commit(recordOf('1', WEB, 'Ended'));
    expect(known.mayHold(WEB)).toBe(true);
  });
});
