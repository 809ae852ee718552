import type { Ledger } from '../../src/ledger/port.ts';
import { openGateLedger, openLedger } from '../../src/ledger/open.ts';
import { describeOnPostgres, freshSchema } from '../support/postgres.ts';
import { describeDocuments } from './ledger.documents.ts';
import { describeGateLedger, type GateHarness } from './ledger.gate.ts';
import { describeGateKills } from './ledger.gate.kills.ts';
import { describeGateWalks } from './ledger.gate.walk.ts';
import { describeLedger, type Harness } from './ledger.ts';

describeOnPostgres('On a real server', (server) => {
  const createHarness = async (): Promise<Harness & GateHarness> => {
    const schema = freshSchema();
    const opened: Pick<Ledger, 'close'>[] = [];
    const url = server().url(`schema=${schema}`);
    return {
      url,
      open: async () => {
        const ledger = await openLedger({ url, missing: 'Create' });
        opened.push(ledger);
        return ledger;
      },
      openGate: async () => {
        const gate = await openGateLedger(url);
        opened.push(gate);
        return gate;
      },
      tamper: async (sql) => {
        await server().sql(`SET search_path = ${schema}; ${sql}`, 'keyward');
      },
      remove: async () => {
        await Promise.all(opened.map((ledger) => ledger.close()));
        await server().sql(`DROP SCHEMA ${schema} CASCADE`, 'keyward');
      },
    };
  };
  describeLedger('PostgreSQL', createHarness);
  describeDocuments('PostgreSQL', createHarness);
  describeGateLedger('PostgreSQL', createHarness);
  describeGateWalks('PostgreSQL', createHarness);
  describeGateKills('PostgreSQL', createHarness);
});
