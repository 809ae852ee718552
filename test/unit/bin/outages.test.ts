import { expect, test } from 'vitest';
import { createDatabaseMeter } from '../../../src/bin/databasemeter.ts';
import { watchLedger } from '../../../src/bin/outages.ts';
import { rowCorrupt } from '../../../src/ledger/rows.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { createRegistry } from '../../../src/kernel/metrics.ts';
import type { Ledger } from '../../../src/ledger/port.ts';
import { Recovery } from '../../../src/runtime/recovery.ts';
import { FakeClock } from '../../support/clock.ts';

/** A ledger whose every call fails with this. */
function watched(failure: KeywardError) {
  const ends: string[] = [];
  const fail = async (): Promise<never> => {
    throw failure;
  };
  const calls = ['identity', 'load', 'commit', 'commitDocuments', 'loadDocument', 'findDocument'];
  const ledger = Object.fromEntries(calls.map((name) => [name, fail])) as unknown as Ledger;
  const watchers = {
    recovery: new Recovery(new FakeClock(), () => undefined),
    meter: createDatabaseMeter(createRegistry()),
    onEnd: ({ reason }: KeywardError) => void ends.push(reason),
  };
  return { ledger: watchLedger(ledger, watchers), ends };
}

test.each(['Fenced', 'DatabaseReplaced', 'DatabaseOutdated', 'DatabaseCorrupt', 'LedgerStopped'])(
  'an operator whose database fails with %s ends, for work and at rest',
  async (reason) => {
    const failure = new KeywardError('Terminal', { reason, message: 'it is over' });
    const { ledger, ends } = watched(failure);
    await expect(ledger.load('a', { namespace: 'n', name: 'a' })).rejects.toBe(failure);
    // A leader at rest asks for nothing else.
    await expect(ledger.identity()).rejects.toBe(failure);
    expect(ends).toEqual([reason, reason]);
  },
);

test('a row that somebody changed ends nobody: other keys go on', async () => {
  const { ledger, ends } = watched(rowCorrupt('the record of key a'));
  await expect(ledger.load('a', { namespace: 'n', name: 'a' })).rejects.toThrow('find out who');
  expect(ends).toEqual([]);
});

test('a database that is away for a while ends nobody', async () => {
  const away = { reason: 'LedgerUnavailable', message: 'its disk is full' };
  const { ledger, ends } = watched(new KeywardError('Transient', away));
  await expect(ledger.identity()).rejects.toThrow('its disk is full');
  await expect(ledger.load('a', { namespace: 'n', name: 'a' })).rejects.toThrow('its disk is full');
  expect(ends).toEqual([]);
});
