import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { describeOnPostgres, freshSchema } from '../support/postgres.ts';
import { describeGate } from './gate.ts';

describeOnPostgres('On a real server', (server) => {
  describeGate('PostgreSQL', async () => {
    const schema = freshSchema();
    const url = server().url(`schema=${schema}`);
    const opened: Pick<Ledger, 'close'>[] = [];
    return {
      url,
      open: async () => {
        const ledger = await openLedger({ url, missing: 'Create' });
        opened.push(ledger);
        return ledger;
      },
      remove: async () => {
        await Promise.all(opened.map((ledger) => ledger.close()));
        await server().sql(`DROP SCHEMA ${schema} CASCADE`, 'keyward');
      },
    };
  });
});
