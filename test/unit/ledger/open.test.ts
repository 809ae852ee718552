import { describe, expect, it } from 'vitest';
import { openLedger, openLedgerReader } from '../../../src/ledger/open.ts';

describe('A database URL', () => {
  it.each([
    { url: 'postgres://keyward:hunter2@db', says: 'it names no database' },
    { url: 'postgresql://keyward:hunter2@db/keyward?ssl=1', says: 'unknown parameter "ssl"' },
    { url: 'mysql://keyward:hunter2@db/keyward', says: 'unknown scheme "mysql:"' },
    { url: 'hunter2', says: 'no scheme' },
  ])('of another kind is refused without repeating its password: $says', async ({ url, says }) => {
    const refusal = {
      class: 'Terminal',
      reason: 'DatabaseUrlInvalid',
      message: expect.stringContaining(says),
    };
    await expect(openLedger({ url, missing: 'Create' })).rejects.toMatchObject(refusal);
    await expect(openLedgerReader(url)).rejects.toMatchObject(refusal);
    await expect(openLedgerReader(url)).rejects.not.toMatchObject({
      message: expect.stringContaining('hunter2'),
    });
  });
});
