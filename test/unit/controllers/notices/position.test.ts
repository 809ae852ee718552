import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerPosition } from '../../../../src/controllers/notices/position.ts';
import { openLedger } from '../../../../src/ledger/open.ts';
import type { Ledger } from '../../../../src/ledger/port.ts';
import { FakeClock } from '../../../support/clock.ts';

let folder: string;
let ledger: Ledger;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyward-notices-'));
  const url = `sqlite://${join(folder, 'keyward.db')}`;
  ledger = await openLedger({ url, missing: 'Create', isBacklogged: () => false });
  await ledger.adoptCluster('cluster');
  await ledger.openEpoch(1, 'me');
});

afterAll(async () => {
  await ledger.close();
  await rm(folder, { recursive: true });
});

const positionAt = (epoch: number) =>
  ledgerPosition({ ledger, clock: new FakeClock(), clusterId: 'cluster', epoch: () => epoch });

test('is unknown at first, then the last one saved, also for the next process', async () => {
  expect(await positionAt(1).load()).toBeUndefined();
  await positionAt(1).save(7);
  await positionAt(1).save(9);
  expect(await positionAt(1).load()).toBe(9);
  expect(await ledger.verifyAudit()).toMatchObject({ entries: 2, brokenAt: undefined });
});

test('is not moved by a leader that is none any more', async () => {
  await expect(positionAt(2).save(11)).rejects.toMatchObject({ reason: 'Fenced' });
  expect(await positionAt(1).load()).toBe(9);
});
