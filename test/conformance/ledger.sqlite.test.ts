import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Ledger } from '../../src/ledger/port.ts';
import { openGateLedger, openLedger } from '../../src/ledger/open.ts';
import { describeDocuments } from './ledger.documents.ts';
import { describeGateLedger, type GateHarness } from './ledger.gate.ts';
import { describeGateKills } from './ledger.gate.kills.ts';
import { describeGateWalks } from './ledger.gate.walk.ts';
import { describeLedger, type Harness } from './ledger.ts';

async function createHarness(): Promise<Harness & GateHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'keyward-ledger-'));
  const path = join(directory, 'keyward.db');
  const opened: Pick<Ledger, 'close'>[] = [];
  return {
    url: `sqlite://${path}`,
    open: async () => {
      const ledger = await openLedger({ url: `sqlite://${path}`, missing: 'Create', gatherMs: 0 });
      opened.push(ledger);
      return ledger;
    },
    openGate: async () => {
      const gate = await openGateLedger(`sqlite://${path}`);
      opened.push(gate);
      return gate;
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
describeGateLedger('SQLite', createHarness);
describeGateWalks('SQLite', createHarness);
describeGateKills('SQLite', createHarness);
