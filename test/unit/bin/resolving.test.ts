/** What the command line asks a running operator to decide. */
import { describe, expect, test } from 'vitest';
import {
  checkWish,
  findByName,
  parseName,
  parseWish,
  type ResolveWish,
} from '../../../src/bin/resolving.ts';
import { classify } from '../../../src/kernel/errors.ts';
import { MemoryLedger } from '../../support/memory.ts';
import { aCredential, aRecord } from '../../support/world.ts';

const WISH: ResolveWish = { decision: { type: 'Adopt', id: 'id-1' }, actor: 'alice' };

function reasonOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    return classify(error).reason;
  }
}

test('a wish survives the way to the other process', () => {
  const wish = { ...WISH, importFrom: 'KeyStore/team/shop' };
  expect(parseWish(JSON.stringify(wish))).toEqual(wish);
  expect(parseWish(JSON.stringify({ ...WISH, decision: { type: 'None' } }))).toEqual({
    ...WISH,
    decision: { type: 'None' },
  });
});

test.each([
  '',
  'null',
  '{}',
  '{"decision":{"type":"Adopt"},"actor":"a"}',
  '{"decision":{"type":"None"}}',
])('a text that is none is refused: %j', (text) =>
  expect(reasonOf(() => parseWish(text))).toBe('Usage'),
);

test.each(['web', '/web', 'team/', 'team/web/x', ''])('%j names no key', (text) => {
  expect(reasonOf(() => parseName(text))).toBe('Usage');
});

test('a key is found by its name while it lives', async () => {
  const ledger = new MemoryLedger();
  const record = aRecord();
  ledger.records.set(record.uid, record);
  expect(await findByName(ledger.port, parseName('team/web'))).toBe(record);
  ledger.records.set(record.uid, { ...record, phase: 'Ending' });
  await expect(findByName(ledger.port, parseName('team/web'))).rejects.toMatchObject({
    reason: 'KeyNotFound',
  });
});

test('a key that is gone is found while it owes what only a person can decide', async () => {
  const ledger = new MemoryLedger();
  const remote = { account: 'account-1', facts: {}, createBegunAtMs: 1 };
  const credential = aCredential({ state: 'Disabled', slots: [], remote });
  const record = aRecord({ phase: 'Ended', credentials: [credential] });
  ledger.records.set(record.uid, record);
  expect(await findByName(ledger.port, parseName('team/web'))).toBe(record);
  const known = { ...credential, remote: { ...remote, id: 'id-1' } };
  ledger.records.set(record.uid, { ...record, credentials: [known] });
  await expect(findByName(ledger.port, parseName('team/web'))).rejects.toMatchObject({
    reason: 'KeyNotFound',
  });
});

describe('an import', () => {
  const remote = { account: 'account-1', facts: {} };
  const waiting = aRecord({
    store: { kind: 'KeyStore', name: 'shop', uid: 'store-1', incarnation: 1 },
    credentials: [aCredential({ state: 'Unknown', origin: 'Imported', slots: [], remote })],
  });
  const wish = { ...WISH, importFrom: 'KeyStore/team/shop' };

  test('goes to a key that waits for it, in the store that was named', () => {
    expect(reasonOf(() => checkWish(waiting, wish))).toBe('none');
  });

  test.each(['KeyStore/other/shop', 'ClusterKeyStore/shop', 'shop'])('not to %s', (importFrom) => {
    expect(reasonOf(() => checkWish(waiting, { ...WISH, importFrom }))).toBe('StoreMismatch');
  });

  test('never replaces a key that was issued', () => {
    const issued = { ...waiting, credentials: [aCredential({ remote })] };
    expect(reasonOf(() => checkWish(issued, wish))).toBe('NothingToImport');
  });
});
