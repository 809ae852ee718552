import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Ledger } from '../../src/ledger/port.ts';
import { openLedger } from '../../src/ledger/open.ts';
import { describeDocuments } from './ledger.documents.ts';
import { describeLedger, type Harness } from './ledger.ts';

async function createHarness(): Promise<Harness> {
  const directory = mkdtempSync(join(tmpdir(), 'keyward-ledger-'));
  const path = join(directory, 'keyward.db');
  const opened: Ledger[] = [];
  return {
    open: async () => {
      const ledger = await openLedger({ url: `sqlite://${path}`, missing: 'Create', gatherMs: 0 });
      opened.push(ledger);
      return ledger;
    },
    tamper: async (sql) => {
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
    },
    remove: async () => {
      await Promise.all(opened.map((ledger) => ledger.close()));
      rmSync(directory, { recursive: true });
    },
  };
}

describeLedger('SQLite', createHarness);
describeDocuments('SQLite', createHarness);
