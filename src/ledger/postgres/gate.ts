/** A PostgreSQL ledger as a gate has it. A role that may read, and write four tables, is enough. */
import type { GateLedger } from '../gate.ts';
import type { Answers, UseRequest } from '../requests.ts';
import { requireNewest } from '../migrations.ts';
import { createGateReads, createUseReads, createUseWrites } from '../useverbs.ts';
import { createLedgerReads } from '../verbs.ts';
import { answerUse } from './counting.ts';
import { parsePostgresUrl } from './location.ts';
import { checkSchema, MIGRATIONS } from './migrate.ts';
import { openEngine } from './open.ts';

/**
 * Opens an existing ledger beside its operators. Makes and migrates nothing.
 *
 * @throws KeywardError as `openPostgresLedger`; Transient SchemaTooOld
 */
export async function openPostgresGate(url: string): Promise<GateLedger> {
  const location = parsePostgresUrl(url);
  const { engine, pool, qualify } = await openEngine({ url, missing: 'Refuse' }, async (opened) => {
    const applied = await opened.use((connection) => checkSchema(connection, { location }));
    requireNewest(applied, MIGRATIONS, location.label);
  });
  const counting = new Set<Promise<unknown>>();
  const count = async (request: UseRequest): Promise<Answers[UseRequest['type']]> => {
    const work = answerUse({ pool, qualify }, request);
    counting.add(work);
    try {
      return await work;
    } finally {
      counting.delete(work);
    }
  };
  return {
    ...createLedgerReads((request) => engine.ask(request)),
    ...createUseReads((request) => engine.ask(request)),
    ...createGateReads((request) => engine.ask(request)),
    // Each request is answered in its own type; see `Answers`.
    ...createUseWrites((request) => count(request) as never),
    close: async () => {
      await Promise.allSettled(counting);
      await engine.close();
    },
  };
}
